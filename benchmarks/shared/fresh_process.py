"""Runs Python in a process of its own, as a user would start it."""

from __future__ import annotations

import json
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

# `times` are of the process and, once it has waited for them, its children.
_TIMED = """
import json, os, time

{before}
_start = time.perf_counter(), sum(os.times()[:4])
{code}
_end = time.perf_counter(), sum(os.times()[:4])
print(json.dumps([_end[0] - _start[0], _end[1] - _start[1]]))
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
    before, start = os.times(), perf_counter()
    _run(code, cache_folder)
    seconds, after = perf_counter() - start, os.times()
    used = (after.children_user + after.children_system) - (
        before.children_user + before.children_system
    )
    return Usage(seconds, used)


def run_program(command: list[str]) -> float:
    """Run a program that is no Python and return the seconds that it took."""
    start = perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return perf_counter() - start


def run_after(before: str, code: str, cache_folder: str | None = None) -> Usage:
    """Run both in a new process and return what the second took."""
    return Usage(*json.loads(_run(_TIMED.format(before=before, code=code), cache_folder)))


def _run(code: str, cache_folder: str | None) -> str:
    environment = {**os.environ, "PYTHONPATH": _PATH}
    # What is installed has its bytecode.
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    if cache_folder is not None:
        environment["NUMBA_CACHE_DIR"] = cache_folder
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-c", code]
        finished = subprocess.run(
            command, env=environment, cwd=folder, check=True, stdout=subprocess.PIPE, text=True
        )
    return finished.stdout
