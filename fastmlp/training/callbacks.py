"""Objects that watch a fit, and may end it, between its epochs."""

from __future__ import annotations

import math
import os
from typing import TYPE_CHECKING, Any

from ..common.checks import check_bool, check_int, check_number, describe, find_name, unknown_name
from ..errors import missing_extra

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from typing import TextIO

    from .sources import FitData

_RISING = {"accuracy", "f1", "auc", "r2", "precision", "recall", "score", "neg"}
_SHOWN = ("loss", "accuracy")
_BAR = "{l_bar}{bar}| {n:.1f}/{total} epochs [{elapsed}<{remaining}{postfix}]"


class Callback:
    """Base of all callbacks; each method does nothing until a subclass overrides it.

    ``model`` is the model being fitted. Setting ``model.stop_training = True`` ends the fit after
    the current epoch. ``on_fit_end`` is called however the fit ends, also by an exception.
    """

    def on_fit_data(self, model: Any, data: FitData) -> None:
        """Run before `on_fit_begin` with the rows of the fit, or with the first chunk of them."""

    def on_fit_begin(self, model: Any) -> None:
        """Run before the first epoch; ``model.fit_epochs`` is how many are to come."""

    def on_epoch_begin(self, model: Any, epoch: int) -> None:
        """Run before each epoch; ``epoch`` counts since the model's last reset."""

    def on_progress(self, model: Any, fraction: float) -> None:
        """Run some twenty times a second within an epoch, of which `fraction` is done."""

    def on_epoch_end(self, model: Any, epoch: int, logs: dict[str, float]) -> None:
        """Run after each epoch with its values: loss, accuracy, val_loss and so on."""

    def on_fit_end(self, model: Any) -> None:
        """Run after the last epoch or an exception."""


