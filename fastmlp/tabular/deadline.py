"""How much of a wall time is left, by a clock that a test may replace."""

from __future__ import annotations

import math
import time
from collections.abc import Callable

now: Callable[[], float] = time.perf_counter
"""The clock, in seconds; tests put another in its place."""

# Of the time, what is kept for what follows the training.
_SPARE = 0.03

__all__ = ["Deadline", "OutOfTimeError"]


class OutOfTimeError(Exception):
    """The time is over in the middle of an epoch."""


class Deadline:
    """A time limit that began when the object was made.

    Parameters
    ----------
    seconds : float, optional
        None for no limit.
    """

    def __init__(self, seconds: float | None = None) -> None:
        self._end = math.inf if seconds is None else now() + (1 - _SPARE) * seconds

    @property
    def is_set(self) -> bool:
        """Whether there is a limit."""
        return self._end < math.inf

    def left(self) -> float:
        """Seconds until the end; below 0 behind it."""
        return self._end - now()

    def check(self) -> None:
        """End an epoch in the middle where the time is over.

        Raises
        ------
        OutOfTimeError
            It is.
        """
        if self.left() < 0:
            raise OutOfTimeError
