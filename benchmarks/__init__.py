"""Benchmarks: programs that are run by ``python -m benchmarks.NAME``, and a suite for asv.

`suite` is what asv is given, `shared` is what both use to measure. Three things are set up here,
before NumPy or Numba is imported. Other libraries are held to one thread, unless a variable says
otherwise. Kernels are compiled into a folder of their own for each commit, below
``NUMBA_CACHE_DIR`` or else ``.asv/numba``. And ``fastmlp.peers`` is that of this checkout,
whichever commit of fastmlp is installed: what is measured may be older than what measures.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from importlib.machinery import PathFinder
from importlib.util import module_from_spec
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parent.parent
_PEERS = "fastmlp.peers"
_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS")
# Folders of commits that are kept, those used last.
_KEPT = 8


def _commit() -> str:
    """The commit under test: the one that asv has installed, or else the one checked out."""
    installed = os.environ.get("ASV_COMMIT")
    if installed:
        return installed
    command = ["git", "-C", str(CHECKOUT), "rev-parse", "HEAD"]
    try:
        return subprocess.run(command, capture_output=True, check=True, text=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return "no-commit"


def _cache_folder() -> Path:
    """Where this commit's kernels are kept; made, and the folders of old commits deleted."""
    given = os.environ.get("NUMBA_CACHE_DIR")
    folder = Path(given) if given else CHECKOUT / ".asv" / "numba"
    commit = _commit()
    # A process started by a benchmark is given the folder of the commit already.
    if folder.name == commit:
        return folder
    try:
        (folder / commit).mkdir(parents=True)
    except FileExistsError:
        # Used last, whether or not anything is compiled.
        os.utime(folder / commit)
    else:
        _delete_old(folder)
    return folder / commit


def _delete_old(folder: Path) -> None:
    """Delete folders named like commits, but for those used last."""
    commits = [path for path in folder.iterdir() if re.fullmatch("[0-9a-f]{40}", path.name)]
    commits.sort(key=lambda path: path.stat().st_mtime, reverse=True)
    for path in commits[_KEPT:]:
        # Another run may be deleting it too.
        shutil.rmtree(path, ignore_errors=True)


def _use_peers_of_checkout() -> None:
    spec = PathFinder.find_spec(_PEERS, [str(CHECKOUT / "fastmlp")])
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    sys.modules[_PEERS] = module
    spec.loader.exec_module(module)


for _variable in _THREADS:
    os.environ.setdefault(_variable, "1")
os.environ["NUMBA_CACHE_DIR"] = str(_cache_folder())
if _PEERS not in sys.modules:
    _use_peers_of_checkout()
