"""Metrics by hand, beside scikit-learn's own calls, and where they are undefined."""

from __future__ import annotations

import math
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fastmlp.training.metrics import (
    classification_details,
    classification_metrics,
    regression_details,
    regression_metrics,
)

sklearn_metrics = pytest.importorskip("sklearn.metrics")

OF_TWO = ["accuracy", "precision", "recall", "f1", "roc_auc", "log_loss"]
OF_MORE = [*OF_TWO, "precision_macro", "recall_macro", "f1_macro", "roc_auc_macro"]
OF_NUMBERS = ["mse", "rmse", "mae", "r2", "explained_variance", "pearson_r"]


def some_weights(n, weighted):
    return np.random.default_rng(7).uniform(0.1, 3, n) if weighted else None


def assert_plain_floats(metrics, names):
    assert list(metrics) == names
    assert all(type(value) is float for value in metrics.values())


def test_two_classes_worked_by_hand():
    y = np.array([0, 0, 1, 1, 1])
    probabilities = np.array([[0.2], [0.6], [0.5], [0.4], [0.9]], np.float32)
    metrics = classification_metrics("binary", y, probabilities)
    assert_plain_floats(metrics, OF_TWO)
    # Predicted 0 1 1 0 1 (0.5 counts as 1): 2 of 3 ones found, 2 of 3 called ones are ones.
    assert metrics["accuracy"] == pytest.approx(3 / 5)
    assert metrics["precision"] == pytest.approx(2 / 3)
    assert metrics["recall"] == pytest.approx(2 / 3)
    assert metrics["f1"] == pytest.approx(2 / 3)
    # Of the 6 pairs of a one and a zero, 4 are in the right order.
    assert metrics["roc_auc"] == pytest.approx(4 / 6)
    expected = -np.mean(np.log([0.8, 0.4, 0.5, 0.4, 0.9]))
    assert metrics["log_loss"] == pytest.approx(expected, rel=1e-6)


def test_softmax_of_two_units_is_binary():
    rng = np.random.default_rng(0)
    y, second = rng.integers(0, 2, 40), rng.uniform(size=(40, 1))
    by_sigmoid = classification_metrics("binary", y, second)
    by_softmax = classification_metrics("multiclass", y, np.hstack((1 - second, second)))
    assert by_softmax == pytest.approx(by_sigmoid)
    assert_plain_floats(by_softmax, OF_TWO)


def test_softmax_predicts_the_first_of_equals_and_sigmoid_the_second():
    y = np.array([0, 1])
    softmax = classification_metrics("multiclass", y, np.array([[0.5, 0.5], [0.5, 0.5]]))
    sigmoid = classification_metrics("binary", y, np.array([[0.5], [0.5]]))
    assert softmax["recall"] == 0.0
    assert sigmoid["recall"] == 1.0


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_more_classes_beside_scikit_learn(dtype, weighted):
    rng = np.random.default_rng(1)
    y = rng.integers(0, 4, 200)
    probabilities = rng.dirichlet(np.ones(4), 200).astype(dtype)
    weights = some_weights(200, weighted)
    metrics = classification_metrics("multiclass", y, probabilities, weights)
    assert_plain_floats(metrics, OF_MORE)
    predicted = probabilities.argmax(axis=1)
    exact = probabilities.astype(float)
    exact /= exact.sum(axis=1, keepdims=True)
    for average, suffix in (("weighted", ""), ("macro", "_macro")):
        how = {"average": average, "sample_weight": weights}
        for name, function in (
            ("precision", sklearn_metrics.precision_score),
            ("recall", sklearn_metrics.recall_score),
            ("f1", sklearn_metrics.f1_score),
        ):
            assert metrics[name + suffix] == pytest.approx(function(y, predicted, **how))
        # By its definition: the area of each class against the rest.
        areas = [
            sklearn_metrics.roc_auc_score(y == k, exact[:, k], sample_weight=weights)
            for k in range(4)
        ]
        shares = np.bincount(y, weights=weights) if average == "weighted" else None
        assert metrics["roc_auc" + suffix] == pytest.approx(np.average(areas, weights=shares))
    of_truth = exact[np.arange(200), y]
    expected = -np.average(np.log(of_truth), weights=weights)
    assert metrics["log_loss"] == pytest.approx(expected)
    assert metrics["accuracy"] == pytest.approx(np.average(predicted == y, weights=weights))


