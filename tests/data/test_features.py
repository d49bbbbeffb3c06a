"""X: what is taken, what is copied, what is refused and in which words."""

from __future__ import annotations

import tracemalloc
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fastmlp.data.features import (
    check_features,
)

DTYPES = ["float32", "float64"]
UNTOUCHED = [np.float32, np.float64, np.uint8]


def some_features(dtype="float64", shape=(7, 3)):
    return (np.random.default_rng(0).normal(size=shape) * 10).astype(dtype)


@pytest.mark.parametrize("model", DTYPES)
@pytest.mark.parametrize("dtype", UNTOUCHED)
def test_contiguous_arrays_are_returned_themselves(dtype, model):
    X = np.ones((5, 2), dtype)
    assert check_features(X, 2, dtype=model) is X


def test_a_read_only_array_is_not_copied():
    X = some_features()
    X.flags.writeable = False
    assert check_features(X, None, dtype="float32") is X


@pytest.mark.parametrize("dtype", UNTOUCHED)
def test_a_memory_map_stays_one(tmp_path, dtype):
    X = np.lib.format.open_memmap(tmp_path / "X.npy", "w+", dtype, (1000, 5))
    X[:] = 1
    checked = check_features(X, 5, dtype="float32")
    assert np.shares_memory(checked, X)
    assert type(checked) is np.ndarray


@pytest.mark.parametrize("dtype", UNTOUCHED)
def test_the_check_allocates_far_less_than_X(dtype):
    X = np.ones((200_000, 20), dtype)
    tracemalloc.start()
    check_features(X, 20, dtype="float32")
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 300_000


def test_a_failing_check_allocates_far_less_than_X():
    X = np.ones((200_000, 20))
    X[150_000, 3] = np.nan
    tracemalloc.start()
    with pytest.raises(ValueError, match="row 150000, column 3"):
        check_features(X, 20, dtype="float64")
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 3_000_000


@pytest.mark.parametrize("dtype", UNTOUCHED)
@pytest.mark.parametrize(
    "variant",
    [
        lambda X: np.asfortranarray(X),
        lambda X: np.repeat(X, 2, axis=1)[:, ::2],
        lambda X: X[::-1][::-1].copy()[::-1],
        lambda X: X.astype(X.dtype.newbyteorder()),
        lambda X: np.frombuffer(b"-" + X.tobytes(), np.uint8)[1:].view(X.dtype).reshape(X.shape),
        lambda X: np.ascontiguousarray(X.T).T,
    ],
    ids=["fortran", "strided", "reversed", "byte-swapped", "unaligned", "transposed"],
)
def test_other_layouts_become_contiguous_with_the_same_numbers(dtype, variant):
    X = variant(some_features(dtype))
    before = X.copy()
    checked = check_features(X, 3, dtype="float32")
    assert checked.flags.c_contiguous
    assert checked.flags.aligned
    assert checked.dtype.isnative
    assert checked.dtype == dtype
    np.testing.assert_array_equal(checked, before)
    np.testing.assert_array_equal(X, before)


@pytest.mark.parametrize("model", DTYPES)
@pytest.mark.parametrize("dtype", ["int8", "int16", "int64", "uint16", "uint64", "bool", "float16"])
def test_other_numbers_become_the_models_dtype(dtype, model):
    X = np.array([[0, 1], [1, 0], [1, 1]], dtype)
    checked = check_features(X, 2, dtype=model)
    assert checked.dtype == model
    assert checked.flags.c_contiguous
    np.testing.assert_array_equal(checked, X)


@pytest.mark.parametrize("model", DTYPES)
def test_long_doubles_become_doubles(model):
    X = np.array([[0.1, 2.0]], np.longdouble)
    checked = check_features(X, 2, dtype=model)
    assert checked.dtype.char == "d"
    np.testing.assert_array_equal(checked, [[0.1, 2.0]])


