"""Baselines beside scikit-learn's models."""

from __future__ import annotations

import numpy as np
import pytest

from fastmlp.tables.baselines import fit_linear, frequencies, logistic, ridge

linear_model = pytest.importorskip("sklearn.linear_model")


def some(n: int, width: int, n_classes: int, noise: float = 1.0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(n_classes)
    X = rng.normal(size=(n, width))
    scores = X @ rng.normal(size=(width, n_classes)) + noise * rng.normal(size=(n, n_classes))
    return X, scores.argmax(axis=1)


def log_loss(probabilities: np.ndarray, codes: np.ndarray) -> float:
    return float(-np.log(probabilities[np.arange(len(codes)), codes]).mean())


def test_frequencies() -> None:
    shares = frequencies(np.array([0, 0, 2]), 3)
    np.testing.assert_allclose(shares, [3 / 6, 1 / 6, 2 / 6])


@pytest.mark.parametrize("dtype", ["f4", "f8"])
@pytest.mark.parametrize("alpha", [1.0, 100.0])
def test_ridge(dtype: str, alpha: float) -> None:
    rng = np.random.default_rng(0)
    X = rng.normal(size=(50, 4)).astype(dtype)
    X[:, 3] = X[:, 2]
    y = X @ [1.0, -2.0, 3.0, 0.0] + 100 + rng.normal(size=50)
    expected = linear_model.Ridge(alpha).fit(X.astype("f8"), y).predict(X)
    np.testing.assert_allclose(ridge(X, y, alpha).outputs(X)[:, 0], expected, rtol=1e-9)


@pytest.mark.parametrize("n_classes", [2, 3, 7])
@pytest.mark.parametrize("noise", [0.01, 3.0])
def test_logistic(n_classes: int, noise: float) -> None:
    X, codes = some(400, 6, n_classes, noise)
    found = logistic(X.astype("f4"), codes, n_classes).outputs(X)
    np.testing.assert_allclose(found.sum(axis=1), 1.0)
    model = linear_model.LogisticRegression(max_iter=1000).fit(X, codes)
    expected = log_loss(model.predict_proba(X), codes)
    assert log_loss(found, codes) == pytest.approx(expected, rel=0.02, abs=2e-3)


def test_more_columns_than_rows_and_columns_that_are_sums_of_others() -> None:
    rng = np.random.default_rng(0)
    X = rng.normal(size=(30, 60))
    X[:, 1], X[:, 2] = X[:, 0], 0.0
    codes = rng.integers(0, 3, 30)
    assert log_loss(logistic(X, codes, 3).outputs(X), codes) < 0.5
    y = rng.normal(size=30)
    assert np.abs(ridge(X, y).outputs(X)[:, 0] - y).mean() < 0.5


def test_either_by_the_number_of_classes() -> None:
    X, codes = some(50, 3, 2)
    np.testing.assert_array_equal(
        fit_linear(X, codes, 2, 3.0).weight, logistic(X, codes, 2, 3.0).weight
    )
    np.testing.assert_array_equal(fit_linear(X, codes, 0, 3.0).weight, ridge(X, codes, 3.0).weight)


def test_a_class_that_no_row_has() -> None:
    X, codes = some(100, 3, 2)
    found = logistic(X, codes, 4).outputs(X)
    assert np.isfinite(found).all()
    assert (found[:, 2:] < 0.05).all()


def test_a_large_table_ends_before_the_last_digits(monkeypatch: pytest.MonkeyPatch) -> None:
    X, codes = some(2000, 30, 5)
    exact = log_loss(logistic(X, codes, 5).outputs(X), codes)
    monkeypatch.setattr("fastmlp.tables.baselines._WORK", 1.0)
    monkeypatch.setattr("fastmlp.tables.baselines._FEWEST_OUTER", 2)
    near = log_loss(logistic(X, codes, 5).outputs(X), codes)
    assert exact < near < 0.4 * np.log(5)
