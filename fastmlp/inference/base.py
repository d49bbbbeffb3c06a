"""`BasePredictor`: checks X and `out` of every predictor before anything is computed."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import chain
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np

from ..common.checks import describe
from ..common.error_state import own_error_state
from ..data.column_names import check_column_names, column_counts, column_names, names_by_part
from ..data.features import (
    as_array,
    check_codes,
    check_feature_pair,
    check_features,
    check_levels,
    counted,
)
from ..data.rows import FeaturePair
from ..runners.forward import FEW_ROWS

if TYPE_CHECKING:
    from ..data.column_names import Names
    from ..data.targets import TargetEncoder
    from ..kernels.typing import Array
    from ..runners.forward import Forward


# Of arrays that a forward pass reads.
_DTYPES = tuple(map(np.dtype, ("float32", "float64", "uint8")))


@own_error_state
class BasePredictor:
    """A network that only predicts: checks what it is called with, and calls a `Forward`.

    Arrays that a forward pass reads as they are go straight to it, and it tells where they are not
    finite. All else becomes such an array first, checked.

    Parameters
    ----------
    forward : Forward
        One that tells where an array is not finite, or has a category that it does not know.
    targets : TargetEncoder
        Turns outputs into labels.
    n_features : int or (int, int)
        Columns of X, or of X_wide and X_deep.
    n_outputs : int
        Outputs of a row.
    dtype : str
        Of the outputs, ``"float32"`` or ``"float64"``.
    feature_names : sequence of str, or mapping of str to sequence of str, optional
        One for each column of X, which data frames must have; of two inputs X_deep's, or X_wide's
        and then X_deep's. Or by the parts of X, ``"X"``, or ``"X_wide"`` and ``"X_deep"``.
    categories : mapping of int to int, optional
        For each column that an Embedding reads, how many categories it has.
    levels : mapping of int to ndarray, optional
        For each column that holds nothing else, its categories.
    """

    def __init__(
        self,
        forward: Forward,
        targets: TargetEncoder,
        n_features: int | tuple[int, int],
        n_outputs: int,
        dtype: str,
        feature_names: Names | None = None,
        categories: Mapping[int, int] | None = None,
        levels: Mapping[int, Array] | None = None,
    ) -> None:
        self.targets = targets
        self.n_features = n_features
        self.n_outputs = n_outputs
        self.dtype = dtype
        # A method is called sooner than an object with `__call__`.
        self._forward = forward.__call__
        self._categories, self._levels = categories or {}, levels or {}
        self._out_dtype = np.dtype(dtype)
        self._n_wide, self._width = (0, n_features) if isinstance(n_features, int) else n_features
        # Codes of categories are always looked at here.
        self._read_dtypes = () if self._categories else _DTYPES
        # Of an array, or of X_wide and X_deep: a row, and few rows.
        self._few_shapes: set[tuple[Any, ...]] = {
            (*rows, self._width)
            if self._n_wide == 0
            else ((*rows, self._n_wide), (*rows, self._width))
            for rows in ((), *((n,) for n in range(1, FEW_ROWS + 1)))
        }
        self.feature_names = feature_names

    @property
    def column_names(self) -> Mapping[str, tuple[str, ...]]:
        """Those of the columns by part of X: ``"X"``, or ``"X_wide"`` and ``"X_deep"``.

        A part whose names are not known is left out.
        """
        return MappingProxyType(self._column_names)

    @property
    def feature_names(self) -> tuple[str, ...] | None:
        """One for each column of X, of two inputs X_wide's first; None unless all are known."""
        known = [self._column_names.get(part) for part in column_counts(self.n_features)]
        return None if None in known else tuple(chain.from_iterable(filter(None, known)))

    @feature_names.setter
    def feature_names(self, names: Names | None) -> None:
        self._column_names = names_by_part(names, self.n_features)

    @property
    def task(self) -> str:
        """What the outputs mean: binary, multiclass, multilabel or regression."""
        return self.targets.task

    @property
    def classes(self) -> Array | None:
        """The labels in the order of the outputs; None for a regression."""
        return self.targets.classes

    def __call__(self, x: object, out: Array | None = None) -> Array:
        """Predict one row or many.

        Parameters
        ----------
        x : array_like, shape (n_features,) or (n, n_features)
            A pair ``(x_wide, x_deep)`` where the network has two inputs. Arrays of float32 and
            float64 are fastest.
        out : ndarray, optional
            C-contiguous, of the network's dtype and of the shape of the result, which is written
            there and not allocated.

        Returns
        -------
        ndarray, shape (units,) or (n, units)
            As `Sequential.predict`: probabilities for softmax and sigmoid, values otherwise.

        Raises
        ------
        TypeError, ValueError
            x is not numbers, has another number of columns, or holds NaN, infinity or codes that
            an Embedding does not know; it is a data frame whose columns are not those of
            `feature_names`, in their order; `out` does not fit. Then `out` is as it was.
        """
        if (
            type(x) is np.ndarray
            and x.dtype in self._read_dtypes
            and (x.shape in self._few_shapes or (out is None and self._is_readable(x)))
        ):
            if out is not None:
                self._check_out(out, x)
            try:
                return self._forward(x, out)
            except FloatingPointError:
                pass  # The checks below find the place.
        elif type(x) is tuple and self._is_readable_pair(x, out is None):
            if out is not None:
                self._check_out(out, x[1])
            try:
                return self._forward(FeaturePair(*x), out)
            except FloatingPointError:
                pass
        return self._predict_checked(x, out)

    def predict_classes(self, x: object) -> Array:
        """Predict the labels of one row or many.

        Parameters
        ----------
        x : array_like, shape (n_features,) or (n, n_features)
            As `__call__` takes it.

        Returns
        -------
        ndarray, shape (n,)
            Labels as y had them in training: those with the largest output, or, of one sigmoid
            unit, the second from 0.5 on. For multilabel ``(n, units)`` of 0 and 1. Of one row its
            label, or ``(units,)``.

        Raises
        ------
        TypeError, ValueError
            As `__call__` raises them; ValueError for a regression, which has no classes.
        """
        outputs = self(x)
        labels = self.targets.decode(np.atleast_2d(outputs))
        row: Array = labels[0]
        return row if outputs.ndim == 1 else labels

    def check_names(self, x: object, name: str = "X", part: str = "X") -> None:
        """Check that a data frame has the columns of a part of X, where their names are known.

        Raises
        ------
        ValueError
            They have other names or another order.
        """
        expected = self._column_names.get(part)
        given = None if expected is None else column_names(x)
        if expected is not None and given is not None:
            attribute = "feature_names" if part == "X" else f"column_names[{part!r}]"
            check_column_names(given, expected, name, "predictor", attribute)

    def _is_readable(self, x: Array) -> bool:
        """Whether a forward pass can read many rows where they lie."""
        return self._n_wide == 0 and _lie_in_rows(x, self._width)

    def _is_readable_pair(self, x: tuple[Any, ...], may_be_many: bool) -> bool:
        """Whether it can read X_wide and X_deep as they are: a few rows, or any number."""
        if self._n_wide == 0 or len(x) != 2:
            return False
        wide, deep = x
        if not (
            type(wide) is type(deep) is np.ndarray
            and wide.dtype in self._read_dtypes
            and deep.dtype in self._read_dtypes
        ):
            return False
        return (wide.shape, deep.shape) in self._few_shapes or (
            may_be_many
            and _lie_in_rows(wide, self._n_wide)
            and _lie_in_rows(deep, self._width)
            and len(wide) == len(deep)
        )

    def _as_array(self, x: object) -> Array:
        self.check_names(x, "x")
        array = as_array(x, "x")
        if array.ndim == 0:
            raise ValueError(f"x must be {self._forms()}, got {describe(x)}")
        return array

    def _check_rows(self, x: Array) -> Array:
        """Check an array in full, and return it as a forward pass reads it, of the same shape."""
        if x.ndim not in (1, 2):
            raise ValueError(f"x must be {self._forms()}, got shape {x.shape}")
        if x.shape[-1] != self._width:
            columns = counted(x.shape[-1], "column")
            raise ValueError(f"x has {columns}, expected {self._width}: pass {self._forms()}")
        rows = check_features(
            x.reshape(-1, self._width), self._width, dtype=self._out_dtype, name="x"
        )
        check_codes(rows, self._categories, "x")
        check_levels(rows, self._levels, self._out_dtype, "x")
        return rows.reshape(x.shape)

    def _forms(self) -> str:
        return f"one row, ({self._width},), or rows, (n, {self._width})"

    def _predict_checked(self, x: object, out: Array | None) -> Array:
        """Check X in full, convert it and predict."""
        if self._n_wide > 0:
            return self._predict_pair(x, out)
        if type(x) is not np.ndarray:
            return self(self._as_array(x), out)
        if x.dtype.kind in "biu":
            # They are finite, whatever they are.
            return self(x.astype(self._out_dtype), out)
        rows = self._check_rows(x)
        if out is not None:
            self._check_out(out, x)
        return self._forward(rows, out)

    def _predict_pair(self, x: object, out: Array | None) -> Array:
        if not isinstance(x, tuple) or len(x) != 2:
            raise ValueError(
                f"the network reads two inputs: pass a tuple (x_wide, x_deep), got {describe(x)}"
            )
        wide, deep = x
        self.check_names(wide, "X_wide", "X_wide")
        self.check_names(deep, "X_deep", "X_deep")
        # A sparse array has as many dimensions as it says, and is not NumPy's to reshape.
        single = np.ndim(wide) == np.ndim(deep) == 1
        if single:
            wide = wide if hasattr(wide, "reshape") else np.asarray(wide)
            wide, deep = wide.reshape(1, -1), np.reshape(deep, (1, -1))
        pair = FeaturePair(
            *check_feature_pair((wide, deep), self._n_wide, self._width, dtype=self._out_dtype)
        )
        check_codes(pair.deep, self._categories, "X_deep")
        shape = (self.n_outputs,) if single else (len(pair), self.n_outputs)
        if out is None:
            return self._forward(pair, None).reshape(shape)
        _check_out(out, shape, self._out_dtype)
        self._forward(pair, out.reshape(-1, self.n_outputs))
        return out

    def _check_out(self, out: object, x: Array) -> None:
        _check_out(out, (*x.shape[:-1], self.n_outputs), self._out_dtype)


def _lie_in_rows(x: Array, width: int) -> bool:
    return (
        x.ndim == 2
        and x.shape[1] == width
        and len(x) > 0
        and x.flags.c_contiguous
        and x.flags.aligned
    )


def _check_out(out: object, shape: tuple[int, ...], dtype: np.dtype[Any]) -> None:
    """Check that a result can be written into `out`.

    Raises
    ------
    TypeError, ValueError
        It is no array, or of another shape, dtype or layout.
    """
    if not isinstance(out, np.ndarray):
        raise TypeError(f"out must be an array, got {describe(out)}")
    if out.shape != shape or out.dtype != dtype:
        raise ValueError(f"out must be {dtype}{list(shape)}, got {out.dtype}{list(out.shape)}")
    if not (out.flags.c_contiguous and out.flags.writeable and out.flags.aligned):
        raise ValueError("out must be C-contiguous, aligned and writable")
