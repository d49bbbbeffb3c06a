"""Labels of any type: there and back, known again, and refused."""

from __future__ import annotations

import json

import numpy as np
import pytest
from encoders import encoder_for, fitted
from hypothesis import given, settings
from hypothesis import strategies as st

from fastmlp.data.labels import classes_from_state
from fastmlp.data.target_kinds import encoder_from_state


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


@pytest.mark.parametrize(
    ("dtype", "values", "message"),
    [
        ("a", [], "labels of dtype 'a'"),
        (None, [1.0], "labels of dtype None"),
        ("i4,f8", [1], "labels of dtype 'i4,f8'"),
        ("|O", ["x"], "labels of dtype object"),
        ("U", ["x" * 10**6, *map(str, range(1000))], "1001 labels, of which one has 1000000"),
    ],
)
def test_states_that_are_none(dtype: object, values: list, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        classes_from_state({"dtype": dtype, "values": values})
