"""What a training for a table can be told."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

# Tables of fewer rows are cross-fitted.
SMALL = 2000
# Updates of an epoch, and the sizes of a batch.
_UPDATES, _LEAST, _MOST = 40, 16, 256

__all__ = ["PRESETS", "SMALL", "Preset", "Recipe"]


@dataclass(frozen=True)
class Recipe:
    """What the training can be told.

    Attributes
    ----------
    hidden : tuple of int
    activation : str
    learning_rate : float
    epochs : int
        The most.
    patience : int
        The training ends after so many epochs without a lower loss of the validation rows; 0:
        never, and the last epoch is kept.
    batch_size : int, optional
        By default a fortieth of the rows, from 16 to 256.
    seed : int
    loss : {"squared_error", "absolute_error"}
        Of a regression.
    dtype, backend, n_threads
        As `fastmlp.Sequential` takes them.
    """

    hidden: tuple[int, ...] = (64, 32)
    activation: str = "relu"
    learning_rate: float = 2e-3
    epochs: int = 300
    patience: int = 20
    batch_size: int | None = None
    seed: int = 0
    loss: str = "squared_error"
    dtype: str = "float32"
    backend: str = "auto"
    n_threads: int | str = "auto"

    def rows_of_batch(self, n_rows: int) -> int:
        """How many rows an update takes: a power of two."""
        if self.batch_size is not None:
            return self.batch_size
        return int(np.clip(2 ** round(np.log2(max(n_rows, 1) / _UPDATES)), _LEAST, _MOST))


@dataclass(frozen=True)
class Preset:
    """How much work a training may be.

    Attributes
    ----------
    n_members : int
        Networks whose outputs are averaged.
    epochs, patience : int
        As of `Recipe`.
    crosses : bool
        Whether a single network of a small table is cross-fitted.
    """

    n_members: int = 1
    epochs: int = 300
    patience: int = 20
    crosses: bool = True


PRESETS = {
    "fast": Preset(epochs=60, patience=8, crosses=False),
    "default": Preset(),
    "best": Preset(n_members=5, patience=30),
}
