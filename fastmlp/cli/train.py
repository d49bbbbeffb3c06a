"""``fastmlp train``: from the options to a trained network and its files."""

from __future__ import annotations

import argparse
from dataclasses import replace
from threading import Thread
from typing import TYPE_CHECKING

from ..common.checks import unknown_name
from ..data.features import counted
from ..errors import missing_extra
from ..tables.preparation import Preparation, fit
from ..tabular.deadline import Deadline
from . import data as cli_data
from .fitting import by_recipe, in_words, plan_described, plan_recipe
from .inputs import refuse, tell
from .network import hidden_layers, optimizer_of, scaled_target
from .outputs import Files
from .parts import cut, settle, unvalidated
from .plots import import_matplotlib
from .results import Results

if TYPE_CHECKING:
    from .data import Source


def train(arguments: argparse.Namespace) -> None:
    """Train, test, and write the model and its results."""
    deadline = Deadline(arguments.time_limit)
    _require_packages()
    inputs = (arguments.data, arguments.test_data, arguments.schema, arguments.config)
    files = Files(arguments.output_dir, arguments.extension_name, inputs, arguments.log)
    settle(arguments)
    # A misspelt name is told before a long load of data.
    is_recipe = by_recipe(arguments)
    hidden_layers(arguments)
    optimizer_of(arguments)
    source = cli_data.load(arguments)
    wanted = _wanted_columns(arguments.wanted_features, list(source.columns))
    arguments.task = source.target.task
    parts = cut(source, arguments, is_recipe)
    prepared = parts.training if arguments.preset is None else parts.prepared
    target = scaled_target(arguments, source.target, source.y[prepared])
    preparation = fit(source.schema, source.columns, prepared, target)
    X = preparation.matrix(source.columns, arguments.dtype)
    if is_recipe:
        names = tuple(source.columns)
        run = plan_recipe(X, source.y, names, preparation, parts, deadline, arguments)
    else:
        run = plan_described(X, source.y, preparation, parts, deadline, arguments)
    if arguments.strict:
        refuse(source.notes)
    source = replace(source, notes=(*source.notes, *unvalidated(parts, arguments)))
    if arguments.dataset is None:
        print(source.schema, end="\n\n", flush=True)
    tell(source.notes)
    print(_what(source, preparation), in_words(parts), sep=", ", flush=True)

    files.make_folder()
    # It takes longer to import than a small network to train.
    importing = Thread(target=import_matplotlib)
    importing.start()
    fitted = run()
    fitted.saved.save(files.path("model.safetensors"))
    importing.join()
    Results(source, parts, X, fitted, arguments).write(files, wanted)


def _require_packages() -> None:
    from importlib.util import find_spec

    for module in ("matplotlib", "tqdm"):
        if find_spec(module) is None:
            raise missing_extra(module, "cli")


def _what(source: Source, preparation: Preparation) -> str:
    classes, constant = preparation.target.classes, len(preparation.constant)
    line = counted(len(source.columns), "feature")
    if len(preparation.features) != len(source.columns):
        line += f" (the network reads {counted(len(preparation.features), 'number')})"
    if constant:
        names = ", ".join(preparation.constant[:5]) + (", ..." if constant > 5 else "")
        line += f" without what is the same in all training rows: {names}"
    return f"{source.title}: {line}, {f'{len(classes)} classes' if classes else 'regression'}"


def _wanted_columns(wanted: list[str] | None, names: list[str]) -> list[int]:
    if wanted is None:
        return list(range(min(2, len(names))))
    columns = []
    for word in wanted:
        if word in names:
            columns.append(names.index(word))
        elif word.isdecimal() and int(word) < len(names):
            columns.append(int(word))
        elif word.isdecimal():
            raise ValueError(f"there is no feature {word}: they are numbered 0 to {len(names) - 1}")
        else:
            raise unknown_name("feature", word, names)
    return columns
