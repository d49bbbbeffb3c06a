"""Numbers in words, for progress and reports."""

from __future__ import annotations

from .networks import Case
from .peer import AUTO


def count_of(threads: int | str) -> str:
    """``1 thread``, ``2 threads`` or ``auto``."""
    if threads == AUTO:
        return AUTO
    return f"{threads} thread{'s' * (threads != 1)}"


def cost(case: Case, rows: int, seconds: float) -> str:
    """What a step takes, or a row of a prediction of so many rows."""
    if case.predicts:
        return f"{digits(1e9 * seconds / rows)} ns a row"
    return f"{digits(1e6 * seconds)} us a step"


def digits(value: float) -> str:
    """Three digits, and all of those before the point."""
    return f"{value:.0f}" if value >= 100 else f"{value:.3g}"
