"""What the columns of a table hold, and what is predicted: found out, and told."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from ..common.checks import check_text, check_texts
from .cells import column_of
from .column_schema import ColumnSchema
from .columns import parts_of
from .far_numbers import notes_on_far_numbers
from .kinds import understood
from .leaks import notes_on_leaks
from .looks import Look, decimal_sign, look_at
from .notes import Note, tell
from .schema import Schema
from .target_rows import TargetRows, find_target
from .wishes import LIMIT, Wishes

if TYPE_CHECKING:
    from ..kernels.typing import Array
    from .table import Table

_SHOWN = 5
_CONSTANT = "the same in all rows"

__all__ = ["LIMIT", "Understanding", "Wishes", "infer", "infer_schema", "understand"]


@dataclass(frozen=True, eq=False)
class Understanding:
    """A table, understood.

    Attributes
    ----------
    schema : Schema
        With the notes on all of it.
    cells : dict from str to ndarray, shape (n,)
        The values of the columns that are used, of all rows.
    target : TargetRows or None
    """

    schema: Schema
    cells: dict[str, Array]
    target: TargetRows | None


def infer_schema(
    frame: Any,
    target: str | None = None,
    numeric: Iterable[str] = (),
    categorical: Iterable[str] = (),
    dates: Iterable[str] = (),
    drop: Iterable[str] = (),
    keep: Iterable[str] = (),
    *,
    task: str | None = None,
    join_case: Iterable[str] = (),
) -> Schema:
    """Find out what the columns of a table hold, and warn of what a person would want to know.

    Parameters
    ----------
    frame : Table, pandas.DataFrame, polars.DataFrame, pyarrow.Table, dict, list of dicts, ndarray
        What `fastmlp.read_table` returns, or any data frame.
    target : str, optional
        The column that is to be predicted.
    numeric, categorical, dates : iterable of str
        Columns of these kinds, whatever they look like.
    drop : iterable of str
        Columns to leave out.
    keep : iterable of str
        Columns not to leave out, though they seem to name the rows.
    task : str, optional
        ``"classification"`` or ``"regression"``.
    join_case : iterable of str
        Columns whose texts are the same where they differ by case alone.

    Returns
    -------
    Schema
        It prints as a line per column.

    Raises
    ------
    ValueError
        A name is not that of a column; the target cannot be learned.

    Warns
    -----
    TableWarning
        For each thing that was decided, with the argument that decides otherwise.
    """
    # Schemas are read where there is no Arrow.
    from .table import Table

    if target is not None:
        check_text("target", target)
    wishes = Wishes(
        *(_names("numeric", numeric), _names("categorical", categorical), _names("dates", dates)),
        *(_names("drop", drop), _names("keep", keep)),
        join_case=_names("join_case", join_case),
    )
    schema = infer(Table.of(frame), target=target, task=task, wishes=wishes)
    tell(schema.notes)
    return schema


def infer(
    table: Table,
    *,
    target: str | None = None,
    task: str | None = None,
    wishes: Wishes | None = None,
) -> Schema:
    """Return the schema of a table, as `understand` finds it."""
    return understand(table, target=target, task=task, wishes=wishes).schema


def understand(
    table: Table,
    *,
    target: str | None = None,
    task: str | None = None,
    wishes: Wishes | None = None,
) -> Understanding:
    """Find out what the columns of a table hold, and read them.

    Parameters
    ----------
    table : Table
    target : str, optional
        The column that is to be predicted.
    task : str, optional
        ``"classification"`` or ``"regression"``.
    wishes : Wishes, optional

    Raises
    ------
    ValueError
        As `infer_schema`.
    """
    wishes = wishes or Wishes()
    table = table.with_columns([name for name in wishes.keep if name in table.set_aside])
    wishes.check(table.columns, target)
    found = None
    decimal = _decimal(table)
    if target is not None:
        joins = target in wishes.join_case
        found = find_target(table, target, task, join_case=joins, decimal=decimal)
    fixed, looks = _looks(table, target, wishes, decimal)
    schema = _schema(fixed, looks, wishes, decimal, list(table.columns))
    seen = {name: look.column for name, look in looks.items()}
    cells, bad = schema.read_columns(table, seen)
    columns = tuple(_counted(column, cells) for column in schema.columns)
    told = () if found is None else found.notes
    of_target = [note for note in told if _is_on_commas(note)]
    notes = (*_merged([*schema.notes, *of_target]), *bad, *_note_of_constants(columns))
    schema = Schema(columns)
    cells = {column.name: cells[column.name] for column in schema.used}
    notes += tuple(notes_on_far_numbers(table, schema, cells))
    if found is not None:
        others = [note for note in told if note not in of_target]
        notes = (*others, *notes, *notes_on_leaks(table, schema, cells, found, wishes.group))
    schema = replace(schema, target=None if found is None else found.target, notes=notes)
    return Understanding(schema, cells, found)


def _looks(
    table: Table, target: str | None, wishes: Wishes, decimal: str | None
) -> tuple[dict[str, ColumnSchema], dict[str, Look]]:
    """The columns that are not learned from, and what the others could be."""
    fixed, looks = {}, {}
    for name in table.columns:
        if name == target:
            continue
        reason = _why_not_learned(name, wishes)
        if reason:
            fixed[name] = ColumnSchema(name, "left out", reason=reason)
        else:
            looks[name] = look_at(name, column_of(table, name), wishes.of(name), decimal)
    return fixed, looks


def _schema(
    fixed: Mapping[str, ColumnSchema],
    looks: Mapping[str, Look],
    wishes: Wishes,
    decimal: str | None,
    order: list[str],
) -> Schema:
    """The schema of all columns but the target."""
    sign, days = _signs(looks.values(), decimal), _order(looks.values())
    columns, notes = [], []
    for name in order:
        if name in fixed:
            columns.append(fixed[name])
        elif name in looks:
            joins = name in wishes.join_case
            column, told = understood(looks[name], sign, days, wishes.limit, joins)
            columns.append(column)
            notes += told
    if not any(column.is_used for column in columns):
        return _with_numbers(columns, notes, looks)
    return Schema(tuple(columns), None, tuple(notes))


def _with_numbers(
    columns: list[ColumnSchema], notes: list[Note], looks: Mapping[str, Look]
) -> Schema:
    """Take back running numbers where nothing else is left to learn from."""
    back = {
        c.name for c in columns if c.distinct and c.name in looks and looks[c.name].kind == "number"
    }
    found = [
        replace(column, kind="number", reason="") if column.name in back else column
        for column in columns
    ]
    told = [note for note in notes if note.column not in back]
    return Schema(tuple(found), None, tuple(told))


def _why_not_learned(name: str, wishes: Wishes) -> str:
    if name in wishes.drop:
        return "dropped on request"
    if name in wishes.ids:
        return "an ID, only carried along"
    return "names the groups" if name == wishes.group else ""


def _decimal(table: Table) -> str | None:
    """The sign of decimals as far as the user has said it."""
    if table.decimal is not None or table.thousands not in (".", ","):
        return table.decimal
    return "," if table.thousands == "." else "."


def _signs(looks: Iterable[Look], decimal: str | None) -> str:
    """The sign of decimals that the columns of a table have in common; empty if none tells."""
    if decimal is not None:
        return decimal
    signs = [decimal_sign(look) for look in looks]
    return max((",", "."), key=signs.count) if any(signs) else ""


def _order(looks: Iterable[Look]) -> str:
    orders = [look.dates.decided for look in looks if look.dates]
    return next((order for order in orders if order), "")


def _merged(notes: Iterable[Note]) -> list[Note]:
    """The notes, with those on decimal commas as one for the whole table."""
    found = list(notes)
    commas = list(filter(_is_on_commas, found))
    if len(commas) < 2:
        return found
    names = ", ".join(repr(note.column) for note in commas[1:_SHOWN])
    more = f" and {len(commas) - _SHOWN} more" if len(commas) > _SHOWN else ""
    text = f"{commas[0].text}; so are those of {names}{more}"
    one = replace(commas[0], text=text, count=len(commas))
    return [one if note is commas[0] else note for note in found if note not in commas[1:]]


def _is_on_commas(note: Note) -> bool:
    return note.option == "decimal" and note.value == "."


def _note_of_constants(columns: Iterable[ColumnSchema]) -> list[Note]:
    names = [column.name for column in columns if column.reason == _CONSTANT]
    if not names:
        return []
    shown = ", ".join(map(repr, names[:_SHOWN]))
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    what = "the column" if len(names) == 1 else "the columns"
    verb = "has" if len(names) == 1 else "have"
    text = f"{what} {shown}{more} {verb} the same in all rows, and {verb} no say"
    return [Note(text, column=names[0], count=len(names))]


def _counted(column: ColumnSchema, cells: Mapping[str, Array]) -> ColumnSchema:
    """The column with the number of its missing cells, and what becomes of it in words."""
    if not column.is_used:
        return column
    values = cells[column.name]
    if _is_constant(values):
        return replace(column, kind="left out", reason=_CONSTANT)
    if column.kind == "category":
        missing = int(np.count_nonzero(values == ""))
        n = column.distinct
        words = f"a 1 for each of {n} categories"
        if n > column.limit:
            words = f"a 1 for each of the {column.limit - 1} most frequent, and for all others"
        words += ", and for missing ones" if missing else ""
        return replace(column, missing=missing, becomes=words)
    is_missing = np.isnan(values)
    missing = int(np.count_nonzero(is_missing))
    words = {"number": "a scaled number", "yes/no": f"0 and 1 ({', '.join(column.words)})"}.get(
        column.kind, ""
    )
    if column.kind == "number" and column.unit:
        words = f"a scaled number ({column.unit})"
    if column.kind == "date":
        parts = parts_of(values[~is_missing], column.clock) or ("elapsed",)
        names = {"elapsed": "time of day" if column.clock else "days"}
        words = ", ".join(names.get(part, f"{part} as sine and cosine") for part in parts)
    words += "; missing ones as the median, and a 1" if missing else ""
    return replace(column, missing=missing, becomes=words)


def _is_constant(values: Array) -> bool:
    if values.dtype == object:
        return bool((values == values[0]).all())
    # A number and missing ones still tell which is which.
    return not np.isnan(values[0]) and bool((values == values[0]).all())


def _names(option: str, names: Iterable[str]) -> tuple[str, ...]:
    if isinstance(names, str):
        raise TypeError(f"{option} must be a list of columns, got {names!r}; use [{names!r}]")
    return check_texts(option, names)
