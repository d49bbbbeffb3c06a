"""A clock in place of the machine's."""

from __future__ import annotations


class Clock:
    """Time that passes with each look."""

    def __init__(self, step: float) -> None:
        self.time, self.step = 0.0, step

    def __call__(self) -> float:
        self.time += self.step
        return self.time
