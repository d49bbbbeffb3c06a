"""The on-disk cache of compiled kernels, tied to the sources they were compiled from.

Numba's cache looks at the one file that holds a function. A kernel also depends on the functions
it calls in other files and on the compiler options, so here every entry carries a digest of all
sources of this package: an edit anywhere recompiles, no edit loads.
"""

from __future__ import annotations

import functools
import hashlib
import warnings
from pathlib import Path
from typing import Any

import numba
from numba.core.ccallback import CFunc


@functools.cache
def sources_digest() -> str:
    """Digest of the text of every module below ``kernels/`` and of Numba's version."""
    folder = Path(__file__).resolve().parent.parent
    digest = hashlib.sha256(numba.__version__.encode())
    for path in sorted(folder.rglob("*.py")):
        digest.update(path.relative_to(folder).as_posix().encode())
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


@functools.cache
def _warn_without_cache(reason: str) -> None:
    warnings.warn(
        "compiled kernels cannot be cached, so every process compiles them again: "
        f"{reason}. Set NUMBA_CACHE_DIR to a folder that can be written.",
        RuntimeWarning,
        stacklevel=2,
    )


def enable_cache(callback: CFunc) -> None:
    """Let `callback` be loaded from and saved to the cache under the digest of the sources."""
    try:
        callback.enable_caching()
    except RuntimeError as error:
        if "cannot cache" not in str(error):
            raise
        _warn_without_cache("no folder for the cache can be written")
        return
    cache: Any = vars(callback)["_cache"]
    cache_file = cache._cache_file
    if not hasattr(cache_file, "_source_stamp"):
        raise ImportError(
            f"Numba {numba.__version__} keeps the stamp of a cached function elsewhere than "
            "fastmlp expects; install a version between those that fastmlp names"
        )
    cache_file._source_stamp = sources_digest()
