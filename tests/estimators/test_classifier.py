"""What y may be for `MLPClassifier`."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sklearn import neural_network
from sklearn.utils.class_weight import compute_sample_weight
from twin_estimators import assert_alike, fit_both, made, quietly

import fastmlp as fm

X = np.random.default_rng(0).normal(size=(60, 3))
LABELS: dict[str, Any] = {
    "strings": np.where(X[:, 0] > 0, "b", "a"),
    "objects": np.where(X[:, 0] > 0, "b", "a").astype(object),
    "booleans": X[:, 0] > 0,
    "floats": np.where(X[:, 0] > 0, 2.0, -1.0),
    "numbers": np.digitize(X[:, 0], [-0.5, 0.5]) * 10,
    "one class": np.full(60, "only"),
    "a list": (X[:, 0] > 0).astype(int).tolist(),
    "one label of several": (X[:, :1] > 0).astype(int) * [1, 0] + [0, 1],
}


@pytest.mark.parametrize("kind", LABELS)
def test_labels(kind: str) -> None:
    both = made("MLPClassifier", max_iter=5, random_state=0, hidden_layer_sizes=(4,))
    fit_both(both, "fit", X, LABELS[kind])
    assert_alike(*both)
    theirs, ours = both
    expected, found = theirs.predict(X), ours.predict(X)
    np.testing.assert_array_equal(found, expected)
    assert found.dtype == expected.dtype
    np.testing.assert_allclose(ours.predict_proba(X), theirs.predict_proba(X), rtol=1e-9)


def test_columns_are_taken_with_a_warning() -> None:
    both = made("MLPClassifier", max_iter=2, random_state=0)
    y = (X[:, :1] > 0).astype(int)
    fit_both(both, "fit", X, y)
    assert any("column-vector" in text for _, text in quietly(both[1].fit, X, y))


def test_several_classes_for_several_outputs_are_refused() -> None:
    y = np.digitize(X[:, :2], [-0.5, 0.5])
    told = []
    for each in made("MLPClassifier"):
        with pytest.raises(ValueError, match="target data") as caught:
            each.fit(X, y)
        told.append(str(caught.value))
    assert told[0] == told[1]


def test_other_classes_later_are_refused_alike() -> None:
    y = np.arange(60) % 3
    both = made("MLPClassifier", max_iter=2, warm_start=True)
    fit_both(both, "fit", X, y)
    told = []
    for each in both:
        with pytest.raises(ValueError, match="warm_start can only be used") as caught:
            each.fit(X, y + 1)
        told.append(str(caught.value))
    assert told[0] == told[1]
    both = made("MLPClassifier", max_iter=2)
    fit_both(both, "partial_fit", X, y, classes=[0, 1, 2])
    for each in both:
        with pytest.raises(ValueError, match="classes not in `self.classes_`"):
            each.partial_fit(X, y + 1)


def test_classes_that_come_later() -> None:
    both = made("MLPClassifier", random_state=0)
    fit_both(both, "partial_fit", X, np.zeros(60, int), classes=[0, 1, 2])
    fit_both(both, "partial_fit", X, np.arange(60) % 3)
    assert_alike(*both)


def test_all_at_once_has_no_single_epochs() -> None:
    ours, theirs = fm.MLPClassifier(solver="lbfgs"), neural_network.MLPClassifier(solver="lbfgs")
    assert not hasattr(theirs, "partial_fit")
    assert not hasattr(ours, "partial_fit")
    with pytest.raises(AttributeError, match="has no attribute 'partial_fit'"):
        _ = ours.partial_fit


@pytest.mark.parametrize("kind", ["strings", "numbers", "several labels"])
@pytest.mark.parametrize("weighted", [False, True])
def test_class_weights_multiply_sample_weights(kind: str, weighted: bool) -> None:
    y = LABELS[kind] if kind != "several labels" else (X[:, :2] > 0.3).astype(int)
    given = np.random.default_rng(0).random(60) if weighted else None
    named: Any = [{1: 3.0}, {0: 2.0}] if kind == "several labels" else {y[0]: 3.0}
    for class_weight in ("balanced", named):
        factors = compute_sample_weight(class_weight, y)
        arguments = {"max_iter": 5, "random_state": 0, "hidden_layer_sizes": (4,)}
        model = fm.MLPClassifier(**arguments, class_weight=class_weight)
        other = fm.MLPClassifier(**arguments)
        quietly(model.fit, X, y, given)
        quietly(other.fit, X, y, factors if given is None else factors * given)
        assert_alike(other, model, rtol=1e-14)


def test_class_weights_for_single_epochs() -> None:
    y = LABELS["numbers"]
    model = fm.MLPClassifier(class_weight={0: 5.0}, random_state=0)
    other = fm.MLPClassifier(random_state=0)
    model.partial_fit(X, y, classes=[0, 10, 20])
    other.partial_fit(X, y, np.where(y == 0, 5.0, 1.0), classes=[0, 10, 20])
    assert_alike(other, model, rtol=1e-14)
    with pytest.raises(ValueError, match="'balanced' does not go with partial_fit"):
        model.set_params(class_weight="balanced").partial_fit(X, y)
    balanced = fm.MLPClassifier(class_weight="balanced")
    with pytest.raises(ValueError, match="'balanced' does not go with partial_fit"):
        balanced.partial_fit(X, y, classes=[0, 10, 20])
    assert not hasattr(balanced, "classes_")
    with pytest.raises(ValueError, match="class_weight"):
        model.set_params(class_weight="even").fit(X, y)


def test_a_single_class_is_always_right() -> None:
    ours, theirs = made("MLPClassifier", early_stopping=True, max_iter=3, random_state=0)[::-1]
    for estimator in (ours, theirs):
        quietly(estimator.fit, X, np.zeros(60))
    assert ours.validation_scores_ == theirs.validation_scores_ == [1.0, 1.0, 1.0]


def test_classes_are_a_list() -> None:
    with pytest.raises(ValueError, match=r"classes must be a list .* shape \(1, 2\)"):
        fm.MLPClassifier().partial_fit(X, X[:, 0] > 0, classes=[[0, 1]])


COLUMNS = (X > 0).astype(int)


@pytest.mark.parametrize(
    ("first", "then", "told"),
    [
        (X[:, 0] > 0, COLUMNS[:, :2], r"one class for each row; got shape \(60, 2\)"),
        (COLUMNS, X[:, 0] > 0, r"3 columns of 0 and 1, one for each label; got shape \(60,\)"),
        (COLUMNS, COLUMNS[:, :2], r"3 columns of 0 and 1, one for each label; got shape \(60, 2\)"),
    ],
)
def test_what_goes_on_has_targets_of_the_same_kind(first: Any, then: Any, told: str) -> None:
    model = fm.MLPClassifier((4,), max_iter=1, warm_start=True)
    quietly(model.fit, X, first)
    for go_on in (model.partial_fit, model.fit):
        with pytest.raises(ValueError, match=f"y must be as in the first fit, {told}"):
            go_on(X, then)
    with pytest.raises(ValueError, match=f"y_val must be as in the first fit, {told}"):
        model.fit(X, first, X_val=X, y_val=then)


@pytest.mark.parametrize("weight", [None, np.nan, np.inf])
def test_class_weights_are_numbers(weight: Any) -> None:
    with pytest.raises(ValueError, match="class_weight must give each class a finite number, got "):
        fm.MLPClassifier(class_weight={False: weight, True: 1.0}).fit(X, X[:, 0] > 0)
