"""Trained networks as one predictor, with the linear part of their preparation in its weights."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING

import numpy as np

from ..inference.folding import Scaling
from ..inference.predictor import Predictor, freeze
from ..model.sequential import Sequential
from ..network.layers import Activation, Dense
from ..tables.columns import CategoryColumn
from .average import merged

if TYPE_CHECKING:
    from ..kernels.typing import Array
    from ..tables.preparation import Preparation
    from ..tables.target import Target
    from .model import TableModel

_TRIED_ROWS = 256
_NOTED_ERROR = 1e-3

__all__ = ["frozen", "in_own_units", "notes_on_digits"]


def frozen(found: TableModel) -> Predictor:
    """Return the predictor of a model, with the linear part of its preparation in it.

    It reads numbers as they stand in the table, those of `Preparation.raw_matrix`, and gives
    numbers in the units of the target. Several networks become one.

    Raises
    ------
    ValueError
        A column's mean or scale is beyond the range of the networks' dtype.
    """
    preparation, model = found.preparation, found.members[0]
    targets, target = model.training_state.encoder(), preparation.target
    if len(found.members) > 1:
        model = merged(found.members)
    training = model.training_state
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
        state = in_own_units(model, target).training_state.state
    elif (target.mean, target.scale) != (0.0, 1.0):
        after = Scaling(np.array([target.scale]), np.array([target.mean]))
    return freeze(
        *(state, targets, "numpy", 1),
        before=before,
        after=after,
        feature_names=preparation.features,
    )


def in_own_units(model: Sequential, target: Target) -> Sequential:
    """A network that learned logarithms, with ``exp(scale z + mean) - shift`` behind it."""
    layers = list(model.layers)
    if not isinstance(layers[-1], Dense):
        # Of several networks, whose mean has no weights.
        layers.append(Dense(1))
    last = len(layers) - 1
    whole = Sequential(
        [*layers, Activation("exp"), Dense(1)],
        loss="mse",
        dtype=model.dtype,
        backend="numpy",
    ).build(model.training_state.program.input.width)
    weight, bias = (whole.parameters[f"{last}.{part}"] for part in ("weight", "bias"))
    weight[...], bias[...] = 1.0, 0.0
    for names, of_model in ((whole.parameters, model.parameters), (whole.buffers, model.buffers)):
        for name, values in of_model.items():
            names[name][...] = values
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


def notes_on_digits(found: TableModel, predictor: Predictor) -> list[str]:
    """Return notes on the precision of a predictor that `frozen` has made.

    A column far from 0, such as a date, has few digits left in float32 once its mean is no longer
    taken off before.
    """
    preparation, dtype = found.preparation, found.dtype
    rng = np.random.default_rng(0)
    columns: dict[str, Array] = {}
    for column in preparation.columns:
        if isinstance(column, CategoryColumn):
            columns[column.name] = rng.choice(np.array(column.categories, object), _TRIED_ROWS)
        else:
            columns[column.name] = rng.normal(column.mean, column.scale, _TRIED_ROWS)
    target = preparation.target
    expected = found.predict(preparation.matrix(columns, dtype)).astype(np.float64)
    given = predictor(preparation.raw_matrix(columns)).astype(np.float64)
    if target.log:
        given = np.log(np.maximum(given + target.shift, np.finfo(dtype).tiny))
    given = (given - target.mean) / target.scale
    error = float(np.abs(given - expected).max() / np.abs(expected).max())
    if error <= _NOTED_ERROR:
        return []
    scaled = [c for c in preparation.columns if not isinstance(c, CategoryColumn)]
    farthest = max(scaled, key=lambda column: abs(column.mean) / column.scale)
    return [
        f"outputs differ by up to {error:.1g} of the largest from those of the model, for "
        f"{dtype} has few digits left for {farthest.name!r} (mean {farthest.mean:.4g}, "
        f"deviation {farthest.scale:.4g}); train with --dtype float64, or take a constant off that "
        "column before the training"
    ]
