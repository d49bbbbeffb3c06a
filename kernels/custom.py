"""Scalar functions of users' own as activations and losses, by name.

Apart from the compiled kernels, so that functions can be registered without Numba. A function is
known by its name, which the latest registration has, and by its member: the name and a digest of
its code, which tells compiled forms apart in memory and on disk.
"""

from __future__ import annotations

import hashlib
import math
import types
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np

from .typing import Array

Scalar = Callable[..., Any]

# The step of central differences whose error is least: the cube root of double precision's.
STEP = float(np.cbrt(np.finfo(np.float64).eps))

# What a function may refer to in a module and have as a constant in its compiled form.
_FOLLOWED = (bool, int, float, np.generic, np.ndarray, tuple, list, types.ModuleType)


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
    """

    member: str
    forward: Scalar
    derivative: Scalar | None
    of_output: bool = False


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
    digest = hashlib.sha256()
    for function in (forward, derivative):
        for part in _fingerprint(function, frozenset(), set()):
            digest.update(part.encode() + b"\0")
    custom = Custom(f"{name}_{digest.hexdigest()[:16]}", forward, derivative, of_output)
    table[name] = table[custom.member] = custom
    return custom


def _fingerprint(
    value: Any, names: frozenset[str], seen: set[tuple[int, frozenset[str]]]
) -> Iterator[str]:
    """All that a function's result depends on, as text: its code and the values it refers to.

    Of a module these are the numbers, arrays and compiled functions that `names` has.
    """
    value = getattr(value, "py_func", value)
    if isinstance(value, np.ndarray | np.generic):
        # The text of an array leaves out digits and elements, that of a number may do so.
        yield f"{value.dtype.str}{value.shape}{value.tobytes().hex()}"
        return
    if isinstance(value, tuple | list):
        for part in value:
            yield from _fingerprint(part, names, seen)
    if not isinstance(value, types.FunctionType | types.ModuleType):
        yield repr(value)
        return
    if isinstance(value, types.FunctionType):
        names = frozenset(_names(value.__code__))
    if (id(value), names) in seen:
        return
    seen.add((id(value), names))
    if isinstance(value, types.ModuleType):
        yield value.__name__
        for name in sorted(names & vars(value).keys()):
            part = vars(value)[name]
            if isinstance(part, _FOLLOWED) or hasattr(part, "py_func"):
                yield name
                yield from _fingerprint(part, names, seen)
        return
    yield from _code(value.__code__)
    for name in sorted(names & value.__globals__.keys()):
        yield name
        yield from _fingerprint(value.__globals__[name], names, seen)
    cells = [cell.cell_contents for cell in value.__closure__ or ()]
    for part in (*cells, value.__defaults__, value.__kwdefaults__):
        yield from _fingerprint(part, names, seen)


def _names(code: types.CodeType) -> Iterator[str]:
    """The names of globals and attributes in a function and in those that stand in it."""
    yield from code.co_names
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            yield from _names(constant)


def _code(code: types.CodeType) -> Iterator[str]:
    yield code.co_code.hex()
    yield repr(code.co_names + code.co_varnames + code.co_freevars)
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            yield from _code(constant)
        else:
            yield repr(constant)


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
