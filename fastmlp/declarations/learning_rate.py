"""What stands in place of a learning rate, or of another number of a step, and rates that are one.

Apart from the other schedules, which most fits have no use for.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, TypeAlias

from ..common.checks import check_number, describe
from ..common.config import assign, declaration

if TYPE_CHECKING:
    from ..kernels.typing import Array

__all__ = ["Constant"]

State = dict[str, Any]

Span: TypeAlias = "tuple[int, int]"
"""The first epoch of the fit at hand, and how many it has."""


class Schedule:
    """A learning rate, or another number of a step, that changes; the subclasses are declarations.

    Attributes
    ----------
    highest : str
        The field that no value lies above.
    """

    highest: ClassVar[str] = "initial"

    def start(self) -> State:
        """Return what is remembered before the first epoch: a JSON-able dictionary."""
        return {}

    @property
    def largest(self) -> float:
        """No value lies above it."""
        return float(getattr(self, self.highest))

    def rates(
        self, epoch: int, steps: int, state: State, span: Span | None = None
    ) -> float | Array:
        """Return the learning rate in an epoch.

        Parameters
        ----------
        epoch : int
            The epoch's number, from 0.
        steps : int
            How many updates it has.
        state : dict
            What `start` or the latest `observe` returned.
        span : (int, int), optional
            The fit at hand.

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

    highest = "rate"

    def __post_init__(self) -> None:
        assign(self, rate=check_number("rate", self.rate, 0))

    def _rate(self, epoch: int) -> float:
        return self.rate


def check_scheduled(name: str, value: object, *bounds: float, **which: bool) -> float | Schedule:
    """Return a schedule as it is, a number within bounds (see `check_number`) as a float.

    Raises
    ------
    TypeError
        It is neither.
    ValueError
        The number, or the largest of the schedule, is out of bounds.
    """
    if isinstance(value, Schedule):
        check_number(
            f"the largest {name} of {type(value).__name__}", value.largest, *bounds, **which
        )
        return value
    try:
        return check_number(name, value, *bounds, **which)
    except TypeError:
        given = describe(value)
        raise TypeError(f"{name} must be a number or a schedule, got {given}") from None


def check_learning_rate(learning_rate: object) -> float | Schedule:
    """Return a schedule as it is, a finite number of at least 0 as a float."""
    return check_scheduled("learning_rate", learning_rate, 0)


def as_schedule(learning_rate: float | Schedule) -> Schedule:
    """Return a schedule as it is, a number as a `Constant`.

    Raises
    ------
    TypeError, ValueError
        Neither a schedule nor a finite number of at least 0.
    """
    checked = check_learning_rate(learning_rate)
    return checked if isinstance(checked, Schedule) else Constant(checked)
