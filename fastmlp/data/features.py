"""What comes in as X and sample weights: read, checked, and copied only where it must be."""

from __future__ import annotations

import reprlib
import sys
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from ..common.checks import check_number
from ..common.error_state import own_error_state
from .batches import shuffle_rows
from .rows import SparseRows

if TYPE_CHECKING:
    from numpy.typing import DTypeLike

    from ..kernels.typing import Array

# Elements looked at in one go: large enough to hide Python's part, small enough for the L2 cache.
_BLOCK = 65536
_LISTED_LEVELS = 8

_NO_NUMBERS = (
    *(str, bytes, complex, np.complexfloating),
    *(np.datetime64, np.timedelta64, np.ndarray, np.void),
)


def counted(number: int, noun: str = "value") -> str:
    """Return a number and its noun in words, ``"1 value"`` or ``"3 values"``."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def as_array(values: object, name: str) -> Array:
    """Call ``np.asarray`` with errors that name the argument.

    Raises
    ------
    TypeError
        A SciPy sparse matrix.
    ValueError
        Ragged lists, tensors that NumPy cannot read, arrays with masked entries.
    """
    if _is_sparse(values):
        raise TypeError(f"{name} is a sparse matrix; pass {name}.toarray()")
    # Where nobody has imported numpy.ma, which takes 10 ms, there are no masked arrays.
    ma = sys.modules.get("numpy.ma")
    if ma is not None and isinstance(values, ma.MaskedArray) and ma.is_masked(values):
        raise ValueError(f"{name} has masked entries; fill or remove them first")
    try:
        return np.asarray(values)
    except (TypeError, ValueError, RuntimeError) as error:
        raise ValueError(f"{name} cannot be read as an array: {error}") from error


@own_error_state
def finite_array(
    values: Array, dtype: DTypeLike, name: str, place: Callable[[int], str] | None = None
) -> Array:
    """Return the numbers of an array: finite, C-contiguous, aligned, in native byte order.

    float32, float64 and uint8 stay what they are, and a C-contiguous array of them is returned
    itself; integers, booleans, float16 and objects that are numbers become ``dtype``, long
    doubles float64.

    Parameters
    ----------
    values : ndarray
    dtype : float32 or float64
        The model's; numbers beyond its range are refused.
    name : str
        The argument's name, for messages.
    place : callable, optional
        Turns an index into the flattened array into words; by default row and column.

    Raises
    ------
    TypeError
        The values are not real numbers.
    ValueError
        There are NaN, infinities or numbers beyond the range of ``dtype``.
    """
    target = np.dtype(dtype)
    if place is None:
        place = _row_and_column(values.shape)
    given = values.dtype
    if given.kind == "O":
        values = _from_objects(values, name, place)
    elif given.kind not in "biuf":
        raise TypeError(f"{name} must be real numbers, got {_dtype_in_words(given)}")
    elif given.kind != "f" and given != np.uint8:
        return np.ascontiguousarray(values, target)

    if not (values.flags.c_contiguous and values.flags.aligned and values.dtype.isnative):
        values = np.array(values, values.dtype.newbyteorder("="), order="C")
    if values.dtype.kind == "f":
        _refuse_nonfinite(values.reshape(-1), target, name, place)
    if given.kind == "O" or values.dtype == np.float16:
        return values.astype(target)
    if values.dtype not in (np.float32, np.float64, np.uint8):
        return values.astype(np.float64)
    return values


def check_features(
    X: object, n_features: int | None, *, dtype: DTypeLike, name: str = "X"
) -> Array:
    """Check the feature matrix, and copy it only where the runners cannot read it as it is.

    Parameters
    ----------
    X : array_like, shape (n_rows, n_features)
        Whatever ``np.asarray`` takes. A C-contiguous, aligned float32, float64 or uint8 array in
        native byte order is not copied, so that a memory map is only read, block by block.
        Everything else is converted once, see `finite_array`.
    n_features : int or None
        The expected number of columns; None accepts any.
    dtype : float32 or float64
        The model's.
    name : str
        The argument's name, for messages.

    Returns
    -------
    ndarray, shape (n_rows, n_features)
        C-contiguous float32, float64 or uint8. It may share memory with ``X``.

    Raises
    ------
    TypeError
        Strings, dates, complex numbers, sparse matrices, objects that are not numbers.
    ValueError
        Another shape; no row or no column; NaN, infinity, or numbers too large for ``dtype``.
    """
    array = as_array(X, name)
    if array.dtype == dtype and array.shape == (1, n_features) and np.isfinite(array).all():
        # One row is what a caller waits for; the checks below take longer than its prediction.
        return np.ascontiguousarray(array)
    if array.ndim != 2:
        raise _not_two_dimensional(X, array, name)
    _check_shape(array.shape, n_features, name)
    return finite_array(array, dtype, name)


def check_codes(x: Array, categories: Mapping[int, int], name: str = "X") -> None:
    """Check the columns that embeddings read.

    Parameters
    ----------
    x : ndarray, shape (n_rows, n_features)
    categories : mapping of int to int
        For each such column its number of categories.
    name : str
        The argument's name, for messages.

    Raises
    ------
    ValueError
        Something else than whole numbers from 0 to the number of categories - 1.
    """
    for column, count in categories.items():
        for start in range(0, len(x), _BLOCK):
            codes = x[start : start + _BLOCK, column]
            wrong = (codes < 0) | (codes >= count) | (codes != np.floor(codes))
            if wrong.any():
                row = int(wrong.argmax())
                raise ValueError(
                    f"{name} has {codes[row]:g} in row {start + row}, column {column}, where an "
                    f"Embedding expects codes, whole numbers from 0 to {count - 1}"
                )


def check_levels(x: Array, levels: Mapping[int, Array], dtype: DTypeLike, name: str = "X") -> None:
    """Check the columns that hold categories.

    Parameters
    ----------
    x : ndarray, shape (n_rows, n_features)
    levels : mapping of int to ndarray
        For each such column its categories, in `dtype`.
    dtype : dtype
        That in which numbers are compared.
    name : str
        The argument's name, for messages.

    Raises
    ------
    ValueError
        There is a category that is none of these.
    """
    for column, known in levels.items():
        values = x[:, column].astype(dtype, copy=False)
        wrong = ~np.isin(values, known)
        if wrong.any():
            row = int(wrong.argmax())
            listed = ", ".join(f"{value:g}" for value in known[:_LISTED_LEVELS])
            more = ", ..." if len(known) > _LISTED_LEVELS else ""
            raise ValueError(
                f"{name} has the category {values[row]:g} in row {row}, column {column}, where "
                f"training had {listed}{more}; an encoder with handle_unknown='ignore' takes others"
            )


def check_feature_pair(
    X: object, n_wide: int | None, n_deep: int | None, *, dtype: DTypeLike
) -> tuple[Array | SparseRows, Array]:
    """Check ``(X_wide, X_deep)``, the two inputs of a wide-and-deep network.

    Parameters
    ----------
    X : tuple of two
        ``X_wide`` is an array_like or a SciPy sparse matrix (CSR; others are converted to it),
        ``X_deep`` an array_like; both have the same number of rows.
    n_wide, n_deep : int or None
        The expected numbers of columns.
    dtype : float32 or float64
        The model's.

    Raises
    ------
    TypeError, ValueError
        As in `check_features`; X is no pair; the rows differ; a sparse matrix is inconsistent.
    """
    if not isinstance(X, tuple) or len(X) != 2:
        raise TypeError(f"X must be a tuple (X_wide, X_deep), got {type(X).__name__}")
    wide: Array | SparseRows
    if _is_sparse(X[0]):
        wide = check_sparse(X[0], n_wide, dtype, "X_wide")
    else:
        wide = check_features(X[0], n_wide, dtype=dtype, name="X_wide")
    deep = check_features(X[1], n_deep, dtype=dtype, name="X_deep")
    if wide.shape[0] != deep.shape[0]:
        raise ValueError(f"X_wide has {wide.shape[0]} rows, but X_deep has {deep.shape[0]}")
    return wide, deep


def check_weights(sample_weight: object, n_rows: int) -> Array | None:
    """Return sample weights as an array of shape (n_rows,), None for None.

    A C-contiguous float32 or float64 array is returned itself, others become float64.

    Raises
    ------
    TypeError
        The weights are not numbers.
    ValueError
        Another shape than (n_rows,) or (n_rows, 1); NaN, infinite or negative weights; weights
        that are all zero or whose sum is not finite.
    """
    if sample_weight is None:
        return None
    name = "sample_weight"
    array = as_array(sample_weight, name)
    if array.shape not in ((n_rows,), (n_rows, 1)):
        raise ValueError(
            f"{name} must have one weight for each of the {n_rows} rows, got shape {array.shape}"
        )
    array = array.reshape(-1)
    weights = finite_array(array, np.float64, name)
    if weights.dtype == np.uint8:
        weights = weights.astype(np.float64)
    if weights.min() < 0:
        negative = weights < 0
        raise ValueError(
            f"{name} must not be negative: {counted(int(negative.sum()))}, "
            f"the first {weights[negative.argmax()]:g} in row {negative.argmax()}"
        )
    with np.errstate(over="ignore"):
        total = weights.sum(dtype=np.float64)
    if total == 0:
        raise ValueError(f"{name} is zero for every row")
    if not np.isfinite(total):
        raise ValueError(f"{name} is too large: the sum of the weights overflows")
    return weights


def split_validation(
    n_rows: int, fraction: float, rng: np.random.Generator, classes: Array | None = None
) -> tuple[Array, Array]:
    """Draw the rows for training and for validation.

    ``fraction * n_rows`` rows, rounded to the nearest number, are for validation. With classes,
    each gets its share by the method of largest remainders (ties drawn at random) and keeps at
    least one training row, so that there are fewer validation rows where classes are tiny.

    Parameters
    ----------
    n_rows : int
    fraction : float
        In [0, 1); 0 puts every row into training.
    rng : numpy.random.Generator
    classes : ndarray of int, shape (n_rows,), optional
        Class numbers from 0.

    Returns
    -------
    training, validation : ndarray of int64
        Sorted, so that rows are read in the order of memory.

    Raises
    ------
    ValueError
        ``fraction`` is out of bounds or leaves a side without rows.
    """
    fraction = check_number("validation_split", fraction, 0.0, 1.0, open_high=True)
    if fraction == 0.0:
        return np.arange(n_rows, dtype=np.int64), np.empty(0, np.int64)
    wanted = int(n_rows * fraction + 0.5)
    if not 0 < wanted < n_rows:
        side = "validation" if wanted == 0 else "training"
        raise ValueError(
            f"validation_split={fraction:g} of {counted(n_rows, 'row')} leaves none for {side}; "
            "choose another fraction or pass validation_data"
        )
    counts, shares = np.array([n_rows]), np.array([wanted])
    if classes is not None:
        counts = np.bincount(classes)
        shares = _validation_shares(counts, wanted, rng)
    shuffled = np.arange(n_rows)
    shuffle_rows(shuffled, rng, classes)
    for_training = np.ones(n_rows, np.bool_)
    for first, share in zip(np.cumsum(counts) - counts, shares, strict=True):
        for_training[shuffled[first : first + share]] = False
    # One array less while the two that are returned are made.
    del shuffled
    training = np.flatnonzero(for_training)
    return training, np.flatnonzero(np.logical_not(for_training, out=for_training))


def _validation_shares(counts: Array, wanted: int, rng: np.random.Generator) -> Array:
    room = np.maximum(counts - 1, 0)
    if not room.any():
        raise ValueError(
            "validation_split keeps a training row of every class, and every class has only one "
            "row; pass validation_data"
        )
    wanted = min(wanted, int(room.sum()))
    n_rows = int(counts.sum())
    # Whole numbers throughout: float remainders would order exact ties by their rounding.
    shares: Array = np.minimum(counts * wanted // n_rows, room)
    drawn = rng.permutation(counts.size)
    order = drawn[np.argsort(-(counts * wanted % n_rows)[drawn], kind="stable")]
    while (missing := wanted - int(shares.sum())) > 0:
        shares[order[shares[order] < room[order]][:missing]] += 1
    return shares


def _is_sparse(values: object) -> bool:
    return hasattr(values, "tocsr")


def _not_two_dimensional(X: object, array: Array, name: str) -> ValueError:
    expected = f"{name} must be two-dimensional, (n_rows, n_features)"
    if array.ndim == 0:
        return ValueError(f"{expected}, got a single {type(X).__name__}")
    if array.ndim == 1:
        return ValueError(
            f"{expected}, got shape {array.shape}: use {name}.reshape(-1, 1) if it is one "
            f"feature, {name}.reshape(1, -1) if it is one row"
        )
    return ValueError(f"{expected}, got shape {array.shape}")


def _check_shape(shape: tuple[int, ...], n_features: int | None, name: str) -> None:
    if shape[0] == 0:
        raise ValueError(f"{name} has no rows, shape {shape}")
    if shape[1] == 0:
        raise ValueError(f"{name} has no columns, shape {shape}")
    if n_features is not None and shape[1] != n_features:
        raise ValueError(f"{name} has {counted(shape[1], 'column')}, expected {n_features}")


def check_sparse(X: Any, n_features: int | None, dtype: DTypeLike, name: str) -> SparseRows:
    """Check a SciPy sparse matrix; its CSR form is copied only where it must be.

    Raises
    ------
    TypeError, ValueError
        As `check_features`; or its arrays do not fit each other.
    """
    if len(X.shape) != 2:
        raise ValueError(f"{name} must be two-dimensional, got shape {X.shape}")
    rows, columns = int(X.shape[0]), int(X.shape[1])
    _check_shape((rows, columns), n_features, name)
    matrix = X.tocsr()
    # A copy: a compiled kernel trusts the bounds of rows, and the caller's array may change.
    indptr = np.array(matrix.indptr, np.int64)
    stored = int(indptr[-1]) if indptr.size else 0
    # SciPy does not look at the arrays it is given, and a compiled kernel would read past them.
    if (
        indptr.shape != (rows + 1,)
        or indptr[0] != 0
        or (np.diff(indptr) < 0).any()
        or stored > min(matrix.indices.size, matrix.data.size)
    ):
        raise ValueError(f"{name} is no valid CSR matrix: indptr does not fit the other arrays")
    indices = np.ascontiguousarray(matrix.indices[:stored])
    if indices.dtype not in (np.int32, np.int64):
        indices = indices.astype(np.int64)
    if stored and (indices.min() < 0 or indices.max() >= columns):
        raise ValueError(f"{name} is no valid CSR matrix: column numbers outside 0..{columns - 1}")

    def place(entry: int) -> str:
        row = int(np.searchsorted(indptr, entry, side="right")) - 1
        return f"row {row}, column {indices[entry]}"

    data = finite_array(matrix.data[:stored], dtype, name, place)
    return SparseRows(data, indices, indptr, (rows, columns))


def _row_and_column(shape: tuple[int, ...]) -> Callable[[int], str]:
    if len(shape) == 1:
        return lambda index: f"row {index}"
    return lambda index: f"row {index // shape[1]}, column {index % shape[1]}"


def _dtype_in_words(dtype: np.dtype[Any]) -> str:
    words = {"U": "strings", "S": "bytes", "T": "strings", "c": "complex numbers", "M": "dates"}
    kind = words.get(dtype.kind)
    return f"{kind} (dtype {dtype})" if kind else f"dtype {dtype}"


def _from_objects(values: Array, name: str, place: Callable[[int], str]) -> Array:
    # Types first: astype would parse the string "3.5" without a word.
    if not any(issubclass(kind, _NO_NUMBERS) for kind in set(map(type, values.flat))):
        try:
            numbers: Array = values.astype(np.float64)
            return numbers
        except (TypeError, ValueError, OverflowError):
            pass
    first, value = next((i, v) for i, v in enumerate(values.flat) if not _is_real_number(v))
    got = (
        reprlib.repr(value) if isinstance(value, str) else f"a value of type {type(value).__name__}"
    )
    raise TypeError(f"{name} must be real numbers, got {got} in {place(first)}")


def _is_real_number(value: Any) -> bool:
    if isinstance(value, _NO_NUMBERS):
        return False
    try:
        # NumPy reads None as NaN, which is refused as such.
        float(0 if value is None else value)
    except (TypeError, ValueError, OverflowError):
        return False
    return True


def _refuse_nonfinite(
    flat: Array, target: np.dtype[Any], name: str, place: Callable[[int], str]
) -> None:
    limit = min(np.finfo(flat.dtype).max, np.finfo(target).max)
    # Extremes are exact where sums are not: they carry NaN along and cannot overflow.
    with np.errstate(invalid="ignore"):
        if all(
            np.maximum.reduce(block) <= limit and np.minimum.reduce(block) >= -limit
            for block in blocks(flat)
        ):
            return
        count, first = find(flat, lambda block: ~np.isfinite(block))
        if count:
            raise ValueError(
                f"{name} contains NaN or infinity: {counted(count)}, the first in {place(first)} "
                "(counted from 0); remove or replace them"
            )
        count, first = find(flat, lambda block: np.abs(block) > limit)
    hint = " or use dtype='float64'" if target == np.float32 else ""
    raise ValueError(
        f"{name} contains numbers beyond the range of {target.name} ({limit:.2g}): "
        f"{counted(count)}, the first in {place(first)} (counted from 0); scale them{hint}"
    )


def blocks(flat: Array) -> Iterator[Array]:
    """A one-dimensional array, part by part."""
    return (flat[start : start + _BLOCK] for start in range(0, flat.size, _BLOCK))


def find(flat: Array, test: Callable[[Array], Array]) -> tuple[int, int]:
    """How many elements a test finds, and the first of them; it is told part by part."""
    count, first = 0, -1
    for number, block in enumerate(blocks(flat)):
        found = test(block)
        if first < 0 and found.any():
            first = number * _BLOCK + int(found.argmax())
        count += int(np.count_nonzero(found))
    return count, first
