"""Both estimators, number by number beside scikit-learn's."""

from __future__ import annotations

import inspect
import re
from typing import Any

import numpy as np
import pytest
from estimator_counts import JUDGED
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning
from twin_estimators import (
    KINDS,
    TABLES,
    assert_alike,
    fit_both,
    is_alike,
    made,
    pair,
    quietly,
    tables,
)

from fastmlp.estimators.base import hidden_widths

every_task = pytest.mark.parametrize("task", TABLES)


SETTINGS: dict[str, dict[str, Any]] = {
    "defaults": {},
    "sgd": {"solver": "sgd"},
    "invscaling": {"solver": "sgd", "learning_rate": "invscaling", "learning_rate_init": 0.1},
    "adaptive": {
        "solver": "sgd",
        "learning_rate": "adaptive",
        "learning_rate_init": 0.05,
        "tol": 0.02,
        "n_iter_no_change": 1,
    },
    "without momentum": {"solver": "sgd", "momentum": 0.0, "nesterovs_momentum": True},
    "early stopping": {"early_stopping": True, "validation_fraction": 0.3, "tol": 1e-2},
    "a linear model": {"hidden_layer_sizes": (), "alpha": 0.5},
    "three layers": {"hidden_layer_sizes": [5, 4, 3], "activation": "logistic", "alpha": 1.0},
    "in order": {"shuffle": False, "batch_size": 32, "activation": "tanh", "epsilon": 0.05},
    "in order with early stopping": {"shuffle": False, "batch_size": 7, "early_stopping": True},
    "soon at an end": {"tol": 0.5, "n_iter_no_change": 2, "activation": "identity"},
}


@every_task
@pytest.mark.parametrize("weighted", [False, True], ids=["", "weighted"])
@pytest.mark.parametrize("name", SETTINGS)
def test_the_same_numbers(name: str, weighted: bool, task: str) -> None:
    both, X, y = pair(task, **SETTINGS[name])
    weight = np.random.default_rng(0).random(len(X)) if weighted else None
    fit_both(both, "fit", X, y, weight)
    assert_alike(*both)
    theirs, ours = both
    predicted, expected = ours.predict(X), theirs.predict(X)
    assert (predicted.shape, predicted.dtype) == (expected.shape, expected.dtype)
    if task in ("numbers", "several numbers", "counts"):
        np.testing.assert_allclose(predicted, expected, rtol=1e-6, atol=1e-9)
    else:
        np.testing.assert_array_equal(predicted, expected)
        np.testing.assert_allclose(ours.predict_proba(X), theirs.predict_proba(X), rtol=1e-7)
        np.testing.assert_allclose(
            ours.predict_log_proba(X), theirs.predict_log_proba(X), rtol=1e-7, atol=1e-12
        )
    assert ours.score(X, y) == pytest.approx(theirs.score(X, y), rel=1e-9)


@every_task
def test_float32(task: str) -> None:
    both, X, y = pair(task)
    fit_both(both, "fit", X.astype(np.float32), y)
    assert_alike(*both, rtol=1e-3)
    assert both[1].coefs_[0].dtype == np.float32
    assert both[1].network_.dtype == "float32"


def fractions(low: float, high: float, **kwargs: Any) -> Any:
    return st.floats(low, high, allow_nan=False, **kwargs)


