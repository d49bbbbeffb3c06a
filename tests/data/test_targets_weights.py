"""Weights of classes, by label and balanced."""

from __future__ import annotations

import numpy as np
import pytest
from encoders import encoder_for, fitted


def test_no_class_weights():
    assert encoder_for("linear", 1).class_weights(None, np.ones((2, 1))) is None


def test_class_weights_by_label():
    encoder = encoder_for("softmax", 3)
    codes = encoder.encode(["a", "b", "c", "a"], 4, fit=True)
    weights = encoder.class_weights({"a": 3, "c": 0.0}, codes)
    assert weights.dtype == np.float64
    np.testing.assert_array_equal(weights, [3, 1, 0, 3])
    np.testing.assert_array_equal(encoder.class_weights({}, codes), np.ones(4))


@pytest.mark.parametrize(
    ("y", "class_weight"),
    [
        ([False, True, True], {True: 2.0}),
        ([0, 1, 1], {1: 2.0}),
        ([0.0, 1.0, 1.0], {1: np.float32(2)}),
        ([0.2, 0.9, 0.5], {1: 2}),
        ([5, 7, 7], {7: 2.0}),
        (["no", "yes", "yes"], {"yes": 2.0}),
    ],
)
def test_class_weights_of_two_labels(y, class_weight):
    encoder = encoder_for("sigmoid", 1)
    encoded = encoder.encode(y, 3, fit=True)
    np.testing.assert_array_equal(encoder.class_weights(class_weight, encoded), [1, 2, 2])


def test_class_weights_of_rows():
    encoder = encoder_for("softmax", 3)
    encoded = encoder.encode([[0.6, 0.4, 0], [0, 0, 1]], 2, fit=True)
    np.testing.assert_array_equal(encoder.class_weights({0: 5.0}, encoded), [5, 1])


def test_balanced_class_weights_worked_by_hand():
    encoder = encoder_for("softmax", 4)
    codes = encoder.encode([0, 0, 0, 2, 3, 3], 6, fit=True)
    # Three classes occur: 6 / (3 * 3), 6 / (3 * 1), 6 / (3 * 2).
    np.testing.assert_allclose(
        encoder.class_weights("balanced", codes), [2 / 3, 2 / 3, 2 / 3, 2, 1, 1]
    )


def test_balanced_class_weights_are_scikit_learns():
    compute = pytest.importorskip("sklearn.utils.class_weight").compute_sample_weight
    y = np.random.default_rng(0).choice(["a", "b", "c"], 100, p=[0.7, 0.2, 0.1])
    encoder = encoder_for("softmax", 3)
    codes = encoder.encode(y, 100, fit=True)
    np.testing.assert_allclose(encoder.class_weights("balanced", codes), compute("balanced", y))


@pytest.mark.parametrize(
    ("class_weight", "error", "message"),
    [
        ({"d": 1.0, "a": 2.0}, ValueError, "does not know: 'd'; it knows 'a', 'b', 'c'"),
        ({0: 1.0}, ValueError, "does not know: 0"),
        ({"a": -1.0}, ValueError, r"class_weight\['a'\] must be a finite number >= 0"),
        ({"a": np.nan}, ValueError, r"class_weight\['a'\]"),
        ({"a": "x"}, TypeError, r"class_weight\['a'\] must be a number"),
        ({"a": 0, "b": 0}, ValueError, "zero for every class that occurs"),
        ("balance", ValueError, "a dict or 'balanced', got 'balance'"),
        ([1.0, 2.0, 3.0], TypeError, "a dict or 'balanced', got list"),
    ],
)
def test_wrong_class_weights(class_weight, error, message):
    encoder = fitted("softmax", 3, ["a", "b", "c"])
    codes = encoder.encode(["a", "b"], 2, fit=False)
    with pytest.raises(error, match=message):
        encoder.class_weights(class_weight, codes)


@pytest.mark.parametrize(
    ("activation", "units", "task"), [("linear", 1, "regression"), ("sigmoid", 2, "multilabel")]
)
def test_class_weights_need_classes(activation, units, task):
    with pytest.raises(ValueError, match=f"one class for each row; this is {task}"):
        encoder_for(activation, units).class_weights("balanced", np.ones((2, units)))