class EarlyStopping(Callback):
    """Stop a fit whose monitored value no longer improves, and go back to its best epoch.

    Parameters
    ----------
    monitor : str
        A name in the epoch's logs.
    patience : int
        The fit stops after this many epochs in a row without an improvement (0 counts as 1).
    min_delta : float
        An improvement is a change by more than this since the best epoch.
    restore_best : bool
        Whether weights and buffers are those of the best epoch once the fit has ended, however it
        ended.
    mode : {"auto", "min", "max"}
        Whether lower or higher is better. ``"auto"``: higher for names with the word accuracy, f1,
        auc, r2, precision, recall, score or neg, lower for all others.

    Attributes
    ----------
    best : float or None
        The best value so far; None before the first epoch. NaN is never the best.
    best_epoch : int or None
        The epoch that reached it.
    stopped_epoch : int or None
        The epoch after which the fit was stopped; None where it was not.
    """

    best: float | None
    best_epoch: int | None
    stopped_epoch: int | None

    def __init__(
        self,
        monitor: str = "val_loss",
        patience: int = 10,
        min_delta: float = 0.0,
        restore_best: bool = True,
        mode: str = "auto",
    ) -> None:
        if not isinstance(monitor, str):
            raise TypeError(f"monitor must be a name, got {describe(monitor)}")
        self.monitor = monitor
        self.patience = check_int("patience", patience, 0)
        self.min_delta = check_number("min_delta", min_delta, 0.0)
        self.restore_best = check_bool("restore_best", restore_best)
        self.mode = find_name("mode", mode, ("auto", "min", "max"))
        self._snapshot: Any = None
        self._reset()

    def on_fit_begin(self, model: Any) -> None:
        """Forget the fit before this one."""
        self._reset()

    def on_epoch_end(self, model: Any, epoch: int, logs: dict[str, float]) -> None:
        """Compare the epoch with the best one.

        Raises
        ------
        ValueError
            If the logs do not hold the monitored name.
        """
        self._judge(model, epoch, logs)
        if self.restore_best and self.best_epoch == epoch:
            self._snapshot = model.get_weights()

    def take_up(
        self, model: Any, done: Iterable[tuple[int, dict[str, float]]], kept: Mapping[int, Any]
    ) -> None:
        """Go on after the epochs that a resumed fit has done, which may be enough.

        Parameters
        ----------
        model : Sequential
        done : iterable of (int, dict of str to float)
            Number and values of each.
        kept : dict of int to Snapshot
            The weights of earlier epochs that the file holds.

        Raises
        ------
        ValueError
            The best epoch's weights are not among them.
        """
        epoch = None
        for epoch, logs in done:
            self._judge(model, epoch, logs)
        best = self.best_epoch
        if not self.restore_best or best is None:
            return
        if best != epoch and best not in kept:
            raise ValueError(
                f"the fit to resume kept no weights of epoch {best}, the best by {self.monitor} so "
                "far: it had no EarlyStopping with these arguments among its callbacks; resume "
                "with that which it had, or with restore_best=False"
            )
        self._snapshot = model.get_weights() if best == epoch else kept[best]

    def kept(self) -> list[tuple[int, Any]]:
        """Return the best epoch and its weights, where they will be restored."""
        return [] if self._snapshot is None else [(int(self.best_epoch or 0), self._snapshot)]

    def _judge(self, model: Any, epoch: int, logs: dict[str, float]) -> None:
        self.check_monitor(logs)
        value = float(logs[self.monitor])
        if self._improves(value):
            self.best = value
            self.best_epoch = epoch
            self._bad_epochs = 0
            return
        self._bad_epochs += 1
        if self._bad_epochs >= self.patience:
            self.stopped_epoch = epoch
            model.stop_training = True

    def check_monitor(self, logs: dict[str, float]) -> None:
        """Refuse logs without the monitored name, by the error of `on_epoch_end`."""
        if self.monitor not in logs:
            raise self._missing_monitor(logs)

    def on_fit_end(self, model: Any) -> None:
        """Restore the best epoch's weights and buffers."""
        if self._snapshot is not None:
            model.set_weights(self._snapshot)
            self._snapshot = None

    def _reset(self) -> None:
        self.best = None
        self.best_epoch = None
        self.stopped_epoch = None
        self._bad_epochs = 0
        self._snapshot = None

    def _improves(self, value: float) -> bool:
        if self.best is None:
            return not math.isnan(value)
        if self._higher_is_better():
            return value > self.best + self.min_delta
        return value < self.best - self.min_delta

    def _higher_is_better(self) -> bool:
        if self.mode == "auto":
            return not _RISING.isdisjoint(self.monitor.lower().split("_"))
        return self.mode == "max"

    def _missing_monitor(self, logs: dict[str, float]) -> ValueError:
        if self.monitor.startswith("val_") and not any(name.startswith("val_") for name in logs):
            return ValueError(
                f"EarlyStopping monitors {self.monitor!r}, but there is no validation data: pass "
                "validation_data= or validation_split= to a model's fit, X_val= and y_val= to that "
                "of an estimator, or EarlyStopping(monitor='loss'); the logs hold "
                f"{', '.join(logs)}"
            )
        return unknown_name("monitor", self.monitor, logs)


