"""Compiling what is not in the cache, on all cores."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable
from contextlib import nullcontext
from typing import Any

from ...kernels.compiled.machine.cache import cache_folder
from ...kernels.compiling import before_compiling
from .all_kernels import Kernel, all_kernels, load, require_cache
from .warmup_workers import compile_by_workers

# A worker takes a second before it compiles: the time of five kernels.
_WORTH_WORKERS = 10


def compile_all(bar: Callable[..., Any] | None = None) -> None:
    """Compile every kernel that is not in the cache; see `warmup`.

    Parameters
    ----------
    bar : callable, optional
        Makes a progress bar, as tqdm does, where something has to be compiled.
    """
    if cache_folder() is None:
        raise OSError(
            "there is no folder that compiled kernels could be kept in; set NUMBA_CACHE_DIR to a "
            "folder that can be written"
        )
    missing = [kernel for kernel in all_kernels() if not _is_cached(kernel)]
    if not missing:
        return
    shown = nullcontext() if bar is None else bar(total=len(missing))
    lock = threading.Lock()
    with shown as moving:

        def advance() -> None:
            if moving is not None:
                with lock:
                    moving.update()

        _compile(missing, advance)


class _NotCachedError(Exception):
    pass


def _is_cached(kernel: Kernel) -> bool:
    """Load a kernel and what it calls; False where something would have to be compiled."""

    def refuse(folder: object) -> None:
        raise _NotCachedError

    try:
        with before_compiling(refuse):
            load(kernel)
    except _NotCachedError:
        return False
    return True


def _compile(kernels: list[Kernel], advance: Callable[[], None]) -> None:
    # The executable of a frozen application is no interpreter.
    alone = not sys.executable or getattr(sys, "frozen", False)
    if not alone and len(kernels) >= _WORTH_WORKERS:
        kernels = compile_by_workers(kernels, advance)
    with require_cache():
        for kernel in kernels:
            load(kernel)
            advance()
