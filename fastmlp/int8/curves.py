"""Functions of one number as tables of values between which integers interpolate."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from .calibration import MIN_SCALE
from .fixed_point import CURVE_BITS, CURVE_INTERVALS

if TYPE_CHECKING:
    from ..kernels.typing import Array

Function = Callable[["Array"], "Array"]

# Points at which a function is looked at to see where it goes on as a constant.
_PROBES = 4097

# Of a range, as a share of the larger end.
_LEAST_WIDTH = 2.0**-12


def tabulate(
    function: Function, low: float, high: float, tolerance: float
) -> tuple[Array, float, int]:
    """Values of a function at evenly spaced nodes, as dense as its range allows.

    Outside of its nodes a table is constant, so both ends are cut where the function stays within
    `tolerance` of its value there. Where 0 lies inside, it is a node: kinks and the 0.5 of a
    sigmoid are met exactly.

    Parameters
    ----------
    function : callable
        From an array to an array.
    low, high : float
        Where it is defined and needed.
    tolerance : float
        In units of its values.

    Returns
    -------
    values : (CURVE_INTERVALS + 1,) float64
    factor : float
        Positions are ``z * factor + offset``, in steps of ``2**-CURVE_BITS`` intervals.
    offset : int
    """
    low, high = _ends(function, low, high, tolerance)
    # Where all values are nearly one, the offset would not fit int32.
    missing = max(_LEAST_WIDTH * max(abs(low), abs(high)), MIN_SCALE) - (high - low)
    bottom, top = low - max(missing, 0.0) / 2, high + max(missing, 0.0) / 2
    if bottom < 0 < top:
        step = (top - bottom) / (CURVE_INTERVALS - 1)
        bottom = -math.ceil(-bottom / step) * step
    else:
        step = (top - bottom) / CURVE_INTERVALS
    nodes = bottom + step * np.arange(CURVE_INTERVALS + 1)
    factor = (1 << CURVE_BITS) / step
    return function(np.clip(nodes, low, high)), factor, round(-bottom * factor)


def _ends(function: Function, low: float, high: float, tolerance: float) -> tuple[float, float]:
    z = np.linspace(low, high, _PROBES)
    values = function(z)
    (from_left,) = np.nonzero(np.abs(values - values[0]) > tolerance)
    (from_right,) = np.nonzero(np.abs(values - values[-1]) > tolerance)
    if not from_left.size or not from_right.size:
        return low, high
    return float(z[max(from_left[0] - 1, 0)]), float(z[min(from_right[-1] + 1, _PROBES - 1)])
