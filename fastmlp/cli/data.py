"""The columns and the target of a data set or a CSV file, from which ``fastmlp train`` learns."""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from .. import datasets
from ..tables.column_schema import ColumnSchema
from ..tables.infer import Wishes, understand
from ..tables.notes import Note
from ..tables.reader import read
from ..tables.schema import Schema
from ..tables.target import Target
from .options_train import OF_A_TABLE

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ..kernels.typing import Array


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
    """

    title: str
    columns: dict[str, Array]
    schema: Schema
    y: Array
    target: Target
    rows: Array
    notes: tuple[Note, ...] = ()


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
        return _from_csv(arguments.data, arguments.target, arguments.drop, arguments.task)
    for option in OF_A_TABLE:
        if getattr(arguments, option.name):
            raise ValueError(f"--{option.name} is for --data; a data set has a target of its own")
    return _from_dataset(arguments.dataset, arguments.task)


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


def _from_csv(path: str, name: str, drop: Iterable[str], task: str | None) -> Source:
    table = read(path)
    found = understand(table, target=name, task=task, wishes=Wishes(drop=tuple(drop)))
    assert found.target is not None
    rows = found.target.rows
    if not found.schema.columns:
        raise ValueError(f"{path} has no column besides the target that is not dropped")
    return Source(
        *(path, {name: values[rows] for name, values in found.cells.items()}, found.schema),
        *(found.target.y, found.target.target, rows),
        (*table.notes, *found.schema.notes),
    )
