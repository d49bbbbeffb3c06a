"""Tables of odd sizes, each to the end."""

from __future__ import annotations

import time
import tracemalloc
from typing import Any

import numpy as np
import pytest

import fastmlp as fm

RNG = np.random.default_rng(0)


def fitted(X: Any, y: Any, **arguments: Any) -> Any:
    kind = fm.TabularClassifier if np.asarray(y).dtype.kind in "biUO" else fm.TabularRegressor
    return kind(**{"preset": "fast", "random_state": 0} | arguments).fit(X, y)


def test_one_class_in_a_hundred_is_found() -> None:
    X = RNG.normal(size=(3000, 6))
    score = X[:, 0] * X[:, 1]
    y = (score > np.quantile(score, 0.99)).astype(int)
    model = fitted(X, y, preset="default")
    found = model.predict_proba(X)[:, 1]
    # Of the thirty rows of the class most are among the sixty that are most likely of it.
    assert y[np.argsort(-found)[:60]].sum() > 24
    assert 0.5 < found.mean() / y.mean() < 2


def test_a_hundred_classes() -> None:
    y = np.repeat(np.arange(100), 12)
    X = RNG.normal(size=(100, 5))[y] + 0.1 * RNG.normal(size=(1200, 5))
    model = fitted(X, y, preset="default")
    assert model.predict_proba(X).shape == (1200, 100)
    assert model.score(X, y) > 0.95


def test_fifty_rows() -> None:
    X = RNG.normal(size=(50, 3))
    assert fitted(X, X[:, 0] + 0.1 * RNG.normal(size=50), preset="default").score(X, X[:, 0]) > 0.9
    assert fitted(X, X[:, 0] > 0, preset="default").score(X, X[:, 0] > 0) > 0.85


def test_a_thousand_columns() -> None:
    X = RNG.normal(size=(500, 1000))
    model = fitted(X, X[:, 0] + X[:, 1] > 0)
    assert model.score(X, X[:, 0] + X[:, 1] > 0) > 0.8
    assert len(model.schema_.used) == 1000


def test_categories_alone() -> None:
    columns = {
        name: np.array([*"abcdefgh"])[RNG.integers(0, 8, 900)] for name in ("one", "two", "three")
    }
    y = (columns["one"] == columns["two"]) | (columns["three"] == "a")
    model = fitted(columns, y, preset="default")
    assert model.score(columns, y) > 0.95
    assert {column.kind for column in model.schema_.used} == {"category"}


@pytest.mark.parametrize("kind", ["number", "category"])
def test_one_column(kind: str) -> None:
    x = RNG.normal(size=600)
    if kind == "number":
        assert (
            fitted(x[:, None], np.sin(3 * x), preset="default").score(x[:, None], np.sin(3 * x))
            > 0.9
        )
        return
    cells = {"town": np.where(x > 0, "a", np.where(x > -1, "b", "c"))}
    y = 3.0 * (x > 0) + 0.1 * RNG.normal(size=600)
    assert fitted(cells, y, preset="default").score(cells, y) > 0.9


@pytest.mark.slow
def test_a_million_rows_in_time() -> None:
    X = RNG.standard_normal((10**6, 6), dtype=np.float32)
    y = X[:, 0] * X[:, 1] > 0.2
    began = time.perf_counter()
    model = fitted(X, y, preset="default", time_limit=15)
    # The machine may have other work, too.
    assert time.perf_counter() - began < 20
    assert model.score(X[:20_000], y[:20_000]) > 0.8


@pytest.mark.slow
@pytest.mark.parametrize("preset", ["fast", "default"])
def test_memory_is_three_times_that_of_the_prepared_table(preset: str) -> None:
    X = RNG.standard_normal((100_000, 60), dtype=np.float32)
    y = X[:, 0] * X[:, 1] > 0.2
    tracemalloc.start()
    try:
        fitted(X, y, preset=preset, time_limit=5)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 3 * X.nbytes
