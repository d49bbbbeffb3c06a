"""Activations and losses to be registered."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import fastmlp as fm

SCALE = 1.5
RNG = np.random.default_rng(0)
X = RNG.normal(size=(150, 4))


def bent(z: float) -> float:
    if z > 0:
        return SCALE * z
    if z < -2:
        return -0.5
    return 0.25 * z


def bent_slope(z: float) -> float:
    if z > 0:
        return SCALE
    if z < -2:
        return 0.0
    return 0.25


def power_series(z: float) -> float:
    total = 0.0
    for k in range(1, 4):
        total += z**k / (k + 1)
    return total / (1 + z**2)


def logistic(z: float) -> float:
    return 1 / (1 + fm.math.exp(-z))


def silu_of(z: float) -> float:
    return z * logistic(z)


ACTIVATIONS: dict[str, tuple[Callable[..., Any], Callable[..., Any] | None]] = {
    "softsign": (lambda z: z / (1 + abs(z)), lambda z: 1 / (1 + abs(z)) ** 2),
    "bent": (bent, bent_slope),
    "swish_of_two": (lambda z: z / (1 + fm.math.exp(-2 * z)), None),
    "gaussian": (lambda z: fm.math.exp(-z * z), lambda z: -2 * z * fm.math.exp(-z * z)),
    "log_bend": (
        lambda z: fm.math.log1p(z) if z > 0 else -fm.math.log1p(-z),
        lambda z: 1 / (1 + abs(z)),
    ),
    "calls_others": (
        silu_of,
        lambda z: logistic(z) * (1 + z * (1 - logistic(z))),
    ),
    "hyperbolic": (lambda z: fm.math.tanh(z), lambda z, out: 1 - out * out),
    "relu_of_six": (lambda z: min(max(z, 0), 6), lambda z: 1 if 0 < z < 6 else 0),
    "erf_of_tanh": (lambda z: fm.math.erf(fm.math.tanh(z)), None),
    "integers_only": (lambda z: max(z, 0) - max(-2 * z - 1, 0) * 3, None),
    "series": (power_series, None),
}
LOSSES: dict[str, tuple[Callable[..., Any], Callable[..., Any] | None]] = {
    "log_cosh": (
        lambda p, y: abs(p - y) + fm.math.log1p(fm.math.exp(-2 * abs(p - y))) - math.log(2.0),
        lambda p, y: fm.math.tanh(p - y),
    ),
    "asymmetric": (
        lambda p, y: (p - y) ** 2 if p > y else 3 * (p - y) ** 2,
        lambda p, y: 2 * (p - y) if p > y else 6 * (p - y),
    ),
    "pseudo_huber": (lambda p, y: (1 + (p - y) * (p - y)) ** 0.5 - 1, None),
}


def register(name: str) -> Any:
    table = ACTIVATIONS if name in ACTIVATIONS else LOSSES
    make = fm.register_activation if name in ACTIVATIONS else fm.register_loss
    forward, derivative = table[name]
    if derivative is not None:
        return make(name, forward, derivative)
    with pytest.warns(UserWarning, match=f"{name!r} has no derivative: it is taken numerically"):
        return make(name, forward)
