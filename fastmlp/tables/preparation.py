"""From the columns of a table to the numbers that a network reads, and back from what it says.

All of it is plain data, applied with NumPy alone, and saved as JSON in the model's file.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from ..errors import ModelFileError
from .columns import (
    CategoryColumn,
    Column,
    DateColumn,
    NumberColumn,
    YesNoColumn,
    fit_category,
    fit_date,
    fit_number,
)
from .notes import Note
from .schema import VERSION, ColumnSchema, Schema, target_from
from .version_1 import from_version_1

if TYPE_CHECKING:
    from numpy.typing import DTypeLike

    from ..kernels.typing import Array
    from ..model.sequential import Sequential
    from .table import Table
    from .target import Target

_CLASSES: dict[str, Callable[..., Column]] = {
    "number": NumberColumn,
    "yes/no": YesNoColumn,
    "date": DateColumn,
    "category": CategoryColumn,
}
_SHOWN = 5

__all__ = ["Preparation", "fit"]


@dataclass(frozen=True)
class Preparation:
    """All that lies between a table and a network.

    Attributes
    ----------
    columns : tuple of NumberColumn, YesNoColumn, DateColumn or CategoryColumn
        Those that the network reads, in the order of the table.
    constant : tuple of str
        Columns that have one value in all training rows; the network does not read them.
    target : Target
    schema : Schema
        How the columns of a table are understood. It holds no cells of the training table.
    KEY : str
        Where it stands in a model's metadata.
    """

    columns: tuple[Column, ...]
    constant: tuple[str, ...]
    target: Target
    schema: Schema

    KEY: ClassVar[str] = "preparation"

    @property
    def features(self) -> tuple[str, ...]:
        """What the network reads, in words: one for each column of X."""
        return tuple(feature for column in self.columns for feature in column.features)

    @property
    def kinds(self) -> dict[str, str]:
        """The kind of each column of a table that `matrix` needs."""
        return {column.name: column.kind for column in self.columns}

    @property
    def scaling(self) -> list[tuple[float, float]]:
        """Mean and scale of each feature."""
        return [pair for column in self.columns for pair in column.scaling]

    def read(self, table: Table | Mapping[str, Any]) -> tuple[dict[str, Array], tuple[Note, ...]]:
        """Read the columns that the network reads from a table.

        Parameters
        ----------
        table : Table or mapping from str to ndarray

        Returns
        -------
        cells : dict from str to ndarray, shape (n,)
            As `matrix` takes them.
        notes : tuple of Note
            On cells that are none of their column's kind, on texts that training has not seen, and
            on cells that are missing where training had none.

        Raises
        ------
        ValueError
            Columns are missing.
        """
        used = tuple(self.schema[column.name] for column in self.columns)
        cells, notes = Schema(used).read(table)
        return cells, (*notes, *self._notes_of_unseen(cells), *self._notes_of_missing(cells))

    def matrix(self, cells: Mapping[str, Array], dtype: DTypeLike) -> Array:
        """Return what the network reads of a table.

        Parameters
        ----------
        cells : mapping from str to ndarray, shape (n,)
            Float values with NaN where they are missing; strings for categories, empty ones where
            they are missing. Columns that are not needed are not looked at.
        dtype : float32 or float64

        Returns
        -------
        ndarray, shape (n, len(features))
        """
        return self._matrix(cells, np.dtype(dtype), raw=False)

    def matrix_taking(self, cells: dict[str, Array], dtype: DTypeLike) -> Array:
        """Return what `matrix` does; columns are taken out of `cells` once they have been read.

        They need twice the memory of what is returned, or more.
        """
        parts = []
        for column in self.columns:
            values = cells.pop(column.name)
            parts.append(np.empty((len(values), len(column.features)), dtype))
            column.write(values, parts[-1])
        return np.concatenate(parts, axis=1)

    def raw_matrix(self, cells: Mapping[str, Array]) -> Array:
        """Return what `matrix` does before its numbers are scaled, float64."""
        return self._matrix(cells, np.dtype(np.float64), raw=True)

    def place(self, name: str) -> slice:
        """The columns of X that come from a column of the table; none from a constant one."""
        start = 0
        for column in self.columns:
            stop = start + len(column.features)
            if column.name == name:
                return slice(start, stop)
            start = stop
        return slice(0, 0)

    def attach(self, model: Sequential) -> None:
        """Keep the preparation in the model's metadata, which are saved with it."""
        description = {
            "version": VERSION,
            "columns": [{"kind": column.kind, **asdict(column)} for column in self.columns],
            "constant": self.constant,
            "target": asdict(self.target),
            "schema": self.schema.to_dict(),
        }
        text = json.dumps(description, ensure_ascii=False, allow_nan=False)
        model.metadata[self.KEY] = text

    @classmethod
    def of(cls, model: Sequential) -> Preparation | None:
        """Return what `attach` has kept; None where a model has no preparation.

        Raises
        ------
        ModelFileError
            The metadata hold something else under that name.
        """
        if cls.KEY not in model.metadata:
            return None
        try:
            preparation = cls._from_dict(json.loads(model.metadata[cls.KEY]))
            width = model.training_state.program.input.width
            if len(preparation.features) != width:
                raise ValueError(f"{len(preparation.features)} features for {width} inputs")
        except (AttributeError, KeyError, RecursionError, TypeError, ValueError) as error:
            raise ModelFileError(f"damaged preparation of the model: {error!s:.2000}") from error
        return preparation

    @classmethod
    def _from_dict(cls, description: Mapping[str, Any]) -> Preparation:
        version = description["version"]
        if version == 1:
            description = from_version_1(description)
        elif version != VERSION:
            raise ValueError(f"version {version!r}, expected 1 to {VERSION}")
        columns = tuple(map(_column, description["columns"]))
        schema = Schema.from_dict(description["schema"])
        kinds = {column.name: column.kind for column in schema.columns}
        for column in columns:
            if kinds.get(column.name) != column.kind:
                raise ValueError(f"the column {column.name!r} is not of the schema")
        target = target_from(description["target"])
        return cls(columns, tuple(description["constant"]), target, schema)

    def _matrix(self, cells: Mapping[str, Array], dtype: np.dtype[Any], raw: bool) -> Array:
        n_rows = len(cells[self.columns[0].name])
        X = np.empty((n_rows, len(self.features)), dtype)
        start = 0
        for column in self.columns:
            stop = start + len(column.features)
            write = column.write_raw if raw else column.write
            write(cells[column.name], X[:, start:stop])
            start = stop
        return X

    def _notes_of_unseen(self, cells: Mapping[str, Array]) -> list[Note]:
        counts, parts = 0, []
        for column in self.columns:
            if not isinstance(column, CategoryColumn):
                continue
            values = cells[column.name]
            strange = column.unseen(values)
            if not strange.any():
                continue
            count = int(strange.sum())
            counts += count
            parts.append(f"{column.name!r} in {count} rows, such as {values[strange.argmax()]!r}")
        if not parts:
            return []
        text = f'texts that training has not seen count as "other": {_some(parts)}'
        return [Note(text, count=counts)]

    def _notes_of_missing(self, cells: Mapping[str, Array]) -> list[Note]:
        counts, parts = 0, []
        for column in self.columns:
            values = cells[column.name]
            if isinstance(column, CategoryColumn):
                count = 0 if "" in column.categories else int(np.count_nonzero(values == ""))
            else:
                count = 0 if column.indicator else int(np.isnan(values).sum())
            if count:
                counts += count
                parts.append(f"{column.name!r} in {count} of {len(values)} rows")
        if not parts:
            return []
        text = f"cells are missing where training had none, and count as usual ones: {_some(parts)}"
        return [Note(text, count=counts)]


