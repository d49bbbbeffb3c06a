"""Labels and probabilities for one softmax or sigmoid unit: there and back, and refused."""

from __future__ import annotations

import json

import numpy as np
import pytest
from encoders import encoder_for, fitted
from hypothesis import given, settings
from hypothesis import strategies as st

from fastmlp.data.target_kinds import encoder_from_state

DTYPES = ["float32", "float64"]


def outputs_for(encoder, encoded):
    """Outputs of a network that is right and sure."""
    return encoded if encoded.ndim == 2 else np.eye(encoder.units)[encoded]


# Labels of three classes, in the order of the classes 2, 0, 1, 2.
THREE_LABELS = {
    "class numbers": np.array([2, 0, 1, 2]),
    "small integers": np.array([2, 0, 1, 2], np.uint8),
    "big-endian": np.array([2, 0, 1, 2], ">i4"),
    "whole floats": np.array([2.0, 0, 1, 2], np.float32),
    "other integers": np.array([10, -5, 7, 10]),
    "64-bit integers": np.array([2**64 - 1, 5, 2**63, 2**64 - 1], np.uint64),
    "fractions": np.array([2.5, 0.5, 1.5, 2.5]),
    "long doubles": np.array([2.5, 0.5, 1.5, 2.5], np.longdouble),
    "strings": np.array(["c", "a", "b", "c"]),
    "string objects": np.array(["c", "a", "b", "c"], object),
    "bytes": np.array([b"c", b"a", b"b\xff", b"c"]),
    "days": np.array(["2022", "2020", "2021", "2022"], "M8[D]"),
    "durations": np.array([30, -1, 2, 30], "m8[s]"),
    "integer objects": np.array([10, np.int8(-5), 7, 10], object),
    "number objects": np.array([10, 0.5, np.float32(2), 10], object),
    "day objects": np.array(
        [np.datetime64(day) for day in ("2022", "2020", "2021", "2022")], object
    ),
    "a list": ["c", "a", "b", "c"],
    "a tuple": (10, -5, 7, 10),
    "non-ascii": ["ü", "a", "b", "ü"],
    "a column": np.array([[2], [0], [1], [2]]),
    "a column of strings": [["c"], ["a"], ["b"], ["c"]],
    "strided": np.array([2, 9, 0, 9, 1, 9, 2, 9])[::2],
}


@pytest.mark.parametrize("labels", THREE_LABELS.values(), ids=THREE_LABELS)
def test_three_classes_there_and_back(labels):
    encoder = encoder_for("softmax", 3)
    codes = encoder.encode(labels, 4, fit=True)
    assert codes.dtype == np.int64
    assert codes.flags.c_contiguous
    np.testing.assert_array_equal(codes, [2, 0, 1, 2])
    back = encoder.decode(outputs_for(encoder, codes))
    np.testing.assert_array_equal(back, np.asarray(labels).reshape(-1))
    assert back.dtype.isnative


@pytest.mark.parametrize("labels", THREE_LABELS.values(), ids=THREE_LABELS)
def test_three_classes_survive_json(labels):
    encoder = encoder_for("softmax", 3)
    codes = encoder.encode(labels, 4, fit=True)
    restored = encoder_from_state(json.loads(json.dumps(encoder.to_state())))
    assert restored.task == "multiclass"
    assert restored.classes.dtype == encoder.classes.dtype
    np.testing.assert_array_equal(restored.classes, encoder.classes)
    np.testing.assert_array_equal(restored.encode(labels, 4, fit=False), codes)


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


@pytest.mark.parametrize("dtype", ["int8", "uint8", "float16"])
def test_class_numbers_that_the_dtype_of_y_cannot_hold(dtype):
    encoder = encoder_for("softmax", 70_000)
    encoder.encode(np.array([1, 100], dtype), 2, fit=True)
    np.testing.assert_array_equal(encoder.classes, range(70_000))
    np.testing.assert_array_equal(encoder.encode([69_999], 1, fit=False), [69_999])


def test_labels_of_the_dtype_that_y_had():
    for dtype in ("int8", "uint8", "int32", "float32", "float64"):
        encoder = fitted("softmax", 3, np.array([0, 1, 2], dtype))
        assert encoder.decode(np.eye(3)).dtype == dtype


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


def test_a_long_list_of_labels_is_cut():
    with pytest.raises(ValueError, match=r"y has 500: 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, \.\.\. \(500"):
        encoder_for("softmax", 3).encode(np.arange(500), 500, fit=True)


@pytest.mark.parametrize("activation", ["softmax", "sigmoid"])
@pytest.mark.parametrize(
    ("y", "message"),
    [
        ([1, "a"], "got int, str"),
        (["a", 1.5], "got float, str"),
        (np.array([True, 2], object), "got bool, int"),
        (np.array([1, "a"], object), "got int, str"),
        (np.array([b"a", "a"], object), "got bytes, str"),
        (np.array([object(), object()]), "got object"),
        (np.array([2**70, 1], object), "at most 64 bits"),
        (np.array([1j, 2j]), "numbers, booleans, strings or dates"),
        (np.zeros(2, [("a", "f4")]), "numbers, booleans, strings or dates"),
    ],
)
def test_labels_of_impossible_types(activation, y, message):
    with pytest.raises(TypeError, match=message):
        encoder_for(activation, 1 if activation == "sigmoid" else 2).encode(y, 2, fit=True)


