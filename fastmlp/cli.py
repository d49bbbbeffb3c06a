"""The command line: ``fastmlp train`` and ``fastmlp warmup``.

A command is one row of `_COMMANDS`: what it does in a phrase, the function that declares its
options and the function that runs it. Packages that take long to import are imported by the
latter, so that ``--help`` answers at once.
"""

from __future__ import annotations

import argparse
import csv
import json
import math
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import numpy as np

from .errors import missing_extra
from .names import check_int, check_number, unknown_name

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from .datasets import Dataset
    from .kernels.typing import Array
    from .optimizers import Optimizer

__all__ = ["main"]

_EXAMPLES = """\
examples:
  fastmlp train --dataset breast_cancer
  fastmlp train -d iris -l 16 16 -a tanh -e 200 --show_loss
  fastmlp train -d diabetes --l2 0.01 -wf bmi bp -en small

Long options may be written with hyphens too: --test-size is --test_size.
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line.

    Parameters
    ----------
    argv : sequence of str, optional
        The words after ``fastmlp``; those of this process by default.

    Returns
    -------
    int
        The exit code: 0, 2 after an error (told in one line on stderr), 130 after Ctrl-C.

    Raises
    ------
    SystemExit
        After ``--help``, ``--version`` and words that do not parse.
    """
    words = sys.argv[1:] if argv is None else argv
    arguments = _parser().parse_args(_with_underscores(words))
    try:
        arguments.run(arguments)
    except (ImportError, OSError, ValueError) as error:
        print(f"fastmlp: error: {' '.join(str(error).split())}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("fastmlp: interrupted", file=sys.stderr)
        return 130
    return 0


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        print(f"fastmlp: error: {message} (see {self.prog} --help)", file=sys.stderr)
        raise SystemExit(2)


class _HelpFormatter(argparse.ArgumentDefaultsHelpFormatter, argparse.RawDescriptionHelpFormatter):
    pass


def _parser() -> argparse.ArgumentParser:
    from . import __version__

    parser = _Parser(
        prog="fastmlp",
        description="Multilayer perceptrons on this machine's CPU.",
        epilog=_EXAMPLES,
        formatter_class=_HelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=f"fastmlp {__version__}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for name, (phrase, declare, run) in _COMMANDS.items():
        command = commands.add_parser(
            name,
            help=phrase,
            description=f"{phrase[0].upper()}{phrase[1:]}.",
            formatter_class=_HelpFormatter,
            allow_abbrev=False,
        )
        declare(command)
        command.set_defaults(run=run)
    return parser


def _with_underscores(words: Sequence[str]) -> list[str]:
    """Each long option in the one spelling that the parser knows."""
    result = []
    for word in words:
        name, equals, value = word.partition("=")
        if name.startswith("--"):
            name = "--" + name[2:].replace("-", "_")
        result.append(name + equals + value)
    return result


def _integer(low: int, high: int | None = None) -> Callable[[str], int]:
    def parse(text: str) -> int:
        try:
            value = int(text)
        except ValueError:
            raise argparse.ArgumentTypeError(f"{text!r} is not an integer") from None
        try:
            check_number("value", check_int("value", value, low), low, high)
        except ValueError as error:
            raise argparse.ArgumentTypeError(str(error)) from error
        return value

    return parse


def _number(low: float, high: float | None = None, **open_ends: bool) -> Callable[[str], float]:
    def parse(text: str) -> float:
        try:
            value = float(text)
        except ValueError:
            raise argparse.ArgumentTypeError(f"{text!r} is not a number") from None
        try:
            return check_number("value", value, low, high, **open_ends)
        except ValueError as error:
            raise argparse.ArgumentTypeError(str(error)) from error

    return parse


def _threads(text: str) -> int | str:
    return text if text == "auto" else _integer(1)(text)


def _stem(text: str) -> str:
    if not text or any(separator in text for separator in "/\\"):
        raise argparse.ArgumentTypeError(f"{text!r} cannot be part of a file name")
    return text


def _declare_train(parser: argparse.ArgumentParser) -> None:
    parser.usage = "fastmlp train --dataset NAME [option ...]"
    parser.epilog = _EXAMPLES
    # Suppressed as defaults of the options themselves, these stay out of the help text.
    hidden: dict[str, Any] = {"default": argparse.SUPPRESS}
    parser.set_defaults(
        task=None, batch_norm=False, extension_name=None, wanted_features=None, show_loss=False
    )

    add = parser.add_argument_group("data").add_argument
    add(
        *("-d", "--dataset"),
        metavar="NAME",
        required=True,
        help="breast_cancer, digits, iris, mnist_784, wine (classification), california_housing, "
        "diabetes (regression)",
        **hidden,
    )
    add(
        *("-t", "--task"),
        choices=("classification", "regression"),
        help="what to learn (default: what the data set is for)",
        **hidden,
    )
    add(
        *("-ts", "--test_size"),
        metavar="SHARE",
        type=_number(0, 1, open_low=True, open_high=True),
        default=0.2,
        help="share of the rows that is kept for the test, the same of each class",
    )
    add(
        *("-s", "--seed"),
        metavar="N",
        type=_integer(0, 2**32 - 1),
        default=42,
        help="of the split, the first weights, the order of rows and dropout",
    )

    add = parser.add_argument_group("network").add_argument
    add(
        *("-l", "--layers"),
        metavar="UNITS",
        nargs="*",
        type=_integer(1),
        default=[64, 32],
        help="widths of the hidden layers; without a number the model is linear",
    )
    add(
        *("-a", "--activation"),
        metavar="NAME",
        default="relu",
        help="of the hidden layers: relu, tanh, gelu, ...",
    )
    add(
        *("-o", "--output"),
        metavar="NAME",
        default="auto",
        help="activation of the last layer; auto: sigmoid for two classes, softmax for more, "
        "linear for regression",
    )
    add(
        *("-wi", "--weight_init"),
        metavar="NAME",
        default="he",
        help="initialiser of the weights: he, glorot, auto, ...",
    )
    add(
        "--dropout",
        metavar="RATE",
        type=_number(0, 1, open_high=True),
        default=0.0,
        help="share of each hidden layer's outputs dropped in training",
    )
    add(
        "--batch_norm",
        action="store_true",
        help="batch normalisation before each hidden activation",
        **hidden,
    )
    add("--l1", metavar="L", type=_number(0), default=0.0, help="adds L * sum |W| to the loss")
    add("--l2", metavar="L", type=_number(0), default=0.0, help="adds L / 2 * sum W^2 to the loss")

    add = parser.add_argument_group("training").add_argument
    add(
        *("-e", "--epochs"), metavar="N", type=_integer(1), default=100, help="passes over the rows"
    )
    add("--batch_size", metavar="N", type=_integer(1), default=32, help="rows of one update")
    add(
        "--optimizer",
        metavar="NAME",
        default="adam",
        help="sgd, momentum, rmsprop, adam, adamw, adagrad, nadam or ftrl",
    )
    add(
        *("-lr", "--learning_rate"),
        metavar="RATE",
        type=_number(0, open_low=True),
        default=0.01,
        help="of the first epoch",
    )
    add(
        *("-decay", "--decay_rate"),
        metavar="D",
        type=_number(0),
        default=0.01,
        help="divides the learning rate by 1 + D after each epoch",
    )
    add(
        "--backend",
        choices=("auto", "numba", "numpy"),
        default="auto",
        help="what computes; auto is numba where that is installed",
    )
    add(
        "--threads",
        metavar="N",
        type=_threads,
        default="auto",
        help="at most so many; auto looks at the sizes; results do not depend on it",
    )
    add("--dtype", choices=("float32", "float64"), default="float32", help="of the arithmetic")

    add = parser.add_argument_group("output").add_argument
    add("--output_dir", metavar="FOLDER", default="outputs", help="where the files go")
    add(
        *("-en", "--extension_name"),
        metavar="NAME",
        type=_stem,
        help="write model_NAME.safetensors, metrics_NAME.json and so on",
        **hidden,
    )
    add(
        *("-wf", "--wanted_features"),
        metavar="FEATURE",
        nargs="+",
        help="features, by name or number from 0, whose effect on the prediction is drawn, the "
        "others at their means (default: the first two)",
        **hidden,
    )
    add("--show_loss", action="store_true", help="print the loss of every tenth epoch", **hidden)


def _train(arguments: argparse.Namespace) -> None:
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


def _declare_warmup(parser: argparse.ArgumentParser) -> None:
    parser.epilog = (
        "Compiled kernels are kept on disk, in the folder that NUMBA_CACHE_DIR names or else\n"
        "beside the package's sources, and loaded from there afterwards."
    )


def _warmup(arguments: argparse.Namespace) -> None:
    from time import perf_counter

    import fastmlp as fm

    start = perf_counter()
    fm.warmup()
    print(f"all kernels are compiled ({perf_counter() - start:.1f} s)")


_COMMANDS = {
    "train": ("train a network and report how good it is", _declare_train, _train),
    "warmup": ("compile every kernel ahead of its first use", _declare_warmup, _warmup),
}
