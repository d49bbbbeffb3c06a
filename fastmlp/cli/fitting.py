"""What ``fastmlp train`` trains: by the recipe for tables, or the network that options describe."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from dataclasses import dataclass
from time import perf_counter
from typing import TYPE_CHECKING, Protocol

import numpy as np

from ..data.features import counted
from ..model.sequential import Sequential
from ..runners.compile_notice import told_of_compiling
from ..tabular.fitting import Request, train_networks
from ..tabular.model import TableModel
from ..tabular.plan import Recipe
from ..training.callbacks import EarlyStopping
from ..training.examples import read_examples
from .network import hidden_layers, optimizer_of, output_of
from .options_train import DESCRIBES_A_NETWORK, TRAIN
from .parts import preset_of
from .watching import TimeLimit, watchers

if TYPE_CHECKING:
    import os

    from ..kernels.typing import Array
    from ..tables.preparation import Preparation
    from ..tabular.deadline import Deadline
    from ..tabular.recipe import Trained
    from ..training.history import History
    from .parts import Parts


class Saved(Protocol):
    """What can be written to a file."""

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write it."""


@dataclass(frozen=True)
class Fitted:
    """Trained networks.

    Attributes
    ----------
    model : TableModel
    history : History
    seconds : float
        Of the training.
    validation : (rows, outputs) or None
        The validation rows, and what was predicted for them without having seen them.
    words : str
        Which weights were kept, in a sentence.
    saved : Saved
        What goes into the file: the model, or the estimator around it.
    """

    model: TableModel
    history: History
    seconds: float
    validation: tuple[Array, Array] | None
    words: str
    saved: Saved


def by_recipe(arguments: argparse.Namespace) -> bool:
    """Whether nothing describes a network, so that the recipe for tables does.

    Raises
    ------
    ValueError
        A preset is given, and a network described, too.
    """
    described = [option for option in DESCRIBES_A_NETWORK if option.is_given(arguments)]
    if arguments.preset is None:
        return arguments.dataset is None and not described
    if arguments.dataset is not None:
        raise ValueError(
            "--preset is for --data; what --dataset trains is described by --layers and the like"
        )
    if described:
        raise ValueError(
            f"--preset and --{described[0].name} say two things of the network; leave one out"
        )
    return True


def plan_recipe(
    X: Array,
    y: Array,
    names: tuple[str, ...],
    preparation: Preparation,
    parts: Parts,
    deadline: Deadline,
    arguments: argparse.Namespace,
) -> Callable[[], Fitted]:
    """Return a training by the recipe.

    Parameters
    ----------
    X, y : ndarray
        Of all rows.
    names : tuple of str
        The columns that are learned from.
    """
    preset, classes = preset_of(arguments), None
    # Whoever says how many epochs there are has the patience of the options, too.
    plans = "epochs" in arguments.given
    recipe = Recipe(
        hidden=preset.hidden,
        epochs=arguments.epochs if plans else preset.epochs,
        patience=arguments.patience if plans or "patience" in arguments.given else None,
        shortens=not plans,
        batch_size=arguments.batch_size if "batch_size" in arguments.given else None,
        seed=arguments.seed,
        dtype=arguments.dtype,
        backend=arguments.backend,
        n_threads=arguments.threads,
    )
    X, y = X[parts.given], y[parts.given]
    if preparation.target.classes:
        classes, y = np.unique(y, return_inverse=True)
        y = y.reshape(-1)

    def run() -> Fitted:
        n_rows = len(parts.folds[0][0]) if parts.folds else len(y)
        callbacks = watchers(arguments, recipe.of_rows(n_rows).epochs, "validation")
        request = Request(recipe, parts.n_members, callbacks, deadline)
        start = perf_counter()
        with told_of_compiling():
            found = train_networks(X, y, parts.weight, parts.folds, preparation, classes, request)
        seconds = perf_counter() - start
        trained, validation = found.trained, None
        if trained.rows is not None and trained.outputs is not None:
            rows, places = parts.spread(trained.rows)
            validation = rows, trained.outputs[places]
        words = _of_recipe(trained, len(parts.folds), arguments)
        saved: Saved = found.model
        if arguments.preset is not None:
            # It imports scikit-learn, which takes a second.
            from ..tabular.saved import estimator_around

            saved = estimator_around(
                *(found, names, classes),
                preset=arguments.preset,
                time_limit=arguments.time_limit,
                validation_fraction=arguments.validation_size,
                random_state=arguments.seed,
                n_threads=arguments.threads,
            )
        return Fitted(found.model, trained.history, seconds, validation, words, saved)

    return run


