"""Compiled predictions: of a few rows by the shortest way, of many in blocks on all threads."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from .executable import Executable
from .program import Program
from .tasks import Symbol, bound_rows

if TYPE_CHECKING:
    from .kernels.typing import Array
    from .rows import Features

# Up to this many rows are copied sooner than they are bound.
SMALL_ROWS = 8
# Rows that predictions are made of at a time: activations stay in a core's cache.
BLOCK_ROWS = 256
# Multiply-adds between two looks at signals, some 20 ms.
_CHUNK_WORK = 1e9


class SmallPrediction:
    """A forward pass of a few rows, bound for good to arrays of its own: the shortest way."""

    def __init__(self, executable: Executable, x_dtype: Any, program: Program, width: int) -> None:
        self._x = np.zeros((SMALL_ROWS, program.input.width), dtype=x_dtype)
        self._out = np.zeros((SMALL_ROWS, width), dtype=program.dtype)
        executable.bind({Symbol.X: self._x, Symbol.OUT: self._out})
        self._executable = executable

    def __call__(self, x: Array) -> Array:
        """The network's output for at most `SMALL_ROWS` rows."""
        n = len(x)
        self._x[:n] = x
        self._executable.run_as(0, 0, 1, SMALL_ROWS, n)
        return self._out[:n].copy()


def predict_blocks(executables: Sequence[Executable], x: Features, out: Array, work: float) -> None:
    """Write the network's output for rows x into out.

    Each executable has its own memory and makes a consecutive share of the blocks; all but the
    first run on threads of their own.

    Parameters
    ----------
    executables : sequence of Executable
        Alike, encoded for `BLOCK_ROWS` rows.
    x : ndarray or FeaturePair
    out : ndarray
    work : float
        Multiply-adds of a row.
    """
    n, count, shares = len(x), -(-len(x) // BLOCK_ROWS), len(executables)
    chunk = max(1, int(_CHUNK_WORK / (work * BLOCK_ROWS)))
    stopped = threading.Event()

    def make(share: int) -> None:
        stop = count * (share + 1) // shares
        for first in range(count * share // shares, stop, chunk):
            if stopped.is_set():
                return
            executables[share].run_as(0, first, min(first + chunk, stop), BLOCK_ROWS, n)

    for executable in executables:
        executable.bind({**bound_rows(x), Symbol.OUT: out})
    threads: list[threading.Thread] = []
    try:
        for share in range(1, shares):
            thread = threading.Thread(target=make, args=(share,), name="fastmlp-predict")
            try:
                thread.start()
            except RuntimeError:
                make(share)
            else:
                threads.append(thread)
        make(0)
        for thread in threads:
            thread.join()
    except BaseException:
        # Ctrl-C: the others end with the blocks that they are at.
        stopped.set()
        for thread in threads:
            thread.join()
        raise
