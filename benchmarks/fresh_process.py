"""Runs Python in a process of its own, as a user would start it."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter

import fastmlp

# A child imports the fastmlp that this process has imported, wherever it was started.
_PATH = str(Path(fastmlp.__file__).parent.parent)

FIRST_FIT = """
import fastmlp as fm
import numpy as np

x = np.random.default_rng(0).standard_normal((640, 20), dtype=np.float32)
layers = [fm.Dense(32, "relu"), fm.Dense(16, "relu"), fm.Dense(3, "softmax")]
fm.Sequential(layers, random_state=0).fit(x, np.arange(640) % 3, epochs=1, verbose=0)
"""


@dataclass(frozen=True)
class Usage:
    """Seconds by the clock, and seconds of all cores."""

    seconds: float
    cpu_seconds: float


def run(code: str, cache_folder: str | None = None) -> Usage:
    """Run code in a new process and return what it took, from start to end.

    Parameters
    ----------
    code : str
    cache_folder : str, optional
        Where compiled kernels are kept; by default where this process keeps them.
    """
    environment = {**os.environ, "PYTHONPATH": _PATH}
    if cache_folder is not None:
        environment["NUMBA_CACHE_DIR"] = cache_folder
    with tempfile.TemporaryDirectory() as folder:
        before, start = os.times(), perf_counter()
        subprocess.run([sys.executable, "-c", code], env=environment, cwd=folder, check=True)
        seconds, after = perf_counter() - start, os.times()
    used = (after.children_user + after.children_system) - (
        before.children_user + before.children_system
    )
    return Usage(seconds, used)