ARGUMENTS = st.fixed_dictionaries(
    {
        "hidden_layer_sizes": st.one_of(
            st.integers(1, 12), st.lists(st.integers(1, 9), max_size=3).map(tuple)
        ),
        "activation": st.sampled_from(["identity", "logistic", "tanh", "relu"]),
        "solver": st.sampled_from(["adam", "sgd"]),
        "alpha": st.one_of(st.just(0.0), fractions(1e-6, 2.0)),
        "batch_size": st.one_of(st.just("auto"), st.integers(1, 150)),
        "learning_rate": st.sampled_from(["constant", "invscaling", "adaptive"]),
        "learning_rate_init": fractions(1e-4, 0.05),
        "power_t": fractions(0.0, 1.0),
        "shuffle": st.booleans(),
        "random_state": st.integers(0, 2**31),
        "tol": st.one_of(st.just(0.0), fractions(1e-5, 0.1)),
        "momentum": st.one_of(st.just(0.0), fractions(0.0, 0.95)),
        "nesterovs_momentum": st.booleans(),
        "early_stopping": st.booleans(),
        "validation_fraction": fractions(0.1, 0.5),
        "beta_1": fractions(0.0, 0.95),
        "beta_2": fractions(0.5, 0.999),
        "epsilon": fractions(1e-8, 0.5),
        "n_iter_no_change": st.integers(1, 5),
    }
)


@settings(
    max_examples=120, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck)
)
@given(
    arguments=ARGUMENTS,
    task=st.sampled_from(list(TABLES)),
    seed=st.integers(0, 1000),
    n=st.integers(60, 130),
    weights=st.sampled_from(["none", "any", "some zero"]),
    scale=st.sampled_from([1.0, 1.0, 10.0]),
    calls=st.lists(st.sampled_from(["fit", "fit", "partial_fit"]), min_size=1, max_size=3),
    warm=st.booleans(),
)
def test_the_same_numbers_whatever_the_arguments(
    arguments: dict[str, Any],
    task: str,
    seed: int,
    n: int,
    weights: str,
    scale: float,
    calls: list[str],
    warm: bool,
    record_property: Any,
) -> None:
    kind, X, y, more = tables(n, seed)[task]
    X, rng = scale * X, np.random.default_rng(seed)
    weight = None if weights == "none" else rng.random(n) + 0.01
    if weights == "some zero":
        # Not so many that a batch has none: theirs refuses it.
        weight = np.where(np.arange(n) % 3, weight, 0.0)
        arguments = {**arguments, "batch_size": "auto"}
    if "partial_fit" in calls or len(calls) > 1:
        # Theirs does not undo a worse second fit.
        arguments = {**arguments, "early_stopping": False}
    both = made(kind, max_iter=8, warm_start=warm, **more, **arguments)
    other = clone(both[0])
    moved = X * (1.0 + 2.0**-52 * rng.choice([-1.0, 1.0], X.shape))
    # A first call of partial_fit needs the classes.
    for call in ["fit", *calls[1:]]:
        try:
            quietly(getattr(other, call), moved, y, weight)
            fit_both(both, call, X, y, weight)
        except ValueError as error:
            assume("non-finite" not in str(error))
            raise
        # What the last bits of X decide is not judged.
        assume(is_alike(both[0], other, rtol=1e-10))
        assert_alike(*both)
    record_property(JUDGED, task)


@every_task
@pytest.mark.parametrize("solver", ["adam", "sgd"])
def test_warm_starts(solver: str, task: str) -> None:
    both, X, y = pair(task, solver=solver, warm_start=True, max_iter=5, tol=0.0)
    for alpha in (1e-4, 1e-4, 0.5):
        for each in both:
            each.set_params(alpha=alpha)
        fit_both(both, "fit", X, y)
        assert_alike(*both)
    assert len(both[1].loss_curve_) == 15
    assert both[1].n_iter_ == 5


@every_task
@pytest.mark.parametrize("solver", ["adam", "sgd"])
def test_one_epoch_at_a_time(solver: str, task: str) -> None:
    both, X, y = pair(task, solver=solver, learning_rate="invscaling")
    more = (
        {"classes": np.arange(3) if y.ndim == 2 else np.unique(y)}
        if both[0].__class__.__name__ == "MLPClassifier"
        else {}
    )
    for part in (slice(0, 70), slice(70, None), slice(0, 90)):
        fit_both(both, "partial_fit", X[part], y[part], **more)
        assert_alike(*both)
    for each in both:
        each.set_params(alpha=0.9)
    fit_both(both, "partial_fit", X, y)
    assert_alike(*both)


