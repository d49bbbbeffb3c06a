"""The columns and the target of a data set or of tables, from which ``fastmlp train`` learns."""

from __future__ import annotations

import argparse
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from .. import datasets
from ..common.checks import unknown_name
from ..data.features import counted
from ..tables.column_schema import ColumnSchema
from ..tables.infer import Understanding, Wishes, understand
from ..tables.notes import Note
from ..tables.schema import Schema
from ..tables.target import Target
from ..tables.target_rows import find_target, read_target
from .inputs import read_table, undecided
from .options_train import OF_A_TABLE

if TYPE_CHECKING:
    from ..kernels.typing import Array
    from ..tables.table import Table

_FEW = 5
# What a note is about that may explain a column that is not there.
_OF_LAYOUT = ("header", "separator")
# Options that name columns.
_OF_COLUMNS = ("numeric", "categorical", "dates", "drop", "keep", "join_case")


@dataclass(frozen=True)
class Source:
    """A table and its target.

    Attributes
    ----------
    title : str
        The data set's name, or the file's.
    columns : dict from str to ndarray, shape (n,)
        As `fastmlp.tables.preparation.fit` takes them.
    schema : Schema
        How they are understood.
    y : ndarray, shape (n,)
        Labels of a classification, float64 numbers of a regression.
    target : Target
        Not scaled yet.
    rows : ndarray of int, shape (n,)
        The number of each row in the data set or file, from 0.
    notes : tuple of Note
        What was found out.
    groups : ndarray of str, shape (n,), optional
        The name of each row's group.
    ids : dict from str to ndarray, shape (n,)
        Columns that are carried into predictions.
    is_test : ndarray of bool, shape (n,), optional
        Which rows come from a table for the test alone.
    """

    title: str
    columns: dict[str, Array]
    schema: Schema
    y: Array
    target: Target
    rows: Array
    notes: tuple[Note, ...] = ()
    groups: Array | None = None
    ids: dict[str, Array] = field(default_factory=dict)
    is_test: Array | None = None


def load(arguments: argparse.Namespace) -> Source:
    """Read what the options ``--dataset`` or ``--data`` and its companions name.

    Raises
    ------
    ValueError
        An option does not fit another one or the data.
    """
    if arguments.dataset is None:
        if arguments.target is None:
            raise ValueError("--data needs --target, the name of the column to predict")
        return _from_tables(arguments)
    for option in OF_A_TABLE:
        if option.is_given(arguments):
            raise ValueError(f"--{option.name} is for --data; a data set has a target of its own")
    return _from_dataset(arguments.dataset, arguments.task)


def carried(names: list[str], table: Table, rows: Array | None = None) -> dict[str, Array]:
    """Return columns of a table as they are written.

    Raises
    ------
    ValueError
        There is no such column.
    """
    found = {}
    for name in names:
        if name not in table:
            raise unknown_name("column", name, table.columns)
        values: Array = table[name]
        found[name] = values if rows is None else values[rows]
    return found


def _from_dataset(name: str, task: str | None) -> Source:
    data = datasets.load(name)
    if task == "classification" and data.task == "regression":
        raise ValueError(f"the target of {name} is a number, not a class; use --task regression")
    y, classes = data.y, data.target_names
    if (task or data.task) == "regression":
        y, classes = y.astype(np.float64), ()
    kind = "number" if data.y.dtype.kind in "iuf" else "category"
    columns = {name: data.X[:, place] for place, name in enumerate(data.feature_names)}
    schema = Schema(tuple(ColumnSchema(name, "number") for name in columns))
    return Source(
        *(name, columns, schema, y),
        Target("target", kind, classes),
        np.arange(len(y)),
    )


