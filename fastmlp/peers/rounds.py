"""Measurements that take turns, round by round, so that a slow spell of the machine meets all."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from math import ceil
from time import perf_counter, sleep
from typing import Any

_SECONDS = 0.1
_PAUSE = 0.01


def interleaved(
    timed: Mapping[str, Callable[[int], Any]], rounds: int, seconds: float = _SECONDS
) -> dict[str, list[float]]:
    """Time functions in turns, another one first in each round.

    Parameters
    ----------
    timed : dict of callable
        Each does its work as often as it is told.
    rounds : int
    seconds : float
        Of each measurement, about.

    Returns
    -------
    dict of list of float
        Seconds for doing it once, one number a round.
    """
    counts = {name: _count(run, seconds) for name, run in timed.items()}
    found: dict[str, list[float]] = {name: [] for name in timed}
    names = list(timed)
    for number in range(rounds):
        shift = number % len(names)
        for name in names[shift:] + names[:shift]:
            sleep(_PAUSE)
            found[name].append(_time(timed[name], counts[name]) / counts[name])
    return found


def _time(run: Callable[[int], Any], count: int) -> float:
    start = perf_counter()
    run(count)
    return perf_counter() - start


def _count(run: Callable[[int], Any], seconds: float) -> int:
    """How often it is done in so many seconds; it is done at least once before it is timed."""
    run(1)
    count = 1
    while (taken := _time(run, count)) < seconds / 2:
        count *= 2
    return max(1, ceil(count * seconds / taken))


def ratios(above: Sequence[float], below: Sequence[float]) -> list[float]:
    """One by the other, round by round."""
    return [a / b for a, b in zip(above, below, strict=True)]