@pytest.mark.parametrize(
    "X",
    [
        [[1, 2], [3, 4]],
        ((1.0, 2.0), (3.0, 4.0)),
        [np.array([1, 2]), np.array([3, 4])],
        np.array([[1, 2.0], [Decimal(3), np.int8(4)]], object),
        np.ma.array([[1.0, 2.0], [3.0, 4.0]]),
        np.asarray([[1, 2], [3, 4]], "float64").view(np.recarray),
    ],
    ids=["lists", "tuples", "list of arrays", "objects", "masked, nothing masked", "subclass"],
)
def test_whatever_asarray_takes(X):
    checked = check_features(X, 2, dtype="float32")
    assert type(checked) is np.ndarray
    np.testing.assert_array_equal(checked, [[1, 2], [3, 4]])


def test_objects_become_the_models_dtype():
    assert check_features(np.array([[1, True]], object), 2, dtype="float32").dtype == np.float32
    assert check_features(np.array([[1, True]], object), 2, dtype="float64").dtype == np.float64


def test_data_frames():
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame({"a": [1.5, 2.5], "b": [True, False], "c": [1, 2]})
    np.testing.assert_array_equal(
        check_features(frame, 3, dtype="float64"), [[1.5, 1, 1], [2.5, 0, 2]]
    )
    with pytest.raises(TypeError, match=r"'no' in row 1, column 1"):
        check_features(pandas.DataFrame({"a": [1, 2], "b": [3, "no"]}), 2, dtype="float64")
    missing = pandas.DataFrame({"a": pandas.array([1, None], "Int64"), "b": ["x", "y"]})
    with pytest.raises(TypeError, match="X must be real numbers, got"):
        check_features(missing, 2, dtype="float64")


def test_torch_tensors():
    torch = pytest.importorskip("torch")
    X = torch.ones((4, 2))
    checked = check_features(X, 2, dtype="float32")
    assert np.shares_memory(checked, X.numpy())
    assert check_features(X.T, 4, dtype="float32").flags.c_contiguous
    with pytest.raises(ValueError, match="cannot be read as an array.*detach"):
        check_features(X.requires_grad_(), 2, dtype="float32")


@pytest.mark.parametrize(
    ("X", "message"),
    [
        (np.ones(3), r"shape \(3,\): use X.reshape\(-1, 1\) .* X.reshape\(1, -1\)"),
        ([1, 2], r"shape \(2,\)"),
        (np.ones((2, 2, 2)), r"two-dimensional.*got shape \(2, 2, 2\)"),
        (3.0, "got a single float"),
        (None, "got a single NoneType"),
        ({"a": [1]}, "got a single dict"),
        (np.empty((0, 2)), r"no rows, shape \(0, 2\)"),
        (np.empty((2, 0)), r"no columns, shape \(2, 0\)"),
        ([], r"shape \(0,\)"),
        ([[]], "no columns"),
        (np.ones((2, 1)), "X has 1 column, expected 2"),
        (np.ones((2, 3)), "X has 3 columns, expected 2"),
        ([[1, 2], [3]], "X cannot be read as an array: .*inhomogeneous"),
        (np.ma.array([[1.0, 2.0]], mask=[[True, False]]), "masked entries"),
        (np.array([[1, None]], object), "NaN or infinity: 1 value, the first in row 0, column 1"),
    ],
)
def test_wrong_shapes_and_values(X, message):
    with pytest.raises(ValueError, match=message):
        check_features(X, 2, dtype="float32")


