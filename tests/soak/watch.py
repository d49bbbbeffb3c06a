"""Work that must take little memory and time, and run and read nothing but what it should."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

if sys.platform == "linux":
    import resource

MEMORY = 64 * 2**20
SECONDS = 10.0

# What Python tells of before it does it; of the events with a path, see below.
_NEVER = ("os.exec", "os.posix_spawn", "os.spawn", "os.system", "subprocess.", "socket.", "pickle.")
_INSTALLED = tuple(
    os.path.realpath(folder)
    for folder in (sys.prefix, sys.base_prefix, Path(__file__).resolve().parents[2])
)
_PAGE = os.sysconf("SC_PAGE_SIZE") if hasattr(os, "sysconf") else 0

_watched: list[str] = []
_seen: list[str] = []
_hooked = False


@contextmanager
def watch(folder: Path, file_size: int = 0) -> Iterator[None]:
    """Watch what is done within.

    Parameters
    ----------
    folder : Path
        Files may be opened below it, and those that are installed.
    file_size : int
        So many bytes more memory may be taken.

    Raises
    ------
    AssertionError
        It took longer than `SECONDS`, ran a program, connected to somewhere, or opened or ran a
        file elsewhere.
    MemoryError
        It took more than `MEMORY` beyond what the process had; on Linux alone.
    """
    global _hooked
    if not _hooked:
        # There is no way to take it away again.
        sys.addaudithook(_hook)
        _hooked = True
    _watched.append(os.path.realpath(folder))
    _seen.clear()
    before = signal.signal(signal.SIGALRM, _too_long)
    signal.setitimer(signal.ITIMER_REAL, SECONDS)
    limits = _limit_memory(MEMORY + file_size)
    try:
        yield
    finally:
        if limits is not None:
            resource.setrlimit(resource.RLIMIT_AS, limits)
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
        _watched.pop()
    assert not _seen, f"it did what no file may ask for: {_seen}"


def _limit_memory(more: int) -> tuple[int, int] | None:
    if sys.platform != "linux":
        return None
    with open("/proc/self/statm", "rb") as file:
        now = int(file.read().split()[0]) * _PAGE
    limits = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (now + more, limits[1]))
    return limits


def _too_long(number: int, frame: FrameType | None) -> None:
    raise AssertionError(f"it took longer than {SECONDS:g} s")


def _hook(event: str, arguments: tuple[Any, ...]) -> None:
    if not _watched:
        return
    path = arguments[0] if event == "open" else None
    if event == "exec":
        path = arguments[0].co_filename
    if isinstance(path, str | bytes) and not _is_allowed(os.fsdecode(path)):
        _seen.append(f"{event} {path!r}")
    elif event.startswith(_NEVER):
        _seen.append(f"{event} {arguments!r:.200}")


def _is_allowed(path: str) -> bool:
    if path.startswith("<frozen") or path in ("/proc/self/statm", os.devnull):
        return True
    return os.path.realpath(path).startswith((*_watched, *_INSTALLED))
