"""What rows of features may be: an array, or two parts of which the wide one may be sparse."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from typing import TypeAlias

    from ..kernels.typing import Array


@dataclass(frozen=True)
class SparseRows:
    """A checked matrix in compressed sparse rows (CSR).

    Columns of a row may come in any order; values of a column that comes twice are added.

    Attributes
    ----------
    data : ndarray, shape (nnz,)
        The stored values: float32, float64 or uint8; finite.
    indices : ndarray of int32 or int64, shape (nnz,)
        Their columns; every one is within the shape.
    indptr : ndarray of int64, shape (n_rows + 1,)
        ``indptr[i]:indptr[i + 1]`` are the entries of row i.
    shape : (int, int)
    """

    data: Array
    indices: Array
    indptr: Array
    shape: tuple[int, int]

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, rows: Any) -> SparseRows:
        """The rows of a slice without a step, or of an array of row numbers."""
        if isinstance(rows, slice):
            first, last, _ = rows.indices(len(self))
            indptr = self.indptr[first : max(first, last) + 1]
            entries: Any = slice(indptr[0], indptr[-1])
            indptr = indptr - indptr[0]
        else:
            starts = self.indptr[rows]
            counts = self.indptr[np.add(rows, 1)] - starts
            indptr = np.concatenate([[0], np.cumsum(counts)])
            entries = np.arange(indptr[-1]) + np.repeat(starts - indptr[:-1], counts)
        shape = (len(indptr) - 1, self.shape[1])
        return SparseRows(self.data[entries], self.indices[entries], indptr, shape)


@dataclass(frozen=True)
class FeaturePair:
    """Rows of ``X = (X_wide, X_deep)``."""

    wide: Array | SparseRows
    deep: Array

    def __len__(self) -> int:
        return len(self.deep)

    def __getitem__(self, rows: Any) -> FeaturePair:
        return FeaturePair(self.wide[rows], self.deep[rows])


# To list a touched column takes as long as to set the gradients of so many to zero and update them.
_COLUMNS_OF_AN_ENTRY = 64
# They are listed by numbers of 32 bits.
_MOST_LISTED = 2**31

if TYPE_CHECKING:
    Features: TypeAlias = Array | FeaturePair | SparseRows


def as_dtype(x: Features, dtype: str) -> Features:
    """Rows as C-contiguous arrays of the network's dtype."""
    if isinstance(x, FeaturePair):
        return FeaturePair(_part_as_dtype(x.wide, dtype), np.ascontiguousarray(x.deep, dtype))
    return _part_as_dtype(x, dtype)


def _part_as_dtype(x: Array | SparseRows, dtype: str) -> Array | SparseRows:
    if isinstance(x, SparseRows):
        return replace(x, data=np.ascontiguousarray(x.data, dtype))
    return np.ascontiguousarray(x, dtype)


def deep_part(x: Features) -> Array:
    """X_deep, or X itself where there is one input, which must not be sparse."""
    if isinstance(x, SparseRows):
        raise TypeError("rows of a single input are sparse where an array is needed")
    return x.deep if isinstance(x, FeaturePair) else x


def row_size(x: Features) -> float:
    """How many numbers a row holds, of a sparse part on average."""
    if isinstance(x, FeaturePair):
        return row_size(x.wide) + row_size(x.deep)
    if isinstance(x, SparseRows):
        return x.data.size / len(x)
    return float(x.shape[1])


@dataclass(frozen=True, slots=True)
class Layout:
    """How rows lie in memory: what compiled tables that read them depend on.

    Attributes
    ----------
    dtype : str
        Of the array, or of X_deep.
    wide : str
        The dtype of X_wide; empty where there is one input.
    index_bytes : int
        Size of the column numbers of a sparse X_wide, or X; 0 where it is an array.
    touches_few : bool
        Whether a batch has entries in so few of its columns that they are worth a list.
    """

    dtype: str
    wide: str = ""
    index_bytes: int = 0
    touches_few: bool = False

    @classmethod
    def of(cls, x: Features, batch_size: int = 0) -> Layout:
        """The layout of these rows; of a training batch with its size."""
        if isinstance(x, SparseRows):
            return cls(x.data.dtype.name, index_bytes=x.indices.itemsize)
        if not isinstance(x, FeaturePair):
            return cls(x.dtype.name)
        dtype = x.deep.dtype.name
        if not isinstance(x.wide, SparseRows):
            return cls(dtype, x.wide.dtype.name)
        n_wide, entries = x.wide.shape[1], batch_size * row_size(x.wide)
        few = 0 < _COLUMNS_OF_AN_ENTRY * entries <= n_wide < _MOST_LISTED
        return cls(dtype, x.wide.data.dtype.name, x.wide.indices.itemsize, few)

    @property
    def is_sparse(self) -> bool:
        """Whether X_wide is sparse, or X where there is one input."""
        return self.index_bytes > 0
