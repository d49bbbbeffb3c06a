"""What watches the epochs of ``fastmlp train``: a bar, printed losses, a log, the time limit."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from ..training.callbacks import Callback, LambdaCallback, ProgressBar
from .report import to_json

if TYPE_CHECKING:
    from ..tabular.deadline import Deadline

__all__ = ["TimeLimit", "watchers"]


def watchers(arguments: argparse.Namespace, epochs: int, watched: str) -> list[Callback]:
    """Callbacks that show and log the epochs of a training."""
    found: list[Callback] = []
    if sys.stderr.isatty():
        found.append(ProgressBar())
    if arguments.show_loss:
        found.append(LambdaCallback(on_epoch_end=_loss_printer(epochs, watched)))
    if arguments.log is not None:
        found.append(_Log(arguments.log))
    return found


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


class TimeLimit(Callback):
    """A callback that ends a fit after the last epoch that there is time for."""

    def __init__(self, deadline: Deadline) -> None:
        self._deadline, self.has_ended = deadline, False

    def on_epoch_end(self, model: Any, epoch: int, logs: dict[str, float]) -> None:
        goes_on = not model.stop_training and epoch + 1 < model.fit_epochs
        if goes_on and self._deadline.left() < logs["seconds"]:
            model.stop_training = self.has_ended = True
