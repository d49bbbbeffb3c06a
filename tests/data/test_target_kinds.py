"""What y means for each output, and what it may not be."""

from __future__ import annotations

import json

import numpy as np
import pytest
from encoders import encoder_for, fitted

from fastmlp.data.target_kinds import encoder_from_state

DTYPES = ["float32", "float64"]


@pytest.mark.parametrize(
    ("labels", "classes"),
    [
        (["no", "yes", "yes"], ["no", "yes"]),
        (np.array(["yes", "no", "yes"], object), ["no", "yes"]),
        ([1, 2, 1], [1, 2]),
        ([-1, 1, 1], [-1, 1]),
        ([0, 1, 1], [0, 1]),
        ([0, 0, 0], [0, 1]),
        ([1, 1, 1], [0, 1]),
        ([[0], [1], [1]], [0, 1]),
        ([0.0, 1.0, 0.0], [0.0, 1.0]),
        ([1.5, 2.5, 1.5], [1.5, 2.5]),
        ([-0.5, 0.5, 0.5], [-0.5, 0.5]),
        ([True, False, True], [False, True]),
        ([True, True, True], [False, True]),
        (np.array([True, False, True], object), [False, True]),
        (np.array([b"x", b"y", b"y"]), [b"x", b"y"]),
        (np.array(["2020", "2021", "2020"], "M8[Y]"), np.array(["2020", "2021"], "M8[Y]")),
    ],
)
@pytest.mark.parametrize("dtype", DTYPES)
def test_two_labels_for_one_sigmoid_unit(labels, classes, dtype):
    encoder = encoder_for("sigmoid", 1, dtype=dtype)
    encoded = encoder.encode(labels, 3, fit=True)
    assert encoded.shape == (3, 1)
    assert encoded.dtype == dtype
    np.testing.assert_array_equal(encoder.classes, classes)
    flat = np.asarray(labels).reshape(-1)
    np.testing.assert_array_equal(encoded[:, 0], flat == np.asarray(classes)[1])
    back = encoder.decode(encoded)
    np.testing.assert_array_equal(back, flat)
    restored = encoder_from_state(json.loads(json.dumps(encoder.to_state())))
    np.testing.assert_array_equal(restored.decode(encoded), flat)
    assert restored.decode(encoded).dtype == back.dtype


def test_a_half_counts_as_the_second_label():
    outputs = np.array([[0.0], [np.nextafter(0.5, 0)], [0.5], [1.0]])
    encoder = fitted("sigmoid", 1, ["no", "yes"])
    assert encoder.decode(outputs).tolist() == ["no", "no", "yes", "yes"]


def test_probabilities_for_one_sigmoid_unit():
    encoder = encoder_for("sigmoid", 1)
    y = np.array([0.25, 0.75, 1.0, 0.0])
    np.testing.assert_array_equal(encoder.encode(y, 4, fit=True)[:, 0], y)
    np.testing.assert_array_equal(encoder.classes, [0, 1])
    np.testing.assert_array_equal(encoder.class_indices(y.reshape(-1, 1)), [0, 1, 1, 0])
    # Hard labels, and probabilities after hard labels, are the same scale.
    np.testing.assert_array_equal(encoder.encode([1, 0], 2, fit=True), [[1], [0]])
    np.testing.assert_array_equal(fitted("sigmoid", 1, [0, 1]).encode([0.5], 1, fit=False), [[0.5]])


def test_probabilities_are_no_labels_of_another_kind():
    with pytest.raises(ValueError, match="does not know: 0.5; it knows 1, 2"):
        fitted("sigmoid", 1, [1, 2]).encode([1.0, 0.5], 2, fit=False)


@pytest.mark.parametrize(
    ("y", "message"),
    [
        ([0, 1, 2], "two different labels, .* y has 3: 0, 1, 2"),
        ([5, 5, 5], "y has 1: 5"),
        (["a", "a", "a"], "y has 1: 'a'"),
        (["a", "b", "c"], "y has 3: 'a', 'b', 'c'"),
        ([0.5, 1.5, 0.2], "y has 3"),
        ([-0.1, 0.5, 0.9], "y has 3"),
        (np.zeros((3, 2)), r"shape \(3, 2\); .* end the network in 2 units"),
        ([0, 1, np.nan], "missing labels .*1 value, the first in row 2"),
        ([0.5, np.nan, np.inf], "2 values, the first in row 1"),
    ],
)
def test_what_one_sigmoid_unit_refuses(y, message):
    encoder = encoder_for("sigmoid", 1)
    with pytest.raises(ValueError, match=message):
        encoder.encode(y, 3, fit=True)
    assert encoder.classes is None


def test_class_numbers_need_not_all_occur():
    encoder = encoder_for("softmax", 5)
    np.testing.assert_array_equal(encoder.encode([1, 3], 2, fit=True), [1, 3])
    np.testing.assert_array_equal(encoder.encode([4, 0], 2, fit=True), [4, 0])
    np.testing.assert_array_equal(encoder.classes, range(5))