class CSVLogger(Callback):
    """Write a row of a CSV file after each epoch: ``epoch``, then the epoch's values.

    Each row is on disk before the next epoch begins. A value that an epoch lacks is ``nan``.

    Parameters
    ----------
    path : str or path-like
        The file.
    append : bool
        Whether rows are added to a file that exists, under its header; otherwise each fit starts
        the file anew.
    """

    def __init__(self, path: str | os.PathLike[str], append: bool = False) -> None:
        self.path = os.fspath(path)
        self.append = check_bool("append", append)
        self._file: TextIO | None = None
        self._columns: list[str] = []

    def on_fit_begin(self, model: Any) -> None:
        """Open the file.

        Raises
        ------
        ValueError
            If rows are to be added to a file that does not start with the column ``epoch``.
        OSError
            If the file cannot be written.
        """
        self._close()
        self._file = open(self.path, "a+", newline="", encoding="utf-8")  # noqa: SIM115
        self._columns = []
        if self.append:
            self._continue_file(self._file)
        else:
            self._file.truncate(0)

    def on_epoch_end(self, model: Any, epoch: int, logs: dict[str, float]) -> None:
        """Write the epoch's row.

        Raises
        ------
        ValueError
            If the logs hold a name for which the file has no column.
        """
        import csv

        if self._file is None:
            raise ValueError("CSVLogger has no open file: on_fit_begin comes before on_epoch_end")
        writer = csv.writer(self._file, lineterminator="\n")
        if not self._columns:
            self._columns = list(logs)
            writer.writerow(["epoch", *self._columns])
        unknown = [name for name in logs if name not in self._columns]
        if unknown:
            raise ValueError(
                f"{self.path!r} has the columns {', '.join(self._columns)} and none for "
                f"{', '.join(unknown)}; log to another file"
            )
        writer.writerow([epoch, *(float(logs.get(name, math.nan)) for name in self._columns)])
        self._file.flush()

    def on_fit_end(self, model: Any) -> None:
        """Close the file."""
        self._close()

    def _continue_file(self, file: TextIO) -> None:
        import csv

        file.seek(0)
        lines = file.readlines()
        if not lines:
            return
        first, *self._columns = next(csv.reader(lines))
        if first != "epoch":
            self._close()
            raise ValueError(f"cannot append to {self.path!r}: its first column is not 'epoch'")
        if not lines[-1].endswith("\n"):
            file.write("\n")

    def _close(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None


class LambdaCallback(Callback):
    """A callback made of functions, for what does not deserve a class.

    Parameters
    ----------
    on_fit_begin, on_fit_end : callable, optional
        Called with the model.
    on_epoch_begin : callable, optional
        Called with the model and the epoch.
    on_epoch_end : callable, optional
        Called with the model, the epoch and its logs.
    """

    def __init__(
        self,
        on_fit_begin: Callable[[Any], object] | None = None,
        on_epoch_begin: Callable[[Any, int], object] | None = None,
        on_epoch_end: Callable[[Any, int, dict[str, float]], object] | None = None,
        on_fit_end: Callable[[Any], object] | None = None,
    ) -> None:
        functions = {
            "on_fit_begin": on_fit_begin,
            "on_epoch_begin": on_epoch_begin,
            "on_epoch_end": on_epoch_end,
            "on_fit_end": on_fit_end,
        }
        for name, function in functions.items():
            if function is not None and not callable(function):
                raise TypeError(f"{name} must be a function or None, got {describe(function)}")
        self._fit_begin = on_fit_begin
        self._epoch_begin = on_epoch_begin
        self._epoch_end = on_epoch_end
        self._fit_end = on_fit_end

    def on_fit_begin(self, model: Any) -> None:
        """Call the function given for it."""
        if self._fit_begin is not None:
            self._fit_begin(model)

    def on_epoch_begin(self, model: Any, epoch: int) -> None:
        """Call the function given for it."""
        if self._epoch_begin is not None:
            self._epoch_begin(model, epoch)

    def on_epoch_end(self, model: Any, epoch: int, logs: dict[str, float]) -> None:
        """Call the function given for it."""
        if self._epoch_end is not None:
            self._epoch_end(model, epoch, logs)

    def on_fit_end(self, model: Any) -> None:
        """Call the function given for it."""
        if self._fit_end is not None:
            self._fit_end(model)


class ProgressBar(Callback):
    """A tqdm bar over the epochs with the last loss, accuracy and validation values.

    Needs tqdm (``pip install 'fastmlp[cli]'``); without it the fit ends in an ImportError before
    its first epoch.
    """

    def __init__(self) -> None:
        self._bar: Any = None
        self._done = 0

    def on_fit_begin(self, model: Any) -> None:
        """Show an empty bar of ``model.fit_epochs`` epochs."""
        try:
            from tqdm import tqdm
        except ImportError as error:
            raise missing_extra("tqdm", "cli") from error
        self._close()
        self._done = 0
        self._bar = tqdm(total=model.fit_epochs, unit="epoch", bar_format=_BAR)

    def on_progress(self, model: Any, fraction: float) -> None:
        """Move on within an epoch."""
        self._move(fraction)

    def on_epoch_end(self, model: Any, epoch: int, logs: dict[str, float]) -> None:
        """Move on by one epoch."""
        values = [
            f"{name}={value:.4g}"
            for name, value in logs.items()
            if name in _SHOWN or name.startswith("val_")
        ]
        self._bar.set_postfix_str(", ".join(values), refresh=False)
        self._move(1.0)
        self._done += 1

    def on_fit_end(self, model: Any) -> None:
        """Leave the bar as it stands."""
        self._close()

    def _move(self, fraction: float) -> None:
        # tqdm draws at most ten times a second, however often it is told.
        self._bar.update(round(self._done + fraction, 2) - self._bar.n)

    def _close(self) -> None:
        if self._bar is not None:
            self._bar.close()
            self._bar = None