def _of_recipe(found: Trained, n_folds: int, arguments: argparse.Namespace) -> str:
    """Which weights were kept, in a sentence."""
    held = {"constant": "a constant answer", "linear": "a linear model"}[found.baseline]
    words = f"the weights are those of epoch {found.best_epoch}"
    if not found.best_epoch:
        words = f"the weights are those of {held}: no epoch was surely better"
    elif found.rows is not None and arguments.patience:
        lowest = found.history["val_loss"][found.best_epoch - 1]
        words += f", with the lowest loss of the validation rows: {lowest:.4g}"
    n = len(found.models)
    if n > 1:
        words += f" (the outputs of {n} networks are averaged"
        words += ", each judged on rows that it had not seen)" if found.rows is not None else ")"
    elif n_folds > 1 and not found.best_epoch:
        words += f" (judged by all rows, in {n_folds} parts; then fitted on all)"
    elif found.n_trained > 1:
        words += (
            f" (one network made of {found.n_trained}, each judged on rows that it had not seen)"
        )
    return words + _of_time(found.is_out_of_time, arguments)


def _of_time(is_over: bool, arguments: argparse.Namespace) -> str:
    return f"; the time limit of {arguments.time_limit:g} s ended the training" if is_over else ""


def plan_described(
    X: Array,
    y: Array,
    preparation: Preparation,
    parts: Parts,
    deadline: Deadline,
    arguments: argparse.Namespace,
) -> Callable[[], Fitted]:
    """Return a training of the network that the options describe; X and y are those of all rows.

    Raises
    ------
    ValueError
        There is no such network, or it cannot learn this target.
    """
    target = preparation.target
    layer, loss = output_of(arguments, target)
    model = Sequential(
        [*hidden_layers(arguments), layer],
        loss=loss,
        optimizer=optimizer_of(arguments),
        **TRAIN.passed(arguments, "model"),
    )
    held = parts.spread(parts.folds[0][1])[0] if parts.folds else None
    of_training = X[parts.training], target.transform(y[parts.training])
    read_examples(model.training_state, *of_training, learn=True)
    # Without validation rows the test rows are watched, but nothing is chosen by them.
    watched = parts.test if held is None else held
    limit, stopping = TimeLimit(deadline), None
    if arguments.patience:
        monitor = "loss" if held is None else "val_loss"
        stopping = EarlyStopping(monitor=monitor, patience=arguments.patience)

    def run() -> Fitted:
        name = "test" if held is None else "validation"
        callbacks = watchers(arguments, arguments.epochs, name)
        if stopping is not None:
            callbacks.append(stopping)
        callbacks.append(limit)
        start = perf_counter()
        # Where the fit itself is silent, too.
        with told_of_compiling():
            model.fit(
                *of_training,
                **TRAIN.passed(arguments, "fit"),
                validation_data=(X[watched], target.transform(y[watched])),
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
        words = (words + _of_time(limit.has_ended, arguments)).removeprefix("; ")
        validation = None if held is None else (held, model.predict(X[held]))
        found = TableModel((model,), preparation)
        return Fitted(found, model.history, seconds, validation, words, found)

    return run


def in_words(parts: Parts) -> str:
    """How many rows there are of each kind."""
    counts = [counted(len(parts.training), "training row")]
    how = [f"{parts.n_copies} of the rows are copies of others"] if parts.n_copies else []
    if parts.n_members > 1:
        how.append(f"{parts.n_members} networks")
    elif len(parts.folds) > 1:
        how.append(f"cross-fitted in {len(parts.folds)} parts")
    if how:
        counts[0] += f" ({', '.join(how)})"
    n_held = len(parts.learned) - len(parts.training)
    if n_held:
        counts.append(counted(n_held, "validation row"))
    return ", ".join([*counts, counted(len(parts.test), "test row")])
