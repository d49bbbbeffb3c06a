"""Threads of our own: workers that run the same table and meet at its barriers."""

from __future__ import annotations

import threading
from collections.abc import Callable
from queue import SimpleQueue
from typing import TYPE_CHECKING, Protocol

from ..cores import available_cores, begin_work, end_work, free_cores, share_of_cores
from ..interrupts import uninterrupted
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

Job = tuple[int, int, int, int]
"""The arguments of a run: first, last, batch_size, n_rows."""


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

    Helpers are started by the first run, when whoever made the team has made sure that it will be
    closed, and sleep between runs: none spins after its work. With `gives_way` no more of them work
    than there are free cores at the start of a run, nor than this thread's share where others of
    the process are at work too: workers that take turns on a core would wait for each other at
    every barrier. What comes out does not depend on it.

    Ctrl-C may come anywhere. A run that it ends leaves no helper behind, and neither does `close`;
    if it comes on the way to `close`, helpers end once nothing refers to the team any more, which
    they themselves do not.
    """

    def __init__(self, runnable: Runnable, workers: int, gives_way: bool = False) -> None:
        self._runnable = runnable
        self._workers = workers
        self._gives_way = gives_way
        self._helpers: Helpers | None = None
        self._work: object = None

    def run(self, first: int, last: int, batch_size: int, n_rows: int) -> int:
        """Run batches with the workers and return what worker 0 returned."""
        if self._helpers is None:
            self._begin()
        helpers = self._helpers
        assert helpers is not None
        workers = 1 + len(helpers)
        if self._gives_way and workers > 1:
            workers = min(workers, share_of_cores(available_cores()), free_cores())
        self._runnable.use(workers)
        job = (first, last, batch_size, n_rows)
        sync = self._runnable.sync
        sync[:] = 0
        try:
            helpers.begin(workers - 1, job)
            reached = self._runnable.run_as(0, *job)
            helpers.wait(workers - 1)
        except BaseException:
            # Workers come to the end of a run together, unless Ctrl-C kept this one from it.
            sync[_ABORT] = 1
            self.close()
            raise
        return reached

    def _begin(self) -> None:
        self._work = begin_work()
        self._helpers = Helpers(self._runnable.run_as)
        try:
            self._helpers.start(self._workers - 1)
        except RuntimeError:
            # All helpers, or none: without one of them its shards would stay undone.
            self._helpers.end()
            self._helpers = Helpers(self._runnable.run_as)

    def close(self) -> None:
        """End the helper threads; another run would start them anew."""
        with uninterrupted():
            end_work(self._work)
            helpers, self._helpers = self._helpers, None
            if helpers is not None:
                helpers.end()


class Helpers:
    """Threads that sleep until there is something to do, and end with the object that has them."""

    def __init__(self, run_as: Callable[..., int]) -> None:
        self._run_as = run_as
        self._threads: list[threading.Thread] = []
        # What each is to do next; None is to end.
        self._jobs: list[SimpleQueue[Job | None]] = []
        self._done: SimpleQueue[None] = SimpleQueue()

    def __len__(self) -> int:
        return len(self._threads)

    def start(self, count: int) -> None:
        """Start so many.

        Raises
        ------
        RuntimeError
            The system has no more threads.
        """
        for worker in range(1, count + 1):
            jobs: SimpleQueue[Job | None] = SimpleQueue()
            thread = threading.Thread(
                target=_help,
                args=(worker, self._run_as, jobs, self._done),
                name=f"fastmlp-{worker}",
                daemon=True,
            )
            # Before it runs, so that it is told to end whatever happens here.
            self._jobs.append(jobs)
            self._threads.append(thread)
            thread.start()

    def begin(self, count: int, job: Job) -> None:
        """Let the first ones do this."""
        for jobs in self._jobs[:count]:
            jobs.put(job)

    def wait(self, count: int) -> None:
        """Wait for so many to have done it."""
        for _ in range(count):
            self._done.get()

    def end(self) -> None:
        """Let each do what it has been given, and wait until all have ended."""
        self._let_go()
        for thread in self._threads:
            # One that could not be started is no thread.
            if thread.ident is not None:
                thread.join()

    def _let_go(self) -> None:
        for jobs in self._jobs:
            jobs.put(None)

    def __del__(self) -> None:
        """An interruption has kept the owner from `end`; this waits for nothing."""
        if hasattr(self, "_jobs"):
            self._let_go()


def _help(
    worker: int,
    run_as: Callable[..., int],
    jobs: SimpleQueue[Job | None],
    done: SimpleQueue[None],
) -> None:
    while (job := jobs.get()) is not None:
        run_as(worker, *job)
        done.put(None)