def fit(schema: Schema, cells: Mapping[str, Array], rows: Array, target: Target) -> Preparation:
    """Fit a preparation on some rows of a table.

    Parameters
    ----------
    schema : Schema
    cells : mapping from str to ndarray, shape (n,)
        As `Schema.read` returns them.
    rows : ndarray of int
        The rows that are looked at.
    target : Target
        Becomes part of the preparation.

    Raises
    ------
    ValueError
        No column has two different values.
    """
    found = {column.name: _fitted(column, cells[column.name][rows]) for column in schema.used}
    columns = tuple(column for column in found.values() if column is not None)
    if not columns:
        left_out = [column.name for column in schema.columns if not column.is_used]
        hint = f"; left out are {_some(list(map(repr, left_out)))}" if left_out else ""
        raise ValueError(
            "there is nothing to learn from: no column besides the target has two different "
            f"values in the training rows{hint}"
        )
    # Cells of the table, names of persons among them, have no business in a model's file.
    described = Schema(tuple(replace(column, example="") for column in schema.columns))
    constant = tuple(name for name, column in found.items() if column is None)
    return Preparation(columns, constant, replace(target, example=""), described)


def _fitted(column: ColumnSchema, values: Array) -> Column | None:
    if column.kind == "category":
        return fit_category(column.name, values, column.limit)
    if column.kind == "date":
        return fit_date(column.name, values, column.clock)
    return fit_number(YesNoColumn if column.kind == "yes/no" else NumberColumn, column.name, values)


def _column(description: Mapping[str, Any]) -> Column:
    found = {
        key: tuple(value) if isinstance(value, list) else value
        for key, value in description.items()
        if key != "kind"
    }
    return _CLASSES[description["kind"]](**found)


def _some(parts: list[str]) -> str:
    more = f"; and {len(parts) - _SHOWN} more columns" if len(parts) > _SHOWN else ""
    return "; ".join(parts[:_SHOWN]) + more
