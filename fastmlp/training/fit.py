"""The course of a fit: epochs, validation, callbacks, progress, and what happens when it fails."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable
from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from ..common.checks import check_bool, check_int, check_number, check_positive_int, describe
from ..common.error_state import as_user
from ..data.batches import Validation
from ..declarations.learning_rate import Schedule
from ..runners.compile_notice import told_of_compiling
from .callbacks import Callback, EarlyStopping, ProgressBar
from .digests import Digests, validation_parts
from .divergence import divergence_error
from .history import History
from .sources import NotFiniteError, Source, Sums
from .state import UnfinishedFit

if TYPE_CHECKING:
    from ..kernels.typing import Array
    from ..runners.runner import Runner
    from .state import TrainingState

_LINES = 10


@dataclass(frozen=True)
class FitArguments:
    """Checked arguments of a fit."""

    epochs: int
    batch_size: int | None
    shuffle: bool
    validation_split: float
    callbacks: tuple[Callback, ...]
    verbose: int

    def unfinished(self, given: Digests | None = None) -> UnfinishedFit:
        """What is left to do before the first epoch, of rows with these digests."""
        size, split = self.batch_size, self.validation_split
        return UnfinishedFit(self.epochs, size, self.shuffle, split, given=given or Digests({}))


class Watched(Protocol):
    """What a fit reads of the object that callbacks are shown, and tells it."""

    history: History
    stop_training: bool
    fit_epochs: int


def check_fit_arguments(
    epochs: object,
    batch_size: object,
    shuffle: object,
    validation_split: object,
    callbacks: object,
    verbose: object,
    fewest_epochs: int = 1,
) -> FitArguments:
    """Check what does not depend on the data."""
    if not isinstance(verbose, int) or verbose not in (0, 1, 2):
        raise ValueError(f"verbose must be 0, 1 or 2, got {describe(verbose)}")
    if isinstance(callbacks, Callback):
        callbacks = (callbacks,)
    if not isinstance(callbacks, Iterable):
        raise TypeError(f"callbacks must be a list of Callback, got {describe(callbacks)}")
    listed = tuple(callbacks)
    for callback in listed:
        if not isinstance(callback, Callback):
            raise TypeError(f"callbacks must be a list of Callback, got {describe(callback)}")
    return FitArguments(
        epochs=check_int("epochs", epochs, fewest_epochs),
        batch_size=None if batch_size is None else check_positive_int("batch_size", batch_size),
        shuffle=check_bool("shuffle", shuffle),
        validation_split=check_number(
            "validation_split", validation_split, 0.0, 1.0, open_high=True
        ),
        callbacks=listed,
        verbose=int(verbose),
    )


def check_monitors(
    callbacks: Iterable[Callback],
    schedules: Iterable[tuple[Schedule, dict[str, Any]]],
    names: Iterable[str],
) -> None:
    """Refuse to watch a value that the epochs of this fit will not have."""
    logs = dict.fromkeys((*names, "seconds", "learning_rate"), 1.0)
    for callback in callbacks:
        if isinstance(callback, EarlyStopping):
            callback.check_monitor(logs)
    for schedule, state in schedules:
        schedule.observe(logs, state)


def logged_names(classifies: bool, validates: bool) -> list[str]:
    """Return the names of what `run_fit` tells of an epoch, beside its time and rate."""
    names = ["loss", "accuracy"] if classifies else ["loss"]
    return [*names, *(f"val_{name}" for name in names)] if validates else names


def run_fit(
    model: Watched,
    training: TrainingState,
    runner: Runner,
    source: Source,
    validation: Validation | None,
    arguments: FitArguments,
) -> History:
    """Train on rows that have been checked; `model` is what callbacks are shown."""
    history = History()
    given = Digests({**source.parts(), **validation_parts(validation)})
    resumed = training.continues
    if resumed is not None:
        resumed.given.check_same(given)
    unfinished = arguments.unfinished(given)
    training.begin_fit(unfinished)
    model.stop_training = False
    model.fit_epochs = arguments.epochs
    callbacks = (*arguments.callbacks, *progress_of(arguments.verbose))

    def progress(share: float) -> None:
        for callback in callbacks:
            as_user(callback.on_progress)(model, share)

    with ExitStack() as stack:
        stack.callback(training.end_fit)
        # Before a progress bar is shown, and before the first epoch is timed.
        with told_of_compiling(arguments.verbose > 0):
            source.open(runner)
            stack.callback(source.close)
            if validation is not None:
                runner.predict(validation.x[:1], head=True)
        data = source.data()
        for callback in callbacks:
            # However the fit ends, and whatever another callback does then.
            stack.callback(as_user(callback.on_fit_end), model)
            as_user(callback.on_fit_data)(model, data)
            as_user(callback.on_fit_begin)(model)
        stoppers = [callback for callback in callbacks if isinstance(callback, EarlyStopping)]
        if resumed is not None:
            for stopper in stoppers:
                stopper.take_up(model, model.history.last(resumed.done), resumed.kept)
        finite = training.state.snapshot()
        for _ in range(arguments.epochs):
            if model.stop_training:
                break
            epoch = training.epoch
            for callback in callbacks:
                as_user(callback.on_epoch_begin)(model, epoch)
            start = time.perf_counter()
            rates = training.rates(source.steps)
            try:
                sums = source.epoch(rates, progress)
            except NotFiniteError as error:
                try:
                    problem = divergence_error(training.state, *error.batch, epoch, error.number)
                finally:
                    # Even where a callback has put something into X that cannot be explained.
                    training.state.restore(finite)
                raise problem from None
            training.state.update(finite)
            seconds = time.perf_counter() - start
            logs = _logs(training, runner, sums, validation, rates[0], seconds)
            training.end_epoch(logs)
            history.append(epoch, logs)
            model.history.append(epoch, logs)
            for callback in callbacks:
                as_user(callback.on_epoch_end)(model, epoch, logs)
            # A file that is written before this, within the epoch, has that epoch's own weights.
            unfinished.kept = {
                best: weights for stopper in stoppers for best, weights in stopper.kept()
            }
    return history


def _logs(
    training: TrainingState,
    runner: Runner,
    sums: Sums,
    validation: Validation | None,
    rate: float | Array,
    seconds: float,
) -> dict[str, float]:
    """The values of an epoch that has just ended."""
    classifies = training.targets is not None and training.targets.task != "regression"
    rows = max(sums.rows, 1)
    logs = {"loss": sums.loss / rows}
    if classifies:
        logs["accuracy"] = sums.correct / rows
    if validation is not None:
        loss, correct = _validate(runner, validation)
        logs["val_loss"] = loss
        if classifies:
            logs["val_accuracy"] = correct / validation.n_rows
    logs["seconds"] = seconds
    logs["learning_rate"] = float(np.ravel(rate)[-1])
    return logs


def _validate(runner: Runner, data: Validation) -> tuple[float, float]:
    """Loss of the rows for validation, penalties included, and how many of them are right."""
    # A fit without rows for validation needs no NumPy runner; to import it takes 1 ms.
    from ..runners import numpy_runner

    head = runner.state.program.head.slot
    return numpy_runner.reported_loss(
        runner.state,
        ((runner.predict(x, head=True), y, weight) for x, y, weight in data.blocks(head.width)),
    )


def progress_of(verbose: int) -> tuple[Callback, ...]:
    """Callbacks that show how a fit goes on: none, a bar or some lines, a line an epoch."""
    if verbose == 0:
        return ()
    on_terminal = sys.stderr is not None and sys.stderr.isatty()
    if verbose == 1 and on_terminal and has_tqdm():
        return (ProgressBar(),)
    return (_Lines(every_epoch=verbose == 2),)


def has_tqdm() -> bool:
    """Tell whether a progress bar can be shown."""
    from importlib.util import find_spec

    try:
        return find_spec("tqdm") is not None
    except (ImportError, ValueError):
        return False


class _Lines(Callback):
    """Print an epoch's values in a line: every epoch's, or about ten in all."""

    def __init__(self, every_epoch: bool) -> None:
        self._every_epoch = every_epoch
        self._done = 0

    def on_epoch_end(self, model: Any, epoch: int, logs: dict[str, float]) -> None:
        self._done += 1
        total = model.fit_epochs
        step = 1 if self._every_epoch else max(1, round(total / _LINES))
        if self._done % step and self._done not in (1, total) and not model.stop_training:
            return
        values = "  ".join(
            f"{name} {value:.4g}" for name, value in logs.items() if name != "seconds"
        )
        width = len(str(total))
        print(f"epoch {self._done:{width}}/{total}  {values}  {logs['seconds']:.3g} s", flush=True)
