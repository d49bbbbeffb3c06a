"""X of two parts, of which the wide one may be sparse: what is taken, what is refused."""

from __future__ import annotations

import numpy as np
import pytest

from fastmlp.data.features import (
    SparseRows,
    check_feature_pair,
    check_features,
)


def test_sparse_matrices_belong_into_a_pair():
    sparse = pytest.importorskip("scipy.sparse")
    with pytest.raises(TypeError, match=r"sparse.*X\.toarray\(\)"):
        check_features(sparse.eye(3).tocsr(), 3, dtype="float32")


def some_csr():
    sparse = pytest.importorskip("scipy.sparse")
    return sparse.csr_matrix(np.array([[0, 1.5, 0], [0, 0, 0], [2.5, 0, 3.5]]))


def test_pair_of_dense_matrices():
    wide, deep = np.ones((4, 2), np.float32), np.ones((4, 3))
    checked = check_feature_pair((wide, deep), 2, 3, dtype="float32")
    assert checked[0] is wide
    assert checked[1] is deep


@pytest.mark.parametrize("form", ["csr", "csc", "coo"])
@pytest.mark.parametrize("array", [False, True])
def test_pair_with_a_sparse_matrix(form, array):
    matrix = some_csr()
    if array:
        matrix = pytest.importorskip("scipy.sparse").csr_array(matrix)
    rows, deep = check_feature_pair((matrix.asformat(form), np.ones((3, 2))), 3, 2, dtype="float32")
    assert isinstance(rows, SparseRows)
    assert rows.shape == (3, 3)
    assert deep.shape == (3, 2)
    np.testing.assert_array_equal(rows.data, [1.5, 2.5, 3.5])
    np.testing.assert_array_equal(rows.indices, [1, 0, 2])
    np.testing.assert_array_equal(rows.indptr, [0, 1, 1, 3])
    assert rows.indices.dtype in (np.int32, np.int64)
    assert rows.indptr.dtype == np.int64


def test_sparse_data_is_not_copied():
    matrix = some_csr()
    rows, _ = check_feature_pair((matrix, np.ones((3, 2))), 3, 2, dtype="float32")
    assert np.shares_memory(rows.data, matrix.data)
    assert np.shares_memory(rows.indices, matrix.indices)
    # The compiled kernels trust it, whatever the caller does with the matrix.
    assert not np.shares_memory(rows.indptr, matrix.indptr)


@pytest.mark.parametrize(
    ("dtype", "expected"), [("bool", "float32"), ("int64", "float32"), ("uint8", "uint8")]
)
def test_sparse_data_is_converted(dtype, expected):
    rows, _ = check_feature_pair((some_csr().astype(dtype), np.ones((3, 2))), 3, 2, dtype="float32")
    assert rows.data.dtype == expected


def test_an_empty_sparse_matrix():
    sparse = pytest.importorskip("scipy.sparse")
    rows, _ = check_feature_pair(
        (sparse.csr_matrix((3, 4)), np.ones((3, 2))), 4, 2, dtype="float64"
    )
    assert rows.data.size == 0
    np.testing.assert_array_equal(rows.indptr, [0, 0, 0, 0])


def test_sparse_nan_is_placed():
    matrix = some_csr()
    matrix.data[1:] = np.nan
    with pytest.raises(ValueError, match="X_wide .*2 values, the first in row 2, column 0"):
        check_feature_pair((matrix, np.ones((3, 2))), 3, 2, dtype="float32")


@pytest.mark.parametrize(
    ("attribute", "value", "message"),
    [
        ("indices", [1, 0, 3], "column numbers outside 0..2"),
        ("indices", [1, -1, 2], "column numbers outside 0..2"),
        ("indices", [1, 0], "indptr"),
        ("indptr", [0, 1, 3], "indptr"),
        ("indptr", [0, 2, 1, 3], "indptr"),
        ("indptr", [1, 1, 1, 3], "indptr"),
        ("indptr", [0, 1, 1, 4], "indptr"),
        ("data", [1.5, 2.5], "indptr"),
    ],
)
def test_inconsistent_sparse_matrices_are_refused(attribute, value, message):
    matrix = some_csr()
    setattr(matrix, attribute, np.array(value))
    with pytest.raises(ValueError, match=f"X_wide is no valid CSR matrix: {message}"):
        check_feature_pair((matrix, np.ones((3, 2))), 3, 2, dtype="float32")


def test_wrong_pairs():
    deep = np.ones((3, 2))
    for X in (deep, [deep, deep], (deep,), None):
        with pytest.raises(TypeError, match=r"tuple \(X_wide, X_deep\)"):
            check_feature_pair(X, 2, 2, dtype="float32")
    with pytest.raises(ValueError, match="X_wide has 2 rows, but X_deep has 3"):
        check_feature_pair((deep[:2], deep), 2, 2, dtype="float32")
    with pytest.raises(ValueError, match="X_wide has 2 columns, expected 4"):
        check_feature_pair((deep, deep), 4, 2, dtype="float32")
    with pytest.raises(ValueError, match="X_deep has 2 columns, expected 4"):
        check_feature_pair((deep, deep), 2, 4, dtype="float32")
    with pytest.raises(ValueError, match="X_wide has 3 columns, expected 4"):
        check_feature_pair((some_csr(), deep), 4, 2, dtype="float32")
    with pytest.raises(TypeError, match="complex"):
        check_feature_pair((some_csr().astype(complex), deep), 3, 2, dtype="float32")


def test_a_one_dimensional_sparse_array_is_refused():
    sparse = pytest.importorskip("scipy.sparse")
    vector = sparse.coo_array(np.ones(3))
    if len(vector.shape) != 1:
        pytest.skip("this SciPy has no one-dimensional sparse arrays")
    with pytest.raises(ValueError, match="X_wide must be two-dimensional"):
        check_feature_pair((vector, np.ones((3, 2))), 3, 2, dtype="float32")
