"""The predictor in a file of a model or a predictor, ready to be written for other programs.

Where `fastmlp train` has prepared a table's columns, the linear part of that is folded into the
network: it then reads numbers as they stand in the table, and a regression gives them in the units
of the target.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ..data.features import counted
from ..errors import ModelFileError
from ..inference.predictor import Predictor
from ..model.file import load_networks
from ..model.predictor_file import load_predictor
from ..tables.column_schema import ColumnSchema
from ..tables.preparation import Preparation
from ..tables.schema import Schema
from ..tables.target_rows import read_target
from ..tabular.frozen import frozen, notes_on_digits
from ..tabular.model import TableModel

if TYPE_CHECKING:
    import os

    from ..kernels.typing import Array
    from ..model.sequential import Sequential
    from ..tables.notes import Note
    from ..tables.table import Table


@dataclass(frozen=True)
class Frozen:
    """A predictor, and the preparation that is part of it.

    Attributes
    ----------
    predictor : Predictor
        On the numpy backend.
    preparation : Preparation or None
        Of a model that `fastmlp train` or an estimator has written.
    models : tuple of Sequential
        Empty where the file holds a predictor.
    """

    predictor: Predictor
    preparation: Preparation | None
    models: tuple[Sequential, ...]

    def rows(self, table: Table, path: str) -> tuple[Array, Array | None, tuple[Note, ...]]:
        """Return rows of a table as the predictor takes them, y where it has the target, and notes.

        Parameters
        ----------
        table : Table
        path : str
            Of its file, for messages.

        Raises
        ------
        ValueError
            The table lacks a column, or has a cell that is none of its kind.
        """
        preparation = self.preparation
        if preparation is None:
            return self._rows_of_numbers(path, table), None, table.notes
        target, y, notes = preparation.target, None, table.notes
        # Names that are not those of the labels in the table cannot be found in it.
        known = target.name in table and any(cell is not None for cell in table[target.name])
        if known and (not target.classes or self._has_own_labels()):
            found = read_target(target, table)
            table, y, notes = table.take(found.rows), found.y, (*notes, *found.notes)
        cells, of_columns = preparation.read(table)
        return preparation.raw_matrix(cells), y, (*notes, *of_columns)

    def _has_own_labels(self) -> bool:
        labels = self.models[0].classes if self.models else None
        return labels is not None and self.predictor.classes is labels

    def _rows_of_numbers(self, path: str, table: Table) -> Array:
        names, columns = self.predictor.feature_names, list(table.columns)
        n = self.predictor.program.input.width
        if names is not None and set(names) <= set(columns):
            columns = list(names)
        elif len(columns) != n:
            expected = counted(n, "column") + ("" if names is None else f": {', '.join(names)}")
            raise ValueError(
                f"{path} has {counted(len(columns), 'column')}, but the network reads {expected}"
            )
        schema = Schema(tuple(ColumnSchema(name, "number") for name in columns))
        values, notes = schema.read(table)
        if notes:
            raise ValueError(f"{path}: {notes[0].text.partition(', and count')[0]}")
        X = np.stack([values[name] for name in columns], axis=1)
        if np.isnan(X).any():
            row, column = np.argwhere(np.isnan(X))[0]
            raise ValueError(
                f"{path}: the column {columns[column]!r} has no number in row {row} (counted from "
                "0)"
            )
        return X


def read(path: str | os.PathLike[str]) -> Frozen:
    """Read a file of a model or a predictor.

    Raises
    ------
    ModelFileError
        It is neither, or damaged.
    FileNotFoundError
        There is no such file.
    """
    try:
        networks = load_networks(path, "numpy")
    except ModelFileError:
        # Either reads this file, or says what is wrong with it.
        return Frozen(load_predictor(path), None, ())
    model = TableModel.of(networks)
    if model is None:
        return Frozen(networks[0].freeze(), None, (networks[0],))
    return Frozen(frozen(model), model.preparation, model.members)


def notes(found: Frozen) -> list[str]:
    """Return notes on the precision of a predictor with a preparation in it."""
    if found.preparation is None:
        return []
    return notes_on_digits(TableModel(found.models, found.preparation), found.predictor)