def test_two_booleans_for_softmax():
    encoder = encoder_for("softmax", 2)
    np.testing.assert_array_equal(encoder.encode([True, True], 2, fit=True), [1, 1])
    assert encoder.decode(np.eye(2)).tolist() == [False, True]


def test_the_first_of_equal_probabilities_wins():
    assert fitted("softmax", 3, ["a", "b", "c"]).decode(np.full((1, 3), 1 / 3)).tolist() == ["a"]


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(
    "rows",
    [
        np.eye(3, dtype=int),
        np.eye(3, dtype=bool),
        np.asfortranarray(np.array([[0.2, 0.3, 0.5], [1.0, 0, 0], [0, 0.99995, 0]])),
        [[0.2, 0.3, 0.5]] * 3,
        np.eye(3).astype(object),
    ],
)
def test_rows_of_probabilities(rows, dtype):
    encoder = encoder_for("softmax", 3, dtype=dtype)
    encoded = encoder.encode(rows, 3, fit=True)
    assert encoded.dtype == dtype
    assert encoded.flags.c_contiguous
    np.testing.assert_allclose(encoded, np.asarray(rows, float), rtol=1e-6)
    columns = encoder.decode(encoded)
    assert columns.dtype == np.int64
    np.testing.assert_array_equal(columns, np.asarray(rows, float).argmax(axis=1))
    np.testing.assert_array_equal(encoder.class_indices(encoded), columns)


def test_rows_and_labels_go_together():
    by_rows = fitted("softmax", 3, np.eye(3))
    np.testing.assert_array_equal(by_rows.encode([2, 0], 2, fit=True), [2, 0])
    with pytest.raises(ValueError, match="does not know: 'a'; it knows 0, 1, 2"):
        by_rows.encode(["a"], 1, fit=True)
    by_labels = fitted("softmax", 3, ["a", "b", "c"])
    by_labels.encode(np.eye(3), 3, fit=True)
    assert by_labels.decode(np.eye(3)).tolist() == ["a", "b", "c"]


@pytest.mark.parametrize(
    ("y", "message"),
    [
        ([0, 3, 3], r"takes 3 different labels or integers in 0..2, y has 2: 0, 3"),
        ([5, 6, 5], "3 different labels or integers in 0..2, y has 2: 5, 6"),
        ([-1, 0, 0], "y has 2: -1, 0"),
        (["a", "b", "a"], "3 different labels, y has 2: 'a', 'b'"),
        ([True, False, True], "y has 2: False, True"),
        ([0.5, 1.5, 0.5], "y has 2: 0.5, 1.5"),
        ([0, 1, np.nan], r"missing labels \(NaN, None or infinity\): 1 value, the first in row 2"),
        (["a", None, "b"], "missing labels.* row 1"),
        (["a", float("nan"), "b"], "missing labels.* row 1"),
        (np.array(["a", np.nan, None], object), "2 values, the first in row 1"),
        (np.array(["2020", "NaT", "2021"], "M8[D]"), "missing labels.* row 1"),
        (np.ones((3, 2)) / 2, r"labels \(n,\) or probabilities \(n, 3\), got y of shape \(3, 2\)"),
        (np.ones((3, 4)) / 4, r"got y of shape \(3, 4\)"),
        (np.ones((3, 3)), "the rows of y must sum to 1: got 3 in row 0 .*3 such rows"),
        ([[1, 0, 0], [0.9, 0, 0], [0, 1, 0]], "sum to 1: got 0.9 in row 1 .*1 such row"),
        ([[1, 0, 0], [2, 0, -1], [0, 1, 0]], "not be negative: got -1 in row 1, column 2"),
        ([[1, 0, 0], [np.nan, 0, 1], [0, 1, 0]], "y contains NaN .*row 1, column 0"),
        (np.ones((3, 1, 1)), r"\(n_rows,\) or \(n_rows, units\), got shape \(3, 1, 1\)"),
    ],
)
def test_what_softmax_refuses(y, message):
    encoder = encoder_for("softmax", 3)
    with pytest.raises(ValueError, match=message):
        encoder.encode(y, 3, fit=True)
    assert encoder.classes is None


@pytest.mark.parametrize(
    ("activation", "units", "task"),
    [
        ("softmax", 2, "multiclass"),
        ("softmax", 5, "multiclass"),
        ("sigmoid", 1, "binary"),
        ("sigmoid", 3, "multilabel"),
        ("linear", 1, "regression"),
        ("linear", 3, "regression"),
        ("exp", 1, "regression"),
        ("tanh", 2, "regression"),
    ],
)
def test_the_output_decides_the_task(activation, units, task):
    assert encoder_for(activation, units).task == task


@pytest.mark.parametrize("loss", ["binary_crossentropy", "mse", "mae", "huber"])
def test_a_sigmoid_unit_means_labels_with_every_loss(loss):
    encoder = encoder_for("sigmoid", 1, loss)
    np.testing.assert_array_equal(encoder.encode(["b", "a"], 2, fit=True), [[1], [0]])


