"""How many workers fits have, in this process and, found by its name, in others."""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from threaded_fits import X, Y

import fastmlp as fm
from fastmlp.runners.compiled.executable import Executable
from fastmlp.runners.cores import available_cores


def wide_regressor(**arguments: Any) -> fm.MLPRegressor:
    """One whose steps are worth two threads."""
    arguments = {"batch_size": 128, "max_iter": 2, "random_state": 0, **arguments}
    return fm.MLPRegressor(hidden_layer_sizes=(256, 256), **arguments)


@contextmanager
def noted_workers() -> Iterator[list[int]]:
    """How many workers each run has meanwhile."""
    used: list[int] = []
    use = Executable.use

    def note(executable: Executable, count: int) -> None:
        used.append(count)
        use(executable, count)

    Executable.use = note  # type: ignore[method-assign]
    try:
        yield used
    finally:
        Executable.use = use  # type: ignore[method-assign]


def seen_in_a_task() -> tuple[int, int, int]:
    """The process, the cores it may use, and the most workers of a fit."""
    with warnings.catch_warnings(), noted_workers() as used:
        warnings.simplefilter("ignore")
        wide_regressor().fit(X, Y)
    return os.getpid(), available_cores(), max(used)