def test_a_random_state_goes_on() -> None:
    both, X, y = pair("multiclass")
    for each in both:
        each.set_params(random_state=np.random.RandomState(7))
    for _ in range(2):
        fit_both(both, "fit", X, y)
        assert_alike(*both)
    theirs, ours = (each.random_state.randint(1000) for each in both)
    assert theirs == ours


def test_negative_weights_are_taken() -> None:
    both, X, y = pair("numbers", max_iter=5)
    weight = np.random.default_rng(0).random(len(X)) - 0.2
    fit_both(both, "fit", X, y, weight)
    assert_alike(*both)


def test_a_batch_without_weight_is_skipped() -> None:
    (theirs, ours), X, y = pair("numbers", max_iter=2, batch_size=40, shuffle=False)
    weight = np.repeat([1.0, 0.0, 2.0], 40)
    with pytest.raises(ZeroDivisionError):
        theirs.fit(X, y, weight)
    assert quietly(ours.fit, X, y, weight)[0][0] is ConvergenceWarning
    # The batches with weight alone, whose losses still are shared out over all rows.
    (_, other), _, _ = pair("numbers", max_iter=2, batch_size=40, shuffle=False)
    some = weight > 0
    quietly(other.fit, X[some], y[some], weight[some])
    np.testing.assert_allclose(ours.coefs_[0], other.coefs_[0], rtol=1e-12)
    np.testing.assert_allclose(ours.loss_curve_, np.multiply(other.loss_curve_, 2 / 3), rtol=1e-12)


@pytest.mark.parametrize("kind", KINDS)
def test_arguments_and_defaults_are_theirs(kind: str) -> None:
    theirs, ours = made(kind)
    expected, found = (inspect.signature(type(each)).parameters for each in (theirs, ours))
    shared = list(found)[: len(expected)]
    assert shared == list(expected)
    for name in expected:
        assert found[name].default == expected[name].default
        assert found[name].kind == expected[name].kind
    more = {**ours.get_params()}
    assert {name: more.pop(name) for name in shared} == theirs.get_params()
    assert more.pop("class_weight", None) is None
    assert more.pop("label_smoothing", 0.0) == 0.0
    nothing = dict.fromkeys(("depth", "width", "clip_norm", "clip_value", "dtype"))
    off = {"dropout": 0.0, "batch_norm": False, "residual": False, "callbacks": ()}
    assert more == {**nothing, **off, "backend": "auto", "n_threads": "auto"}
    assert repr(ours) == repr(theirs)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    "arguments",
    [
        {"hidden_layer_sizes": (3, 0)},
        {"hidden_layer_sizes": "wide"},
        {"alpha": -1},
        {"batch_size": 0},
        {"tol": -0.1},
        {"momentum": 1.5},
        {"validation_fraction": 1.0},
        {"n_iter_no_change": 0},
        {"early_stopping": True, "validation_fraction": 0.005},
    ],
)
def test_refusals_are_theirs(kind: str, arguments: dict[str, Any]) -> None:
    X = np.random.default_rng(0).normal(size=(60, 3))
    told = []
    for each in made(kind, **arguments):
        with pytest.raises(ValueError, match=".") as caught:
            each.fit(X, X[:, 0] > 0)
        told.append(str(caught.value))
    # A set of words is told in any order.
    assert sorted(re.findall(r"\w+", told[0])) == sorted(re.findall(r"\w+", told[1]))


def test_weights_that_are_not_finite_are_refused() -> None:
    _, X, y, _ = TABLES["numbers"]
    for each in made("MLPRegressor", solver="sgd", learning_rate_init=1e300, max_iter=5):
        with (
            pytest.raises(ValueError, match="Solver produced non-finite parameter weights"),
            np.errstate(all="ignore"),
        ):
            quietly(each.fit, X, y)


