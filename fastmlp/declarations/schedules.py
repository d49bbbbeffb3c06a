"""Learning-rate schedules: declarations that stand in place of a learning rate.

They hold no state. What a schedule has to remember (`ReduceOnPlateau` alone) is a JSON-able
dictionary that the model keeps: ``start()`` makes it, ``rates`` reads it, ``observe`` replaces it
after each epoch. Epochs count from 0 and go on over further calls of ``fit``.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ..common.checks import check_int, check_number, check_positive_int, describe
from ..common.config import assign, declaration
from .learning_rate import Schedule, Span, State

if TYPE_CHECKING:
    from ..kernels.typing import Array

__all__ = [
    "CosineDecay",
    "ExponentialDecay",
    "InverseTimeDecay",
    "OneCycle",
    "ReduceOnPlateau",
    "StepDecay",
]

_SCORES = frozenset(
    ("accuracy", "precision", "recall", "f1", "roc_auc", "r2", "explained_variance", "pearson_r")
)


@declaration
@dataclass(frozen=True)
class ExponentialDecay(Schedule):
    """``initial * rate**epoch``.

    Parameters
    ----------
    initial : float
        The rate of the first epoch, above 0.
    rate : float
        In (0, 1].
    """

    initial: float
    rate: float

    def __post_init__(self) -> None:
        assign(
            self,
            initial=check_number("initial", self.initial, 0, open_low=True),
            rate=check_number("rate", self.rate, 0, 1, open_low=True),
        )

    def _rate(self, epoch: int) -> float:
        return self.initial * self.rate**epoch


@declaration
@dataclass(frozen=True)
class InverseTimeDecay(Schedule):
    """``initial / (1 + rate * epoch)``.

    Parameters
    ----------
    initial : float
        The rate of the first epoch, above 0.
    rate : float
        At least 0.
    """

    initial: float
    rate: float

    def __post_init__(self) -> None:
        assign(
            self,
            initial=check_number("initial", self.initial, 0, open_low=True),
            rate=check_number("rate", self.rate, 0),
        )

    def _rate(self, epoch: int) -> float:
        return self.initial / (1 + self.rate * epoch)


@declaration
@dataclass(frozen=True)
class StepDecay(Schedule):
    """``initial * rate**(epoch // every)``.

    Parameters
    ----------
    initial : float
        The rate of the first epochs, above 0.
    rate : float
        In (0, 1].
    every : int
        How many epochs each step lasts.
    """

    initial: float
    rate: float
    every: int

    def __post_init__(self) -> None:
        assign(
            self,
            initial=check_number("initial", self.initial, 0, open_low=True),
            rate=check_number("rate", self.rate, 0, 1, open_low=True),
            every=check_positive_int("every", self.every),
        )

    def _rate(self, epoch: int) -> float:
        return self.initial * self.rate ** (epoch // self.every)


@declaration
@dataclass(frozen=True)
class CosineDecay(Schedule):
    """Half a cosine from ``initial`` to ``final`` (Loshchilov and Hutter 2017, without restarts).

    ``final + (initial - final) * (1 + cos(pi * epoch / epochs)) / 2``, and ``final`` from epoch
    number ``epochs`` on.

    Parameters
    ----------
    initial : float
        The rate of the first epoch, above 0.
    epochs : int
        The epoch that first has the rate ``final``.
    final : float
        At least 0.
    """

    initial: float
    epochs: int
    final: float = 0.0

    def __post_init__(self) -> None:
        assign(
            self,
            initial=check_number("initial", self.initial, 0, open_low=True),
            epochs=check_positive_int("epochs", self.epochs),
            final=check_number("final", self.final, 0),
        )

    @property
    def largest(self) -> float:
        """No value lies above it."""
        return max(self.initial, self.final)

    def _rate(self, epoch: int) -> float:
        if epoch >= self.epochs:
            return self.final
        return float(_cosine(self.initial, self.final, epoch / self.epochs))


@declaration
@dataclass(frozen=True)
class OneCycle(Schedule):
    """Up along half a cosine, then far down along another, step by step (Smith and Topin 2018).

    The ``n = epochs * steps`` rates of the cycle rise from ``maximum / 25`` at step 0 to
    ``maximum`` at step ``0.3 * n - 1`` and fall to ``maximum / 25 / 10**4`` at step ``n - 1``,
    where they stay. These are the rates of ``torch.optim.lr_scheduler.OneCycleLR`` with its
    default arguments.

    Parameters
    ----------
    maximum : float
        The highest rate, above 0.
    epochs : int
        The length of the cycle.
    """

    maximum: float
    epochs: int

    highest = "maximum"

    def __post_init__(self) -> None:
        assign(
            self,
            maximum=check_number("maximum", self.maximum, 0, open_low=True),
            epochs=check_positive_int("epochs", self.epochs),
        )

    def rates(self, epoch: int, steps: int, state: State, span: Span | None = None) -> Array:
        """Return the rates of an epoch's steps: float64, shape (steps,)."""
        first = self.maximum / 25
        last = first / 1e4
        total = self.epochs * steps
        end = total - 1
        peak = 0.3 * total - 1
        step = np.minimum(np.arange(epoch * steps, (epoch + 1) * steps), end)
        rising = step <= peak
        # Each phase is evaluated on its own steps: a cycle of up to 3 has none that rise, and
        # its peak lies before step 0.
        rates = np.empty(steps)
        rates[rising] = _cosine(first, self.maximum, step[rising] / peak)
        rates[~rising] = _cosine(self.maximum, last, (step[~rising] - peak) / (end - peak))
        return rates


@declaration
@dataclass(frozen=True)
class ReduceOnPlateau(Schedule):
    """The rate falls whenever a monitored value has stopped improving.

    An epoch is bad when the value is not better than the best so far (NaN is never better). After
    more than ``patience`` bad epochs in a row the rate becomes ``max(rate * factor, minimum)``
    from the next epoch on and the count starts again: the rule of
    ``torch.optim.lr_scheduler.ReduceLROnPlateau`` with a threshold of 0. Lower is better, but for
    scores such as ``accuracy``, with or without ``val_`` before it, where higher is.

    Parameters
    ----------
    initial : float
        The first rate, above 0.
    factor : float
        In (0, 1).
    patience : int
        How many bad epochs in a row are let pass.
    minimum : float
        From 0 to ``initial``.
    monitor : str
        A name in the epoch's logs.
    """

    initial: float
    factor: float = 0.1
    patience: int = 10
    minimum: float = 0.0
    monitor: str = "loss"

    def __post_init__(self) -> None:
        if not isinstance(self.monitor, str):
            raise TypeError(f"monitor must be a name, got {describe(self.monitor)}")
        initial = check_number("initial", self.initial, 0, open_low=True)
        assign(
            self,
            initial=initial,
            factor=check_number("factor", self.factor, 0, 1, open_low=True, open_high=True),
            patience=check_int("patience", self.patience, 0),
            minimum=check_number("minimum", self.minimum, 0, initial),
        )

    def start(self) -> State:
        """Return the first rate, no best value, no bad epochs."""
        return {"rate": self.initial, "best": None, "bad_epochs": 0}

    def rates(self, epoch: int, steps: int, state: State, span: Span | None = None) -> float:
        """Return the rate that `observe` last settled on."""
        return float(state["rate"])

    def observe(self, logs: Mapping[str, float], state: State) -> State:
        """Return what is remembered after an epoch with these logs.

        Raises
        ------
        ValueError
            The logs hold no value called ``monitor``.
        """
        if self.monitor not in logs:
            hint = ""
            if self.monitor.startswith("val_"):
                hint = "; values that begin with 'val_' need validation data"
            raise ValueError(
                f"ReduceOnPlateau cannot monitor {self.monitor!r}, this fit has: "
                f"{', '.join(logs)}{hint}"
            )
        value = float(logs[self.monitor])
        sign = -1.0 if self.monitor.removeprefix("val_") in _SCORES else 1.0
        best = math.inf if state["best"] is None else sign * state["best"]
        if sign * value < best:
            return {"rate": state["rate"], "best": value, "bad_epochs": 0}
        bad_epochs = state["bad_epochs"] + 1
        if bad_epochs <= self.patience:
            return {**state, "bad_epochs": bad_epochs}
        rate = max(state["rate"] * self.factor, self.minimum)
        return {"rate": rate, "best": state["best"], "bad_epochs": 0}


def _cosine(start: float, stop: float, fraction: float | Array) -> float | Array:
    """From ``start`` at fraction 0 to ``stop`` at fraction 1."""
    cosine: float | Array = np.cos(np.pi * fraction)
    return stop + (start - stop) / 2 * (1 + cosine)
