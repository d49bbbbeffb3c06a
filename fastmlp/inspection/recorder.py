"""What happens inside a network while it is trained: recorded by epoch, with warnings in words."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

import numpy as np

from ..common.checks import check_bool
from ..common.error_state import own_error_state
from ..common.warn import warn
from ..errors import TrainingWarning
from ..runners import numpy_runner
from ..training.callbacks import Callback
from ..training.step import gradients
from .diagnosis import Diagnosis, Look

if TYPE_CHECKING:
    from ..kernels.typing import Array
    from ..training.sources import FitData

SAMPLE_ROWS = 256
"""Rows of the sample on which gradients and activations are worked out."""


@dataclass(frozen=True)
class Statistics:
    """An array in a few numbers, worked out in float64.

    ``statistics["mean"]`` is ``statistics.mean``, and ``dict(statistics)`` has them all.

    Attributes
    ----------
    mean, std, min, max : float
    norm : float
        ``sqrt(sum of squares)``.
    zeros : float
        The share of elements that are exactly 0.
    """

    mean: float
    std: float
    min: float
    max: float
    norm: float
    zeros: float

    @classmethod
    def of(cls, array: Array) -> Statistics:
        """The statistics of an array."""
        values = array.astype(np.float64)
        return cls(
            mean=float(values.mean()),
            std=float(values.std()),
            min=float(values.min()),
            max=float(values.max()),
            norm=float(np.sqrt(np.square(values).sum())),
            zeros=float(np.mean(values == 0)),
        )

    def keys(self) -> Iterable[str]:
        """Return the names."""
        return tuple(field.name for field in fields(self))

    def __getitem__(self, name: str) -> float:
        if name not in self.keys():
            raise KeyError(name)
        value: float = getattr(self, name)
        return value


@own_error_state
class Recorder(Callback):
    """Records weights, gradients and activations after each epoch, and warns of what goes wrong.

    Gradients and activations are those of a fixed sample: the first 256 rows that are trained on
    and have a weight above 0, in the order of X (of the first chunk, where X comes in chunks).
    Gradients are `Sequential.gradients` of the reported loss of the sample, as one training batch;
    activations are `Sequential.activations` in prediction mode. A fit costs a forward and a
    backward pass of the sample more an epoch; nothing of the fit's results changes.

    Each warning is a `TrainingWarning` that names the layer, is given once a fit, and is kept in
    `warnings`. After each epoch it is looked for

    * dead ReLUs: at least half of a layer's units are 0 on the whole sample;
    * saturated units: at least half of the units of a hidden sigmoid or tanh layer are within
      0.01 of -1 or 1 (sigmoid: ``|2 out - 1| > 0.99``) on at least 95% of the sample;
    * vanishing gradients: the root mean square of a dense layer's weight gradient is below 1e-4
      of the largest among the dense layers;
    * exploding gradients: the norm of a dense layer's weight gradient is above 1e4;
    * a learning rate that is too large: the loss of the epoch, or of the sample after it, is above
      three times that of the sample before training, and three times that of outputs (logits, where
      the loss takes those) that are all 0;
    * a learning rate that is too small: over 10 epochs the loss of the sample changed by less than
      0.1% and the parameters moved by less than 1% of their norm, since training began it has
      fallen by less than 1%, and nothing else is wrong.

    The loss of the sample is that of training, but always with the same dropout mask.

    Parameters
    ----------
    arrays : bool
        Record the arrays themselves (copies), not `Statistics` of them.

    Attributes
    ----------
    weights, gradients : dict of str to list
        By the names of `Sequential.parameters`, one entry an epoch.
    activations : dict of str to list
        By the names of `Sequential.activations`.
    epochs : list of int
        The number of each recorded epoch. A further fit of the same model with the same recorder
        goes on; any other fit starts anew.
    warnings : list of str
        The warnings so far.

    Examples
    --------
    >>> import fastmlp as fm
    >>> recorder = fm.Recorder()
    >>> model = fm.Sequential([fm.Dense(4, "tanh"), fm.Dense(1)], random_state=0)
    >>> history = model.fit([[0.0], [1.0]], [0.0, 1.0], epochs=3, callbacks=[recorder], verbose=0)
    >>> len(recorder.weights["0.weight"])
    3
    """

    def __init__(self, arrays: bool = False) -> None:
        self.arrays = check_bool("arrays", arrays)
        self._model: Any = None
        self._forget()

    def _forget(self) -> None:
        self.weights: dict[str, list[Statistics | Array]] = {}
        self.gradients: dict[str, list[Statistics | Array]] = {}
        self.activations: dict[str, list[Statistics | Array]] = {}
        self.epochs: list[int] = []
        self.warnings: list[str] = []

    def on_fit_data(self, model: Any, data: FitData) -> None:
        """Take the sample, and look at the network before it is trained."""
        if model is not self._model or self.epochs[-1:] != [model.training_state.epoch - 1]:
            self._forget()
        self._model = model
        self._sample = data.first(SAMPLE_ROWS)
        state = model.training_state.state
        self._first_step = state.step
        earlier = model.history["loss"][0] if model.history.epochs else None
        _, y, weight = self._sample
        head = state.program.head
        blank = np.zeros((len(y), head.slot.width), model.dtype)
        with np.errstate(all="ignore"):
            blank_loss, _ = numpy_runner.head_loss(state, blank, y, weight)
        self._diagnosis = Diagnosis(self._loss(), state.parameters, blank_loss, earlier)

    def on_epoch_end(self, model: Any, epoch: int, logs: dict[str, float]) -> None:
        """Record the epoch, and say what looks wrong for the first time."""
        x, y, weight = self._sample
        state = model.training_state.state
        look = Look(
            state.program,
            state.parameters,
            gradients(model.runner, x, y, weight),
            numpy_runner.activations(state, x, False),
            logs["loss"],
            self._loss(),
        )
        self._record(self.weights, model.parameters)
        self._record(self.gradients, look.gradients)
        self._record(self.activations, look.activations)
        self.epochs.append(epoch)
        for message in self._diagnosis.of(look):
            self.warnings.append(message)
            warn(message, TrainingWarning)

    def _loss(self) -> float:
        """The loss of the sample as in training, but with the same dropout mask in each epoch."""
        x, y, weight = self._sample
        state = self._model.training_state.state.sharing(step=self._first_step)
        run = numpy_runner.Pass(state, training=True, update_statistics=False)
        run.feed(x)
        with np.errstate(all="ignore"):
            numpy_runner.forward(state.program.ops, run)
        read = run.values[state.program.head.slot]
        return numpy_runner.reported_loss(state, [(read, y, weight)])[0]

    def _record(self, records: dict[str, list[Any]], arrays: Any) -> None:
        for name, array in arrays.items():
            entry = array.copy() if self.arrays else Statistics.of(array)
            records.setdefault(name, []).append(entry)
