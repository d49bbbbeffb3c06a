"""Rows and a target of which promised names are tried."""

from __future__ import annotations

import numpy as np
import pytest


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(0)


@pytest.fixture
def X(rng: np.random.Generator) -> np.ndarray:
    """30 rows of 4 columns."""
    return rng.normal(size=(30, 4))


@pytest.fixture
def y(X: np.ndarray) -> np.ndarray:
    numbers: np.ndarray = X[:, 0] + 0.1 * X[:, 1] ** 2
    return numbers
