"""Benchmarks: a suite for asv, and two programs, ``benchmarks.peers`` and ``benchmarks.products``.

Kernels are compiled into a folder of their own for each commit, below ``NUMBA_CACHE_DIR`` or else
``.asv/numba``. Numba reads that variable when it is imported, so it is set here, before any module
of the suite can do so.
"""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

_ROOT = Path(__file__).resolve().parent.parent


def _commit() -> str:
    """The commit under test: the one that asv has installed, or else the one checked out."""
    installed = os.environ.get("ASV_COMMIT")
    if installed:
        return installed
    command = ["git", "-C", str(_ROOT), "rev-parse", "HEAD"]
    try:
        return subprocess.run(command, capture_output=True, check=True, text=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return "no-commit"


def _cache_folder() -> Path:
    given = os.environ.get("NUMBA_CACHE_DIR")
    folder = Path(given) if given else _ROOT / ".asv" / "numba"
    commit = _commit()
    # A process started by a benchmark is given the folder of the commit already.
    return folder if folder.name == commit else folder / commit


os.environ["NUMBA_CACHE_DIR"] = str(_cache_folder())
