"""Times of short work: many times in a sample, told in seconds of one.

asv calls `setup` before every sample and, from asv-runner 0.3 on, lets a sample be one call of the
benchmark. So a benchmark repeats its work itself, and sets its ``timer`` to a clock that runs that
many times slower. What `setup` makes is cached, for it is asked for at each sample.
"""

from __future__ import annotations

from collections.abc import Callable
from math import ceil
from time import perf_counter
from typing import Any


def slow_clock(repeats: int) -> Callable[[], float]:
    """A clock on which so many repeats take as long as one does on a usual clock."""
    return lambda: perf_counter() / repeats


def count_repeats(work: Callable[[int], Any], seconds: float) -> int:
    """How often work is repeated to last so long.

    Parameters
    ----------
    work : callable
        Does its work as often as it is told; it is warm.
    seconds : float
    """
    repeats = 1
    while (taken := _time(work, repeats)) < seconds / 4:
        repeats *= 2
    return ceil(repeats * seconds / taken)


def _time(work: Callable[[int], Any], repeats: int) -> float:
    start = perf_counter()
    work(repeats)
    return perf_counter() - start
