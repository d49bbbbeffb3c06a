# mypy: disable-error-code="no-untyped-def,no-untyped-call"
"""The loop that runs a program in compiled form: steps, instructions, barriers.

The loop knows nothing of any kernel: it walks a table of instructions and calls addresses. All
workers walk the same table; each carries out the instructions of its own shards and meets the
others at barriers. Which instructions there are, how a step is cut into shards and where the
barriers stand is fixed by the program, so the results do not depend on the number of workers.
"""

from __future__ import annotations

import ctypes
import functools
import math
from collections.abc import Callable

from numba import types
from numba.core.ccallback import CFunc

from .cache import compile_callback
from .intrinsics import atomic_add, atomic_load, call_op, doubles, integers
from .op import BATCH, LAST_LOSS, ROWS, START, STEP, WEIGHT_SUM
from .options import OP_OPTIONS, device

# Columns of the table of instructions; the arguments of the op follow.
ADDRESS = 0  # of the op, or one of the marks below
SHARD = 1  # number of this instruction's shard
SHARDS = 2  # number of shards that its task is cut into
ROW = 3  # the batch's row that it begins at; its addresses are of there
MOST_ROWS = 4  # how many rows it works on, 0 for all; one more where that is the last one
FIRST_ARGUMENT = 5
N_ARGUMENTS = 21
INSTRUCTION_SIZE = FIRST_ARGUMENT + N_ARGUMENTS
N_ATTRIBUTES = 6

BARRIER = 0  # all workers meet
CHECK_WEIGHTS = 1  # the rest of the step is skipped where the batch's weights sum to 0
CHECK_LOSS = 2  # the run stops where the batch's loss is not finite

# What a worker is told: addresses and sizes of its tables, who it is, and which batches to run.
TABLE, N_INSTRUCTIONS, ATTRIBUTES, COUNTERS, SCALARS, SYNC = 0, 1, 2, 3, 4, 5
WORKER, WORKERS, FIRST, LAST, BATCH_SIZE, N_ROWS = 6, 7, 8, 9, 10, 11
JOB_SIZE = 16

# Words of the memory that workers share, each on a cache line of its own.
ARRIVALS, ABORT = 0, 8
N_SYNC = 16

_SPINS = 2000
_yield = types.ExternalFunction("sched_yield", types.int32())


@device
def _meet(sync, arrivals, workers):
    """Wait until `arrivals` workers have come; False where the run was aborted meanwhile."""
    atomic_add(sync + 8 * ARRIVALS, 1)
    spins = 0
    while atomic_load(sync + 8 * ARRIVALS) < arrivals:
        if atomic_load(sync + 8 * ABORT) != 0:
            return False
        spins += 1
        if spins >= _SPINS:
            spins = 0
            _yield()
    return True


def run_steps(job_address):
    """Run the batches ``first <= batch < last`` of a job and return the number of the next one.

    A negative result ``-1 - batch`` names a batch whose loss was not finite.
    """
    job = integers(job_address)
    table, n_instructions, attributes = job[TABLE], job[N_INSTRUCTIONS], job[ATTRIBUTES]
    counters_address, scalars_address, sync = job[COUNTERS], job[SCALARS], job[SYNC]
    worker, workers = job[WORKER], job[WORKERS]
    first, last, batch_size, n_rows = job[FIRST], job[LAST], job[BATCH_SIZE], job[N_ROWS]
    counters, scalars = integers(counters_address), doubles(scalars_address)
    arrivals = 0
    for batch in range(first, last):
        start = batch * batch_size
        counters[BATCH] = batch
        counters[START] = start
        counters[ROWS] = min(batch_size, n_rows - start)
        updated = True
        for i in range(n_instructions):
            row = table + 8 * INSTRUCTION_SIZE * i
            instruction = integers(row)
            address = instruction[ADDRESS]
            if address > CHECK_LOSS:
                if workers > 1:
                    owner = instruction[SHARD] * workers // instruction[SHARDS]
                    if owner != worker:
                        continue
                rows, most = counters[ROWS], instruction[MOST_ROWS]
                if most > 0:
                    # The sums of one row are ordered otherwise: it goes with the block before it.
                    left = rows - instruction[ROW]
                    if left < 1 or (left == 1 and rows > 1):
                        continue
                    counters[ROWS] = left if left <= most + 1 else most
                call_op(
                    address,
                    integers(row + 8 * FIRST_ARGUMENT),
                    doubles(attributes + 8 * N_ATTRIBUTES * i),
                    counters,
                    scalars,
                )
                counters[ROWS] = rows
            elif address == BARRIER:
                if workers > 1:
                    arrivals += workers
                    if not _meet(sync, arrivals, workers):
                        return batch
            elif address == CHECK_WEIGHTS:
                if scalars[WEIGHT_SUM] == 0.0:
                    updated = False
                    break
            elif not math.isfinite(scalars[LAST_LOSS]):
                return -1 - batch
        if updated:
            counters[STEP] += 1
        if workers > 1:
            arrivals += workers
            if not _meet(sync, arrivals, workers):
                return batch + 1
    return last


@functools.cache
def runner() -> Callable[[int], int]:
    """The compiled `run_steps`, callable from Python; it runs without the GIL."""
    callback = compile_callback(run_steps, "", ((types.int64,), types.int64), OP_OPTIONS)
    _alive.append(callback)
    return ctypes.CFUNCTYPE(ctypes.c_int64, ctypes.c_int64)(int(callback.address or 0))


_alive: list[CFunc] = []
