"""The learning rate in the course of a fit: scikit-learn's three rules, or a schedule of ours."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ..declarations.learning_rate import Schedule
from .objective import optimizer_of

if TYPE_CHECKING:
    from ..kernels.typing import Array

    Rates = list[float | Array]

_SMALLEST = 1e-6


class Rate:
    """The learning rate of each epoch, and what happens where the loss no longer falls.

    Parameters
    ----------
    rule : {"constant", "invscaling", "adaptive", "scheduled"}
        The last goes by the network's own schedule.
    first : float
    power : float
        Of ``first / (t + 1)**power``, t the rows that have been seen, for "invscaling".

    Attributes
    ----------
    learning_rate : float
        That of the next epoch; where it is scheduled, of the latest one.
    """

    def __init__(self, rule: str, first: float, power: float) -> None:
        self.rule, self.first, self.power = rule, float(first), float(power)
        self.learning_rate = self.first

    @classmethod
    def of(cls, estimator: Any) -> Rate:
        """Return the one that the arguments of an estimator name; that of "adam" is constant.

        Raises
        ------
        ValueError
            An optimizer's own schedule and a rule of scikit-learn's are asked for at once.
        """
        rule, first = estimator.learning_rate, optimizer_of(estimator).learning_rate
        if isinstance(first, Schedule):
            if not isinstance(rule, Schedule) and rule != "constant":
                raise ValueError(
                    f"learning_rate={rule!r} changes a number, but the solver has a schedule; give "
                    "it a number, or leave learning_rate='constant'"
                )
            return cls("scheduled", np.nan, 0.0)
        return cls("constant" if estimator.solver == "adam" else rule, first, estimator.power_t)

    def rates(self, declared: Rates) -> Rates:
        """Return the rates of an epoch's updates; `declared` are those of the network itself."""
        if self.rule == "scheduled":
            self.learning_rate = float(np.ravel(declared[0])[-1])
            return declared
        return [self.learning_rate, *declared[1:]]

    def end_epoch(self, n_seen: int) -> None:
        """Set the rate for the next epoch, after so many rows in all."""
        if self.rule == "invscaling":
            self.learning_rate = self.first / (n_seen + 1) ** self.power

    def stalls(self) -> tuple[bool, str]:
        """Tell whether a fit that no longer improves ends here, and what is done, in words."""
        if self.rule != "adaptive":
            return True, "Stopping."
        if self.learning_rate <= _SMALLEST:
            return True, "Learning rate too small. Stopping."
        self.learning_rate /= 5.0
        return False, f"Setting learning rate to {self.learning_rate:f}"
