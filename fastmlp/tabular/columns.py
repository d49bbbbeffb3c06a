"""The columns that an estimator is given as X: a data frame, or an array of numbers or objects."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from ..tables.column_schema import ColumnSchema
from ..tables.infer import Wishes, understand
from ..tables.schema import Schema
from ..tables.table import Table

if TYPE_CHECKING:
    from ..kernels.typing import Array
    from ..tables.notes import Note

    Cells = dict[str, Array]

__all__ = ["Columns", "categories_of", "is_frame", "names_of_places", "schema_of"]


def is_frame(X: Any) -> bool:
    """Whether X has columns with names."""
    if isinstance(X, Table | Mapping) or hasattr(X, "__arrow_c_stream__"):
        return not _is_series(X)
    if hasattr(X, "columns") and hasattr(X, "dtypes"):
        return True
    if isinstance(X, np.ndarray):
        return X.dtype.names is not None
    return isinstance(X, Sequence) and len(X) > 0 and isinstance(X[0], Mapping)


def _is_series(X: Any) -> bool:
    return hasattr(X, "dtype") and not hasattr(X, "columns") and not isinstance(X, Table)


def names_of_places(n: int) -> tuple[str, ...]:
    """The names of columns that have none."""
    return tuple(f"column_{place}" for place in range(n))


@dataclass(frozen=True, eq=False)
class Columns:
    """The columns of X by name.

    Attributes
    ----------
    names : tuple of str
    array : ndarray, shape (n, n_columns), optional
        Of numbers, or of objects.
    table : Table, optional
        In place of an array.
    """

    names: tuple[str, ...]
    array: Array | None = None
    table: Table | None = None

    @classmethod
    def of_array(cls, array: Array, names: tuple[str, ...] | None = None) -> Columns:
        """Name the columns of an array as they were named before, or by number."""
        return cls(names or names_of_places(array.shape[1]), array)

    @classmethod
    def of_frame(cls, frame: Any) -> Columns:
        """Take the columns of whatever `Table.of` takes."""
        table = Table.of(frame)
        return cls(table.columns, table=table)

    def __len__(self) -> int:
        if self.array is not None:
            return len(self.array)
        assert self.table is not None
        return len(self.table)

    @property
    def is_numbers(self) -> bool:
        """Whether it is an array of numbers."""
        return self.array is not None and self.array.dtype.kind in "biuf"

    @property
    def notes(self) -> tuple[Note, ...]:
        """What was found out in reading them."""
        return () if self.table is None else self.table.notes

    def take(self, rows: Array) -> Columns:
        """The columns of some rows."""
        if self.array is not None:
            return replace(self, array=self.array[rows])
        assert self.table is not None
        return replace(self, table=self.table.take(rows))

    def named(self, names: tuple[str, ...]) -> Columns:
        """The same columns, in their order, under other names."""
        if self.table is None:
            return replace(self, names=names)
        return Columns(
            names, table=replace(self.table, arrow=self.table.arrow.rename_columns(names))
        )

    def source(self) -> Table | Mapping[str, Array]:
        """What a schema reads."""
        if self.table is not None:
            return self.table
        assert self.array is not None
        return {name: self.array[:, place] for place, name in enumerate(self.names)}

    def as_table(self) -> Table:
        """A table of them; it takes Arrow."""
        if self.table is not None:
            return self.table
        found = Table.of(dict(self.source()))  # type: ignore[arg-type]
        return replace(found, title="X")


def categories_of(wanted: Any, names: tuple[str, ...], given_names: bool) -> tuple[str, ...] | None:
    """Return the names of columns that are said to be categories; None where nothing is said.

    Parameters
    ----------
    wanted : "from_dtype", None, or array-like of names, numbers or booleans
        As scikit-learn's ``HistGradientBoostingClassifier`` takes it.
    names : tuple of str
        Of the columns.
    given_names : bool
        Whether they are the user's.

    Raises
    ------
    ValueError
        There is no such column, or a mask has another length.
    """
    if wanted is None or (isinstance(wanted, str) and wanted == "from_dtype"):
        return None
    listed = np.asarray(wanted)
    if listed.ndim != 1:
        raise ValueError(
            "categorical_features must be 'from_dtype', None, or a list of names, of numbers of "
            f"columns, or of booleans, one for each column; got the shape {listed.shape}"
        )
    if not listed.size:
        return ()
    if listed.dtype.kind == "b":
        if len(listed) != len(names):
            raise ValueError(
                f"categorical_features set as a boolean mask must have a length of {len(names)}, "
                f"one for each column, got {len(listed)}"
            )
        return tuple(name for name, is_one in zip(names, listed, strict=True) if is_one)
    if listed.dtype.kind in "iu":
        if listed.min() < 0 or listed.max() >= len(names):
            raise ValueError(
                "categorical_features set as numbers of columns must be from 0 to "
                f"{len(names) - 1}, got {listed.tolist()}"
            )
        return tuple(names[place] for place in dict.fromkeys(listed.tolist()))
    found = tuple(dict.fromkeys(str(name) for name in listed.tolist()))
    unknown = [name for name in found if name not in names]
    if unknown and not given_names:
        raise ValueError(
            "categorical_features holds names, but X is an array without names; give the numbers "
            f"of columns, got {listed.tolist()}"
        )
    if unknown:
        raise ValueError(
            f"categorical_features names {unknown[0]!r}, which is no column of X; it has "
            f"{', '.join(names)}"
        )
    return found


def schema_of(columns: Columns, wanted: Any, given_names: bool) -> tuple[Schema, Cells]:
    """Find out what columns hold, and read them.

    An array of numbers is what it is; all else is looked at as `fastmlp.infer_schema` does.

    Parameters
    ----------
    columns : Columns
    wanted : "from_dtype", None, or array-like
        Of categories, see `categories_of`.
    given_names : bool
    """
    named = categories_of(wanted, columns.names, given_names)
    if columns.is_numbers:
        if not named:
            schema = Schema(tuple(ColumnSchema(name, "number") for name in columns.names))
            return schema, numbers_of(columns)
        others = tuple(name for name in columns.names if name not in named)
        found = understand(columns.as_table(), wishes=Wishes(numeric=others, categorical=named))
        return found.schema, found.cells
    table = columns.as_table()
    found = understand(table, wishes=Wishes(categorical=named or ()))
    if wanted is None:
        texts = tuple(c.name for c in found.schema.used if c.kind == "category")
        found = understand(table, wishes=Wishes(numeric=texts)) if texts else found
    return found.schema, found.cells


def numbers_of(columns: Columns) -> Cells:
    """The columns of an array of numbers, float64."""
    assert columns.array is not None
    columns_of = columns.array.T
    return {name: np.array(columns_of[p], np.float64) for p, name in enumerate(columns.names)}
