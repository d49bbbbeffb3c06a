"""The learning rate in the course of a fit, by scikit-learn's three rules."""

from __future__ import annotations

from typing import Any

_SMALLEST = 1e-6


class Rate:
    """The learning rate of each epoch, and what happens where the loss no longer falls.

    Parameters
    ----------
    rule : {"constant", "invscaling", "adaptive"}
    first : float
    power : float
        Of ``first / (t + 1)**power``, t the rows that have been seen, for "invscaling".

    Attributes
    ----------
    learning_rate : float
        That of the next epoch.
    """

    def __init__(self, rule: str, first: float, power: float) -> None:
        self.rule, self.first, self.power = rule, float(first), float(power)
        self.learning_rate = self.first

    @classmethod
    def of(cls, estimator: Any) -> Rate:
        """Return the one that the arguments of an estimator name; Adam's is constant."""
        rule = estimator.learning_rate if estimator.solver == "sgd" else "constant"
        return cls(rule, estimator.learning_rate_init, estimator.power_t)

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
