"""Scores of held out rows beside scikit-learn's."""

from __future__ import annotations

import math

import numpy as np
import pytest
from sklearn.metrics import accuracy_score, r2_score

from fastmlp.estimators.scores import accuracy, r2

N = 40


@pytest.fixture(params=[False, True], ids=["", "weighted"])
def weight(request: pytest.FixtureRequest) -> np.ndarray | None:
    return np.random.default_rng(9).random(N) if request.param else None


@pytest.mark.parametrize("k", [1, 3])
def test_accuracy_of_columns(k: int, weight: np.ndarray | None) -> None:
    rng = np.random.default_rng(0)
    outputs, y = rng.random((N, k)), rng.integers(0, 2, (N, k))
    expected = accuracy_score(y, outputs > 0.5, sample_weight=weight)
    assert accuracy(outputs, y.astype(float), weight) == pytest.approx(expected, rel=1e-14)


def test_accuracy_of_classes(weight: np.ndarray | None) -> None:
    rng = np.random.default_rng(0)
    outputs, y = rng.random((N, 4)), rng.integers(0, 4, N)
    expected = accuracy_score(y, outputs.argmax(axis=1), sample_weight=weight)
    assert accuracy(outputs, y, weight) == pytest.approx(expected, rel=1e-14)


def test_a_half_counts_as_the_first_class() -> None:
    assert accuracy(np.array([[0.5], [0.5]]), np.array([[0.0], [1.0]]), None) == 0.5


@pytest.mark.parametrize("k", [1, 3])
def test_r2(k: int, weight: np.ndarray | None) -> None:
    rng = np.random.default_rng(0)
    y = rng.normal(size=(N, k))
    outputs = y + rng.normal(size=(N, k))
    expected = r2_score(y, outputs, sample_weight=weight)
    assert r2(outputs, y, weight) == pytest.approx(expected, rel=1e-13)


def test_r2_of_constants() -> None:
    y = np.ones((3, 2))
    for outputs in (y, y + np.array([0.0, 1.0]), y + 1.0):
        assert r2(outputs, y, None) == r2_score(y, outputs)


def test_r2_of_what_is_not_finite() -> None:
    for bad in (math.nan, math.inf):
        assert math.isnan(r2(np.array([[bad], [1.0]]), np.array([[0.0], [1.0]]), None))
