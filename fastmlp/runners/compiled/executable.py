"""Tables of instructions that can be run: bound to arrays, by one or more workers."""

from __future__ import annotations

import ctypes
import functools
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from ...kernels.compiled.machine.op import N_COUNTERS
from ...kernels.compiled.machine.runner import (
    ATTRIBUTES,
    BATCH_SIZE,
    COUNTERS,
    FIRST,
    FIRST_ARGUMENT,
    JOB_SIZE,
    LAST,
    N_INSTRUCTIONS,
    N_ROWS,
    N_SYNC,
    SCALARS,
    SYNC,
    TABLE,
    WORKER,
    WORKERS,
    runner,
)
from .lowering import Lowering, address

if TYPE_CHECKING:
    from ...kernels.typing import Array


class Executable:
    """The tables of a `Lowering`, ready to run once their symbols are bound to addresses.

    Attributes
    ----------
    gradients : ndarray or None
        Where a step leaves them.
    """

    def __init__(
        self, lowering: Lowering, workers: int = 1, gradients: Array | None = None
    ) -> None:
        self.gradients = gradients
        self.n_bytes = sum(array.nbytes for array in lowering.arrays)
        self._memory = lowering.arrays
        self.table, self.attributes = lowering.tasks.table()
        self.scalars = np.zeros(lowering.n_scalars)
        # A cache line for each worker's counters.
        self.counters = np.zeros((workers, 8 * -(-N_COUNTERS // 8)), dtype=np.int64)
        self.sync = np.zeros(N_SYNC, dtype=np.int64)
        self.workers = workers
        self._bound: dict[int, Array] = {}
        arguments = self.table[:, FIRST_ARGUMENT:]
        # `numpy.unique` would import numpy.ma, which takes 5 ms.
        symbols = set(arguments[arguments < 0].tolist())
        self._places = {symbol: np.nonzero(arguments == symbol) for symbol in symbols}
        self._run = runner()
        self._jobs = np.zeros((workers, JOB_SIZE), dtype=np.int64)
        self._jobs[:, TABLE] = address(self.table)
        self._jobs[:, N_INSTRUCTIONS] = len(self.table)
        self._jobs[:, ATTRIBUTES] = address(self.attributes)
        self._jobs[:, COUNTERS] = [address(counters) for counters in self.counters]
        self._jobs[:, SCALARS] = address(self.scalars)
        self._jobs[:, SYNC] = address(self.sync)
        self._jobs[:, WORKER] = range(workers)
        self._jobs[:, WORKERS] = workers
        self._job_rows = [(job, address(job)) for job in self._jobs]

    def bind(self, arrays: dict[int, Array]) -> None:
        """Put the addresses of these arrays, by symbol, into the table."""
        self._bound = arrays
        arguments = self.table[:, FIRST_ARGUMENT:]
        for symbol, places in self._places.items():
            arguments[places] = address(arrays[symbol])

    def use(self, workers: int) -> None:
        """From now on there are so many workers, up to those that it was made for."""
        self._jobs[:, WORKERS] = workers

    def release(self) -> None:
        """Forget the arrays; the tables must be bound again before they run."""
        self._bound = {}

    def as_one_call(self, n_rows: int) -> Callable[[], int]:
        """A function that runs one batch of so many rows, and nothing else: the shortest way."""
        job = self._jobs[0].copy()
        job[FIRST], job[LAST], job[BATCH_SIZE], job[N_ROWS] = 0, 1, n_rows, n_rows
        self._memory.append(job)
        # Python's own number would be converted anew in each call, which takes 0.08 us.
        place: Any = ctypes.c_int64(address(job))
        return functools.partial(self._run, place)

    def run_as(self, worker: int, first: int, last: int, batch_size: int, n_rows: int) -> int:
        """Run batches as one of the workers."""
        job, place = self._job_rows[worker]
        job[FIRST] = first
        job[LAST] = last
        job[BATCH_SIZE] = batch_size
        job[N_ROWS] = n_rows
        return self._run(place)
