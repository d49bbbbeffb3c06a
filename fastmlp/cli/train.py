"""``fastmlp train``: from the options to a trained network and its files."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Any

import numpy as np

from ..common.checks import unknown_name
from ..data.features import counted
from ..errors import missing_extra
from ..model.sequential import Sequential
from ..runners.compile_notice import told_of_compiling
from ..tables.preparation import Preparation, fit
from ..training.callbacks import Callback, EarlyStopping, LambdaCallback, ProgressBar
from . import data as cli_data
from .network import hidden_layers, optimizer_of, output_of
from .options_train import TRAIN
from .plots import draw_confusion, draw_predictions, draw_response
from .report import (
    Predictions,
    metrics,
    numbers,
    predictions,
    print_confusion,
    print_metrics,
    to_json,
    write_columns,
    write_csv,
    write_json,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..kernels.typing import Array
    from ..tables.target import Target
    from .data import Source


def train(arguments: argparse.Namespace) -> None:
    """Train, test, and write the model and its results."""
    _require_packages()
    # A misspelled name is told before a long load of data.
    hidden, optimizer = hidden_layers(arguments), optimizer_of(arguments)
    source = cli_data.load(arguments)
    arguments.task = source.target.task
    wanted = _wanted_columns(arguments.wanted_features, list(source.columns))
    rows = _split(source, arguments)
    layer, loss, target = output_of(arguments, source, rows["training"])
    preparation = fit(source.schema, source.columns, rows["training"], target)
    parts = {name: _part(source, preparation, arguments.dtype, some) for name, some in rows.items()}
    files = _Files(arguments.output_dir, arguments.extension_name)
    model = Sequential(
        [*hidden, layer],
        loss=loss,
        optimizer=optimizer,
        **TRAIN.passed(arguments, "model"),
    )
    preparation.attach(model)

    print(_in_words(source, preparation, parts), flush=True)
    seconds, stopping = _fit(model, target, parts, arguments)
    found = {name: predictions(model, target, part.X) for name, part in parts.items()}
    measured = {
        name: metrics(model, target, part.X, part.y, found[name]) for name, part in parts.items()
    }
    timing = {
        "fit_seconds": seconds,
        "epochs_seconds": sum(model.history["seconds"]),
        "test_prediction_seconds": _prediction_seconds(model, parts["test"].X),
    }
    model.save(files.path("model.safetensors"))
    _write_tables(files, model, target, parts["test"], found["test"], measured, timing, arguments)
    _draw(files, model, target, parts["test"], found["test"], measured["test"])
    for place in wanted:
        name = list(source.columns)[place]
        values = source.columns[name][rows["training"]]
        path = files.path(f"response_feature{place}.png")
        draw_response(path, model, preparation, name, values, parts["training"].X)

    print(
        f"\n{counted(len(model.history), 'epoch')} in {timing['epochs_seconds']:.3g} s, "
        f"{seconds:.3g} s with all around them; {counted(len(parts['test'].y), 'row')} predicted "
        f"in {timing['test_prediction_seconds']:.2g} s"
    )
    if stopping is not None and stopping.best_epoch is not None:
        print(f"the weights are those of epoch {stopping.best_epoch + 1}, {_best(stopping)}")
    print()
    print_metrics(measured)
    if target.classes:
        print()
        print_confusion(measured["test"]["confusion_matrix"], target.classes)
    print("\nwritten:", *files.written, sep="\n  ")


def _require_packages() -> None:
    from importlib.util import find_spec

    for module, package in (
        ("matplotlib", "matplotlib"),
        ("sklearn", "scikit-learn"),
        ("tqdm", "tqdm"),
    ):
        if find_spec(module) is None:
            raise missing_extra(package, "cli")


@dataclass(frozen=True)
class _Part:
    """Rows for one purpose: training, validation or test."""

    X: Array
    y: Array
    rows: Array


def _part(source: Source, preparation: Preparation, dtype: str, rows: Array) -> _Part:
    columns = {name: source.columns[name][rows] for name in preparation.kinds}
    return _Part(preparation.matrix(columns, dtype), source.y[rows], source.rows[rows])


def _in_words(source: Source, preparation: Preparation, parts: Mapping[str, _Part]) -> str:
    classes, constant = preparation.target.classes, len(preparation.constant)
    kind = f"{len(classes)} classes" if classes else "regression"
    counts = [counted(len(part.y), f"{name} row") for name, part in parts.items()]
    line = ", ".join([counted(len(source.columns), "feature"), kind, *counts])
    if len(preparation.features) != len(source.columns):
        line += f"; the network reads {len(preparation.features)} numbers"
    if constant:
        names = ", ".join(preparation.constant[:5]) + (", ..." if constant > 5 else "")
        line += f"; without what is the same in all training rows: {names}"
    return f"{source.title}: {line}"


def _split(source: Source, arguments: argparse.Namespace) -> dict[str, Array]:
    """Return the places of the rows for each purpose."""
    from sklearn.model_selection import train_test_split

    if arguments.stratify and not source.target.classes:
        raise ValueError("--stratify is for classes; this is a regression")
    by_class = bool(source.target.classes) and arguments.stratify is not False

    def split(rows: Array, share: float) -> tuple[Array, Array]:
        labels = source.y[rows] if by_class else None
        try:
            first, second = train_test_split(
                rows, test_size=share, random_state=arguments.seed, stratify=labels
            )
        except ValueError as error:
            raise ValueError(f"{error}; take another share, or --no_stratify") from None
        return first, second

    training, test = split(np.arange(len(source.y)), arguments.test_size)
    parts = {"training": training, "test": test}
    if arguments.validation_size:
        training, validation = split(training, arguments.validation_size)
        parts = {"training": training, "validation": validation, "test": test}
    seen, classes = np.unique(source.y[training]), np.unique(source.y)
    if source.target.classes and len(seen) < len(classes):
        raise ValueError(
            f"no training row is of the class {np.setdiff1d(classes, seen)[0]}; leave out "
            "--no_stratify, or take a smaller --test_size or another --seed"
        )
    return parts


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


def _fit(
    model: Sequential, target: Target, parts: Mapping[str, _Part], arguments: argparse.Namespace
) -> tuple[float, EarlyStopping | None]:
    """Train the model; return the seconds it took, and the callback that may have stopped it."""
    # Without validation rows the test rows are watched, but nothing is chosen by them.
    watched = parts.get("validation", parts["test"])
    stopping = None
    if arguments.patience:
        monitor = "val_loss" if "validation" in parts else "loss"
        stopping = EarlyStopping(monitor=monitor, patience=arguments.patience)
    callbacks: list[Callback] = [] if stopping is None else [stopping]
    on_terminal = sys.stderr.isatty()
    if on_terminal:
        callbacks.append(ProgressBar())
    if arguments.show_loss:
        name = "validation" if "validation" in parts else "test"
        callbacks.append(LambdaCallback(on_epoch_end=_loss_printer(arguments.epochs, name)))
    if arguments.log is not None:
        callbacks.append(_Log(arguments.log))
    start = perf_counter()
    # Where the fit itself is silent, too.
    with told_of_compiling():
        model.fit(
            parts["training"].X,
            target.transform(parts["training"].y),
            **TRAIN.passed(arguments, "fit"),
            validation_data=(watched.X, target.transform(watched.y)),
            callbacks=callbacks,
            verbose=0 if on_terminal or arguments.show_loss else 1,
        )
    return perf_counter() - start, stopping


def _loss_printer(epochs: int, watched: str) -> Callable[[Any, int, dict[str, float]], None]:
    def show(model: Any, epoch: int, logs: dict[str, float]) -> None:
        from tqdm import tqdm

        if (epoch + 1) % 10 == 0:
            values = f"loss {logs['loss']:.4g}, {watched} loss {logs['val_loss']:.4g}"
            tqdm.write(f"epoch {epoch + 1}/{epochs}: {values}")

    return show


def _best(stopping: EarlyStopping) -> str:
    watched = "validation" if stopping.monitor == "val_loss" else "training"
    return f"with the lowest loss of the {watched} rows: {stopping.best:.4g}"


class _Log(Callback):
    """A callback that writes an object of JSON after each epoch, on a line of its own."""

    def __init__(self, path: str) -> None:
        # A folder that is not there is told before the first epoch.
        self._file = open(path, "w", encoding="utf-8")  # noqa: SIM115

    def on_epoch_end(self, model: Any, epoch: int, logs: dict[str, float]) -> None:
        line = {"epoch": epoch, **{name: float(value) for name, value in logs.items()}}
        print(json.dumps(to_json(line), allow_nan=False), file=self._file, flush=True)

    def on_fit_end(self, model: Any) -> None:
        self._file.close()


def _prediction_seconds(model: Sequential, X: Array) -> float:
    # Called after a prediction, for the first one of a process may compile.
    start = perf_counter()
    model.predict(X)
    return perf_counter() - start


class _Files:
    """The files of a run in its folder, remembered as they are named."""

    def __init__(self, folder: str, extension: str | None) -> None:
        self._folder = Path(folder)
        self._suffix = "" if extension is None else f"_{extension}"
        self._folder.mkdir(parents=True, exist_ok=True)
        self.written: list[Path] = []

    def path(self, name: str) -> Path:
        stem, ending = name.split(".")
        self.written.append(self._folder / f"{stem}{self._suffix}.{ending}")
        return self.written[-1]


def _write_tables(
    files: _Files,
    model: Sequential,
    target: Target,
    test: _Part,
    found: Predictions,
    measured: Mapping[str, Mapping[str, Any]],
    timing: Mapping[str, float],
    arguments: argparse.Namespace,
) -> None:
    settings = {option.name: getattr(arguments, option.name) for option in TRAIN.options}
    report = {**measured, "epochs": len(model.history), "timing": timing, "settings": settings}
    write_json(files.path("metrics.json"), report)
    columns = {name: numbers(values) for name, values in measured.items()}
    with open(files.path("metrics.csv"), "w", newline="", encoding="utf-8") as file:
        rows = ([name, *(column[name] for column in columns.values())] for name in columns["test"])
        write_csv(file, ["metric", *columns], rows)
    model.history.to_csv(files.path("history.csv"))
    with open(files.path("predictions.csv"), "w", newline="", encoding="utf-8") as file:
        write_columns(file, found.table(target, test.rows, test.y))


def _draw(
    files: _Files,
    model: Sequential,
    target: Target,
    test: _Part,
    found: Predictions,
    measured: Mapping[str, Any],
) -> None:
    model.history.plot(files.path("learning_curve.png"))
    if target.classes:
        draw_confusion(files.path("confusion_matrix.png"), measured["confusion_matrix"], target)
    else:
        draw_predictions(files.path("predictions.png"), test.y, found.values)
