"""Compiling everything beforehand, so that no first use has to wait."""

from __future__ import annotations

import sys
import threading
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from functools import partial
from typing import Any, NamedTuple

from ...errors import missing_extra
from ...kernels import get_backend
from ...kernels.compiling import before_compiling

# A worker takes a second before it compiles: the time of five kernels.
_WORTH_WORKERS = 10


class Kernel(NamedTuple):
    """An op, the dtype that it is compiled for, and the member of its family."""

    op: str
    dtype: str
    member: str = ""

    def __str__(self) -> str:
        return f"{self.op} ({', '.join(filter(None, self[1:]))})"


_RUNNER = Kernel("run_steps", "")


def everything() -> Iterator[Kernel]:
    """What runs a program, and each op, dtype and member that a program can name."""
    from ...kernels.compiled.machine.op import OPS

    yield _RUNNER
    for dtype in ("float32", "float64"):
        for name, op in OPS.items():
            for member in op.members or ("",):
                yield Kernel(name, dtype, member)


def warmup(progress: bool = False) -> None:
    """Compile every kernel, for both dtypes, into the on-disk cache, on all cores.

    Afterwards no fit and no prediction compiles anything, in this process or in another one. What
    is in the cache already is only loaded.

    Parameters
    ----------
    progress : bool
        Show a bar (by tqdm) where something has to be compiled.

    Raises
    ------
    ImportError
        The numba backend is not installed, or tqdm is not and a bar was asked for.
    OSError
        Compiled kernels cannot be kept: no folder for them can be written.
    ChildProcessError
        A worker process failed.
    """
    bar = _bar() if progress else None
    get_backend("numba")
    from ...kernels.compiled.machine.cache import cache_folder

    if cache_folder() is None:
        raise OSError(
            "there is no folder that compiled kernels could be kept in; set NUMBA_CACHE_DIR to a "
            "folder that can be written"
        )
    missing = [kernel for kernel in everything() if not _is_cached(kernel)]
    if not missing:
        return
    shown = nullcontext() if bar is None else bar(total=len(missing))
    lock = threading.Lock()
    with shown as moving:

        def advance() -> None:
            if moving is not None:
                with lock:
                    moving.update()

        _compile_all(missing, advance)


def _bar() -> Callable[..., Any]:
    try:
        from tqdm import tqdm
    except ImportError as error:
        raise missing_extra("tqdm", "cli") from error
    return partial(tqdm, desc="compiling", unit="kernel")


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


def load(kernel: Kernel) -> None:
    """Load a kernel, or compile it where it is not in the cache."""
    from ...kernels.compiled.machine.op import OPS
    from ...kernels.compiled.machine.runner import runner

    if kernel == _RUNNER:
        runner()
    else:
        OPS[kernel.op].compiled(kernel.dtype, kernel.member)


def _compile_all(kernels: list[Kernel], advance: Callable[[], None]) -> None:
    # The executable of a frozen application is no interpreter.
    alone = not sys.executable or getattr(sys, "frozen", False)
    if not alone and len(kernels) >= _WORTH_WORKERS:
        from .warmup_workers import compile_by_workers

        kernels = compile_by_workers(kernels, advance)
    with kept_or_error():
        for kernel in kernels:
            load(kernel)
            advance()


@contextmanager
def kept_or_error() -> Iterator[None]:
    """Make it an error that a kernel is compiled and cannot be kept."""
    from ...kernels.compiled.machine.cache import CacheWarning

    with warnings.catch_warnings():
        warnings.simplefilter("error", CacheWarning)
        try:
            yield
        except CacheWarning as problem:
            raise OSError(str(problem)) from None
