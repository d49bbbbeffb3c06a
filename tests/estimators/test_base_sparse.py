"""Sparse X: the same numbers as of an array, and as scikit-learn's."""

from __future__ import annotations

import tracemalloc
from typing import Any

import numpy as np
import pytest
from scipy import sparse
from twin_estimators import assert_alike, fit_both, made, quietly, tables

import fastmlp as fm

TABLES = tables()


def thinned(X: np.ndarray) -> np.ndarray:
    return np.where(np.random.default_rng(2).random(X.shape) < 0.6, 0.0, X)


@pytest.mark.parametrize("form", [sparse.csr_matrix, sparse.csc_array, sparse.coo_array])
@pytest.mark.parametrize("solver", ["adam", "sgd", "lbfgs"])
@pytest.mark.parametrize("task", ["binary", "multiclass", "several numbers"])
def test_the_same_numbers(task: str, solver: str, form: Any) -> None:
    kind, X, y, more = TABLES[task]
    X = thinned(X)
    arguments = {"hidden_layer_sizes": (7,), "max_iter": 12, "random_state": 1, "solver": solver}
    if solver != "lbfgs":
        arguments["early_stopping"] = True
    else:
        arguments["activation"] = "tanh"
    both = made(kind, **arguments, **more)
    fit_both(both, "fit", form(X), y)
    assert_alike(*both, rtol=1e-8 if solver != "lbfgs" else 1e-6)
    theirs, ours = both
    np.testing.assert_allclose(ours._outputs(form(X)), ours._outputs(X), rtol=1e-10, atol=1e-14)
    np.testing.assert_array_equal(ours.predict(form(X)).shape, theirs.predict(form(X)).shape)


def test_single_precision() -> None:
    kind, X, y, _ = TABLES["multiclass"]
    both = made(kind, max_iter=10, random_state=0)
    fit_both(both, "fit", sparse.csr_array(thinned(X).astype(np.float32)), y)
    assert_alike(*both, rtol=1e-3)


def test_weights_and_single_epochs() -> None:
    kind, X, y, _ = TABLES["numbers"]
    X, weight = sparse.csr_array(thinned(X)), np.random.default_rng(0).random(len(X))
    both = made(kind, random_state=0)
    for _ in range(2):
        fit_both(both, "partial_fit", X, y, weight)
        assert_alike(*both)


def test_rows_are_not_made_dense() -> None:
    rng = np.random.default_rng(0)
    n, columns = 4000, 5000
    count = 4000
    places = rng.integers(n, size=count), rng.integers(columns, size=count)
    X = sparse.csr_array((rng.random(count), places), (n, columns))
    model = fm.MLPRegressor(hidden_layer_sizes=(2,), max_iter=2, batch_size=100, random_state=0)
    y = rng.normal(size=n)
    quietly(model.fit, X[:200], y[:200])
    tracemalloc.start()
    quietly(model.fit, X, y)
    model.predict(X)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < n * columns * 8 / 50