@pytest.mark.parametrize(
    ("X", "message"),
    [
        ([["a", "b"]], "strings"),
        (np.array([[b"a", b"b"]]), "bytes"),
        (np.array([["1", "2"]], object), "'1' in row 0, column 0"),
        (np.array([[1, "2"], [3, 4]], object), "row 0, column 1"),
        (np.ones((1, 2), complex), "complex"),
        (np.array([[1, 1j]], object), "complex"),
        (np.array([[1, np.complex64(1j)]], object), "complex64"),
        (np.array([["2020-01-01", "2020-01-02"]], "M8[D]"), "dates"),
        (np.array([[1, 2]], "m8[s]"), "timedelta64"),
        (np.array([[1, np.datetime64("2020-01-01")]], object), "datetime64"),
        (np.zeros((1, 2), [("a", "f4")]), "dtype"),
        (np.array([[1, object()]], object), "object"),
        (np.array([[1, 10**400]], object), "int"),
        (np.array([[1, 10**9999]], object), "int"),
    ],
)
def test_what_is_no_number_is_a_type_error(X, message):
    with pytest.raises(TypeError, match=f"X must be real numbers, got .*{message}"):
        check_features(X, 2, dtype="float32")


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("dtype", ["float16", "float32", "float64", "longdouble", "object"])
@pytest.mark.parametrize("model", DTYPES)
def test_nan_and_infinity_are_counted_and_placed(model, dtype, value):
    X = np.ones((50, 3), dtype)
    X[17, 2] = X[30, 0] = X[30, 1] = value
    message = "X contains NaN or infinity: 3 values, the first in row 17, column 2"
    with pytest.raises(ValueError, match=message):
        check_features(X, 3, dtype=model)


@pytest.mark.parametrize("layout", ["C", "F"])
@pytest.mark.parametrize("row", [0, 65535, 65536, 99_999])
def test_every_block_is_looked_at(row, layout):
    X = np.ones((100_000, 3), np.float32, order=layout)
    X[row, 1] = np.inf
    with pytest.raises(ValueError, match=f"1 value, the first in row {row}, column 1"):
        check_features(X, 3, dtype="float32")


def test_infinities_of_both_signs_do_not_cancel():
    with pytest.raises(ValueError, match="2 values, the first in row 0, column 0"):
        check_features([[np.inf, -np.inf]], 2, dtype="float64")


@pytest.mark.parametrize("dtype", ["float64", "longdouble", "object"])
@pytest.mark.parametrize("value", [1e39, -1e300])
def test_numbers_beyond_float32(dtype, value):
    X = np.ones((4, 3)).astype(dtype)
    X[2, 1] = X[3, 2] = value
    message = r"beyond the range of float32 .*2 values, the first in row 2, column 1.*'float64'"
    with pytest.raises(ValueError, match=message):
        check_features(X, 3, dtype="float32")
    assert check_features(X, 3, dtype="float64")[2, 1] == value


@pytest.mark.parametrize("dtype", DTYPES)
def test_the_largest_numbers_pass(dtype):
    largest = np.finfo(dtype).max
    X = np.full((100, 2), [largest, -largest], dtype)
    assert check_features(X, 2, dtype=dtype) is X


def test_the_largest_float16_passes():
    X = np.array([[65504.0, -65504.0]], np.float16)
    np.testing.assert_array_equal(check_features(X, 2, dtype="float32"), X)


def test_long_doubles_beyond_float64():
    if np.finfo(np.longdouble).max == np.finfo(np.float64).max:
        pytest.skip("long doubles are doubles here")
    X = np.array([[np.longdouble("1e400"), 1]])
    with pytest.raises(ValueError, match="beyond the range of float64.*row 0, column 0"):
        check_features(X, 2, dtype="float64")


@settings(deadline=None, max_examples=60)
@given(rows=st.lists(st.lists(st.floats(width=32), min_size=2, max_size=2), min_size=1, max_size=6))
def test_exactly_the_finite_pass(rows):
    X = np.array(rows, np.float32)
    if np.isfinite(X).all():
        assert check_features(X, 2, dtype="float32") is X
    else:
        bad = np.argwhere(~np.isfinite(X))
        message = f"{len(bad)} values?, the first in row {bad[0][0]}, column {bad[0][1]} "
        with pytest.raises(ValueError, match=message):
            check_features(X, 2, dtype="float32")


def test_the_argument_is_named():
    with pytest.raises(ValueError, match=r"X_deep.*X_deep\.reshape\(-1, 1\)"):
        check_features([1.0], 1, dtype="float32", name="X_deep")
