"""What was trained for a table, and goes into a file: networks, and how columns are prepared."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ..errors import ModelFileError
from ..model.file import load_networks
from ..model.format import ModelFile, write_models
from ..tables.preparation import Preparation
from .average import mean_output
from .losses import mean, row_losses

if TYPE_CHECKING:
    from ..kernels.typing import Array
    from ..model.sequential import Sequential

__all__ = ["TableModel"]


@dataclass(frozen=True, eq=False)
class TableModel:
    """One network or several, of which the outputs are averaged, behind one preparation.

    Attributes
    ----------
    members : tuple of Sequential
    preparation : Preparation
    """

    members: tuple[Sequential, ...]
    preparation: Preparation

    @property
    def classes(self) -> Array | None:
        """The labels in the order of the outputs; None for a regression."""
        return self.members[0].classes

    @property
    def dtype(self) -> str:
        """That of the rows that the networks read."""
        return self.members[0].dtype

    def predict(self, X: Array) -> Array:
        """What the networks say of prepared rows, ``(n, units)``."""
        return mean_output(self.members, X)

    def loss(self, X: Array, y: Array) -> float:
        """The loss of prepared rows and of what is learned of their target."""
        codes = y if self.classes is None else np.searchsorted(self.classes, y)
        n_classes = 0 if self.classes is None else len(self.classes)
        name = "absolute_error" if self.members[0].loss.name == "mae" else "squared_error"
        return mean(row_losses(self.predict(X), codes, n_classes, name), None)

    def save(self, path: str | os.PathLike[str], notes: Mapping[str, str] | None = None) -> None:
        """Write networks, preparation and notes to a file in the safetensors format.

        A file of one network is what `Sequential.save` writes.
        """
        first = self.members[0]
        before = first.metadata
        first.metadata = {**before, **(notes or {})}
        try:
            self.preparation.attach(first)
            if len(self.members) == 1:
                first.save(path)
            else:
                parts = (ModelFile(m.training_state, m.history, m.metadata) for m in self.members)
                write_models(path, list(parts))
        finally:
            first.metadata = before

    @classmethod
    def read(
        cls, path: str | os.PathLike[str], backend: str = "auto", n_threads: int | str = "auto"
    ) -> TableModel | Sequential:
        """Read what `save` has written, or a network that has no preparation.

        Raises
        ------
        ModelFileError
            The file is damaged or no model of this library.
        """
        networks = load_networks(path, backend, n_threads)
        found = cls.of(networks)
        if found is None and len(networks) > 1:
            raise ModelFileError(f"{os.fspath(path)} lacks the preparation of its networks")
        return networks[0] if found is None else found

    @classmethod
    def of(cls, networks: list[Sequential]) -> TableModel | None:
        """Networks with the preparation in the metadata of the first; None where there is none.

        Raises
        ------
        ModelFileError
            The preparation is damaged, or not that of all networks.
        """
        preparation = Preparation.of(networks[0])
        if preparation is None:
            return None
        shapes = {(m.training_state.program.output.width, m.dtype) for m in networks}
        widths = {m.training_state.program.input.width for m in networks}
        if len(shapes) > 1 or len(widths) > 1:
            raise ModelFileError("the networks of a table differ in what they read or say")
        return cls(tuple(networks), preparation)
