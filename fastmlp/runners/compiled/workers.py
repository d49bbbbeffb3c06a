"""Threads of our own: workers that run the same table and meet at its barriers."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Protocol

from ..cores import available_cores, begin_work, end_work, free_cores, share_of_cores
from .shards import column_shards

if TYPE_CHECKING:
    from ...kernels.typing import Array
    from ...program.program import Program

# Multiply-adds of a step's shared products, forward, below which a thread costs more than it gains.
_WORTH_A_THREAD = 2.5e5
# What the update of a parameter counts as beside them: it is shared at any width and batch.
_UPDATE = 3.5
# Multiply-adds of a prediction, for which a thread has to be started: that takes some 140 us.
_WORTH_STARTING_A_THREAD = 2e7
# Multiply-adds of a loss and its gradient, for which a thread has to be woken: some 50 us.
_WORTH_WAKING_A_THREAD = 1e7
_ABORT = 8


class Runnable(Protocol):
    """What a team runs: the same batches as each of its workers."""

    sync: Array

    def use(self, workers: int) -> None:
        """From now on there are so many workers."""

    def run_as(self, worker: int, first: int, last: int, batch_size: int, n_rows: int) -> int:
        """Run batches as one of the workers."""


def _shared_work(program: Program, rows: int) -> float:
    """What threads share: a batch's forward products that are cut into shards, and the update."""
    products = sum(
        rows * op.multiply_adds for op in program.ops if column_shards(op.out.width, rows).count > 1
    )
    return products + _UPDATE * program.n_parameters


def training_threads(n_threads: int | str, program: Program, rows: int, most_shards: int) -> int:
    """How many workers a step is worth: a rule over sizes and cores, never timing."""
    if n_threads != "auto":
        return min(int(n_threads), most_shards)
    worth = int(_shared_work(program, rows) / _WORTH_A_THREAD)
    return max(1, min(available_cores(), most_shards, worth))


def prediction_threads(n_threads: int | str, work: float, rows: int) -> int:
    """How many threads a prediction of many rows is worth; `work` is that of a row.

    "auto" leaves their share of the cores to other threads of this process.
    """
    worth = int(work * rows / _WORTH_STARTING_A_THREAD)
    if worth <= 1:
        return 1
    most = share_of_cores(available_cores()) if n_threads == "auto" else int(n_threads)
    return min(most, worth)


def objective_threads(n_threads: int | str, work: float, most: int) -> int:
    """How many workers the loss of all rows and its gradient are worth."""
    if n_threads != "auto":
        return min(int(n_threads), most)
    return max(1, min(available_cores(), most, int(work / _WORTH_WAKING_A_THREAD)))


class Team:
    """Helper threads for one fit; the caller is worker 0.

    Helpers sleep between runs: none spins after its work. With `gives_way` no more of them work
    than there are free cores at the start of a run, nor than this thread's share where others of
    the process are at work too: workers that take turns on a core would wait for each other at
    every barrier. What comes out does not depend on it.
    """

    def __init__(self, runnable: Runnable, workers: int, gives_way: bool = False) -> None:
        self._runnable = runnable
        self._gives_way = gives_way
        self._job: tuple[int, int, int, int] | None = None
        self._start = [threading.Semaphore(0) for _ in range(workers - 1)]
        self._done = threading.Semaphore(0)
        self._running = 0
        self._threads = [
            threading.Thread(
                target=self._help, args=(worker, start), name=f"fastmlp-{worker}", daemon=True
            )
            for worker, start in enumerate(self._start, 1)
        ]
        self._start_helpers()
        self._work = begin_work()

    def _start_helpers(self) -> None:
        """All helpers, or none: without one of them its shards would stay undone."""
        try:
            for thread in self._threads:
                thread.start()
        except BaseException as error:
            for start in self._start:
                start.release()
            for thread in self._threads:
                if thread.is_alive():
                    # It must see that there is no job before there is one.
                    thread.join()
            self._start, self._threads = [], []
            if not isinstance(error, RuntimeError):
                raise

    def _help(self, worker: int, start: threading.Semaphore) -> None:
        while True:
            start.acquire()
            if self._job is None:
                return
            self._runnable.run_as(worker, *self._job)
            self._done.release()

    def run(self, first: int, last: int, batch_size: int, n_rows: int) -> int:
        """Run batches with the workers and return what worker 0 returned."""
        workers = 1 + len(self._threads)
        if self._gives_way and workers > 1:
            workers = min(workers, share_of_cores(available_cores()), free_cores())
        self._runnable.use(workers)
        self._job = (first, last, batch_size, n_rows)
        sync = self._runnable.sync
        sync[:] = 0
        try:
            for start in self._start[: workers - 1]:
                start.release()
                self._running += 1
            return self._runnable.run_as(0, *self._job)
        finally:
            # Workers come to the end of a run together, unless Ctrl-C kept this one from it.
            sync[_ABORT] = 1
            while self._running:
                self._done.acquire()
                self._running -= 1

    def close(self) -> None:
        """End the helper threads."""
        end_work(self._work)
        self._job = None
        for start in self._start:
            start.release()
        for thread in self._threads:
            thread.join()
        self._threads, self._start = [], []
