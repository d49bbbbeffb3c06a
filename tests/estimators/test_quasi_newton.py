"""L-BFGS on the loss of all rows, beside scikit-learn's."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from twin_estimators import assert_alike, fit_both, made, quietly, tables

import fastmlp as fm
from fastmlp.estimators.network import pack
from fastmlp.estimators.quasi_newton import loss_and_gradient
from fastmlp.estimators.rows import Rows

TABLES = tables()
every_task = pytest.mark.parametrize("task", TABLES)


@every_task
@pytest.mark.parametrize("weighted", [False, True], ids=["", "weighted"])
@pytest.mark.parametrize("activation", ["tanh", "relu"])
def test_the_same_numbers(task: str, weighted: bool, activation: str) -> None:
    kind, X, y, more = TABLES[task]
    arguments: dict[str, Any] = {"hidden_layer_sizes": (6, 3), "alpha": 0.1, "max_iter": 15}
    both = made(
        kind, solver="lbfgs", activation=activation, random_state=2, tol=1e-6, **more, **arguments
    )
    weight = np.random.default_rng(0).random(len(X)) if weighted else None
    fit_both(both, "fit", X, y, weight)
    assert_alike(*both, rtol=1e-6)


# Of several outputs, value and gradient do not belong together, and the search ends anywhere.
@pytest.mark.parametrize("task", [task for task in TABLES if task != "several numbers"])
def test_it_ends_at_the_same_minimum(task: str) -> None:
    kind, X, y, more = TABLES[task]
    both = made(
        kind, solver="lbfgs", hidden_layer_sizes=(), alpha=1.0, random_state=0, tol=1e-5, **more
    )
    fit_both(both, "fit", X, y)
    assert both[1].loss_ == pytest.approx(both[0].loss_, rel=1e-6)


@pytest.mark.parametrize("arguments", [{"max_fun": 5}, {"max_iter": 3}])
def test_limits_are_told_alike(arguments: dict[str, int]) -> None:
    kind, X, y, _ = TABLES["multiclass"]
    both = made(kind, solver="lbfgs", random_state=0, **arguments)
    fit_both(both, "fit", X, y)
    assert both[0].n_iter_ == both[1].n_iter_


def test_single_precision_becomes_double() -> None:
    kind, X, y, _ = TABLES["numbers"]
    both = made(kind, solver="lbfgs", random_state=0, max_iter=10, activation="tanh")
    fit_both(both, "fit", X.astype(np.float32), y)
    assert_alike(*both, rtol=1e-4)
    assert both[1].coefs_[0].dtype == np.float64


def test_a_warm_start_of_another_solver() -> None:
    kind, X, y, _ = TABLES["binary"]
    both = made(kind, random_state=0, max_iter=5, warm_start=True, hidden_layer_sizes=(7,))
    fit_both(both, "fit", X, y)
    for each in both:
        each.set_params(solver="lbfgs", max_iter=8, activation="relu")
    fit_both(both, "fit", X, y)
    assert_alike(*both, rtol=1e-6)


def test_gradient_of_a_packed_vector() -> None:
    _, X, y, _ = TABLES["several numbers"]
    model = fm.MLPRegressor(solver="lbfgs")
    model.set_params(hidden_layer_sizes=(4,), activation="tanh", max_iter=2, random_state=0)
    quietly(model.fit, X, y)
    link, rows = model._link, Rows(X, y, None)
    packed = pack(model.coefs_, model.intercepts_)
    value, gradient = loss_and_gradient(link, packed, rows, True)
    assert value == pytest.approx(model.loss_, rel=1e-12)
    assert gradient.shape == packed.shape
    # The gradient is that of the sum over outputs, the value a mean, penalties apart.
    rng = np.random.default_rng(0)
    for _ in range(3):
        step = rng.normal(size=packed.size) * 1e-6
        sums = []
        for sign in (1, -1):
            at = packed + sign * step
            loss, _ = loss_and_gradient(link, at, rows, True)
            penalty = model.alpha / 2 * sum((w**2).sum() for w in model.coefs_) / len(X)
            sums.append(3 * (loss - penalty) + penalty)
        assert (sums[0] - sums[1]) / 2 == pytest.approx(gradient @ step, rel=1e-4)
