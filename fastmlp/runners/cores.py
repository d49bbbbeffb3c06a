"""What fits side by side share: how many cores each may use, and when all have to stop."""

from __future__ import annotations

import os
from contextvars import ContextVar
from threading import Event

_limit: ContextVar[int | None] = ContextVar("cores_of_a_fit", default=None)
_stop: ContextVar[Event | None] = ContextVar("stop_of_fits", default=None)


class FitStopped(BaseException):
    """Ends a fit because another one, beside it, has failed or was interrupted."""


def available_cores() -> int:
    """Cores that this process may use, or the share of them that this fit may."""
    limit = _limit.get()
    if limit is not None:
        return limit
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def share_cores(cores: int, stop: Event) -> None:
    """From now on, what runs in this context uses so many cores and ends when `stop` is set."""
    _limit.set(cores)
    _stop.set(stop)


def check_stopped() -> None:
    """End this fit where all have to stop.

    Raises
    ------
    FitStopped
        They have.
    """
    stop = _stop.get()
    if stop is not None and stop.is_set():
        raise FitStopped
