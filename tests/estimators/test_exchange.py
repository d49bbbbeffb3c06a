"""`to_sklearn`: scikit-learn's class predicts, trains on and is copied as ours."""

from __future__ import annotations

import pickle
from copy import deepcopy
from typing import Any

import numpy as np
import pytest
from sklearn import neural_network
from sklearn.base import clone
from twin_estimators import TABLES, assert_alike, pair, quietly

import fastmlp as fm

every_task = pytest.mark.parametrize("task", TABLES)
SOLVERS: dict[str, dict[str, Any]] = {
    "adam": {"beta_1": 0.8, "epsilon": 1e-4},
    "sgd": {"solver": "sgd", "learning_rate": "invscaling", "momentum": 0.8},
    "adaptive": {"solver": "sgd", "learning_rate": "adaptive", "nesterovs_momentum": False},
    "no momentum": {"solver": "sgd", "momentum": 0.0},
}
pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


def fitted(task: str, **arguments: Any) -> tuple[Any, Any, Any]:
    """One of ours after some epochs, X and y."""
    (_, ours), X, y = pair(task, max_iter=4, hidden_layer_sizes=(6, 4))
    ours.set_params(**arguments).fit(X, y)
    return ours, X, y


@every_task
def test_it_is_their_class_and_predicts_alike(task: str) -> None:
    ours, X, y = fitted(task)
    theirs = ours.to_sklearn()
    assert type(theirs) is getattr(neural_network, type(ours).__name__)
    assert_alike(theirs, ours)
    for method in ("predict", "predict_proba", "predict_log_proba"):
        if hasattr(ours, method):
            expected, found = (getattr(each, method)(X) for each in (ours, theirs))
            np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-14)
    assert theirs.score(X, y) == pytest.approx(ours.score(X, y), rel=1e-12)
    known = theirs.get_params()
    assert known == {name: ours.get_params()[name] for name in known}
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(theirs)).predict(X), theirs.predict(X))
    clone(theirs)


@every_task
@pytest.mark.parametrize("solver", SOLVERS)
def test_both_go_on_alike(task: str, solver: str) -> None:
    ours, X, y = fitted(task, **SOLVERS[solver])
    theirs = ours.to_sklearn()
    for _ in range(3):
        quietly(ours.partial_fit, X[:70], y[:70])
        quietly(theirs.partial_fit, X[:70], y[:70])
    assert_alike(theirs, ours)
    for each in (ours, theirs):
        quietly(each.set_params(warm_start=True).fit, X, y)
    assert_alike(theirs, ours)


@every_task
def test_an_adaptive_rate_that_has_fallen_goes_on(task: str) -> None:
    # Each epoch counts as one without improvement.
    arguments = {"learning_rate": "adaptive", "tol": 100.0, "n_iter_no_change": 1}
    ours, X, y = fitted(task, solver="sgd", **arguments)
    assert ours._optimizer.learning_rate < ours.learning_rate_init
    theirs = ours.to_sklearn()
    for each in (ours, theirs):
        quietly(each.partial_fit, X, y)
    assert_alike(theirs, ours)


@every_task
def test_after_early_stopping(task: str) -> None:
    ours, X, y = fitted(task, early_stopping=True, warm_start=True)
    theirs = ours.to_sklearn()
    for shown, best in ((theirs.coefs_, theirs._best_coefs),):
        for one, other in zip(shown, best, strict=True):
            np.testing.assert_array_equal(one, other)
            assert not np.shares_memory(one, other)
    assert theirs.best_validation_score_ == ours.best_validation_score_
    for each in (ours, theirs):
        quietly(each.set_params(max_iter=8).fit, X, y)
    assert theirs.validation_scores_ == pytest.approx(ours.validation_scores_)