@pytest.mark.parametrize("loss", ["binary_crossentropy", "mse"])
@pytest.mark.parametrize(
    "y",
    [
        [[0, 1, 1], [1, 0, 0]],
        np.array([[False, True, True], [True, False, False]]),
        np.array([[0, 1, 1], [1, 0, 0]], np.uint8),
        np.asfortranarray([[0.0, 0.5, 1.0], [1.0, 0.25, 0.0]]),
    ],
)
@pytest.mark.parametrize("dtype", DTYPES)
def test_several_sigmoid_units(y, loss, dtype):
    encoder = encoder_for("sigmoid", 3, loss, dtype)
    encoded = encoder.encode(y, 2, fit=True)
    assert encoded.dtype == dtype
    assert encoded.flags.c_contiguous
    np.testing.assert_array_equal(encoded, np.asarray(y, float))
    decoded = encoder.decode(encoded)
    assert decoded.dtype == np.int64
    np.testing.assert_array_equal(decoded, np.asarray(y, float) >= 0.5)
    assert encoder.classes is None
    assert encoder.class_indices(encoded) is None


@pytest.mark.parametrize(
    ("y", "error", "message"),
    [
        ([0, 1], ValueError, r"0/1 columns \(n, 3\); softmax takes one label .* shape \(2,\)"),
        ([[0], [1]], ValueError, "0/1 columns"),
        ([[0, 1], [1, 0]], ValueError, r"shape \(2, 2\)"),
        ([[0, 1, 2], [0, 0, 0]], ValueError, "0 or 1 .*got 2 in row 0, column 2 .*1 such row"),
        ([[0, 1, -0.1], [3, 0, 4]], ValueError, "got -0.1 in row 0, column 2 .*2 such rows"),
        ([[0, 1, 1], [0, np.nan, 0]], ValueError, "NaN or infinity: 1 value, .*row 1, column 1"),
        ([["a", "b", "c"], ["a", "b", "c"]], TypeError, "y must be real numbers"),
    ],
)
def test_what_several_sigmoid_units_refuse(y, error, message):
    with pytest.raises(error, match=message):
        encoder_for("sigmoid", 3).encode(y, 2, fit=True)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(
    ("y", "units"),
    [
        ([1.5, -2, 3], 1),
        ([[1.5], [-2], [3]], 1),
        ([1, 2, 3], 1),
        (np.array([1, 2, 3], np.uint8), 1),
        ([True, False, True], 1),
        (np.array([1, 2.5, True], object), 1),
        (np.array([[1.0, 2], [3, 4], [5, 6]], order="F"), 2),
        (np.array([1, 2, 3], ">f4"), 1),
    ],
)
def test_numbers(y, units, dtype):
    encoder = encoder_for("linear", units, dtype=dtype)
    encoded = encoder.encode(y, 3, fit=True)
    assert encoded.dtype == dtype
    assert encoded.flags.c_contiguous
    np.testing.assert_array_equal(encoded, np.asarray(y, float).reshape(3, units))
    assert encoder.classes is None
    assert encoder.class_indices(encoded) is None


@pytest.mark.parametrize(
    ("y", "units", "message"),
    [
        ([1.0, 2.0], 3, r"linear with 3 units takes numbers \(n, 3\), got y of shape \(2,\)"),
        (np.ones((2, 2)), 1, r"linear with 1 units .*shape \(2, 2\)"),
        (np.ones((2, 2)), 3, r"shape \(2, 2\)"),
        ([1.0, np.nan], 1, r"y contains NaN or infinity: 1 value, the first in row 1 \(counted"),
        ([[1.0, np.inf], [np.nan, 0]], 2, "2 values, the first in row 0, column 1"),
        ([1.0, 1e39], 1, "beyond the range of float32"),
        ([1.0, None], 1, "NaN or infinity"),
        (5.0, 1, "got a single float"),
        (None, 1, "got a single NoneType"),
        ([[1, 2], [3]], 1, "y cannot be read as an array"),
    ],
)
def test_what_an_output_of_numbers_refuses(y, units, message):
    with pytest.raises(ValueError, match=message):
        encoder_for("linear", units, dtype="float32").encode(y, 2, fit=True)


@pytest.mark.parametrize(
    ("y", "message"),
    [
        (["a", "b"], "activation linear, got strings; end the network in softmax or sigmoid"),
        (np.array(["1", "2"]), "got strings"),
        (np.array(["a", "b"], object), "real numbers, got 'a' in row 0"),
        ([1j, 2j], "complex"),
        (np.array(["2020", "2021"], "M8[D]"), "dates"),
    ],
)
def test_numbers_of_impossible_types(y, message):
    with pytest.raises(TypeError, match=message):
        encoder_for("linear", 1).encode(y, 2, fit=True)


def test_poisson_takes_no_negative_numbers():
    with pytest.raises(ValueError, match="y >= 0: got -0.5 in row 1, column 0 .*2 such rows"):
        encoder_for("exp", 2, "poisson").encode([[0, 0], [-0.5, -1], [0, -2]], 3, fit=True)
    encoder_for("exp", 2, "mse").encode([[0, 0], [-0.5, -1], [0, -2]], 3, fit=True)


def test_numbers_have_no_labels():
    with pytest.raises(ValueError, match="predict_classes needs a classifier.*not in tanh"):
        encoder_for("tanh", 1).decode(np.ones((2, 1)))
