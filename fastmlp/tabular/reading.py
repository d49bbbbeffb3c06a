"""An estimator that is given tables of any kind, and reads them as its fit has."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.utils.validation import (
    _check_feature_names,
    check_consistent_length,
    check_is_fitted,
    validate_data,
)

from ..common.checks import describe
from ..common.error_state import own_error_state
from ..data.features import counted
from .columns import Columns, is_frame
from .plain_numbers import PlainNumbers
from .targets import values_of_column
from .telling import tell

if TYPE_CHECKING:
    from ..kernels.typing import Array
    from .model import TableModel

_SOME = 5


class ReadingEstimator(BaseEstimator):  # type: ignore[misc]
    """From X and y as they are given to columns, and to what networks read of them."""

    _model: TableModel
    _names: tuple[str, ...]

    def _set_model(self, model: TableModel, names: tuple[str, ...], is_numbers: bool) -> None:
        self._model, self._names, self._from_numbers = model, names, is_numbers
        self._plain = PlainNumbers.of(model.preparation, names)
        self.members_ = list(model.members)
        if len(self.members_) == 1:
            self.network_ = self.members_[0]
        elif hasattr(self, "network_"):
            del self.network_

    def _one_column(self, y: Any, n: int, columns: Columns) -> Array:
        """Return y as one column of n values."""
        if y is None:
            raise ValueError(
                f"{type(self).__name__} requires y to be passed, but the target y is None"
            )
        values = values_of_column(y)
        check_consistent_length(columns, values)
        if n < 2:
            raise ValueError(f"Found array with {n} sample(s) while a minimum of 2 is required.")
        return values

    # Rows to predict

    def _columns(self, X: Any, reset: bool) -> tuple[Columns, bool]:
        """Check X, and return its columns, by the names that a fit has seen."""
        if is_frame(X):
            return self._of_frame(X, reset)
        if isinstance(X, list | tuple):
            found = np.asarray(X)
            # Of texts and numbers NumPy would make texts alone.
            X = np.array(X, dtype=object) if found.dtype.kind in "US" else found
        array = validate_data(
            self,
            X,
            reset=reset,
            dtype=None,
            ensure_all_finite="allow-nan" if _is_numeric(X) else False,
        )
        if array.dtype.kind not in "biufOUS":
            array = array.astype(object)
        if array.dtype.kind == "f" and array.dtype.itemsize > 8:
            array = array.astype(np.float64)
        names = None if reset else self._names
        return Columns.of_array(array, names), False

    def _of_frame(self, X: Any, reset: bool) -> tuple[Columns, bool]:
        _refuse_sparse(X)
        columns = Columns.of_frame(X)
        named: Any = X if isinstance(X, Mapping) else getattr(X, "column_names", None)
        if named is None:
            named = getattr(X, "columns", columns.names)
        if reset:
            self.n_features_in_ = len(columns.names)
            if all(isinstance(name, str) for name in named):
                self.feature_names_in_ = np.array(columns.names, dtype=object)
            elif hasattr(self, "feature_names_in_"):
                del self.feature_names_in_
            return columns, True
        if set(self._names) <= set(columns.names):
            return columns, True
        if not hasattr(self, "feature_names_in_") and len(columns.names) == len(self._names):
            # Fitted without names: by place, which scikit-learn warns of.
            _check_feature_names(self, X, reset=False)
            return columns.named(self._names), True
        missing = self._needed([name for name in self._names if name not in columns.names])
        if missing:
            shown = ", ".join(map(repr, missing[:_SOME]))
            more = ", ..." if len(missing) > _SOME else ""
            raise ValueError(
                f"X lacks {counted(len(missing), 'column')} that {type(self).__name__} was fitted "
                f"with: {shown}{more}; it has {', '.join(columns.names)}"
            )
        return columns, True

    def _needed(self, names: list[str]) -> list[str]:
        """Those of some columns that are read; before that is known, all are."""
        if not hasattr(self, "_model"):
            return names
        read = {column.name for column in self._model.preparation.columns}
        return [name for name in names if name in read]

    def _matrix(self, X: Any) -> Array:
        """Return what the networks read of X."""
        check_is_fitted(self)
        columns, _ = self._columns(X, reset=False)
        model = self._model
        if self._plain is not None and columns.is_numbers:
            assert columns.array is not None
            return self._plain.matrix(columns.array, model.dtype)
        return model.preparation.matrix(self._cells(columns), model.dtype)

    def _rows_and_baseline(self, X: Any, baseline: Any) -> tuple[Array, Array]:
        """Return what the networks read of X, and of the mean or usual row, ``(1, k)``.

        Raises
        ------
        ValueError, TypeError
            One of them is unusable; the message says which.
        """
        # Fits and predictions need no explanations.
        from .attributions import usual_row

        rows = self._matrix(X)
        if baseline is None:
            return rows, usual_row(self._model.preparation)
        try:
            if not is_frame(baseline) and np.ndim(baseline) != 2:
                raise ValueError(
                    "it must be rows as X has them, whose mean is taken, in a frame or an array of "
                    f"two dimensions; got {describe(baseline)}"
                )
            held = self._matrix(baseline)
        except (TypeError, ValueError) as error:
            kind = TypeError if isinstance(error, TypeError) else ValueError
            raise kind(f"baseline: {error}") from None
        return rows, held.mean(axis=0, keepdims=True, dtype=np.float64)

    def _cells(self, columns: Columns) -> dict[str, Array]:
        cells, notes = self._model.preparation.read(columns.source())
        tell((*columns.notes, *notes))
        return cells

    @own_error_state
    def _outputs(self, X: Any) -> Array:
        rows = self._matrix(X)
        return self._model.predict(rows)


def _is_numeric(X: Any) -> bool:
    return getattr(getattr(X, "dtype", None), "kind", "O") in "biufc"


def _refuse_sparse(X: Any) -> None:
    kinds = getattr(X, "dtypes", None)
    if kinds is not None and any("Sparse" in str(kind) for kind in np.ravel(kinds)):
        raise TypeError("sparse columns are not taken; X.sparse.to_dense() makes dense ones")
