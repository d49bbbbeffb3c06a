"""Elementary functions: `exp`, `expm1`, `log`, `log1p`, `tanh`, `erf`, `sin` and `cos`.

Called from Python they are NumPy's, without its warnings; the compiled backend has polynomials of
its own for the same functions. What is written with them runs in either.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np


def exp(x: Any) -> Any:
    """Exponential, e**x."""
    with np.errstate(all="ignore"):
        return np.exp(x)


def expm1(x: Any) -> Any:
    """Exponential less one, e**x - 1, accurate to the last places near 0."""
    with np.errstate(all="ignore"):
        return np.expm1(x)


def log(x: Any) -> Any:
    """Natural logarithm; -inf at 0, NaN below."""
    with np.errstate(all="ignore"):
        return np.log(x)


def log1p(x: Any) -> Any:
    """Natural logarithm of 1 + x, accurate to the last places near 0; -inf at -1, NaN below."""
    with np.errstate(all="ignore"):
        return np.log1p(x)


def tanh(x: Any) -> Any:
    """Hyperbolic tangent."""
    with np.errstate(all="ignore"):
        return np.tanh(x)


def sin(x: Any) -> Any:
    """Sine of an angle in radians; NaN at infinity."""
    with np.errstate(all="ignore"):
        return np.sin(x)


def cos(x: Any) -> Any:
    """Cosine of an angle in radians; NaN at infinity."""
    with np.errstate(all="ignore"):
        return np.cos(x)


def sinpi(x: Any) -> Any:
    """Sine of an angle in half turns, sin(pi x); NaN at infinity."""
    with np.errstate(all="ignore"):
        return np.sin(np.pi * (x - 2.0 * np.rint(0.5 * np.asarray(x))))


def cospi(x: Any) -> Any:
    """Cosine of an angle in half turns, cos(pi x); NaN at infinity."""
    with np.errstate(all="ignore"):
        return np.cos(np.pi * (x - 2.0 * np.rint(0.5 * np.asarray(x))))


def erf(x: Any) -> Any:
    """Error function, 2 / sqrt(pi) times the integral of exp(-t**2) from 0 to x."""
    x = np.asarray(x)
    dtype = x.dtype if x.dtype.kind == "f" else np.float64
    with np.errstate(all="ignore"):
        return np.asarray(_erf_of_objects(x), dtype=dtype)[()]


_erf_of_objects = np.frompyfunc(math.erf, 1, 1)
