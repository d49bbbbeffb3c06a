"""Compiling everything beforehand, so that no first use has to wait."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from ...errors import missing_extra
from ...kernels import get_backend


def warmup(progress: bool = False) -> None:
    """Compile every kernel, for both dtypes, into the on-disk cache, on all cores.

    Afterward no fit and no prediction compiles anything, in this process or in another one. What
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
    # Numba takes half a second to import, and may not be there.
    from .compile_all import compile_all

    compile_all(bar)


def _bar() -> Callable[..., Any]:
    try:
        from tqdm import tqdm
    except ImportError as error:
        raise missing_extra("tqdm", "cli") from error
    return partial(tqdm, desc="compiling", unit="kernel")
