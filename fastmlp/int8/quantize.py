"""Quantization of a trained network to int8, without further training.

A slot of the network holds codes q, int8, for values ``v = s (q - z)`` with a scale s and a zero
point z (Jacob et al. 2018). Ranges are those on calibration rows; what lies beyond them takes the
nearest code. Inputs have a scale for each feature, `calibration.input_scales`, other slots one.

Dense layers
    ``y_c = sum_j W_jc s_j (q_j - z_j) + b_c``. The products ``W_jc s_j`` of each output channel c
    are rounded to integers ``Q_cj`` of 8 bits in units of ``w_c``, so that ``y_c = w_c a_c`` with
    the int32 accumulator ``a_c = sum_j Q_cj q_j + B_c``. The bias ``B_c`` makes the mean of
    ``w_c a_c`` over the calibration rows that of the float network, which removes what rounding and
    clipping shift on average (Nagel et al. 2019, "Data-Free Quantization Through Weight
    Equalization and Bias Correction", section 4.2). Where products and bias together could leave
    int32, ``w_c`` is larger.
Linear activations and relu
    ``q = clip(round(a_c M_c / 2^n) + z)``, in 64 bits, with ``M_c / 2^n = w_c / s``. The zero point
    of relu is -128, so that clipping is the function itself.
Other activations
    ``a_c`` is brought to 16 bits over the range of the function's argument; the upper 8 choose one
    of 256 intervals of a table of the function, the lower 8 interpolate in it. An argument of 8
    bits would double or triple the error of networks with tanh and sigmoid.
Softmax
    ``2^-d_c``, d_c how far ``log2(e) y_c`` is below the row's largest, by a table of 65 powers and
    a shift, in 31 bits; then each one's share of the sum.
Sums, scales and shifts
    ``a = sum of f q + B`` column by column, with factors f of some 22 bits; then as above.
Output
    Float32: ``w_c a_c``, the interpolated value times a power of two, or the shares of a softmax.

How ranges are chosen is decided by trial: of `TRIALS`, the first whose outputs differ from those
of the float network by hardly more than the best one's. Where a few rows lie far beyond the others,
the trials are made without them too, which is chosen where all rows' outputs are clearly better for
it. No row counts as more than one standard deviation of the outputs off: what is wrong is wrong.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from ..data.features import check_features
from ..program.column_ops import PeriodicOp, PiecewiseLinearOp
from ..program.operation import Slot
from ..program.ops import DenseOp
from ..program.program import InferenceProgram
from .build import MOVED, SOURCES, build
from .calibration import Ranges, float_values, overflows
from .constants import constants
from .far_rows import UsualRows, in_words, most_far
from .predictor import QuantizedPredictor, predict
from .program import IntegerProgram
from .report import compare

if TYPE_CHECKING:
    from ..inference.predictor import Predictor
    from ..kernels.typing import Array
    from ..program.operation import Operation

# From the smallest network to the largest. Clipping 1 value in 10,000 gains some 10% on most data,
# 1 in 1,000 a third on data with outliers; scales of their own matter to features of different
# units.
TRIALS = tuple(Ranges(clip, shared) for shared in (True, False) for clip in (0.0, 1e-4, 1e-3))

# A larger network must be better by more than this.
_HARDLY = 1.1

# Shares of the rows that may be far beyond the others; the first ones are left out first.
SHARES = (0.01, 0.05)

# To leave rows out must divide the error by more than this.
_CLEARLY = 2.0

# Layers that are not called like their operations.
_LAYERS = {PeriodicOp: "PeriodicEmbedding", PiecewiseLinearOp: "PiecewiseLinearEmbedding"}

# More calibration rows than these, evenly spaced among those given, change next to nothing.
MAX_ROWS = 4096


def quantize(predictor: Predictor, X: object, y: object = None) -> QuantizedPredictor:
    """Turn a network into one of int8 weights and activations.

    Parameters
    ----------
    predictor : Predictor
        The float network.
    X : array_like, shape (n, n_features)
        Calibration rows: like those to be predicted, some hundred or more.
    y : array_like, optional
        Labels or numbers of the rows, for the report.

    Returns
    -------
    QuantizedPredictor
        The int8 network, with its report.

    Raises
    ------
    TypeError, ValueError
        The network has a layer that has no int8 form; X or y does not fit it; values overflow on
        the calibration rows.
    """
    refuse_layers(predictor.program)
    predictor.check_names(X)
    rows = check_features(X, predictor.program.input.width, dtype=np.float32)
    targets = predictor.targets
    encoded = None if y is None else targets.encode(y, len(rows), fit=False)
    places = np.linspace(0, len(rows) - 1, min(len(rows), MAX_ROWS)).astype(np.int64)
    values = float_values(predictor.program, predictor.weights, rows[places].astype(np.float32))
    chosen = _choose(predictor, values, places)

    stored = constants(chosen.integers)
    left_out = np.zeros(len(rows), bool)
    notes = []
    if chosen.far.any():
        left_out = _far(predictor, chosen.usual, rows)
        names = predictor.feature_names
        entry = predictor.program.input
        notes.append(in_words(chosen.far, places, values, chosen.usual, entry, names))
    (kept,) = np.nonzero(~left_out)
    report = compare(
        targets,
        predictor(rows)[kept],
        predict(chosen.integers, rows)[kept],
        None if encoded is None else encoded[kept],
        places=kept,
        n_left_out=int(left_out.sum()),
        warnings=notes,
        float_bytes=sum(weight.nbytes for weight in predictor.weights.values()),
        weight_bytes=sum(array.n_bytes for array in stored if array.c_type == "int8_t"),
        int8_bytes=sum(array.n_bytes for array in stored),
    )
    return QuantizedPredictor(predictor, chosen.integers, report)


@dataclass(frozen=True)
class _Choice:
    """An int8 network and the rows that its ranges leave out.

    Attributes
    ----------
    integers : IntegerProgram
    errors : (n, n_outputs) array
        Of each row, absolute.
    far : (n,) array of bool
    usual : UsualRows
        By which rows are far, beside those that overflow.
    """

    integers: IntegerProgram
    errors: Array
    far: Array
    usual: UsualRows


def _choose(predictor: Predictor, values: Mapping[Slot, Array], places: Array) -> _Choice:
    """The int8 network of calibration rows, with or without those that are far."""
    program, bad = predictor.program, overflows(values)
    if bad.sum() > most_far(len(bad), max(SHARES)):
        raise ValueError(
            f"a value of the network is NaN, infinite or beyond the range of float32 in "
            f"{bad.sum()} of {len(bad)} calibration rows, the first being row "
            f"{places[bad.argmax()]}, so that there is no int8 scale for it; scale the data, or "
            "train the network anew"
        )
    usual = [UsualRows.of(values, share) for share in SHARES]
    choice = _best_trial(predictor, values, bad, replace(usual[0], limit=np.inf))
    for bounds in usual:
        far = bounds.far(values) | bad
        if (far == choice.far).all():
            continue
        other = _best_trial(predictor, values, far, bounds)
        spread = values[program.output][~far].std(axis=0)
        spread[spread == 0] = np.inf
        before, after = (
            np.minimum(errors[~bad], spread).mean() for errors in (choice.errors, other.errors)
        )
        if _CLEARLY * after < before:
            choice = other
    return choice


def _best_trial(
    predictor: Predictor, values: Mapping[Slot, Array], far: Array, usual: UsualRows
) -> _Choice:
    """The first of `TRIALS` that is hardly worse than the best, by the rows that are not far."""
    program, weights = predictor.program, predictor.weights
    kept = {slot: v[~far] if far.any() else v for slot, v in values.items()}
    x, expected = values[program.input].astype(np.float32), values[program.output]
    trials = []
    for ranges in TRIALS:
        integers = build(program, weights, kept, ranges)
        trials.append((integers, np.abs(predict(integers, x) - expected)))
    means = [errors[~far].mean() for _, errors in trials]
    best = min(means)
    integers, errors = next(
        trial for trial, mean in zip(trials, means, strict=True) if mean <= _HARDLY * best
    )
    return _Choice(integers, errors, far, usual)


def _far(predictor: Predictor, usual: UsualRows, rows: Array) -> Array:
    """Which of all rows are far."""
    far = np.zeros(len(rows), bool)
    for start in range(0, len(rows), MAX_ROWS):
        block = slice(start, start + MAX_ROWS)
        x = rows[block].astype(np.float32)
        values = float_values(predictor.program, predictor.weights, x)
        far[block] = usual.far(values) | overflows(values)
    return far


def refuse_layers(program: InferenceProgram) -> None:
    """Check that all layers have an int8 form.

    Raises
    ------
    ValueError
        There is an embedding, a WideAndDeep, a Clip or an operation that was added to the library.
    """
    is_wide = program.wide is not None or any(
        isinstance(op, DenseOp) and op.weight.name.endswith("wide_weight") for op in program.ops
    )
    unknown = [_layer_of(op) for op in program.ops if type(op) not in (*SOURCES, *MOVED)]
    if is_wide or unknown:
        name = "WideAndDeep" if is_wide else unknown[0]
        raise ValueError(
            f"int8 quantization does not know {name}; it takes Dense, BatchNorm, Scale, "
            "ParametricActivation, Residual, Branch and activations: export this network in float, "
            "or train one of such layers (fastmlp.Sequential, or fastmlp train --layers 32 16)"
        )


def _layer_of(op: Operation) -> str:
    """What users call the layer of an operation."""
    return _LAYERS.get(type(op)) or type(op).__name__.removesuffix("Op")
