"""Loss and gradient of all rows by blocks: those of one pass, whatever the number of threads."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

pytest.importorskip("numba")

import fastmlp as fm
from fastmlp.data.features import check_sparse
from fastmlp.runners.compiled.objective import block_rows
from fastmlp.runners.numpy_runner import NumpyRunner

N = 2100
WIDTH = 7


def rows(kind: str, dtype: str) -> tuple[Any, Any, Any]:
    rng = np.random.default_rng(3)
    X = rng.standard_normal((N, WIDTH)).astype(dtype)
    if kind == "classes":
        return X, rng.integers(0, 5, N), rng.random(N).astype(dtype)
    return X, rng.standard_normal((N, 5)).astype(dtype), rng.random(N).astype(dtype)


def network(kind: str, dtype: str, layers: list[Any]) -> fm.Sequential:
    last, loss = ("softmax", "categorical_crossentropy") if kind == "classes" else ("linear", "mse")
    layers = [*layers, fm.Dense(5, last, l2=0.2, mean_penalty=True)]
    return fm.Sequential(layers, loss, dtype=dtype, random_state=1, backend="numba").build(WIDTH)


def evaluated(model: fm.Sequential, threads: int | str, *data: Any) -> tuple[Any, Any]:
    model.runner._n_threads = threads
    objective = model.runner.objective(*data)
    try:
        objective.evaluate()
        found = objective.evaluate()
        return (found.loss, found.penalty), found.gradients.copy()
    finally:
        objective.close()


def assert_same(model: fm.Sequential, *data: Any) -> None:
    """One pass by the NumPy runner and blocks by the compiled one agree."""
    expected = NumpyRunner(model.runner.state).objective(*data).evaluate()
    numbers, gradients = evaluated(model, 1, *data)
    eps = np.finfo(model.dtype).eps
    np.testing.assert_allclose(numbers, (expected.loss, expected.penalty), rtol=100 * eps)
    size = np.abs(expected.gradients).max()
    np.testing.assert_allclose(gradients, expected.gradients, rtol=0, atol=100 * eps * size)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("kind", ["classes", "numbers"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_blocks_give_the_loss_and_gradient_of_one_pass(
    dtype: str, kind: str, weighted: bool
) -> None:
    model = network(kind, dtype, [fm.Dense(33, "tanh", l1=0.1), fm.Dense(20, "relu")])
    X, y, weight = rows(kind, dtype)
    assert block_rows(model.runner.state.program, N) < N / 4
    assert_same(model, X, y, weight if weighted else None)


def test_sparse_rows_are_read_where_they_lie() -> None:
    scipy_sparse = pytest.importorskip("scipy.sparse")
    X, y, weight = rows("classes", "float64")
    X = check_sparse(scipy_sparse.csr_matrix(X * (X > 0.5)), None, np.float64, "X")
    assert_same(network("classes", "float64", [fm.Dense(33, "tanh")]), X, y, weight)


def test_rows_that_depend_on_each_other_are_one_block() -> None:
    X, y, _ = rows("classes", "float64")
    for layer in (fm.BatchNorm(), fm.Dropout(0.3)):
        model = network("classes", "float64", [fm.Dense(33, "tanh"), layer])
        assert block_rows(model.runner.state.program, N) == N
        before = model.get_weights().vectors["buffers"].copy()
        assert_same(model, X, y, None)
        np.testing.assert_array_equal(model.get_weights().vectors["buffers"], before)


@pytest.mark.usefixtures("no_thread_left")
@pytest.mark.parametrize("n_rows", [1, 9, 500, N])
def test_threads_change_no_bit(n_rows: int) -> None:
    X, y, weight = (part[:n_rows] for part in rows("numbers", "float64"))
    model = network("numbers", "float64", [fm.Dense(33, "tanh")])
    numbers, gradients = evaluated(model, 1, X, y, weight)
    for threads in (2, 3, "auto"):
        others = evaluated(model, threads, X, y, weight)
        assert others[0] == numbers
        np.testing.assert_array_equal(others[1], gradients)


def test_many_blocks_share_a_group(monkeypatch: pytest.MonkeyPatch) -> None:
    X, y, weight = rows("classes", "float64")
    model = network("classes", "float64", [fm.Dense(33, "tanh")])
    monkeypatch.setattr("fastmlp.runners.compiled.objective._MOST_ROWS", 64)
    assert block_rows(model.runner.state.program, N) * 16 < N
    assert_same(model, X, y, weight)


def test_it_follows_the_parameters_and_changes_nothing() -> None:
    X, y, _ = rows("classes", "float64")
    model = network("classes", "float64", [fm.Dense(33, "tanh")])
    objective = model.runner.objective(X, y, None)
    first = objective.evaluate().loss
    kept = model.get_weights().vectors["parameters"].copy()
    np.testing.assert_array_equal(model.get_weights().vectors["parameters"], kept)
    model.runner.state.parameters[...] *= 1.5
    second = objective.evaluate().loss
    model.runner.state.parameters[...] = kept
    assert objective.evaluate().loss == first != second
    objective.close()