def test_verbose_lines_are_theirs(capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("adaptive", "early stopping", "soon at an end", "defaults"):
        both, X, y = pair("binary", verbose=True, **SETTINGS[name])
        told = []
        for each in both:
            quietly(each.fit, X, y)
            told.append(capsys.readouterr().out)
        assert told[0] == told[1]
        assert "Iteration 1, loss = " in told[1]


def test_widths() -> None:
    assert hidden_widths(7) == [7]
    assert hidden_widths(()) == []
    assert hidden_widths(np.array([3, 4])) == [3, 4]
    with pytest.raises(ValueError, match=r"hidden_layer_sizes must be > 0, got \[3, -1\]"):
        hidden_widths((3, -1))


@every_task
@pytest.mark.parametrize("solver", ["adam", "lbfgs"])
def test_both_backends_and_any_number_of_threads(task: str, solver: str) -> None:
    found = []
    for more in ({"n_threads": 1}, {"n_threads": 2}, {"backend": "numpy"}):
        (theirs, ours), X, y = pair(task, solver=solver, activation="tanh", max_iter=8)
        ours.set_params(**more)
        fit_both((theirs, ours), "fit", X, y)
        assert_alike(theirs, ours, rtol=1e-8 if solver == "adam" else 1e-6)
        assert ours.network_.backend == more.get("backend", ours.network_.backend)
        found.append(ours.coefs_)
    for one, two in zip(*found[:2], strict=True):
        np.testing.assert_array_equal(one, two)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_the_dtype_of_the_network() -> None:
    (theirs, ours), X, y = pair("numbers", max_iter=5)
    ours.set_params(dtype="float32").fit(X, y)
    assert ours.coefs_[0].dtype == ours.predict(X).dtype == np.float32
    theirs.fit(X, y)
    np.testing.assert_allclose(ours.predict(X), theirs.predict(X), rtol=1e-3, atol=1e-3)
    # A warm start goes on in another one, and with other threads.
    ours.set_params(dtype="float64", warm_start=True, n_threads=1)
    weights = ours.coefs_[0].copy()
    ours.set_params(learning_rate_init=1e-12).fit(X, y)
    assert ours.coefs_[0].dtype == np.float64
    assert ours.network_.n_threads == 1
    np.testing.assert_allclose(ours.coefs_[0], weights, rtol=1e-6)


CHANGES: list[tuple[dict[str, Any], dict[str, Any]]] = [
    ({}, {"early_stopping": True}),
    ({"early_stopping": True}, {"early_stopping": False}),
    ({"solver": "lbfgs"}, {"solver": "adam"}),
    ({"solver": "lbfgs"}, {"solver": "sgd", "early_stopping": "loss"}),
]


@every_task
@pytest.mark.parametrize(("before", "after"), CHANGES)
def test_a_warm_start_that_watches_something_else(
    task: str, before: dict[str, Any], after: dict[str, Any]
) -> None:
    (_, model), X, y = pair(task, warm_start=True, **{**before, "max_iter": 3})
    quietly(model.fit, X, y)
    quietly(model.set_params(**after).fit, X, y)
    watched = [model.best_validation_score_, model.best_loss_]
    if model.early_stopping:
        assert watched[1] is None
        assert watched[0] == max(model.validation_scores_)
        assert len(model.validation_scores_) == model.n_iter_ == 3
    else:
        assert watched[0] is None
        assert watched[1] == min(model.loss_curve_[-3:])


@every_task
@pytest.mark.parametrize("solver", ["adam", "lbfgs"])
def test_losses_have_the_methods_of_numbers_of_numpy(task: str, solver: str) -> None:
    (_, model), X, y = pair(task, solver=solver, max_iter=2)
    quietly(model.fit, X, y)
    for loss in [model.loss_, *getattr(model, "loss_curve_", [])]:
        assert isinstance(loss, np.float64)
    assert type(model.history_["loss"][-1]) is float
