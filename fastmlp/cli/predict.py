"""``fastmlp predict`` and ``fastmlp evaluate``: use a model's file on a table."""

from __future__ import annotations

import argparse
import sys

import numpy as np

from ..common.atomic_file import atomic_text
from ..data.features import counted
from ..tables.target_rows import read_target
from ..tabular.model import TableModel
from ..tabular.outputs import predictions
from .data import carried
from .inputs import check_folder, check_outputs, read_table, tell, undecided
from .report import (
    metrics,
    numbers,
    print_confusion,
    print_metrics,
    undefined,
    write_columns,
    write_json,
)


def predict(arguments: argparse.Namespace) -> None:
    """Write a model's predictions for the rows of a table."""
    check_outputs([arguments.data, arguments.model], [arguments.output])
    check_folder(arguments.output)
    model = _load(arguments)
    preparation = model.preparation
    table = read_table(arguments.data, arguments)
    cells, notes = preparation.read(table)
    tell(undecided((*table.notes, *notes), arguments), arguments.strict)
    found = predictions(model, preparation.target, preparation.matrix(cells, model.dtype))
    ids = carried(arguments.id, table)
    columns = found.table(preparation.target, np.arange(len(table)), ids=ids)
    if arguments.output is None:
        write_columns(sys.stdout, columns)
        return
    with atomic_text(arguments.output, "csv") as file:
        write_columns(file, columns)


def evaluate(arguments: argparse.Namespace) -> None:
    """Print how good a model's predictions are for the rows of a table."""
    check_outputs([arguments.data, arguments.model], [arguments.output])
    check_folder(arguments.output)
    model = _load(arguments)
    preparation = model.preparation
    target = preparation.target
    table = read_table(arguments.data, arguments)
    found = read_target(target, table)
    y = found.y
    cells, notes = preparation.read(table.take(found.rows))
    tell(undecided((*table.notes, *found.notes, *notes), arguments), arguments.strict)
    X = preparation.matrix(cells, model.dtype)
    loss = model.loss(X, target.transform(y))
    measured = metrics(target, model.classes, y, predictions(model, target, X), loss)
    print(f"{arguments.data}: {counted(len(y), 'row')} with a target\n")
    print_metrics({"value": numbers(measured)})
    why = undefined(measured, target, model.classes, y)
    if why:
        print(f"\n{why}")
    if target.classes:
        print_confusion(measured["confusion_matrix"], target.classes)
    if arguments.output is not None:
        write_json(arguments.output, measured)


def _load(arguments: argparse.Namespace) -> TableModel:
    model = TableModel.read(arguments.model, **arguments.command.passed(arguments, "model"))
    if not isinstance(model, TableModel):
        raise ValueError(
            f"{arguments.model} says nothing of the table that it was trained on, for it is not "
            "from fastmlp train; use it from Python: fastmlp.load(path).predict(X)"
        )
    return model
