"""What stands in place of a learning rate, and the rate that is a number.

Apart from the other schedules, which most fits have no use for.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..common.checks import check_number, describe
from ..common.config import assign, declaration

if TYPE_CHECKING:
    from ..kernels.typing import Array

__all__ = ["Constant"]

State = dict[str, Any]


class Schedule:
    """A learning rate that changes; the subclasses are declarations."""

    def start(self) -> State:
        """Return what is remembered before the first epoch: a JSON-able dictionary."""
        return {}

    def rates(self, epoch: int, steps: int, state: State) -> float | Array:
        """Return the learning rate in an epoch.

        Parameters
        ----------
        epoch : int
            The epoch's number, from 0.
        steps : int
            How many updates it has.
        state : dict
            What `start` or the latest `observe` returned.

        Returns
        -------
        float or ndarray
            One rate for all steps, or a float64 array of shape (steps,).
        """
        return self._rate(epoch)

    def _rate(self, epoch: int) -> float:
        raise NotImplementedError

    def observe(self, logs: Mapping[str, float], state: State) -> State:
        """Return what is remembered after an epoch with these logs; ``state`` stays as it is."""
        return state


@declaration
@dataclass(frozen=True)
class Constant(Schedule):
    """The same rate always.

    Parameters
    ----------
    rate : float
        At least 0.
    """

    rate: float

    def __post_init__(self) -> None:
        assign(self, rate=check_number("rate", self.rate, 0))

    def _rate(self, epoch: int) -> float:
        return self.rate


def check_learning_rate(learning_rate: object) -> float | Schedule:
    """Return a schedule as it is, a finite number of at least 0 as a float."""
    if isinstance(learning_rate, Schedule):
        return learning_rate
    try:
        return check_number("learning_rate", learning_rate, 0)
    except TypeError:
        given = describe(learning_rate)
        raise TypeError(f"learning_rate must be a number or a schedule, got {given}") from None


def as_schedule(learning_rate: float | Schedule) -> Schedule:
    """Return a schedule as it is, a number as a `Constant`.

    Raises
    ------
    TypeError, ValueError
        Neither a schedule nor a finite number of at least 0.
    """
    checked = check_learning_rate(learning_rate)
    return checked if isinstance(checked, Schedule) else Constant(checked)
