"""``fastmlp predict`` and ``fastmlp evaluate``: use a model's file on a table."""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING

import numpy as np

from ..data.features import counted
from ..model.file import load
from ..tables.preparation import Preparation
from ..tables.reader import read
from ..tables.target_rows import read_target
from .report import metrics, predictions, print_confusion, print_metrics, write_columns, write_json

if TYPE_CHECKING:
    from ..model.sequential import Sequential


def predict(arguments: argparse.Namespace) -> None:
    """Write a model's predictions for the rows of a table."""
    model, preparation = _load(arguments)
    table = read(arguments.data)
    X = preparation.matrix(preparation.read(table)[0], model.dtype)
    found = predictions(model, preparation.target, X)
    columns = found.table(preparation.target, np.arange(len(table)))
    if arguments.output is None:
        write_columns(sys.stdout, columns)
        return
    with open(arguments.output, "w", newline="", encoding="utf-8") as file:
        write_columns(file, columns)


def evaluate(arguments: argparse.Namespace) -> None:
    """Print how good a model's predictions are for the rows of a table."""
    model, preparation = _load(arguments)
    target = preparation.target
    table = read(arguments.data)
    found = read_target(target, table)
    y = found.y
    X = preparation.matrix(preparation.read(table.take(found.rows))[0], model.dtype)
    measured = metrics(model, target, X, y, predictions(model, target, X))
    print(f"{arguments.data}: {counted(len(y), 'row')} with a target\n")
    print_metrics({"value": measured})
    if target.classes:
        print()
        print_confusion(measured["confusion_matrix"], target.classes)
    if arguments.output is not None:
        write_json(arguments.output, measured)


def _load(arguments: argparse.Namespace) -> tuple[Sequential, Preparation]:
    model = load(arguments.model, **arguments.command.passed(arguments, "model"))
    preparation = Preparation.of(model)
    if preparation is None:
        raise ValueError(
            f"{arguments.model} says nothing of the table that it was trained on, for it is not "
            "from fastmlp train; use it from Python: fastmlp.load(path).predict(X)"
        )
    return model, preparation