def _from_tables(arguments: argparse.Namespace) -> Source:
    path, name = arguments.data, arguments.target
    _check_test_options(arguments)
    table = read_table(path, arguments)
    said: dict[str, Any] = {name: tuple(getattr(arguments, name)) for name in _OF_COLUMNS}
    wishes = Wishes(**said, ids=tuple(arguments.id), group=arguments.group)
    try:
        if arguments.schema is None:
            found = understand(table, target=name, task=arguments.task, wishes=wishes)
        else:
            found = _by_schema(arguments, table)
    except ValueError as error:
        doubts = [note.in_shell() for note in table.notes if note.option in _OF_LAYOUT]
        raise ValueError("; ".join([str(error), *doubts])) from error
    assert found.target is not None
    if not found.schema.used:
        reasons = [f"{column.name!r} ({column.reason})" for column in found.schema.columns[:_FEW]]
        why = f", there is nothing to learn from: {', '.join(reasons)}" if reasons else ""
        raise ValueError(f"{path} has no column besides the target that is not left out{why}")
    rows = found.target.rows
    source = Source(
        title=path,
        columns={name: values[rows] for name, values in found.cells.items()},
        schema=found.schema,
        y=found.target.y,
        target=found.target.target,
        rows=rows,
        notes=undecided((*table.notes, *found.schema.notes), arguments),
        groups=_groups(arguments, table, rows),
        ids=carried(arguments.id, table, rows),
    )
    if arguments.test_data is None:
        return source
    test = read_table(arguments.test_data, arguments)
    try:
        return _with_test(source, test, arguments)
    except ValueError as error:
        raise ValueError(f"{arguments.test_data}: {error}") from error


def _check_test_options(arguments: argparse.Namespace) -> None:
    given = arguments.given
    if arguments.test_data is not None and "test_size" in given:
        raise ValueError("--test-data says which rows are the test; leave out --test_size")
    if arguments.data == "-" == arguments.test_data:
        raise ValueError("--data and --test-data cannot both be - (standard input)")
    for other in ("group", "test_last"):
        if arguments.stratify and getattr(arguments, other):
            raise ValueError(f"--stratify and --{other} say two things of how rows are drawn")


def _by_schema(arguments: argparse.Namespace, table: Table) -> Understanding:
    """Read a table by a schema that was written before."""
    for option in _OF_COLUMNS:
        if getattr(arguments, option):
            raise ValueError(f"--schema says what --{option} would; edit the file in its place")
    schema, name = Schema.from_json(arguments.schema), arguments.target
    cells, notes = schema.read(table)
    known = schema.target
    if known is not None and known.name == name and arguments.task in (None, known.task):
        # New tables may have other classes.
        known = find_target(table, name, known.task, join_case=known.join_case).target
        target = read_target(known, table)
    else:
        target = find_target(table, name, arguments.task)
    used = tuple(
        replace(column, kind="left out", reason="named on the command line")
        if column.name in (name, arguments.group, *arguments.id)
        else column
        for column in schema.columns
    )
    schema = Schema(used, target.target, (*notes, *target.notes))
    return Understanding(schema, {c.name: cells[c.name] for c in schema.used}, target)


def _groups(arguments: argparse.Namespace, table: Table, rows: Array) -> Array | None:
    """The name of each row's group; cells without one are a group of their own."""
    if arguments.group is None:
        return None
    cells = carried([arguments.group], table, rows)[arguments.group]
    return np.array(["" if cell is None else str(cell) for cell in cells], np.str_)


def _shared(name: str, groups: Array, others: Array) -> tuple[Note, ...]:
    """A note where the table for the test has groups of the other one."""
    shared = np.intersect1d(groups, others)
    if not len(shared):
        return ()
    text = (
        f"{counted(len(shared), 'group')} of the column {name!r}, such as {str(shared[0])!r}, are "
        "in --data and in --test-data: the test is not of unseen groups"
    )
    return (Note(text, column=name, count=len(shared)),)


def _with_test(source: Source, test: Table, arguments: argparse.Namespace) -> Source:
    """Put the rows of a table for the test behind those of the other one."""
    found = read_target(source.target, test)
    taken = test.take(found.rows)
    cells, notes = source.schema.read(taken)
    ids, groups = carried(arguments.id, taken), source.groups
    if groups is not None:
        # The test is a part of its own, whatever its groups are.
        others = _groups(arguments, test, found.rows) if arguments.group in test else None
        if others is not None:
            notes = (*notes, *_shared(arguments.group, groups, others))
        groups = np.append(groups, np.repeat("", len(found.y)))

    def joined(first: dict[str, Array], second: dict[str, Array]) -> dict[str, Any]:
        return {name: np.concatenate([values, second[name]]) for name, values in first.items()}

    return replace(
        source,
        columns=joined(source.columns, cells),
        y=np.concatenate([source.y, found.y]),
        rows=np.concatenate([source.rows, found.rows]),
        notes=(*source.notes, *undecided((*test.notes, *found.notes, *notes), arguments)),
        groups=groups,
        ids=joined(source.ids, ids),
        is_test=np.repeat([False, True], [len(source.y), len(found.y)]),
    )
