"""What a training for a table can be told."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

# In tables of fewer rows copies of a row are told.
SMALL = 2000
# Rows of a batch, of which larger tables have larger ones.
_LEAST, _MOST, _UPDATES = 64, 256, 400
# Epochs are those of a table of up to so many rows. Larger ones have fewer: the share falls with
# the square root of the rows to this, and further beyond so many, but not below so many epochs.
_ROWS, _SHARE, _MANY, _FEWEST = 2000, 0.4, 100_000, 8
# Deviations of the first frequencies of embeddings, from long waves to short ones.
_WAVES_OF_CLASSES, _WAVES_OF_NUMBERS = (0.03, 1.0), (0.1, 3.0)
# Short waves follow single rows, which others even out: without them waves are longer.
_ALONE = 0.3

__all__ = ["PRESETS", "SMALL", "Preset", "Recipe"]


@dataclass(frozen=True)
class Recipe:
    """What the training can be told.

    Attributes
    ----------
    hidden : tuple of int
    activation : str, optional
        By default "selu" for classes and "mish" for numbers.
    learning_rate : float, optional
        The highest; by default 0.04 for classes and 0.05 for numbers.
    epochs : int
        The most.
    patience : int, optional
        The training ends after so many epochs without a lower loss of the validation rows; 0:
        never, and the last epoch is kept. By default half of the epochs, for the loss rises with
        each of the learning rate's cycles, of which the last takes as many.
    shortens : bool
        Whether the epochs are those of up to 2,000 rows. Of n more they are fewer by the factor
        ``sqrt(2000 / n)``, of 12,500 to 100,000 two fifths, and of more fewer again by
        ``sqrt(100000 / n)``; 8 at least.
    batch_size : int, optional
        By default 64 of up to 36,000 rows, 128 of up to 72,000, and 256 of more.
    embeds, scales, mixes : bool
        Whether measured columns have a `PeriodicEmbedding`, all a `Scale`, and hidden layers a
        `ParametricActivation` in place of a fixed one.
    waves : (float, float), optional
        The `sigma` of the embedding; by default 0.03 and 1 for classes, 0.1 and 3 for numbers, and
        0.3 of it where a network is `alone`.
    alone : bool
        Whether the network is not averaged with others.
    smoothing, weight_decay : float
        Of labels, and of weights at its highest.
    seed : int
    loss : {"squared_error", "absolute_error"}
        Of a regression.
    dtype, backend, n_threads
        As `fastmlp.Sequential` takes them.
    """

    hidden: tuple[int, ...] = (128, 128, 128)
    activation: str | None = None
    learning_rate: float | None = None
    epochs: int = 80
    patience: int | None = None
    shortens: bool = False
    batch_size: int | None = None
    embeds: bool = True
    scales: bool = True
    mixes: bool = True
    waves: tuple[float, float] | None = None
    alone: bool = False
    smoothing: float = 0.1
    weight_decay: float = 0.02
    seed: int = 0
    loss: str = "squared_error"
    dtype: str = "float32"
    backend: str = "auto"
    n_threads: int | str = "auto"

    def of_rows(self, n_rows: int) -> Recipe:
        """The same for a table of so many rows."""
        share = max((_ROWS / max(n_rows, _ROWS)) ** 0.5, _SHARE)
        share *= (_MANY / max(n_rows, _MANY)) ** 0.5
        if not self.shortens:
            return self
        epochs = max(round(self.epochs * share), min(_FEWEST, self.epochs))
        return replace(self, epochs=epochs, shortens=False)

    @property
    def most_idle(self) -> int:
        """After how many epochs without a lower loss the training ends; 0: never."""
        return -(-self.epochs // 2) if self.patience is None else self.patience

    def function(self, n_classes: int) -> str:
        """The activation of hidden layers."""
        return self.activation or ("selu" if n_classes else "mish")

    def rate(self, n_classes: int) -> float:
        """The highest learning rate."""
        return self.learning_rate or (0.04 if n_classes else 0.05)

    def sigma(self, n_classes: int) -> tuple[float, float]:
        """Deviations of the frequencies of an embedding, see `PeriodicEmbedding`."""
        if self.waves is not None:
            return self.waves
        low, high = _WAVES_OF_CLASSES if n_classes else _WAVES_OF_NUMBERS
        return (_ALONE * low, _ALONE * high) if self.alone else (low, high)

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
    hidden, epochs
        As of `Recipe`.
    crosses : bool
        Whether a single network is that of networks which are cross-fitted.
    """

    n_members: int = 1
    hidden: tuple[int, ...] = (128, 128, 128)
    epochs: int = 80
    crosses: bool = True


PRESETS = {
    "fast": Preset(epochs=56, crosses=False),
    "default": Preset(),
    "best": Preset(n_members=10, hidden=(192, 192, 192), epochs=96),
}