@pytest.mark.parametrize("weighted", [False, True])
def test_multilabel_beside_scikit_learn(weighted):
    rng = np.random.default_rng(2)
    y = rng.integers(0, 2, (100, 3)).astype(np.float32)
    probabilities = rng.uniform(0.01, 0.99, (100, 3))
    weights = some_weights(100, weighted)
    metrics = classification_metrics("multilabel", y, probabilities, weights)
    assert_plain_floats(metrics, OF_MORE)
    predicted = probabilities >= 0.5
    for average, suffix in (("weighted", ""), ("macro", "_macro")):
        how = {"average": average, "sample_weight": weights}
        f1 = sklearn_metrics.f1_score(y, predicted, **how)
        assert metrics["f1" + suffix] == pytest.approx(f1)
        area = sklearn_metrics.roc_auc_score(y, probabilities, **how)
        assert metrics["roc_auc" + suffix] == pytest.approx(area)
    right = (predicted == y).mean(axis=1)
    assert metrics["accuracy"] == pytest.approx(np.average(right, weights=weights))
    losses = -np.log(np.where(y == 1, probabilities, 1 - probabilities)).mean(axis=1)
    assert metrics["log_loss"] == pytest.approx(np.average(losses, weights=weights))


def test_multilabel_probabilities_as_truth_count_from_a_half():
    probabilities = np.array([[0.9, 0.1], [0.2, 0.8]])
    soft = classification_metrics("multilabel", np.array([[0.5, 0.4], [0.1, 0.7]]), probabilities)
    hard = classification_metrics("multilabel", np.array([[1, 0], [0, 1]]), probabilities)
    assert soft == hard


@pytest.mark.parametrize(
    ("task", "y", "probabilities"),
    [
        ("binary", np.array([1, 0, 1]), np.array([[0.3], [0.4], [0.8]])),
        (
            "multiclass",
            np.array([2, 0, 1]),
            np.array([[0.2, 0.3, 0.5], [0.4, 0.5, 0.1], [0, 1, 0]]),
        ),
        (
            "multilabel",
            np.array([[1, 0], [0, 1], [1, 1]]),
            np.array([[0.3, 0.1], [0.4, 0.7], [1, 1]]),
        ),
    ],
)
def test_a_weight_is_a_number_of_rows(task, y, probabilities):
    times = np.array([1, 3, 2])
    repeated = classification_metrics(
        task, np.repeat(y, times, 0), np.repeat(probabilities, times, 0)
    )
    weighted = classification_metrics(task, y, probabilities, times.astype(float))
    assert weighted == pytest.approx(repeated)


@pytest.mark.parametrize("present", [0, 1])
@pytest.mark.parametrize("predicted", [0.1, 0.9])
@pytest.mark.parametrize("n", [1, 4])
def test_one_class_alone(present, predicted, n):
    metrics = classification_metrics("binary", np.full(n, present), np.full((n, 1), predicted))
    assert math.isnan(metrics.pop("roc_auc"))
    right = float((predicted > 0.5) == present)
    assert metrics["accuracy"] == right
    assert metrics["precision"] == metrics["recall"] == metrics["f1"] == right * present
    assert np.isfinite(list(metrics.values())).all()


def test_a_class_that_does_not_occur():
    probabilities = np.array([[0.7, 0.2, 0.1], [0.1, 0.8, 0.1], [0.1, 0.2, 0.7]])
    metrics = classification_metrics("multiclass", np.array([0, 1, 1]), probabilities)
    assert math.isnan(metrics.pop("roc_auc"))
    assert math.isnan(metrics.pop("roc_auc_macro"))
    assert metrics["accuracy"] == pytest.approx(2 / 3)
    assert metrics["recall"] == pytest.approx((1 * 1 + 2 * 0.5) / 3)
    assert np.isfinite(list(metrics.values())).all()


