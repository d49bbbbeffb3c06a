"""The output decides what y means; numbers and several labels, and y in any form."""

from __future__ import annotations

import numpy as np
import pytest
from encoders import encoder_for

DTYPES = ["float32", "float64"]


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


def test_numbers_of_the_models_dtype_are_not_copied():
    y = np.ones((5, 2), np.float32)
    assert encoder_for("linear", 2, dtype="float32").encode(y, 5, fit=True).base in (y, y.base)
    assert np.shares_memory(encoder_for("linear", 2, dtype="float32").encode(y, 5, fit=True), y)


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


@pytest.mark.parametrize(
    ("activation", "units"), [("softmax", 3), ("sigmoid", 1), ("sigmoid", 2), ("linear", 1)]
)
@pytest.mark.parametrize("y", [[0, 1], [[0], [1]], np.zeros((2, 2)), [[0, 1, 0]]])
def test_another_length_than_X(activation, units, y):
    with pytest.raises(ValueError, match=f"X has 5 rows, but y has {len(y)}"):
        encoder_for(activation, units).encode(y, 5, fit=True)


def test_pandas():
    pandas = pytest.importorskip("pandas")
    series = pandas.Series(["b", "a", "b"], index=[7, 8, 9])
    for y in (series, series.astype("category"), series.astype("string"), series.to_frame()):
        encoder = encoder_for("softmax", 2)
        np.testing.assert_array_equal(encoder.encode(y, 3, fit=True), [1, 0, 1])
        assert encoder.decode(np.eye(2)).tolist() == ["a", "b"]
    missing = pandas.Series(["b", None, "b"])
    for y in (missing, missing.astype("string"), missing.astype("category")):
        with pytest.raises(ValueError, match="missing labels.*row 1"):
            encoder_for("softmax", 2).encode(y, 3, fit=True)
    with pytest.raises(ValueError, match="missing labels.*row 1"):
        encoder_for("softmax", 2).encode(pandas.array([1, None], "Int64"), 2, fit=True)
    days = pandas.Series(pandas.to_datetime(["2020-01-02", "2020-01-01"]))
    np.testing.assert_array_equal(encoder_for("softmax", 2).encode(days, 2, fit=True), [1, 0])


def test_torch():
    torch = pytest.importorskip("torch")
    np.testing.assert_array_equal(
        encoder_for("softmax", 3).encode(torch.tensor([2, 0]), 2, fit=True), [2, 0]
    )
    np.testing.assert_array_equal(
        encoder_for("sigmoid", 1).encode(torch.tensor([[1.0], [0.0]]), 2, fit=True), [[1], [0]]
    )


def test_sparse_y():
    sparse = pytest.importorskip("scipy.sparse")
    with pytest.raises(TypeError, match=r"y is a sparse matrix; pass y\.toarray\(\)"):
        encoder_for("sigmoid", 2).encode(sparse.eye(2).tocsr(), 2, fit=True)


def test_y_is_never_modified():
    for activation, units, y in [
        ("softmax", 3, np.array([2, 0, 1])),
        ("softmax", 3, np.eye(3)),
        ("sigmoid", 1, np.array([0.0, 1.0, 0.5])),
        ("linear", 1, np.array([3.0, 1.0, 0.5])),
    ]:
        before = y.copy()
        encoder_for(activation, units).encode(y, 3, fit=True)
        np.testing.assert_array_equal(y, before)
