"""Schedules of a fit's progress: functions of the share of its updates that are done.

A learning rate, a dropout rate or a weight decay may follow one. Without `epochs` the progress is
that of the fit at hand, and begins anew with each `fit`; a fit that is taken up by `resume` goes on
where it was. With `epochs` it counts from the model's last reset, over further calls of `fit`, and
stays at its end afterward.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar, TypeVar

import numpy as np

from ..common.checks import check_number, check_positive_int
from ..common.config import assign, declaration
from .learning_rate import Schedule, Span, State

if TYPE_CHECKING:
    from ..kernels.typing import Array

__all__ = ["CosLog", "FlatAnneal", "FlatCosine"]

_Self = TypeVar("_Self", bound="_Progress")


@dataclass(frozen=True)
class _Progress(Schedule):
    """``maximum * shape(t)``, t the progress."""

    maximum: float = 1.0
    epochs: int | None = None

    highest: ClassVar[str] = "maximum"

    def __post_init__(self) -> None:
        assign(self, maximum=check_number("maximum", self.maximum, 0, open_low=True))
        if self.epochs is not None:
            assign(self, epochs=check_positive_int("epochs", self.epochs))

    def __rmul__(self: _Self, factor: float) -> _Self:
        """Return the schedule with its maximum multiplied: ``0.04 * CosLog()``."""
        if isinstance(factor, bool) or not isinstance(factor, int | float):
            return NotImplemented
        return replace(self, maximum=factor * self.maximum)

    def rates(self, epoch: int, steps: int, state: State, span: Span | None = None) -> Array:
        """Return the values of an epoch's steps: float64, shape (steps,)."""
        first, epochs = (0, self.epochs) if self.epochs else span or (epoch, 1)
        done = np.arange(steps) + (epoch - first) * steps
        return self.maximum * self._shape(np.minimum(done / (epochs * steps), 1.0))

    def _shape(self, t: Array) -> Array:
        """Return the value at progress t as a share of the maximum."""
        raise NotImplementedError


@declaration
@dataclass(frozen=True)
class CosLog(_Progress):
    """Cycles of a cosine, each twice as long as the one before (Holzmueller et al. 2024).

    ``maximum * (1 - cos(2 pi log2(1 + (2**periods - 1) t))) / 2``, t the share of all updates that
    are done: 0 at the first update, up to the maximum and down again `periods` times. The learning
    rate of RealMLP, there "coslog4".

    Parameters
    ----------
    maximum : float
        The highest value, above 0. ``0.04 * CosLog()`` is ``CosLog(0.04)``.
    epochs : int, optional
        Epochs that t is counted over, from the model's last reset on; None: those of the fit at
        hand. Outside of a fit (`Sequential.train_step`) t is then 0.
    periods : int
        How many cycles there are.
    """

    periods: int = 4

    def __post_init__(self) -> None:
        super().__post_init__()
        assign(self, periods=check_positive_int("periods", self.periods))

    def _shape(self, t: Array) -> Array:
        cycles = np.log2(1.0 + (2.0**self.periods - 1.0) * t)
        return 0.5 * (1.0 - np.cos(2.0 * np.pi * cycles))


@declaration
@dataclass(frozen=True)
class FlatCosine(_Progress):
    """The maximum for half of the updates, then half a cosine down to 0.

    ``maximum`` while t, the share of all updates that are done, is below 1/2, then
    ``maximum * (1 + cos(pi (2 t - 1))) / 2``. Dropout and weight decay of RealMLP (Holzmueller et
    al. 2024), there "flat_cos".

    Parameters
    ----------
    maximum : float
        The first value, above 0. ``0.15 * FlatCosine()`` is ``FlatCosine(0.15)``.
    epochs : int, optional
        Epochs that t is counted over, from the model's last reset on; None: those of the fit at
        hand. Outside of a fit t is then 0.
    """

    def _shape(self, t: Array) -> Array:
        return _flat_then_cosine(t, 0.5, 0.0)


@declaration
@dataclass(frozen=True)
class FlatAnneal(_Progress):
    """The maximum for 60 % of the updates, then half a cosine down to nearly 0.

    ``maximum`` while t, the share of all updates that are done, is below 0.6, then a cosine to
    ``1e-5 * maximum`` at t = 1. "flat_anneal" of pytabkit (Holzmueller et al. 2024).

    Parameters
    ----------
    maximum : float
        The first value, above 0. ``0.04 * FlatAnneal()`` is ``FlatAnneal(0.04)``.
    epochs : int, optional
        Epochs that t is counted over, from the model's last reset on; None: those of the fit at
        hand. Outside of a fit t is then 0.
    """

    def _shape(self, t: Array) -> Array:
        return _flat_then_cosine(t, 0.6, 1e-5)


def _flat_then_cosine(t: Array, flat: float, last: float) -> Array:
    """1 up to a progress, then half a cosine down to `last`."""
    falling = np.maximum((t - flat) / (1.0 - flat), 0.0)
    values: Array = last + (1.0 - last) * 0.5 * (1.0 + np.cos(np.pi * falling))
    return values
