"""What a network's values look like on rows of its data, and the int8 scales that follow."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from ..program.operation import Slot
from ..program.program import InferenceProgram
from ..program.state import Weights
from ..runners.numpy_runner import Pass, forward
from .fixed_point import CODE_MIN

if TYPE_CHECKING:
    from ..kernels.typing import Array

# Numbers of steps between the smallest and the largest code.
STEPS = 255

# Smaller scales would bring numbers that are denormal in float32, which some machines take for 0.
MIN_SCALE = 2.0**-100

# Zero points of inputs stay near or below this, so that 8 bits more still fit int32.
MAX_ZERO_POINT = 2**22


def float_values(
    program: InferenceProgram, weights: Mapping[str, Array], x: Array
) -> dict[Slot, Array]:
    """The values of all slots for these rows, in float64."""
    in_double = replace(program, dtype="float64")
    vector = np.zeros(program.n_parameters)
    for tensor in program.parameters:
        vector[tensor.start : tensor.stop] = weights[tensor.name].ravel()
    run = Pass(Weights(in_double, vector), training=False)
    run.feed(x)
    with np.errstate(all="ignore"):
        forward(program.ops, run)
    return run.values


def overflows(values: Mapping[Slot, Array]) -> Array:
    """Which rows have a value that is infinite, NaN or beyond the range of float32."""
    largest = np.finfo(np.float32).max
    sound = [(np.abs(v) <= largest).all(axis=1) for v in values.values()]
    overflowing: Array = ~np.logical_and.reduce(sound)
    return overflowing


@dataclass(frozen=True)
class Ranges:
    """How ranges are chosen.

    Attributes
    ----------
    clip : float
        Which share of values may lie outside of a range, on either side.
    shared : bool
        Whether all columns of X have one scale.
    """

    clip: float
    shared: bool


def input_scales(x: Array, ranges: Ranges) -> tuple[Array, Array]:
    """Scales and zero points of the columns of X.

    Features of one kind, such as pixels, share a range, that of them all and 0: what a single
    column has not shown may still come. Unless all are `shared`, a column that needs only
    ``4**-k`` of that range has one smaller by this factor, around its own values, so that features
    of different units keep their digits. A column of one value counts as needing the median of what
    the others need: with the whole range its weights would drown theirs.

    Returns
    -------
    scale : (k,) float64
    zero_point : (k,) int64
        Beyond -128..127 where a range does not include 0.
    """
    low, high = _range(x, ranges.clip, axis=0)
    bottom, top = min(low.min(), 0.0), max(high.max(), 0.0)
    widest = (top - bottom) or 1.0
    quarterings = np.zeros(len(low))
    if not ranges.shared:
        varies = high > low
        typical = widest
        if varies.any():
            typical = np.quantile((high - low)[varies], 0.5, method="lower")
        own = np.where(varies, high - low, typical)
        quarterings = np.maximum(np.floor(np.log2(widest / own) / 2), 0.0)
    finest = np.maximum(np.abs(low), np.abs(high)) / MAX_ZERO_POINT
    scale = np.maximum(widest / 4.0**quarterings / STEPS, np.maximum(finest, MIN_SCALE))
    start = np.where(quarterings == 0, bottom, (low + high - STEPS * scale) / 2)
    return scale, np.rint(CODE_MIN - start / scale).astype(np.int64)


def slot_scale(values: Array, ranges: Ranges) -> tuple[float, int]:
    """One scale and zero point for a slot; its range includes 0."""
    low, high = _range(values, ranges.clip, axis=None)
    bottom, top = min(float(low), 0.0), max(float(high), 0.0)
    scale = max(((top - bottom) or 1.0) / STEPS, MIN_SCALE)
    return scale, round(CODE_MIN - bottom / scale)


def _range(values: Array, clip: float, axis: int | None) -> tuple[Array, Array]:
    """The smallest and the largest value, but for a share `clip` of them on either side."""
    if clip == 0:
        return values.min(axis=axis), values.max(axis=axis)
    low = np.quantile(values, clip, axis=axis, method="lower")
    return low, np.quantile(values, 1 - clip, axis=axis, method="higher")
