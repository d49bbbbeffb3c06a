"""How the columns of a table are understood, as plain data, and tables read that way."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from ..common.atomic_file import atomic_text
from ..common.checks import check_instance
from ..common.sealed import DIGEST, json_digest
from ..data.features import counted
from ..errors import ModelFileError
from .cells import Column, column_of, names_of
from .column_schema import KINDS, ColumnSchema
from .notes import Note
from .target import Target
from .values import read_cells

if TYPE_CHECKING:
    from ..kernels.typing import Array
    from .table import Table

VERSION = 2
_SHOWN_COLUMNS = 60
_WIDEST = 40

__all__ = ["KINDS", "VERSION", "ColumnSchema", "Schema"]


@dataclass(frozen=True)
class Schema:
    """How a table is understood: one line for each of its columns.

    Attributes
    ----------
    columns : tuple of ColumnSchema
        In the order of the table, without the target.
    target : Target or None
    notes : tuple of Note
        What was decided, and which option decides otherwise.
    """

    columns: tuple[ColumnSchema, ...]
    target: Target | None = None
    notes: tuple[Note, ...] = ()

    def __getitem__(self, name: str) -> ColumnSchema:
        """The column of a name."""
        found = next((column for column in self.columns if column.name == name), None)
        if found is None:
            raise KeyError(f"there is no column {name!r}; there are {self.names}")
        return found

    @property
    def names(self) -> list[str]:
        """The names of all columns."""
        return [column.name for column in self.columns]

    @property
    def used(self) -> tuple[ColumnSchema, ...]:
        """The columns that the network reads."""
        return tuple(column for column in self.columns if column.is_used)

    def read(self, table: Table | Mapping[str, Any]) -> tuple[dict[str, Array], tuple[Note, ...]]:
        """Read the columns that are used.

        Parameters
        ----------
        table : Table or mapping from str to ndarray
            Columns are looked up by name; others are not looked at.

        Returns
        -------
        cells : dict from str to ndarray, shape (n,)
            Float64, NaN where they are missing; strings for categories, empty where missing.
        notes : tuple of Note
            On cells that are none of their column's kind, and count as missing.

        Raises
        ------
        ValueError
            Columns are missing.
        """
        return self.read_columns(table, {})

    def read_columns(
        self, table: Table | Mapping[str, Any], columns: Mapping[str, Column]
    ) -> tuple[dict[str, Array], tuple[Note, ...]]:
        """Do what `read` does, where some columns of the table have been looked at before."""
        if not hasattr(table, "columns"):
            check_instance("table", table, Mapping, "a Table or a mapping of names to arrays")
        given = names_of(table)
        missing = [repr(column.name) for column in self.used if column.name not in given]
        if missing:
            raise ValueError(
                f"the table lacks {counted(len(missing), 'column')} of those that the model reads: "
                f"{', '.join(missing)}; it has {', '.join(given)}"
            )
        cells, notes = {}, []
        for column in self.used:
            cell_column = columns.get(column.name) or column_of(table, column.name)
            cells[column.name], found = read_cells(table, column, cell_column)
            notes += found
        return cells, tuple(notes)

    def to_dict(self) -> dict[str, Any]:
        """The schema as plain data."""
        return {
            "version": VERSION,
            "columns": [column.to_dict() for column in self.columns],
            "target": None if self.target is None else asdict(self.target),
            "notes": [asdict(note) for note in self.notes],
        }

    @classmethod
    def from_dict(cls, description: Mapping[str, Any]) -> Schema:
        """Return the schema that `to_dict` has described.

        Raises
        ------
        KeyError, TypeError, ValueError
            It describes none.
        """
        check_instance("description", description, Mapping, "what to_dict returns")
        if description.get("version") != VERSION:
            raise ValueError(f"version {description.get('version')!r}, expected {VERSION}")
        if unknown := sorted(description.keys() - {"version", "columns", "target", "notes"}):
            raise ValueError(f"{unknown[0]!r} is no part of a schema")
        target = description["target"]
        return cls(
            tuple(map(ColumnSchema.from_dict, description["columns"])),
            None if target is None else target_from(target),
            tuple(Note(**note) for note in description["notes"]),
        )

    def to_json(self, path: str | os.PathLike[str]) -> None:
        """Write the schema as JSON, which may be edited and given to ``--schema``.

        Who edits it deletes the line ``sha256``, by which damage is told.
        """
        description = self.to_dict()
        sealed = {"version": VERSION, DIGEST: json_digest(description), **description}
        text = json.dumps(sealed, indent=2, ensure_ascii=False, allow_nan=False)
        with atomic_text(path, "json") as file:
            file.write(f"{text}\n")

    @classmethod
    def from_json(cls, path: str | os.PathLike[str]) -> Schema:
        """Read a schema that `to_json` has written.

        Raises
        ------
        ModelFileError
            The file holds no schema, or another one than its line ``sha256`` was made of.
        """
        shown = os.fspath(path)
        # Editors mark UTF-8 by a byte order mark.
        with open(os.fspath(path), encoding="utf-8-sig") as file:
            try:
                description = json.loads(file.read())
                digest = description.pop(DIGEST, None)
                if digest in (None, json_digest(description)):
                    return cls.from_dict(description)
            except (AttributeError, KeyError, RecursionError, TypeError, ValueError) as error:
                raise ModelFileError(
                    f"{shown} holds no schema of a table: {error!s:.2000}"
                ) from error
        raise ModelFileError(
            f"{shown} was edited, or is damaged: it does not hold what its line {DIGEST!r} was "
            "made of; if the edit is wanted, delete that line"
        )

    def __str__(self) -> str:
        header = ("column", "kind", "missing", "distinct", "example", "becomes")
        lines = [_line(column) for column in self.columns]
        if len(lines) > _SHOWN_COLUMNS:
            half = _SHOWN_COLUMNS // 2
            lines = [*lines[:half], self._between(half, len(lines) - half), *lines[-half:]]
        if self.target is not None:
            lines.append(_target_line(self.target))
        rows = [header, *lines]
        widths = [max(len(row[place]) for row in rows) for place in range(len(header))]
        return "\n".join(_aligned(row, widths) for row in rows)

    def _between(self, start: int, stop: int) -> tuple[str, ...]:
        """The line that stands for columns that are not shown."""
        kinds = [column.kind for column in self.columns[start:stop]]
        counts = ", ".join(f"{kinds.count(kind)} {kind}" for kind in KINDS if kind in kinds)
        return f"... {stop - start} more: {counts}", "", "", "", "", ""


def target_from(description: Mapping[str, Any]) -> Target:
    """Return the target that ``dataclasses.asdict`` has described."""
    return Target(**{**description, "classes": tuple(description["classes"])})


def _line(column: ColumnSchema) -> tuple[str, ...]:
    becomes = f"{column.becomes} ({column.reason})" if column.reason else column.becomes
    if not column.is_used:
        becomes = column.reason
    counts = str(column.missing), str(column.distinct)
    return _short(column.name), column.kind, *counts, _short(column.example), becomes


def _target_line(target: Target) -> tuple[str, ...]:
    becomes = "what is predicted, a number"
    if target.classes:
        shown = ", ".join(target.classes[:5]) + (", ..." if len(target.classes) > 5 else "")
        becomes = f"what is predicted, one of {len(target.classes)} classes: {shown}"
    counts = str(target.missing), str(target.distinct)
    return _short(target.name), "target", *counts, _short(target.example), becomes


def _aligned(row: tuple[str, ...], widths: list[int]) -> str:
    cells = [
        cell.rjust(width) if place in (2, 3) else cell.ljust(width)
        for place, (cell, width) in enumerate(zip(row, widths, strict=True))
    ]
    return "  ".join(cells).rstrip()


def _short(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= _WIDEST else f"{text[: _WIDEST - 3]}..."
