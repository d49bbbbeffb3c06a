"""Names of columns for versions of scikit-learn that ask frames for them in one way only."""

from __future__ import annotations

from typing import Any

import numpy as np
import sklearn

# From 1.9 on it reads the names of all frames.
_READS_ALL = tuple(int(part) for part in sklearn.__version__.split(".")[:2]) >= (1, 9)


def with_names(X: Any) -> Any:
    """Return X such that scikit-learn finds the names of its columns.

    Before 1.9 it knows pandas, and frames of the interchange protocol, which polars has given up.
    """
    columns = getattr(X, "columns", None)
    if (
        _READS_ALL
        or not isinstance(columns, list)
        or not all(isinstance(name, str) for name in columns)
        or hasattr(X, "__dataframe__")
    ):
        return X
    return _NamedRows(X, columns)


class _NamedRows:
    """Rows as an array, and the names of their columns, found as in the interchange protocol."""

    def __init__(self, frame: Any, columns: list[str]) -> None:
        self._frame, self._columns = frame, columns
        self.shape = tuple(frame.shape)

    def __len__(self) -> int:
        return int(self.shape[0])

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Any:
        array = np.asarray(self._frame)
        return array if dtype is None else array.astype(dtype, copy=bool(copy))

    def __dataframe__(self, *_: Any, **__: Any) -> _NamedRows:
        return self

    def column_names(self) -> list[str]:
        """Return the names, in order."""
        return self._columns
