"""Scalar functions of users' own as activations and losses, by name.

Apart from the compiled kernels, so that functions can be registered without Numba. A function is
known by its name, which the latest registration has, and by its member: the name and a digest of
its code, which tells compiled forms apart in memory and on disk. Files have its digests.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from .fingerprints import BYTECODE, digests
from .typing import Array

Scalar = Callable[..., Any]

# The step of central differences whose error is least: the cube root of double precision's.
STEP = float(np.cbrt(np.finfo(np.float64).eps))


class Custom(NamedTuple):
    """A registered function.

    Attributes
    ----------
    member : str
    forward : callable
        ``forward(z)`` of an activation, ``forward(prediction, y)`` of a loss.
    derivative : callable or None
        By the first argument, of the same arguments; None where it is taken numerically.
    of_output : bool
        The derivative is told the value of `forward` too, as its last argument.
    digests : tuple of str
        Of both functions as they were registered, ``kind:digest``; see `fingerprints.digests`.
    """

    member: str
    forward: Scalar
    derivative: Scalar | None
    of_output: bool = False
    digests: tuple[str, ...] = ()


ACTIVATIONS: dict[str, Custom] = {}
LOSSES: dict[str, Custom] = {}


def add(
    table: dict[str, Custom],
    name: str,
    forward: Scalar,
    derivative: Scalar | None,
    of_output: bool = False,
) -> Custom:
    """Put a function into a table, under its name and under its member."""
    found = digests(forward, derivative)
    kinds = tuple(f"{kind}:{digest}" for kind, digest in sorted(found.items()))
    member = f"{name}_{found[BYTECODE][:16]}"
    custom = Custom(member, forward, derivative, of_output, kinds)
    table[name] = table[custom.member] = custom
    return custom


def each(function: Scalar, *arrays: Array) -> Array:
    """Call a scalar function for each element, in double precision; the dtype is the first's.

    Elements are NumPy's numbers, so that a division by zero is infinite, as in compiled code.
    """
    columns = [array.astype(np.float64).ravel() for array in arrays]
    with np.errstate(all="ignore"):
        values = [float(function(*row)) for row in zip(*columns, strict=True)]
    return np.array(values, dtype=np.float64).astype(arrays[0].dtype).reshape(arrays[0].shape)


def derivative_of(custom: Custom) -> Scalar:
    """The derivative by the first argument: the one given, or central differences."""
    if custom.derivative is not None:
        return custom.derivative
    forward = custom.forward

    def central(x: float, *others: float) -> Any:
        h = STEP * max(1.0, abs(x))
        above, below = x + h, x - h
        return (forward(above, *others) - forward(below, *others)) / (above - below)

    return central


class Mismatch(NamedTuple):
    """Where a derivative is not what finite differences give."""

    arguments: tuple[float, ...]
    given: float
    found: float


def check_derivative(custom: Custom, points: Array) -> Mismatch | None:
    """Compare a derivative with differences to both sides; at a kink one of them is enough.

    Parameters
    ----------
    custom : Custom
        With a derivative.
    points : (n, arguments) array of float64
        Those where the function or its derivative is not finite are left out.

    Returns
    -------
    Mismatch or None
        The first of the points where they differ by more than rounding and curvature explain.
    """
    assert custom.derivative is not None
    with np.errstate(all="ignore"):
        for point in points:
            x, others = point[0], tuple(point[1:])
            middle = float(custom.forward(x, *others))
            output = (middle,) if custom.of_output else ()
            given = float(custom.derivative(x, *others, *output))
            h = 1e-6 * max(1.0, abs(x))
            slopes = [(float(custom.forward(x + s, *others)) - middle) / s for s in (h, -h)]
            if not all(map(math.isfinite, (given, middle, *slopes))):
                continue
            tolerance = 1e-4 * max(1.0, abs(given), abs(middle))
            if min(abs(given - slope) for slope in slopes) > tolerance:
                found = sum(slopes) / 2
                return Mismatch(tuple(map(float, point)), given, found)
    return None
