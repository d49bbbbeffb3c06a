"""What a trained network says of its rows: measured, printed, written and drawn."""

from __future__ import annotations

import argparse
from dataclasses import replace
from time import perf_counter
from typing import TYPE_CHECKING, Any

import numpy as np

from ..common.atomic_file import atomic_text
from ..data.features import counted
from ..tables.baselines import Linear, fit_linear, frequencies
from ..tabular.outputs import of_outputs, predictions
from .fitting import Fitted
from .options_train import TRAIN
from .outputs import Files
from .plots import draw_confusion, draw_learning_curves, draw_predictions, draw_response
from .report import (
    brief,
    metrics,
    numbers,
    print_confusion,
    print_metrics,
    undefined,
    write_columns,
    write_csv,
    write_json,
)
from .verdict import verdict

if TYPE_CHECKING:
    from ..kernels.typing import Array
    from ..tabular.outputs import Predictions
    from .data import Source
    from .parts import Parts

# Of more rows, or numbers in them, a linear model changes next to nothing.
_MOST_ROWS, _MOST_NUMBERS = 100_000, 15_000_000


class Results:
    """What a trained network says of its rows, measured, printed, written and drawn."""

    def __init__(
        self,
        source: Source,
        parts: Parts,
        X: Array,
        fitted: Fitted,
        arguments: argparse.Namespace,
    ) -> None:
        self._source, self._target = source, fitted.model.preparation.target
        self._parts, self._X, self._fitted, self._arguments = parts, X, fitted, arguments
        self._labels = fitted.model.classes
        start = perf_counter()
        # Once before, for the first prediction of a process may compile.
        fitted.model.predict(X[parts.test])
        start = perf_counter()
        self._test = predictions(fitted.model, self._target, X[parts.test])
        self._seconds = perf_counter() - start
        self._measured = self._measure()
        self._baselines = self._measure_baselines()

    def write(self, files: Files, wanted: list[int]) -> None:
        """Print the results, then write and draw them."""
        self._print()
        self._write_tables(files)
        self._draw(files, wanted)
        print("\nwritten:", *files.written, sep="\n  ")

    def _measure(self) -> dict[str, dict[str, Any]]:
        fitted, parts, y = self._fitted, self._parts, self._source.y
        found = {}
        rows = parts.training
        of_training = predictions(fitted.model, self._target, self._X[rows])
        found["training"] = self._metrics(rows, of_training)
        if fitted.validation is not None:
            held_rows, outputs = fitted.validation
            of_held = of_outputs(self._target, self._labels, outputs)
            found["validation"] = self._metrics(held_rows, of_held, unseen=True)
        found["test"] = metrics(
            self._target, self._labels, y[parts.test], self._test, self._loss(parts.test)
        )
        return found

    def _metrics(self, rows: Array, found: Predictions, unseen: bool = False) -> dict[str, Any]:
        # Networks of other folds have said what is measured here.
        crossed = unseen and len(self._parts.folds) > 1
        loss = None if crossed else self._loss(rows)
        return metrics(self._target, self._labels, self._source.y[rows], found, loss)

    def _loss(self, rows: Array) -> float:
        learned = self._target.transform(self._source.y[rows])
        return float(self._fitted.model.loss(self._X[rows], learned))

    def _measure_baselines(self) -> dict[str, dict[str, Any]]:
        """Metrics of a constant answer and of a linear model, on the test rows."""
        target, test = self._target, self._parts.test
        X, y = self._X[self._parts.learned], self._source.y[self._parts.learned]
        n_classes = len(target.classes)
        codes = np.searchsorted(self._labels, y) if self._labels is not None and n_classes else None
        learned = target.transform(y) if codes is None else codes
        most = min(_MOST_ROWS, max(1, _MOST_NUMBERS // X.shape[1]))
        if len(X) > most:
            rows = np.random.default_rng(0).choice(len(X), most, replace=False)
            X, learned = X[rows], learned[rows]
        width = X.shape[1]
        if codes is not None:
            bias = np.log(frequencies(codes, n_classes))
            constant = Linear(np.zeros((width, n_classes)), bias, n_classes)
        else:
            constant = Linear(np.zeros((width, 1)), target.transform(y.mean(keepdims=True)), 0)
        named = {
            "class frequencies" if n_classes else "mean": constant,
            "linear model": fit_linear(X, learned, n_classes),
        }
        return {
            name: metrics(
                *(target, self._labels, self._source.y[test]),
                of_outputs(target, self._labels, linear.outputs(self._X[test])),
            )
            for name, linear in named.items()
        }

    def _print(self) -> None:
        fitted, target = self._fitted, self._target
        epochs = sum(fitted.history["seconds"]) if len(fitted.history) else 0.0
        print(
            f"\n{counted(len(fitted.history), 'epoch')} in {epochs:.3g} s, {fitted.seconds:.3g} s "
            f"with all around them; {counted(len(self._parts.test), 'row')} predicted in "
            f"{self._seconds:.2g} s"
        )
        if fitted.words:
            print(fitted.words)
        print()
        columns = {name: brief(values) for name, values in self._measured.items()}
        # Each heading in two lines, for the table is wide.
        heads = ["\n".join(name.rsplit(" ", 1)) for name in self._baselines]
        columns |= dict(zip(heads, map(brief, self._baselines.values()), strict=True))
        print_metrics(columns)
        print(f"\nbaselines on the test rows: {', '.join(f'the {n}' for n in self._baselines)}")
        for line in [*verdict(target, self._measured, self._baselines), *self._undefined()]:
            print(line)
        if target.classes:
            print_confusion(self._measured["test"]["confusion_matrix"], target.classes)

    def _undefined(self) -> list[str]:
        found = []
        parts = self._parts
        rows = {"training": parts.training, "test": parts.test}
        if self._fitted.validation is not None:
            rows["validation"] = self._fitted.validation[0]
        for name, some in rows.items():
            y = self._source.y[some]
            why = undefined(self._measured[name], self._target, self._labels, y)
            if why:
                found.append(f"{name} rows: {why}")
        return found

    def _write_tables(self, files: Files) -> None:
        source, fitted = self._source, self._fitted
        settings = {option.name: getattr(self._arguments, option.name) for option in TRAIN.options}
        told = [note.in_shell() for note in source.notes]
        if self._arguments.dataset is None:
            replace(source.schema, target=self._target, notes=source.notes).to_json(
                files.path("schema.json")
            )
        timing = {
            "fit_seconds": fitted.seconds,
            "epochs_seconds": sum(fitted.history["seconds"]) if len(fitted.history) else 0.0,
            "test_prediction_seconds": self._seconds,
        }
        report = {
            **self._measured,
            "baselines": self._baselines,
            "verdict": verdict(self._target, self._measured, self._baselines),
            "undefined": self._undefined(),
            "notes": told,
            "epochs": len(fitted.history),
            "weights": fitted.words,
            "timing": timing,
            "settings": settings,
        }
        write_json(files.path("metrics.json"), report)
        columns = {name: numbers(values) for name, values in self._measured.items()}
        columns |= {name: numbers(values) for name, values in self._baselines.items()}
        with atomic_text(files.path("metrics.csv"), "csv") as file:
            names = columns["test"]
            lines = ([n, *(column.get(n, "") for column in columns.values())] for n in names)
            write_csv(file, ["metric", *columns], lines)
        fitted.history.to_csv(files.path("history.csv"))
        test = self._parts.test
        ids = {name: values[test] for name, values in source.ids.items()}
        with atomic_text(files.path("predictions.csv"), "csv") as file:
            table = self._test.table(self._target, source.rows[test], source.y[test], ids)
            write_columns(file, table)

    def _draw(self, files: Files, wanted: list[int]) -> None:
        source, target, model = self._source, self._target, self._fitted.model
        if len(self._fitted.history):
            watched = "test" if self._fitted.validation is None else "validation"
            draw_learning_curves(files.path("learning_curve.png"), self._fitted.history, watched)
        if target.classes:
            matrix = self._measured["test"]["confusion_matrix"]
            draw_confusion(files.path("confusion_matrix.png"), matrix, target)
        else:
            y = source.y[self._parts.test]
            draw_predictions(files.path("predictions.png"), y, self._test.values)
        rows = self._parts.training
        for place in wanted:
            name = list(source.columns)[place]
            path = files.path(f"response_feature{place}.png")
            values = source.columns[name][rows]
            draw_response(path, model, name, values, self._X[rows])
