"""Rows of features, some of them sparse: never made dense, cut by slices and numbers."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse
from sparse_rows import N_WIDE, network, rows

from fastmlp.data.rows import FeaturePair, Layout, SparseRows
from fastmlp.kernels import available_backends, get_backend

BACKENDS = available_backends()
# Of so many columns a batch touches so few that they are listed.
MANY = 20_000


@pytest.mark.parametrize("backend", BACKENDS)
def test_wide_rows_are_never_made_dense(backend: str) -> None:
    """Two million columns: a dense batch of 32 rows alone would take 512 MB."""
    n, n_wide = 64, 2_000_000
    rng = np.random.default_rng(0)
    columns = rng.integers(n_wide, size=(n, 3))
    indptr = np.arange(0, 3 * n + 1, 3)
    csr = scipy.sparse.csr_matrix((np.ones(3 * n), columns.ravel(), indptr), shape=(n, n_wide))
    deep, y = rng.normal(size=(n, 5)), rng.integers(2, size=n)
    model = network(backend, dtype="float32", wide_optimizer="adagrad")
    model.fit((csr, deep), y, epochs=2, batch_size=32, validation_split=0.25, verbose=0)
    model.predict((csr, deep))
    if backend == "numba":
        runner = model.runner
        tables = [
            runner._executables,
            *(forward._executables for forward in runner._forward.values()),
        ]
        assert all(0 < kept.largest < 32 * 2**20 for kept in tables)


def test_touched_columns_are_listed_where_they_are_few() -> None:
    for n_wide, few in ((N_WIDE, False), (MANY, True)):
        csr, deep, _ = rows(n_wide=n_wide)
        sparse = SparseRows(csr.data, csr.indices, csr.indptr, csr.shape)
        assert Layout.of(FeaturePair(sparse, deep), 16).touches_few is few
        assert not Layout.of(FeaturePair(sparse, deep)).touches_few


def test_rows_by_slices_and_numbers() -> None:
    csr, _, _ = rows(20)
    sparse = SparseRows(csr.data, csr.indices, csr.indptr.astype(np.int64), csr.shape)
    dense = csr.toarray()
    for part in (
        slice(3, 9),
        slice(5, 5),
        slice(18, 40),
        np.array([4, 0, 4, 19]),
        np.empty(0, int),
    ):
        taken = sparse[part]
        again = scipy.sparse.csr_matrix((taken.data, taken.indices, taken.indptr), taken.shape)
        np.testing.assert_allclose(again.toarray(), dense[part])
        assert len(taken) == len(dense[part])


@pytest.mark.skipif("numba" not in BACKENDS, reason="NumPy checks indices itself")
def test_what_changes_after_the_check_is_not_read_beyond_the_weight() -> None:
    kernels = get_backend("numba")
    data, indptr = np.ones(2), np.array([0, 1, 2])
    indices = np.array([1, 7])
    out = kernels.sparse_forward(data, indices, indptr, np.ones((3, 2)))
    np.testing.assert_array_equal(out, [[1.0, 1.0], [np.nan, np.nan]])
    d_weight = kernels.sparse_backward(np.ones((2, 2)), data, indices, indptr, 3)
    np.testing.assert_array_equal(d_weight, [[0.0, 0.0], [1.0, 1.0], [0.0, 0.0]])
