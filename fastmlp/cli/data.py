"""The columns and the target of a data set or a CSV file, from which ``fastmlp train`` learns."""

from __future__ import annotations

import argparse
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from .. import datasets
from ..common.checks import unknown_name
from ..data.features import counted
from ..tables import reading as tables
from ..tables.preparation import Target
from .options_train import OF_A_TABLE

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ..kernels.typing import Array

_FEW = 20


@dataclass(frozen=True)
class Source:
    """A table and its target.

    Attributes
    ----------
    title : str
        The data set's name, or the file's.
    columns, kinds : dict
        As `fastmlp.tables.preparation.fit` takes them.
    y : ndarray, shape (n,)
        Labels of a classification, float64 numbers of a regression.
    target : Target
        Not scaled yet.
    rows : ndarray of int, shape (n,)
        The number of each row in the data set or file, from 0.
    """

    title: str
    columns: dict[str, Array]
    kinds: dict[str, str]
    y: Array
    target: Target
    rows: Array


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


def read_target(target: Target, frame: Any) -> tuple[Any, Array]:
    """Return the rows of a table that have a target, and the labels or numbers there.

    Raises
    ------
    ValueError
        There is no such column, no row has a target, or one is of another kind.
    """
    if target.name not in frame:
        raise ValueError(
            f"the table has no column {target.name!r}, the target of the model; it has "
            f"{', '.join(frame)}"
        )
    frame = _with_target(frame, target.name)
    return frame, target.labels(tables.values_of(frame[target.name], target.kind))


def read_columns(kinds: dict[str, str], frame: Any) -> dict[str, Array]:
    """Return the values of the columns of a table whose kinds are known.

    Raises
    ------
    ValueError
        A column is missing, or a cell is of another kind.
    """
    missing = [repr(name) for name in kinds if name not in frame]
    if missing:
        raise ValueError(
            f"the table lacks {counted(len(missing), 'column')} of those that the model reads: "
            f"{', '.join(missing)}; it has {', '.join(frame)}"
        )
    return {name: tables.values_of(frame[name], kind) for name, kind in kinds.items()}


def _from_dataset(name: str, task: str | None) -> Source:
    data = datasets.load(name)
    if task == "classification" and data.task == "regression":
        raise ValueError(f"the target of {name} is a number, not a class; use --task regression")
    y, classes = data.y, data.target_names
    if (task or data.task) == "regression":
        y, classes = y.astype(np.float64), ()
    kind = "number" if data.y.dtype.kind in "iuf" else "category"
    columns = {name: data.X[:, place] for place, name in enumerate(data.feature_names)}
    return Source(
        *(name, columns, dict.fromkeys(columns, "number"), y),
        Target("target", kind, classes),
        np.arange(len(y)),
    )


def _from_csv(path: str, name: str, drop: Iterable[str], task: str | None) -> Source:
    frame = tables.read(path)
    _column(frame, name)
    for column in drop:
        _column(frame, column)
        if column == name:
            raise ValueError(f"the target {name!r} is among the columns of --drop")
    target = _target(_with_target(frame, name)[name], task)
    frame, y = read_target(target, frame)
    columns = [column for column in frame if column != name and column not in set(drop)]
    if not columns:
        raise ValueError(f"{path} has no column besides the target that is not dropped")
    kinds = {column: tables.kind_of(frame[column]) for column in columns}
    return Source(path, read_columns(kinds, frame), kinds, y, target, frame.index.to_numpy())


def _target(text: Any, task: str | None) -> Target:
    """Decide from the cells of the target whether classes or numbers are learned."""
    name, kind = text.name, tables.kind_of(text)
    different, whole = np.empty(0), True
    if kind == "number":
        different = np.unique(tables.values_of(text, kind))
        whole = bool((different == np.floor(different)).all())
    elif kind == "date":
        kind = "category"
    if task is None:
        task = "classification" if whole and len(different) <= _FEW else "regression"
    if task == "classification":
        return _classes(text, Target(name, kind, ("",)))
    if kind == "category":
        raise ValueError(
            f"the target {name!r} is text, such as {text.iloc[0]!r}, not a number; use "
            "--task classification"
        )
    return Target(name, kind)


def _classes(text: Any, target: Target) -> Target:
    """Return the target with the names of its classes."""
    name, hint = target.name, ""
    if target.kind == "number":
        hint = "; use --task regression where it is a number, not a class"
    try:
        labels = target.labels(tables.values_of(text, target.kind))
    except ValueError as error:
        raise ValueError(f"{error}{hint}") from error
    classes, counts = np.unique(labels, return_counts=True)
    if len(classes) < 2:
        raise ValueError(f"the target {name!r} is {classes[0]} in every row")
    if counts.min() < 2:
        raise ValueError(
            f"the target {name!r} has {len(classes)} classes, of which {classes[counts.argmin()]} "
            f"is in one row only; each must be in two or more{hint}"
        )
    return replace(target, classes=tuple(map(str, classes)))


def _with_target(frame: Any, name: str) -> Any:
    frame = frame[_column(frame, name).notna()]
    if not len(frame):
        raise ValueError(f"the target {name!r} is missing in every row")
    return frame


def _column(frame: Any, name: str) -> Any:
    if name not in frame:
        raise unknown_name("column", name, frame)
    return frame[name]
