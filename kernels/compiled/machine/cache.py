"""The on-disk cache of compiled kernels, tied to the sources they were compiled from.

Numba's cache looks at the one file that holds a function. A kernel also depends on the functions
it calls in other files and on the compiler options, so here every entry carries a digest of all
sources of this package in its name: an edit anywhere recompiles, no edit loads. Each variant of a
kernel has files of its own, for Numba's index of several variants is not safe between processes
that compile at the same time.
"""

from __future__ import annotations

import hashlib
import types
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numba
from numba.core.caching import FunctionCache
from numba.core.ccallback import CFunc
from numba.core.compiler import Compiler

from ...compiling import announce

# Before it loads a function, Numba sets up all that compiling takes: 0.35 s, half of them for
# importing SciPy's BLAS. Machine code that calls neither Numba's runtime nor its library needs none
# of it. A newer Numba than these loads in its own way, for a symbol missed would end the process.
_NUMBA = numba.version_info.short
_LOADS_ALONE = None not in _NUMBA and _NUMBA <= (0, 68)


def _digest_of_sources() -> str:
    """Digest of the text of every module below ``kernels/`` and of Numba's version."""
    folder = Path(__file__).resolve().parents[2]
    digest = hashlib.sha256(numba.__version__.encode())
    for path in sorted(folder.rglob("*.py")):
        digest.update(path.relative_to(folder).as_posix().encode())
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()[:16]


# Taken when the sources are imported: an edit while this process runs is not what it compiles.
_DIGEST = _digest_of_sources()


class CacheWarning(RuntimeWarning):
    """Compiled kernels cannot be kept for the next process."""


# Compiling changes the filters of warnings, after which Python would show the same one again; and
# kernels of several folders meet the same problem.
_TOLD: set[str] = set()


def _warn(problem: str, reason: str = "") -> None:
    """Warn once for each reason, by default the problem itself."""
    if (reason or problem) in _TOLD:
        return
    _TOLD.add(reason or problem)
    warnings.warn(
        f"compiled kernels cannot be cached, {problem}: every process compiles them again. "
        "Set NUMBA_CACHE_DIR to a folder that can be written.",
        CacheWarning,
        stacklevel=2,
    )


class _Cache(FunctionCache):  # type: ignore[misc]
    """Numba's cache of one function, which announces that it has to be compiled."""

    @property
    def above(self) -> Path:
        """The folder that holds the caches of all kernels.

        Numba makes one for each folder of sources: beside them, or all in one place.
        """
        folder = Path(self.cache_path)
        return folder.parents[1] if folder.name == "__pycache__" else folder.parent

    def load_overload(self, sig: Any, target_context: Any) -> Any:
        try:
            if _LOADS_ALONE:
                with self._guard_against_spurious_io_errors():
                    found = self._load_overload(sig, target_context)
            else:
                found = super().load_overload(sig, target_context)
        except Exception:
            # A damaged file of the cache fails in as many ways as there are bytes.
            found = None
            with self._problems_told():
                self.flush()
        if found is None:
            announce(self.above)
        return found

    def save_overload(self, sig: Any, data: Any) -> None:
        with self._problems_told():
            super().save_overload(sig, data)

    @contextmanager
    def _problems_told(self) -> Iterator[None]:
        """A full disk costs the next process time, not this one its result."""
        try:
            yield
        except OSError as error:
            reason = str(error.strerror)
            _warn(f"for {self.cache_path} cannot be written ({reason})", reason)


def _cache_of(function: Callable[..., Any]) -> _Cache | None:
    """The cache of a function; None where no folder for it can be written."""
    try:
        return _Cache(function)
    except RuntimeError as error:
        if "cannot cache" not in str(error):
            raise
        return None


def cache_folder() -> Path | None:
    """The folder below which compiled kernels are kept, None where none can be written."""
    cache = _cache_of(cache_folder)
    return None if cache is None else cache.above


def compile_callback(
    function: Callable[..., Any],
    variant: str,
    signature: Any,
    options: dict[str, Any],
    compiler: type = Compiler,
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
    compiler : type
        With the passes that it goes through.
    """
    name = "_".join(part for part in (function.__name__, variant) if part)
    copy = types.FunctionType(function.__code__, function.__globals__, name)
    copy.__qualname__ = f"{name}_{_DIGEST}"
    callback = CFunc(copy, signature, {}, options, pipeline_class=compiler)
    cache = _cache_of(copy)
    if cache is None:
        _warn("for no folder for the cache can be written")
        announce(None)
    else:
        vars(callback)["_cache"] = cache
    callback.compile()
    return callback
