"""The on-disk cache of compiled kernels, tied to the sources they were compiled from.

Numba's cache looks at the one file that holds a function. A kernel also depends on the functions
it calls in other files and on the compiler options, so here every entry carries a digest of all
sources of this package in its name: an edit anywhere recompiles, no edit loads. Each variant of a
kernel has files of its own, for Numba's index of several variants is not safe between processes
that compile at the same time.
"""

from __future__ import annotations

import functools
import hashlib
import types
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numba
from numba.core.ccallback import CFunc


def _digest_of_sources() -> str:
    """Digest of the text of every module below ``kernels/`` and of Numba's version."""
    folder = Path(__file__).resolve().parent.parent
    digest = hashlib.sha256(numba.__version__.encode())
    for path in sorted(folder.rglob("*.py")):
        digest.update(path.relative_to(folder).as_posix().encode())
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()[:16]


# Taken when the sources are imported: an edit while this process runs is not what it compiles.
_DIGEST = _digest_of_sources()


@functools.cache
def _warn_without_cache() -> None:
    warnings.warn(
        "compiled kernels cannot be cached, for no folder for the cache can be written: every "
        "process compiles them again. Set NUMBA_CACHE_DIR to a folder that can be written.",
        RuntimeWarning,
        stacklevel=2,
    )


def compile_callback(
    function: Callable[..., Any], variant: str, signature: Any, options: dict[str, Any]
) -> CFunc:
    """Load a function from the cache, or compile it into the cache, as a C callback.

    Parameters
    ----------
    function : callable
    variant : str
        What tells this use of the function from others; part of the name in the cache.
    signature : tuple of argument types and the return type
    options : dict
        From `options.py`.
    """
    name = "_".join(part for part in (function.__name__, variant) if part)
    copy = types.FunctionType(function.__code__, function.__globals__, name)
    copy.__qualname__ = f"{name}_{_DIGEST}"
    callback = CFunc(copy, signature, {}, options)
    try:
        callback.enable_caching()
    except RuntimeError as error:
        if "cannot cache" not in str(error):
            raise
        _warn_without_cache()
        callback.compile()
        return callback
    try:
        callback.compile()
    except Exception:
        # A damaged file of the cache fails in as many ways as there are bytes. What is wrong with
        # the function itself fails again.
        vars(callback)["_cache"].flush()
        callback.compile()
    return callback
