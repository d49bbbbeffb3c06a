"""By what epochs are compared where it is not the mean loss."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..kernels.typing import Array

__all__ = ["Judge"]


@dataclass(frozen=True)
class Judge:
    """A metric of validation rows.

    Attributes
    ----------
    name : str
        What it is called in the history, behind ``val_``.
    measure : callable (rows, outputs) -> float
        Of some rows of X, by their numbers, and what networks said of them.
    rises : bool
        Whether more is better.
    """

    name: str
    measure: Callable[[Array, Array], float]
    rises: bool = True

    def is_better(self, value: float, other: float) -> bool:
        """Whether one value is better than another; NaN never is, but all else is than NaN."""
        if other != other:
            return value == value
        return value > other if self.rises else value < other
