"""Columns for the wide part of a network: crosses of categories, hashed into buckets.

Importing this module imports scikit-learn.
"""

from __future__ import annotations

import hashlib
from collections.abc import Hashable, Iterable, Mapping, Sequence
from numbers import Integral, Real
from typing import TYPE_CHECKING, Any

import numpy as np

from ..common.checks import check_positive_int, describe
from ..common.error_state import own_error_state
from ..errors import missing_extra

try:
    from sklearn.base import BaseEstimator, TransformerMixin
    from sklearn.utils.validation import check_array, check_is_fitted, validate_data
except ImportError as error:
    raise missing_extra("scikit-learn", "sklearn") from error

if TYPE_CHECKING:
    from ..kernels.typing import Array

_MISSING = b"missing"


@own_error_state
class CrossedColumns(TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """Hashed crosses of categorical or binned columns, as sparse columns of zeros and ones.

    Each cross has a block of `n_buckets` columns of its own. In a row exactly one of them is 1, the
    one that the row's values in the crossed columns are hashed to. Which one depends on these
    values and their order alone, not on the process, the machine or other rows, so that categories
    which `fit` has not seen need no special case. Different values may share a bucket: of k
    combinations in n buckets about ``exp(-k / n)`` have one to themselves.

    Strings, numbers, booleans and missing values are categories. Numbers that are equal, such as
    ``1``, ``1.0`` and ``True``, are one category, and so are None, NaN and ``pandas.NA``. The hash
    of a category is BLAKE2b with 8 bytes; those of a cross are combined by the finalizer of
    splitmix64 (Steele, Lea and Flood 2014).

    Parameters
    ----------
    crosses : list of tuple
        The columns of each cross: names, where X is a DataFrame, or numbers from 0. A cross may
        have a single column, which may stand without a tuple.
    n_buckets : int or list of int
        Of each cross, or one number for each.
    bins : dict, optional
        Numeric columns that are binned before they are crossed: to each column the number of bins,
        whose edges are quantiles of the training rows, or a list of ascending edges. A value on an
        edge belongs to the bin above it. Missing values have a bin of their own.
    dtype : dtype
        Of the ones.

    Attributes
    ----------
    bin_edges_ : dict
        To each binned column the inner edges of its bins; equal quantiles are one edge.
    n_buckets_ : tuple of int
        Of each cross.
    n_features_in_ : int
    feature_names_in_ : ndarray of str
        Where X had names.

    Examples
    --------
    >>> import fastmlp as fm
    >>> crossed = fm.preprocessing.CrossedColumns([(0, 1)], n_buckets=8)
    >>> crossed.fit_transform([["a", "x"], ["a", "y"]]).shape
    (2, 8)
    """

    def __init__(
        self,
        crosses: Sequence[Any],
        n_buckets: int | Sequence[int] = 4096,
        bins: Mapping[Any, Any] | None = None,
        dtype: Any = np.float32,
    ) -> None:
        self.crosses = crosses
        self.n_buckets = n_buckets
        self.bins = bins
        self.dtype = dtype

    def fit(self, X: Any, y: object = None) -> CrossedColumns:
        """Find the columns and, of binned ones, the edges.

        Parameters
        ----------
        X : array_like or DataFrame, shape (n_rows, n_features)
        y : ignored

        Raises
        ------
        ValueError, TypeError
            There is no such column, a binned one does not hold numbers, or an argument is unusable.
        """
        X = self._checked(X, reset=True)
        self._crosses()
        self.n_buckets_ = self._buckets()
        self.bin_edges_ = {
            column: _edges(column, bins, _numbers(_column(X, self._place(column)), column))
            for column, bins in (self.bins or {}).items()
        }
        return self

    def transform(self, X: Any) -> Any:
        """Hash the crosses of each row.

        Parameters
        ----------
        X : array_like or DataFrame, shape (n_rows, n_features)

        Returns
        -------
        scipy.sparse.csr_matrix, shape (n_rows, sum of n_buckets)
            One 1 a row and cross, columns ascending.
        """
        from scipy.sparse import csr_matrix

        check_is_fitted(self)
        X = self._checked(X, reset=False)
        crosses = self._crosses()
        edges = {self._place(column): (column, edges) for column, edges in self.bin_edges_.items()}
        hashes: dict[int, Array] = {}
        for place in {place for cross in crosses for place in cross}:
            values = _column(X, place)
            if place in edges:
                column, inner = edges[place]
                values = _bins_of(_numbers(values, column), inner)
            hashes[place] = _hashes(values, self._name(place))
        n_rows, width = X.shape[0], sum(self.n_buckets_)
        index_dtype = np.int32 if max(width, n_rows * len(crosses)) < 2**31 else np.int64
        indices = np.empty((n_rows, len(crosses)), index_dtype)
        first = 0
        for number, (cross, n_buckets) in enumerate(zip(crosses, self.n_buckets_, strict=True)):
            combined = np.zeros(n_rows, np.uint64)
            for place in cross:
                combined = _mixed(combined + hashes[place])
            indices[:, number] = combined % np.uint64(n_buckets) + np.uint64(first)
            first += n_buckets
        ones = np.ones(indices.size, self.dtype)
        indptr = np.arange(0, indices.size + 1, len(crosses), dtype=index_dtype)
        return csr_matrix((ones, indices.ravel(), indptr), shape=(n_rows, width))

    def get_feature_names_out(self, input_features: Any = None) -> Array:
        """Names of the columns: those of the crossed ones and the number of the bucket.

        Parameters
        ----------
        input_features : array_like of str, optional
            Names of the columns of X, where it had none.

        Returns
        -------
        ndarray of str
            Such as ``"education_x_occupation_17"``.
        """
        check_is_fitted(self)
        names = self._names_in(input_features)
        return np.array(
            [
                f"{'_x_'.join(names[place] for place in cross)}_{bucket}"
                for cross, n_buckets in zip(self._crosses(), self.n_buckets_, strict=True)
                for bucket in range(n_buckets)
            ],
            dtype=object,
        )

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.categorical = True
        tags.input_tags.string = True
        tags.input_tags.allow_nan = True
        tags.transformer_tags.preserves_dtype = []
        return tags

    def _checked(self, X: Any, reset: bool) -> Any:
        """X as an array, or as the DataFrame that it is, whose columns have dtypes of their own."""
        checked = X
        if not hasattr(X, "iloc"):
            # Of strings and numbers in a list NumPy would make strings.
            checked = np.array(X, object) if isinstance(X, list | tuple) else X
            checked = check_array(checked, dtype=None, ensure_all_finite=False, estimator=self)
        elif X.shape[0] == 0:
            raise ValueError(f"X has no rows, shape {X.shape}")
        validate_data(self, X, reset=reset, skip_check_array=True)
        return checked

    def _crosses(self) -> list[tuple[int, ...]]:
        """The places of the columns of each cross."""
        crosses = self.crosses
        if isinstance(crosses, str) or not isinstance(crosses, Iterable):
            raise TypeError(f"crosses must be a list of tuples of columns, got {describe(crosses)}")
        found = []
        for cross in crosses:
            columns = cross if isinstance(cross, (list, tuple)) else (cross,)
            places = tuple(self._place(column) for column in columns)
            if not places or len(set(places)) < len(places):
                raise ValueError(
                    f"a cross must name at least one column, and each only once, got {cross!r}"
                )
            found.append(places)
        if not found:
            raise ValueError("crosses must hold at least one cross, got none")
        return found

    def _place(self, column: Any) -> int:
        if isinstance(column, str):
            names = getattr(self, "feature_names_in_", None)
            if names is None:
                raise ValueError(
                    f"column {column!r} is given by name, but X has no column names; give its "
                    "number or pass a DataFrame"
                )
            places = np.flatnonzero(names == column)
            if not len(places):
                raise ValueError(f"X has no column {column!r}; its columns are {', '.join(names)}")
            return int(places[0])
        if not isinstance(column, Integral) or isinstance(column, bool):
            raise TypeError(f"a column must be a name or a number, got {describe(column)}")
        place = int(column)
        if not 0 <= place < self.n_features_in_:
            raise ValueError(f"X has columns 0 to {self.n_features_in_ - 1}, got column {place}")
        return place

    def _buckets(self) -> tuple[int, ...]:
        count = len(self._crosses())
        if isinstance(self.n_buckets, Integral) or not isinstance(self.n_buckets, Iterable):
            return (check_positive_int("n_buckets", self.n_buckets),) * count
        buckets = tuple(check_positive_int("n_buckets", number) for number in self.n_buckets)
        if len(buckets) != count:
            raise ValueError(
                f"n_buckets has {len(buckets)} numbers for {count} crosses; give one for each, or "
                "one for all"
            )
        return buckets

    def _names_in(self, given: Any = None) -> list[str]:
        names = getattr(self, "feature_names_in_", None)
        if given is None:
            return [f"x{place}" for place in range(self.n_features_in_)] if names is None else names
        if len(given) != self.n_features_in_:
            raise ValueError(
                "input_features should have length equal to number of features "
                f"({self.n_features_in_}), got {len(given)}"
            )
        if names is not None and not np.array_equal(names, given):
            raise ValueError("input_features is not equal to feature_names_in_")
        return list(given)

    def _name(self, place: int) -> str:
        return self._names_in()[place]


def _column(X: Any, place: int) -> Array:
    """One column as an array."""
    column: Array = X.iloc[:, place].to_numpy() if hasattr(X, "iloc") else X[:, place]
    return column


def _is_missing(value: Any) -> bool:
    # pandas.NA and NaT are known by their types: comparing them gives no bool.
    if value is None or type(value).__name__ in ("NAType", "NaTType"):
        return True
    return isinstance(value, Real) and bool(value != value)


def _numbers(values: Array, column: Any) -> Array:
    """A column that is to be binned, missing values as NaN."""
    if values.dtype.kind == "O":
        values = np.array([np.nan if _is_missing(value) else value for value in values], object)
    if values.dtype.kind in "OSU" and any(isinstance(value, str | bytes) for value in values):
        text = next(value for value in values if isinstance(value, str | bytes))
        raise ValueError(f"bins: column {column!r} must hold numbers, got {str(text)!r}")
    try:
        return values.astype(np.float64)
    except (TypeError, ValueError) as problem:
        raise ValueError(f"bins: column {column!r} must hold numbers: {problem}") from problem


def _edges(column: Any, bins: Any, values: Array) -> Array:
    """The inner edges of a column's bins."""
    if isinstance(bins, Integral):
        count = check_positive_int(f"bins[{column!r}]", bins)
        present = values[~np.isnan(values)]
        if not len(present):
            raise ValueError(f"bins: column {column!r} has no values to take quantiles of")
        return np.unique(np.quantile(present, np.arange(1, count) / count))
    edges = np.asarray(bins, np.float64)
    if edges.ndim != 1 or not (np.diff(edges) > 0).all() or not np.isfinite(edges).all():
        raise ValueError(
            f"bins[{column!r}] must be a number of bins or a list of ascending edges, got {bins!r}"
        )
    return edges


def _bins_of(values: Array, edges: Array) -> Array:
    """The number of each value's bin; NaN stays NaN."""
    return np.where(np.isnan(values), np.nan, np.searchsorted(edges, values, side="right"))


def _hashes(values: Array, name: str) -> Array:
    """The hash of each value, worked out once for each distinct one."""
    codes: Array
    # Times of nanoseconds would become plain integers on their way into a list.
    if values.dtype.kind in "Mm":
        raise TypeError(f"column {name!r} holds values of dtype {values.dtype}; {_EXPECTED}")
    if values.dtype.kind == "O":
        known: dict[Hashable, int] = {}
        try:
            codes = np.fromiter(
                (known.setdefault(value, len(known)) for value in values), np.int64, len(values)
            )
        except TypeError as problem:
            raise TypeError(f"column {name!r}: {problem}; {_EXPECTED}") from problem
        distinct: list[Any] = list(known)
    else:
        found, codes = np.unique(values, return_inverse=True)
        distinct = found.tolist()
    digests = b"".join(
        hashlib.blake2b(_as_bytes(value, name), digest_size=8).digest() for value in distinct
    )
    return np.frombuffer(digests, "<u8").astype(np.uint64)[codes]


_EXPECTED = "categories are strings, numbers, booleans or missing values"


def _as_bytes(value: Any, name: str) -> bytes:
    """What of a category is hashed: its kind and its text."""
    if _is_missing(value):
        return _MISSING
    if isinstance(value, str):
        return b"s" + value.encode("utf-8", "surrogatepass")
    if isinstance(value, bytes):
        return b"b" + value
    if isinstance(value, Integral | np.bool_):
        return b"n%d" % int(value)
    if isinstance(value, Real):
        number = float(value)
        return b"n%d" % int(number) if number.is_integer() else b"n" + repr(number).encode()
    raise TypeError(f"column {name!r} holds a value of type {type(value).__name__}; {_EXPECTED}")


def _mixed(numbers: Array) -> Array:
    """The finalizer of splitmix64, which lets each bit depend on all; numbers wrap around."""
    z = numbers + np.uint64(0x9E3779B97F4A7C15)
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    mixed: Array = z ^ (z >> np.uint64(31))
    return mixed
