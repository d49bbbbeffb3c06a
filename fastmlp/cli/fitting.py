"""What ``fastmlp train`` trains: by the recipe for tables, or the network that options describe."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable
from dataclasses import dataclass
from time import perf_counter
from typing import TYPE_CHECKING, Any

import numpy as np

from ..data.features import counted
from ..model.sequential import Sequential
from ..runners.compile_notice import told_of_compiling
from ..tabular.recipe import Recipe, Trained, train
from ..training.callbacks import Callback, EarlyStopping, LambdaCallback, ProgressBar
from ..training.examples import read_examples
from .network import hidden_layers, optimizer_of, output_of
from .options_train import DESCRIBES_A_NETWORK, TRAIN
from .report import to_json

if TYPE_CHECKING:
    from ..kernels.typing import Array
    from ..tables.target import Target
    from ..training.history import History
    from .parts import Parts

_EPOCHS = 300


@dataclass(frozen=True)
class Fitted:
    """A trained model.

    Attributes
    ----------
    model : Sequential
    history : History
    seconds : float
        Of the training.
    validation : (rows, outputs) or None
        The validation rows, as places within those that are learned from, and what was predicted
        for them without having seen them.
    words : str
        Which weights were kept, in a sentence.
    """

    model: Sequential
    history: History
    seconds: float
    validation: tuple[Array, Array] | None
    words: str


def by_recipe(arguments: argparse.Namespace) -> bool:
    """Whether nothing describes a network, so that the recipe for tables does."""
    described = any(option.is_given(arguments) for option in DESCRIBES_A_NETWORK)
    return arguments.dataset is None and not described


def plan_recipe(
    X: Array, y: Array, target: Target, parts: Parts, arguments: argparse.Namespace
) -> Callable[[], Fitted]:
    """Return a training by the recipe; X and y are those of the rows that are learned from."""
    recipe = Recipe(
        epochs=arguments.epochs if "epochs" in arguments.given else _EPOCHS,
        patience=arguments.patience,
        batch_size=arguments.batch_size if "batch_size" in arguments.given else None,
        seed=arguments.seed,
        dtype=arguments.dtype,
        backend=arguments.backend,
        n_threads=arguments.threads,
    )
    learned = target.transform(y)
    if not target.classes:
        learned = learned.astype(arguments.dtype)

    def run() -> Fitted:
        watchers = _watchers(arguments, recipe.epochs, "validation")
        start = perf_counter()
        with told_of_compiling():
            found = train(X, learned, len(target.classes), parts.folds, recipe, watchers)
        seconds = perf_counter() - start
        validation = None
        if found.rows is not None and found.outputs is not None:
            validation = found.rows, found.outputs
        words = _of_recipe(found, len(parts.folds))
        return Fitted(found.model, found.history, seconds, validation, words)

    return run


def _of_recipe(found: Trained, n_folds: int) -> str:
    """Which weights were kept, in a sentence."""
    start = {"constant": "a constant answer", "linear": "a linear model"}[found.start]
    words = f"begun at {start}, the weights are those of epoch {found.best_epoch}"
    if not found.best_epoch:
        words = f"the weights are those of {start}: no epoch was surely better"
    elif n_folds:
        lowest = found.history["val_loss"][found.best_epoch - 1]
        words += f", with the lowest loss of the validation rows: {lowest:.4g}"
    if n_folds > 1:
        words += (
            f" (found by {n_folds} networks, each judged on rows that it had not seen; then one "
            "learned from all)"
        )
    return words


def plan_described(
    X: Array, y: Array, target: Target, parts: Parts, test: Any, arguments: argparse.Namespace
) -> Callable[[], Fitted]:
    """Return a training of the network that the options describe.

    Raises
    ------
    ValueError
        There is no such network, or it cannot learn this target.
    """
    layer, loss = output_of(arguments, target)
    model = Sequential(
        [*hidden_layers(arguments), layer],
        loss=loss,
        optimizer=optimizer_of(arguments),
        **TRAIN.passed(arguments, "model"),
    )
    training, held = parts.folds[0] if parts.folds else (np.arange(len(X)), None)
    of_training = X[training], target.transform(y[training])
    read_examples(model.training_state, *of_training, learn=True)
    # Without validation rows the test rows are watched, but nothing is chosen by them.
    watched = test if held is None else (X[held], y[held])
    stopping = None
    if arguments.patience:
        monitor = "loss" if held is None else "val_loss"
        stopping = EarlyStopping(monitor=monitor, patience=arguments.patience)

    def run() -> Fitted:
        name = "test" if held is None else "validation"
        callbacks = _watchers(arguments, arguments.epochs, name)
        if stopping is not None:
            callbacks.append(stopping)
        start = perf_counter()
        # Where the fit itself is silent, too.
        with told_of_compiling():
            model.fit(
                *of_training,
                **TRAIN.passed(arguments, "fit"),
                validation_data=(watched[0], target.transform(watched[1])),
                callbacks=callbacks,
                verbose=0 if sys.stderr.isatty() or arguments.show_loss else 1,
            )
        seconds = perf_counter() - start
        words = ""
        if stopping is not None and stopping.best_epoch is not None:
            words = (
                f"the weights are those of epoch {stopping.best_epoch + 1}, with the lowest loss "
                f"of the {'training' if held is None else 'validation'} rows: {stopping.best:.4g}"
            )
        validation = None if held is None else (held, model.predict(X[held]))
        return Fitted(model, model.history, seconds, validation, words)

    return run


def _watchers(arguments: argparse.Namespace, epochs: int, watched: str) -> list[Callback]:
    watchers: list[Callback] = []
    if sys.stderr.isatty():
        watchers.append(ProgressBar())
    if arguments.show_loss:
        watchers.append(LambdaCallback(on_epoch_end=_loss_printer(epochs, watched)))
    if arguments.log is not None:
        watchers.append(_Log(arguments.log))
    return watchers


def _loss_printer(epochs: int, watched: str) -> Callable[[Any, int, dict[str, float]], None]:
    def show(model: Any, epoch: int, logs: dict[str, float]) -> None:
        from tqdm import tqdm

        if (epoch + 1) % 10 == 0:
            values = f"loss {logs['loss']:.4g}"
            if "val_loss" in logs:
                values += f", {watched} loss {logs['val_loss']:.4g}"
            tqdm.write(f"epoch {epoch + 1}/{epochs}: {values}")

    return show


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


def in_words(parts: Parts) -> str:
    """How many rows there are of each kind."""
    counts = [counted(len(parts.training), "training row")]
    if len(parts.folds) == 1:
        counts.append(counted(len(parts.folds[0][1]), "validation row"))
    elif parts.folds:
        counts[0] += f" (cross-fitted in {len(parts.folds)} parts)"
    return ", ".join([*counts, counted(len(parts.test), "test row")])