@every_task
def test_lbfgs_and_float32(task: str) -> None:
    ours, X, y = fitted(task, solver="lbfgs")
    theirs = ours.to_sklearn()
    for each in (ours, theirs):
        quietly(each.set_params(warm_start=True).fit, X, y)
    assert_alike(theirs, ours, 1e-5)
    (_, single), X, y = pair(task, max_iter=4)
    X = X.astype(np.float32)
    quietly(single.fit, X, y)
    theirs = single.to_sklearn()
    assert theirs.coefs_[0].dtype == np.float32
    np.testing.assert_allclose(theirs.predict(X), single.predict(X), rtol=1e-4, atol=1e-5)
    for each in (single, theirs):
        quietly(each.partial_fit, X, y)
    for found, expected in zip(theirs.coefs_, single.coefs_, strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-3, atol=1e-5)


def test_a_random_state_goes_on_in_both() -> None:
    ours, X, y = fitted("binary", random_state=np.random.RandomState(3))
    theirs = ours.to_sklearn()
    for each in (ours, theirs):
        each.partial_fit(X, y)
        each.partial_fit(X, y)
    assert_alike(theirs, ours)


def test_nothing_is_shared() -> None:
    ours, X, y = fitted("multiclass")
    theirs, before = ours.to_sklearn(), deepcopy(ours)
    theirs.partial_fit(X, y)
    theirs.loss_curve_.append(0.0)
    assert_alike(before, ours)


def test_coefficients_are_those_shown_and_names_of_columns_go_along() -> None:
    pandas = pytest.importorskip("pandas")
    ours, X, y = fitted("numbers")
    ours.coefs_[0] = np.ones_like(ours.coefs_[0])
    np.testing.assert_allclose(ours.to_sklearn().predict(X), ours.predict(X), rtol=1e-12)
    frame = pandas.DataFrame(X, columns=list("abcde"))
    theirs = quietly_fitted(frame, y).to_sklearn()
    with pytest.raises(ValueError, match="feature names should match"):
        theirs.predict(frame[list("edcba")])


def quietly_fitted(X: Any, y: Any, **arguments: Any) -> Any:
    """A regressor after some epochs."""
    model = fm.MLPRegressor(hidden_layer_sizes=(4,), max_iter=2, random_state=0, **arguments)
    quietly(model.fit, X, y)
    return model


def test_words_as_classes_and_two_or_one_of_them() -> None:
    X = np.arange(8.0).reshape(4, 2)
    for y in (["no", "yes", "yes", "no"], ["only"] * 4, [False, True, True, False]):
        ours = fm.MLPClassifier((3,), max_iter=2, random_state=0)
        quietly(ours.fit, X, y)
        theirs = ours.to_sklearn()
        np.testing.assert_array_equal(theirs.predict(X), ours.predict(X))
        quietly(theirs.partial_fit, X, y)


def test_what_their_class_does_not_know_is_refused_by_name() -> None:
    ours, X, _ = fitted("binary", class_weight={7: 2.0, -2: 1.0}, dtype="float32", n_threads=1)
    with pytest.raises(ValueError, match=r"does not know class_weight=\{7: 2.0, -2: 1.0\}, dtype="):
        ours.to_sklearn()
    message = r"freeze\(\) and its exports.*set_params\(class_weight=None\)$"
    with pytest.raises(ValueError, match=message):
        ours.set_params(dtype=None).to_sklearn()
    theirs = ours.set_params(class_weight=None).to_sklearn()
    np.testing.assert_allclose(theirs.predict_proba(X), ours.predict_proba(X), atol=1e-5)
    fitted("binary", dtype="float64", backend="numpy")[0].to_sklearn()


def test_values_that_their_class_does_not_take_are_refused_by_name() -> None:
    ours, _, _ = fitted("numbers")
    # As if one of ours had more of them.
    ours.activation, ours.solver = "gelu", "rmsprop"
    with pytest.raises(ValueError, match="does not know activation='gelu', solver='rmsprop'"):
        ours.to_sklearn()


def test_a_network_that_is_more_than_its_coefficients_is_refused() -> None:
    ours, _, _ = fitted("numbers")
    ours.activation = "tanh"
    with pytest.raises(ValueError, match="computes something else than scikit-learn's class"):
        ours.to_sklearn()


def test_not_fitted() -> None:
    with pytest.raises(Exception, match="not fitted yet"):
        fm.MLPClassifier().to_sklearn()
