"""Rules by which accumulators become codes or outputs: lines, tables of values, whole rows."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from ..declarations.activation_table import ActivationTable
from ..kernels.reference.activations import activation_forward
from .calibration import STEPS, Ranges, slot_scale
from .curves import Function, tabulate
from .fixed_point import (
    CODE_CURVE_MAX,
    CODE_MIN,
    CURVE_BITS,
    FLOAT_CURVE_BITS,
    SOFTMAX_BITS,
    multipliers,
)
from .program import (
    CurveToCodes,
    CurveToFloat,
    Finish,
    SoftmaxToCodes,
    SoftmaxToFloat,
    Source,
    ToCodes,
    ToFloat,
)

if TYPE_CHECKING:
    from ..declarations.activations import Activation
    from ..kernels.typing import Array

# Ends of a curve within this share of a code count as constant; of a float output, within this
# share of its range.
_CODE_TOLERANCE = 1 / 8
_FLOAT_TOLERANCE = 2.0**-20

# An output's curve reaches beyond the calibrated range by this share of it.
_MARGIN = 1 / 4


class Rowwise(NamedTuple):
    """The rules of a function of whole rows.

    Attributes
    ----------
    to_codes : callable
        Of a source the rule for codes, their scale and their zero point.
    to_float : callable
        Of a source the rule for the network's output.
    """

    to_codes: Callable[[Source], tuple[Finish, float, int]]
    to_float: Callable[[Source], Finish]


ROWWISE = ActivationTable(
    "computed in int8",
    "ROWWISE in fastmlp/int8/activations.py",
    {
        "softmax": Rowwise(
            lambda source: (SoftmaxToCodes(_softmax_scale(source)), 1 / STEPS, CODE_MIN),
            lambda source: SoftmaxToFloat(_softmax_scale(source)),
        )
    },
)
"""Activations that need whole rows; of all others the reference is tabulated."""


def to_codes(
    source: Source, z: Array, activation: Activation | None, out: Array, ranges: Ranges
) -> tuple[Finish, float, int]:
    """Return the rule by which accumulators become codes, and the codes' scale and zero point.

    Parameters
    ----------
    source : Source
        What makes the accumulators.
    z, out : (n, width) arrays
        What they stand for on the calibration rows, and the activation's values of that.
    activation : Activation or None
    ranges : Ranges

    Raises
    ------
    ValueError
        The activation has no integer form.
    """
    if activation is not None and activation.is_rowwise:
        return ROWWISE.row(activation).to_codes(source)
    scale, zero_point = slot_scale(out, ranges)
    # The zero point of a rectifier is the smallest code, so that clipping computes it.
    if activation is None or _is_line(activation):
        return ToCodes(*multipliers(source.scale / scale), zero_point), scale, zero_point
    function = _function(activation)

    def in_codes(nodes: Array) -> Array:
        levels = function(nodes) / scale + (zero_point - CODE_MIN)
        return np.clip(levels * (1 << CURVE_BITS), 0, CODE_CURVE_MAX)

    tolerance = _CODE_TOLERANCE * (1 << CURVE_BITS)
    values, factor, offset = tabulate(in_codes, z.min(), z.max(), tolerance)
    table = np.rint(values).astype(np.int64)
    rule = CurveToCodes(*multipliers(source.scale * factor), offset, table)
    return rule, scale, zero_point


def to_float(source: Source, z: Array, activation: Activation | None) -> Finish:
    """Return the rule by which accumulators become the output; else as `to_codes`."""
    if activation is None or _is_line(activation):
        is_rectifier = activation is not None and activation.traits.is_rectifier
        return ToFloat(_float32(source.scale), is_rectifier)
    if activation.is_rowwise:
        return ROWWISE.row(activation).to_float(source)
    function = _function(activation)
    low, high = float(z.min()), float(z.max())
    margin = _MARGIN * (high - low)
    if np.isfinite(function(np.linspace(low - margin, high + margin))).all():
        low, high = low - margin, high + margin
    spread = np.ptp(function(np.linspace(low, high)))
    values, factor, offset = tabulate(function, low, high, _FLOAT_TOLERANCE * spread)
    # A power of two keeps values such as 0.5 exact.
    exponent = max(int(np.frexp(np.abs(values).max())[1]), -90)
    table = np.rint(np.ldexp(values, FLOAT_CURVE_BITS - exponent)).astype(np.int64)
    scale = 2.0 ** (exponent - FLOAT_CURVE_BITS - CURVE_BITS)
    return CurveToFloat(*multipliers(source.scale * factor), offset, table, scale)


def _is_line(activation: Activation) -> bool:
    """Tell whether an activation needs no table: it changes nothing, or negative numbers to 0."""
    return activation.traits.is_identity or activation.traits.is_rectifier


def _function(activation: Activation) -> Function:
    def function(z: Array) -> Array:
        with np.errstate(all="ignore"):
            out: Array = activation_forward(z.reshape(1, -1), activation.kernel)[0]
        return out

    return function


def _softmax_scale(source: Source) -> Array:
    return _float32(source.scale * (np.log2(np.e) * 2**SOFTMAX_BITS))


def _float32(scale: Array) -> Array:
    with np.errstate(over="ignore"):
        rounded: Array = scale.astype(np.float32)
    if not np.isfinite(rounded).all():
        raise ValueError(
            "one step of an int8 code changes the output by more than float32 can hold; scale the "
            "data, or train the network anew"
        )
    return rounded
