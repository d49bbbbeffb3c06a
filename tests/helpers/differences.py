"""Gradients against central differences along random directions, in float64."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

STEP = 1e-5


def assert_gradient(
    function: Callable[[np.ndarray], float], x: np.ndarray, gradient: np.ndarray
) -> None:
    """Compare the slope of `function` along five directions with ``gradient . direction``."""
    rng = np.random.default_rng(7)
    for _ in range(5):
        direction = rng.standard_normal(x.shape)
        change = function(x + STEP * direction) - function(x - STEP * direction)
        slope = float((gradient * direction).sum())
        assert change / (2.0 * STEP) == pytest.approx(slope, rel=1e-7, abs=1e-8)


def away_from_kinks(rng: np.random.Generator, shape: tuple[int, int]) -> np.ndarray:
    """Draw normal numbers, none within 0.1 of 0."""
    z = rng.standard_normal(shape)
    return z + 0.1 * np.sign(z)
