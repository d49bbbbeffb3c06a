"""What ``fastmlp train`` does: from the options to a trained network and its files."""

from __future__ import annotations

import argparse
import csv
import json
import math
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from .errors import missing_extra
from .names import unknown_name

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from .datasets import Dataset
    from .kernels.typing import Array
    from .optimizers import Optimizer


def train(arguments: argparse.Namespace) -> None:
    """Train, test, and write what was found."""
    _require_packages()
    import fastmlp as fm

    from . import datasets

    # What does not depend on the data comes first: a misspelt name is told before a long load.
    hidden, optimizer = _hidden_layers(arguments), _optimizer(arguments)
    data = datasets.load(arguments.dataset)
    arguments.task = arguments.task or data.task
    table = _split_and_scale(data, arguments)
    columns = _wanted_columns(arguments.wanted_features, table.feature_names)
    files = _Files(arguments.output_dir, arguments.extension_name)
    units, activation, loss = _output(arguments.output, table)
    model = fm.Sequential(
        [*hidden, _dense(arguments, units, activation)],
        loss=loss,
        optimizer=optimizer,
        dtype=arguments.dtype,
        backend=arguments.backend,
        random_state=arguments.seed,
        n_threads=arguments.threads,
    )
    model.metadata["preprocessing"] = json.dumps(table.preprocessing())

    print(f"{arguments.dataset}: {table}", flush=True)
    seconds = _fit(model, table, arguments)
    metrics = {
        "training": model.evaluate(table.X_train, table.y_train),
        "test": model.evaluate(table.X_test, table.y_test),
    }
    model.save(files.path("model.safetensors"))
    _write_metrics(files, metrics, arguments)
    model.history.to_csv(files.path("history.csv"))
    _write_predictions(files.path("predictions.csv"), model, table)
    model.history.plot(files.path("learning_curve.png"))
    for column in columns:
        _draw_response(files.path(f"response_feature{column}.png"), model, table, column)

    epochs = sum(model.history["seconds"])
    print(f"\n{arguments.epochs} epochs in {epochs:.3g} s, {seconds:.1f} s with all around them\n")
    _print_metrics(metrics)
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
class _Table:
    """The rows of a data set, split and scaled; `classes` is empty for a regression."""

    X_train: Array
    y_train: Array
    X_test: Array
    y_test: Array
    test_rows: Array
    mean: Array
    scale: Array
    low: Array
    high: Array
    feature_names: tuple[str, ...]
    classes: tuple[str, ...]

    def __str__(self) -> str:
        kind = f"{len(self.classes)} classes" if self.classes else "regression"
        return (
            f"{len(self.feature_names)} features, {kind}, {len(self.y_train)} training rows, "
            f"{len(self.y_test)} test rows"
        )

    def preprocessing(self) -> dict[str, Any]:
        """What a reader of the model file needs to prepare rows and name classes."""
        return {
            "scaler": {"mean": self.mean.tolist(), "scale": self.scale.tolist()},
            "feature_names": self.feature_names,
            "classes": self.classes,
        }


def _split_and_scale(data: Dataset, arguments: argparse.Namespace) -> _Table:
    from sklearn.model_selection import train_test_split
    from sklearn.preprocessing import StandardScaler

    y, classes = data.y, data.target_names
    if arguments.task == "regression":
        y, classes = y.astype(np.float64), ()
    elif data.task == "regression":
        raise ValueError(
            f"the target of {arguments.dataset} is a number, not a class; use --task regression"
        )
    train, test = train_test_split(
        np.arange(len(y)),
        test_size=arguments.test_size,
        random_state=arguments.seed,
        stratify=y if classes else None,
    )
    X_train, X_test = data.X[train], data.X[test]
    scaler = StandardScaler().fit(X_train)
    return _Table(
        scaler.transform(X_train).astype(arguments.dtype),
        y[train],
        scaler.transform(X_test).astype(arguments.dtype),
        y[test],
        test,
        scaler.mean_,
        scaler.scale_,
        X_train.min(axis=0),
        X_train.max(axis=0),
        data.feature_names,
        classes,
    )


def _wanted_columns(wanted: list[str] | None, names: tuple[str, ...]) -> list[int]:
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


def _dense(arguments: argparse.Namespace, units: int, activation: str) -> Any:
    import fastmlp as fm

    return fm.Dense(
        units,
        activation=activation,
        initializer=arguments.weight_init,
        l1=arguments.l1,
        l2=arguments.l2,
    )


def _hidden_layers(arguments: argparse.Namespace) -> list[Any]:
    import fastmlp as fm

    layers: list[Any] = []
    for units in arguments.layers:
        if arguments.batch_norm:
            layers += [
                _dense(arguments, units, "linear"),
                fm.BatchNorm(),
                fm.Activation(arguments.activation),
            ]
        else:
            layers.append(_dense(arguments, units, arguments.activation))
        if arguments.dropout:
            layers.append(fm.Dropout(arguments.dropout))
    return layers


def _optimizer(arguments: argparse.Namespace) -> Optimizer:
    from .optimizers import get_optimizer
    from .schedules import ExponentialDecay

    return replace(
        get_optimizer(arguments.optimizer),
        learning_rate=ExponentialDecay(arguments.learning_rate, 1 / (1 + arguments.decay_rate)),
    )