@pytest.mark.parametrize(
    ("first", "later", "message"),
    [
        ([0, 1, 2], [0, 3, -1], "does not know: -1, 3; it knows 0, 1, 2"),
        ([0, 1, 2], [0, 0.5], "does not know: 0.5; it"),
        ([0, 1, 2], ["0"], "does not know: '0'; it"),
        ([10, 20, 30], [5, 20, 40], "does not know: 5, 40; it knows 10, 20, 30"),
        ([10, 20, 30], [0, 1, 2], "does not know: 0, 1, 2; it"),
        (["a", "b", "c"], ["d", "a"], "does not know: 'd'; it knows 'a', 'b', 'c'"),
        (["a", "b", "c"], [1], "does not know: 1; it"),
        (["a", "b", "c"], [b"a"], "does not know: b'a'; it"),
        (np.array([0, 1, 2], "M8[D]"), np.array([7], "M8[D]"), "1970-01-08; it knows 1970-01-01"),
        (np.array([0, 1, 2], "M8[D]"), [0], "does not know: 0; it"),
    ],
)
def test_labels_unseen_in_fit(first, later, message):
    encoder = fitted("softmax", 3, first)
    classes = encoder.classes
    for fit in (False, True):
        with pytest.raises(ValueError, match=message):
            encoder.encode(later, len(later), fit=fit)
    assert encoder.classes is classes


@pytest.mark.parametrize("later", [[20, 10], [20.0, 10.0], np.array([20, 10], np.uint8)])
def test_labels_of_an_equal_value_are_known(later):
    np.testing.assert_array_equal(
        fitted("softmax", 3, [10, 20, 30]).encode(later, 2, fit=False), [1, 0]
    )


def test_the_first_fit_settles_the_labels():
    encoder = encoder_for("softmax", 2)
    np.testing.assert_array_equal(encoder.encode(["a", "b"], 2, fit=False), [0, 1])
    assert encoder.classes is None
    encoder.encode(["x", "y"], 2, fit=True)
    np.testing.assert_array_equal(encoder.encode(["y"], 1, fit=True), [1])
    with pytest.raises(ValueError, match="does not know"):
        encoder.encode(["a", "b"], 2, fit=True)


@settings(deadline=None, max_examples=60)
@given(
    labels=st.one_of(
        st.lists(st.integers(-(2**63), 2**63 - 1), min_size=1, max_size=12),
        st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1, max_size=12),
        st.lists(st.text(st.characters(exclude_characters="\0")), min_size=1, max_size=12),
    )
)
def test_any_labels_there_and_back(labels):
    units = len(set(labels))
    encoder = encoder_for("softmax", units)
    codes = encoder.encode(labels, len(labels), fit=True)
    assert codes.min() >= 0
    assert codes.max() < units
    restored = encoder_from_state(json.loads(json.dumps(encoder.to_state())))
    assert restored.decode(outputs_for(encoder, codes)).tolist() == labels


@pytest.mark.parametrize(
    ("activation", "units", "classes"),
    [
        ("softmax", 3, ["b", "c", "a"]),
        ("softmax", 3, [2, 0, 1]),
        ("softmax", 3, np.array(["2020-03-01", "2021-01-01", "2019-05-05"], "M8[D]")),
        ("softmax", 2, [True, False]),
        ("sigmoid", 1, ["yes", "no"]),
        ("sigmoid", 1, [1.0, 0.0]),
    ],
)
def test_labels_that_are_known_beforehand(activation, units, classes):
    known = np.asarray(classes)
    first = encoder_for(activation, units)
    encoder = first.with_classes(classes)
    assert first.classes is None
    y = known[np.random.default_rng(0).integers(0, len(known), 50)]
    encoded = encoder.encode(y, 50, fit=True)
    codes = encoded.ravel().astype(int)
    np.testing.assert_array_equal(known[codes], y)
    np.testing.assert_array_equal(encoder.decode(outputs_for(encoder, encoded)), y)
    np.testing.assert_array_equal(encoder.classes, known)
    again = encoder_from_state(json.loads(json.dumps(encoder.to_state())))
    np.testing.assert_array_equal(again.encode(y, 50, fit=False), encoded)
    factors = encoder.class_weights({known[0]: 3.0}, encoded)
    np.testing.assert_array_equal(factors, np.where(y == known[0], 3.0, 1.0))


def test_known_labels_are_kept_from_changes():
    classes = np.array([3, 1])
    encoder = encoder_for("sigmoid", 1).with_classes(classes)
    classes[:] = 0
    assert encoder.classes.tolist() == [3, 1]
    with pytest.raises(ValueError, match="read-only"):
        encoder.classes[0] = 5
    with pytest.raises(ValueError, match="does not know: 2; it knows 3, 1"):
        encoder.encode([3, 2], 2, fit=True)
