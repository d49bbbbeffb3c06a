"""What fits side by side share: how many cores each may use, and when all have to stop."""

from __future__ import annotations

from contextvars import ContextVar
from threading import Event

from .cores import limit_cores

_stop: ContextVar[Event | None] = ContextVar("stop_of_fits", default=None)


class FitStopped(BaseException):
    """Ends a fit because another one, beside it, has failed or was interrupted."""


def share_cores(cores: int, stop: Event) -> None:
    """From now on, what runs in this context uses so many cores and ends when `stop` is set."""
    limit_cores(cores)
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
