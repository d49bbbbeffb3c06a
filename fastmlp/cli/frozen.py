"""The predictor in a file of a model or a predictor, ready to be written for other programs.

Where `fastmlp train` has prepared a table's columns, the linear part of that is folded into the
network: it then reads numbers as they stand in the table, and a regression gives them in the units
of the target.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ..data.features import counted
from ..errors import ModelFileError
from ..inference.folding import Scaling
from ..inference.predictor import Predictor, freeze
from ..model.file import load
from ..model.predictor_file import load_predictor
from ..model.sequential import Sequential
from ..network.layers import Activation, Dense
from ..tables.column_schema import ColumnSchema
from ..tables.columns import CategoryColumn
from ..tables.preparation import Preparation
from ..tables.schema import Schema
from ..tables.target_rows import read_target

if TYPE_CHECKING:
    import os

    from ..kernels.typing import Array
    from ..tables.notes import Note
    from ..tables.table import Table
    from ..tables.target import Target

_TRIED_ROWS = 256
_NOTED_ERROR = 1e-3


@dataclass(frozen=True)
class Frozen:
    """A predictor, and the preparation that is part of it.

    Attributes
    ----------
    predictor : Predictor
        On the numpy backend.
    preparation : Preparation or None
        Of a model that `fastmlp train` has written.
    model : Sequential or None
        None where the file holds a predictor.
    """

    predictor: Predictor
    preparation: Preparation | None
    model: Sequential | None

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
        return self.model is not None and self.predictor.classes is self.model.classes

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
        model = load(path, backend="numpy")
    except ModelFileError:
        # Either reads this file, or says what is wrong with it.
        return Frozen(load_predictor(path), None, None)
    preparation = Preparation.of(model)
    if preparation is None:
        return Frozen(model.freeze(), None, model)
    return Frozen(_with_preparation(model, preparation), preparation, model)


def _with_preparation(model: Sequential, preparation: Preparation) -> Predictor:
    training = model.training_state
    targets = training.encoder()
    target = preparation.target
    known = () if targets.classes is None else tuple(map(str, targets.classes))
    if target.classes != known:
        # A data set's labels are numbers, and its classes have names.
        targets = copy.copy(targets)
        targets.classes = np.array(target.classes)
    means, scales = np.array(preparation.scaling).T
    before = Scaling(1 / scales, -means / scales)
    _check_range(preparation, before, model.dtype)
    after, state = None, training.state
    if target.log:
        state = _in_own_units(model, target).training_state.state
    elif (target.mean, target.scale) != (0.0, 1.0):
        after = Scaling(np.array([target.scale]), np.array([target.mean]))
    return freeze(
        *(state, targets, "numpy", 1),
        before=before,
        after=after,
        feature_names=preparation.features,
    )


def _in_own_units(model: Sequential, target: Target) -> Sequential:
    """A network that learned logarithms, with ``exp(scale z + mean) - shift`` behind it."""
    last = len(model.layers) - 1
    whole = Sequential(
        [*model.layers, Activation("exp"), Dense(1)],
        loss="mse",
        dtype=model.dtype,
        backend="numpy",
    ).build(model.training_state.program.input.width)
    for names, of_model in ((whole.parameters, model.parameters), (whole.buffers, model.buffers)):
        for name, values in of_model.items():
            names[name][...] = values
    weight, bias = (whole.parameters[f"{last}.{part}"] for part in ("weight", "bias"))
    weight *= target.scale
    bias[...] = bias * target.scale + target.mean
    whole.parameters[f"{last + 2}.weight"][...] = 1.0
    whole.parameters[f"{last + 2}.bias"][...] = -target.shift
    return whole


def _check_range(preparation: Preparation, scaling: Scaling, dtype: str) -> None:
    largest = float(np.finfo(dtype).max)
    outside = (np.abs(scaling.scale) > largest) | (np.abs(scaling.shift) > largest)
    if outside.any():
        name = preparation.features[int(outside.argmax())]
        raise ValueError(
            f"the mean and scale of the column {name!r} are beyond the range of {dtype}; scale the "
            "column before the training, or train with --dtype float64"
        )


def notes(frozen: Frozen) -> list[str]:
    """Return notes on the precision of a predictor with a preparation in it.

    A column far from 0, such as a date, has few digits left in float32 once its mean is no longer
    taken off before.
    """
    model, preparation = frozen.model, frozen.preparation
    if model is None or preparation is None:
        return []
    rng = np.random.default_rng(0)
    columns: dict[str, Array] = {}
    for column in preparation.columns:
        if isinstance(column, CategoryColumn):
            columns[column.name] = rng.choice(np.array(column.categories, object), _TRIED_ROWS)
        else:
            columns[column.name] = rng.normal(column.mean, column.scale, _TRIED_ROWS)
    target = preparation.target
    expected = model.predict(preparation.matrix(columns, model.dtype)).astype(np.float64)
    given = frozen.predictor(preparation.raw_matrix(columns)).astype(np.float64)
    if target.log:
        given = np.log(np.maximum(given + target.shift, np.finfo(model.dtype).tiny))
    given = (given - target.mean) / target.scale
    error = float(np.abs(given - expected).max() / np.abs(expected).max())
    if error <= _NOTED_ERROR:
        return []
    scaled = [c for c in preparation.columns if not isinstance(c, CategoryColumn)]
    farthest = max(scaled, key=lambda column: abs(column.mean) / column.scale)
    return [
        f"outputs differ by up to {error:.1g} of the largest from those of the model, for "
        f"{model.dtype} has few digits left for {farthest.name!r} (mean {farthest.mean:.4g}, "
        f"deviation {farthest.scale:.4g}); train with --dtype float64, or take a constant off that "
        "column before the training"
    ]