def _output(activation: str, table: _Table) -> tuple[int, str, str]:
    """Units, activation and loss of the last layer."""
    activation = activation.lower()
    if not table.classes:
        return 1, "linear" if activation == "auto" else activation, "mse"
    if activation == "auto":
        activation = "sigmoid" if len(table.classes) == 2 else "softmax"
    if activation == "softmax":
        return len(table.classes), activation, "categorical_crossentropy"
    return 1, activation, "binary_crossentropy"


def _fit(model: Any, table: _Table, arguments: argparse.Namespace) -> float:
    """Train the model and return the seconds it took."""
    from time import perf_counter

    import fastmlp as fm
    from fastmlp.compiling import told_of_compiling

    def show_loss(model: Any, epoch: int, logs: dict[str, float]) -> None:
        from tqdm import tqdm

        if (epoch + 1) % 10 == 0:
            values = f"loss {logs['loss']:.4g}, test loss {logs['val_loss']:.4g}"
            tqdm.write(f"epoch {epoch + 1}/{arguments.epochs}: {values}")

    callbacks: list[Any] = []
    on_terminal = sys.stderr.isatty()
    if on_terminal:
        callbacks.append(fm.ProgressBar())
    if arguments.show_loss:
        callbacks.append(fm.LambdaCallback(on_epoch_end=show_loss))
    start = perf_counter()
    # Where the fit itself is silent, too.
    with told_of_compiling():
        model.fit(
            table.X_train,
            table.y_train,
            epochs=arguments.epochs,
            batch_size=arguments.batch_size,
            # The test rows are watched for the learning curve; nothing is chosen by them.
            validation_data=(table.X_test, table.y_test),
            callbacks=callbacks,
            verbose=0 if on_terminal or arguments.show_loss else 1,
        )
    return perf_counter() - start


class _Files:
    """Names the files of a run in its folder and remembers them."""

    def __init__(self, folder: str, extension: str | None) -> None:
        self._folder = Path(folder)
        self._suffix = "" if extension is None else f"_{extension}"
        self._folder.mkdir(parents=True, exist_ok=True)
        self.written: list[Path] = []

    def path(self, name: str) -> Path:
        stem, ending = name.split(".")
        self.written.append(self._folder / f"{stem}{self._suffix}.{ending}")
        return self.written[-1]


def _write_metrics(
    files: _Files, metrics: Mapping[str, Mapping[str, float]], arguments: argparse.Namespace
) -> None:
    settings = {name: value for name, value in vars(arguments).items() if name != "run"}
    # JSON has no NaN, which a metric is where it is undefined.
    finite = {
        part: {
            name: float(value) if math.isfinite(value) else None for name, value in values.items()
        }
        for part, values in metrics.items()
    }
    text = json.dumps({**finite, "settings": settings}, indent=2, allow_nan=False)
    files.path("metrics.json").write_text(text + "\n", encoding="utf-8")
    _write_csv(
        files.path("metrics.csv"),
        ["metric", *metrics],
        ([name, *(float(values[name]) for values in metrics.values())] for name in metrics["test"]),
    )


def _write_predictions(path: Path, model: Any, table: _Table) -> None:
    """One line for each test row: its number in the data set, target and prediction."""
    predictions = model.predict(table.X_test)
    header = ["row", "target", "prediction"]
    columns = [table.test_rows, table.y_test]
    if table.classes:
        header += [f"probability_{name}" for name in table.classes]
        columns += [model.predict_classes(table.X_test), *_probabilities(predictions).T]
    else:
        columns += [predictions[:, 0]]
    _write_csv(path, header, zip(*(column.tolist() for column in columns), strict=True))


def _probabilities(predictions: Array) -> Array:
    """One column for each class, of one sigmoid unit too."""
    if predictions.shape[1] == 1:
        return np.hstack([1 - predictions, predictions])
    return predictions


def _write_csv(path: Path, header: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    with open(path, "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(header)
        writer.writerows(rows)


def _draw_response(path: Path, model: Any, table: _Table, column: int) -> None:
    """Draw the prediction over the range of one feature."""
    from matplotlib.figure import Figure

    grid = np.linspace(table.low[column], table.high[column], 200)
    # Zero is the mean of a scaled feature.
    X = np.zeros((len(grid), len(table.feature_names)), table.X_train.dtype)
    X[:, column] = (grid - table.mean[column]) / table.scale[column]
    predictions = model.predict(X)

    figure = Figure(figsize=(4.8, 3.6), layout="constrained")
    axes = figure.subplots()
    axes.set_xlabel(table.feature_names[column])
    axes.grid(alpha=0.3)
    axes.spines[["top", "right"]].set_visible(False)
    if len(table.classes) > 2:
        axes.plot(grid, predictions, label=table.classes)
        axes.legend(title="class", frameon=False, fontsize="small")
        axes.set_ylabel("probability")
    elif table.classes:
        axes.plot(grid, _probabilities(predictions)[:, 1])
        axes.set_ylabel(f"probability of {table.classes[1]}")
    else:
        axes.plot(grid, predictions[:, 0])
        axes.set_ylabel("prediction")
    figure.savefig(path, dpi=150)


def _print_metrics(metrics: Mapping[str, Mapping[str, float]]) -> None:
    width = max(map(len, metrics["test"]))
    print(" " * width, *(f"{part:>10}" for part in metrics))
    for name in metrics["test"]:
        print(f"{name:{width}}", *(f"{values[name]:10.4g}" for values in metrics.values()))