def test_a_class_whose_rows_weigh_nothing_does_not_occur():
    y, probabilities = np.array([0, 1, 0]), np.array([[0.2], [0.7], [0.6]])
    metrics = classification_metrics("binary", y, probabilities, np.array([1.0, 0.0, 1.0]))
    assert math.isnan(metrics["roc_auc"])
    assert metrics["accuracy"] == 0.5


def test_a_label_that_does_not_occur():
    y = np.array([[0, 1], [0, 0]])
    metrics = classification_metrics("multilabel", y, np.array([[0.1, 0.9], [0.2, 0.2]]))
    assert math.isnan(metrics["roc_auc"])
    assert metrics["f1"] == 1.0
    assert metrics["f1_macro"] == 0.5
    nothing = classification_metrics("multilabel", np.zeros((2, 2)), np.full((2, 2), 0.1))
    assert nothing["accuracy"] == 1.0
    assert nothing["precision"] == 0.0


def test_certainty_that_is_wrong_costs_a_finite_log_loss():
    metrics = classification_metrics(
        "binary", np.array([0, 1]), np.array([[1.0], [0.0]], "float32")
    )
    assert 10 < metrics["log_loss"] < 100


@settings(deadline=None, max_examples=40)
@given(
    st.integers(1, 4),
    st.integers(1, 12),
    st.integers(0, 1000),
    st.sampled_from(["float32", "float64"]),
)
def test_no_warnings_and_values_in_range(classes, n, seed, dtype):
    rng = np.random.default_rng(seed)
    y = rng.integers(0, max(classes, 2), n)
    outputs = rng.dirichlet(np.full(classes, 0.3), n) if classes > 1 else rng.uniform(size=(n, 1))
    weights = rng.integers(0, 3, n).astype(float)
    weights[0] = 1
    task = "multiclass" if classes > 1 else "binary"
    metrics = classification_metrics(task, y, outputs.astype(dtype), weights)
    for name, value in metrics.items():
        if name == "log_loss":
            assert value >= 0
        else:
            assert 0 <= value <= 1 + 1e-12 or (math.isnan(value) and "roc_auc" in name)


def test_numbers_worked_by_hand():
    y, prediction = np.array([1.0, 2.0, 3.0]), np.array([2.0, 2.0, 5.0])
    metrics = regression_metrics(y, prediction)
    assert_plain_floats(metrics, OF_NUMBERS)
    # Errors 1, 0, 2; variances: of y 2/3, of the errors 2/3, of the prediction 2; covariance 1.
    assert metrics["mse"] == pytest.approx(5 / 3)
    assert metrics["rmse"] == pytest.approx(math.sqrt(5 / 3))
    assert metrics["mae"] == pytest.approx(1.0)
    assert metrics["r2"] == pytest.approx(1 - 5 / 2)
    assert metrics["explained_variance"] == pytest.approx(0.0, abs=1e-12)
    assert metrics["pearson_r"] == pytest.approx(1 / math.sqrt(2 / 3 * 2))


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_several_outputs_beside_scikit_learn(dtype, weighted):
    rng = np.random.default_rng(3)
    y = rng.normal(size=(60, 2)).astype(dtype)
    prediction = (y + rng.normal(size=(60, 2))).astype(dtype)
    weights = some_weights(60, weighted)
    metrics = regression_metrics(y, prediction, weights)
    how = {"sample_weight": weights}
    mse = sklearn_metrics.mean_squared_error(y, prediction, **how)
    assert metrics["mse"] == pytest.approx(mse)
    assert metrics["rmse"] == pytest.approx(math.sqrt(mse))
    assert metrics["mae"] == pytest.approx(
        sklearn_metrics.mean_absolute_error(y, prediction, **how)
    )
    assert metrics["r2"] == pytest.approx(sklearn_metrics.r2_score(y, prediction, **how))
    explained = sklearn_metrics.explained_variance_score(y, prediction, **how)
    assert metrics["explained_variance"] == pytest.approx(explained)
    correlations = []
    for column in range(2):
        covariance = np.cov(y[:, column], prediction[:, column], aweights=weights)
        correlations.append(covariance[0, 1] / math.sqrt(covariance[0, 0] * covariance[1, 1]))
    assert metrics["pearson_r"] == pytest.approx(np.mean(correlations))


