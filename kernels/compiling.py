"""Word that something is about to be compiled, for whoever has to wait for it.

Apart from the compiled kernels, so that it can be asked for without Numba.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path

Listener = Callable[[Path | None], None]
"""Told the folder below which what is compiled will be kept, None where none can be written."""

_listener: ContextVar[Listener | None] = ContextVar("fastmlp_compiling", default=None)


@contextmanager
def before_compiling(listener: Listener) -> Iterator[None]:
    """Call `listener` before each kernel that this thread compiles, not before one that it loads.

    What it raises goes on to whoever asked for the kernel, which then is not compiled.
    """
    token = _listener.set(listener)
    try:
        yield
    finally:
        _listener.reset(token)


def announce(folder: Path | None) -> None:
    """Tell the listener, if there is one, that a kernel is about to be compiled."""
    listener = _listener.get()
    if listener is not None:
        listener(folder)
