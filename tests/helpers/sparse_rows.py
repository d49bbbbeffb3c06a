"""Rows with a sparse wide part, and networks for them."""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.sparse

import fastmlp as fm
from fastmlp.kernels.typing import Array

N_WIDE = 40


def rows(n: int = 150, n_wide: int = N_WIDE) -> tuple[Any, Array, Array]:
    """A CSR with empty rows, an explicit zero, unsorted columns and one that comes twice.

    About four columns in each row; most of the entries are in the first fifty columns.
    """
    rng = np.random.default_rng(0)
    counts = rng.integers(1, 8, n)
    counts[[3, n - 1]] = 0
    columns = [rng.choice(min(n_wide, 50), count, replace=False) for count in counts]
    indices = np.concatenate(columns)
    indices[::5] += n_wide - min(n_wide, 50)
    indptr = np.concatenate([[0], np.cumsum(counts)])
    data = rng.normal(size=len(indices))
    start = indptr[int(np.flatnonzero(counts >= 3)[0])]
    data[start] = 0.0
    indices[start : start + 3] = [9, 4, 9]
    csr = scipy.sparse.csr_matrix((data, indices.astype(np.int32), indptr), (n, n_wide))
    deep = rng.normal(size=(n, 5))
    score = csr @ rng.normal(size=n_wide) + np.tanh(deep[:, 0] * deep[:, 1])
    return csr, deep, (score > 0).astype(int)


def network(backend: str, units: int = 1, dtype: str = "float64", **arguments: Any) -> Any:
    own = arguments.pop("wide_optimizer", fm.Ftrl(0.2, l1=0.02, l2=0.01))
    deep = [fm.Dense(6, "tanh"), fm.Dense(4, "relu")]
    output = "sigmoid" if units == 1 else "softmax"
    layers = [fm.WideAndDeep(units, output, deep=deep, wide_optimizer=own)]
    arguments = {"optimizer": fm.Adam(0.01), "random_state": 3} | arguments
    return fm.Sequential(layers, dtype=dtype, backend=backend, **arguments)