def test_one_row_has_no_variance():
    metrics = regression_metrics(np.array([[1.0, 2.0]]), np.array([[1.5, 2.0]]))
    assert metrics["mse"] == pytest.approx(0.125)
    assert metrics["mae"] == pytest.approx(0.25)
    for name in ("r2", "explained_variance", "pearson_r"):
        assert math.isnan(metrics[name])
    weighted = regression_metrics(np.ones((2, 1)), np.zeros((2, 1)), np.array([0.0, 2.0]))
    assert math.isnan(weighted["r2"])


def test_a_constant_has_no_correlation():
    varying, constant = np.array([1.0, 2.0, 4.0]), np.full(3, 0.1)
    for y, prediction in ((varying, constant), (constant, varying)):
        metrics = regression_metrics(y, prediction)
        assert math.isnan(metrics.pop("pearson_r"))
        assert np.isfinite(list(metrics.values())).all()


def test_huge_numbers_overflow_without_a_warning():
    metrics = regression_metrics(np.array([1e200, -1e200]), np.array([-1e200, 1e200]))
    assert metrics["mse"] == math.inf
    assert metrics["mae"] == pytest.approx(2e200)


def test_tiny_numbers_correlate():
    y = np.array([1e-100, 2e-100, 4e-100])
    assert regression_metrics(y, y)["pearson_r"] == pytest.approx(1.0)


def test_scikit_learn_is_not_imported(monkeypatch):
    monkeypatch.setitem(sys.modules, "sklearn", None)
    metrics = classification_metrics("binary", np.array([0, 1]), np.array([[0.2], [0.7]]))
    assert metrics["accuracy"] == 1.0
    assert regression_metrics(np.array([0.0, 1.0]), np.array([0.0, 2.0]))["mse"] == 0.5


def test_arguments_are_not_modified():
    y, prediction, weights = (
        np.array([[1.0], [2.0]]),
        np.array([[2.0], [1.0]]),
        np.array([1.0, 0.0]),
    )
    before = y.copy(), prediction.copy(), weights.copy()
    regression_metrics(y, prediction, weights)
    classification_metrics("multilabel", y - 1, prediction - 1, weights)
    for now, then in zip((y, prediction, weights), before, strict=True):
        np.testing.assert_array_equal(now, then)


def test_details_of_two_classes_worked_by_hand():
    y = np.array([0, 0, 0, 1])
    details = classification_details(y, np.array([[0.1], [0.2], [0.9], [0.8]]))
    assert details["confusion_matrix"] == [[2, 1], [0, 1]]
    # Of zeros: precision 2/2, recall 2/3, f1 4/5; of ones: 1/2, 1/1, 2/3.
    assert details["precision_macro"] == pytest.approx((1 + 1 / 2) / 2)
    assert details["recall_macro"] == pytest.approx((2 / 3 + 1) / 2)
    assert details["f1_macro"] == pytest.approx((4 / 5 + 2 / 3) / 2)
    assert details["precision_weighted"] == pytest.approx((3 * 1 + 1 / 2) / 4)
    assert details["recall_weighted"] == pytest.approx((3 * 2 / 3 + 1) / 4)
    assert details["f1_weighted"] == pytest.approx((3 * 4 / 5 + 2 / 3) / 4)


def test_details_of_more_classes_count_those_that_do_not_occur():
    details = classification_details(np.array([0, 2]), np.array([[0.6, 0.3, 0.1], [0.5, 0.3, 0.2]]))
    assert details == {"confusion_matrix": [[1, 0, 0], [0, 0, 0], [1, 0, 0]]}


def test_details_of_numbers_worked_by_hand():
    y = np.array([[0.0, 0.0], [2.0, 20.0]])
    # Squared errors 2 of 2 and 50 of 200.
    details = regression_details(y, np.array([[1.0, 5.0], [1.0, 15.0]]))
    assert details["r2_raw"] == pytest.approx([0.0, 0.75])
    assert details["r2_variance_weighted"] == pytest.approx((2 * 0.0 + 200 * 0.75) / 202)
    one = regression_details(np.array([1.0]), np.array([2.0]))
    assert np.isnan([one["r2_variance_weighted"], *one["r2_raw"]]).all()
