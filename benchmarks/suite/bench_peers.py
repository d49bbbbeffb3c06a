"""fastmlp beside other libraries, each at its best: a series for each.

Where a library is not installed its series is empty. Their times do not change with our commits, so
these benchmarks are run seldom, by ``--bench bench_peers``.
"""

from __future__ import annotations

import atexit
import sys
from collections.abc import Callable
from functools import cache
from math import ceil
from typing import Any

from benchmarks import CHECKOUT
from benchmarks.shared.clock import slow_clock
from benchmarks.shared.networks import TRAINING, new_model, skip_impossible
from fastmlp.peers.networks import Case, first_parameters, get_case, loss, make_data
from fastmlp.peers.peer import BASE, LIBRARIES
from fastmlp.peers.process import Process
from fastmlp.peers.with_fastmlp import views
from fastmlp.peers.worker import Worker, pin

_ROWS = 12_800
_PREDICTED_ROWS = 100_000
_SAMPLE_SECONDS = 0.3
# How far a loss after an epoch may be from that of the NumPy backend, as a share of what it has
# fallen; masks of dropout differ from library to library.
_TOLERANCE, _TOLERANCE_DROPOUT = 0.01, 0.1
_TOLERANCE_PREDICTION = 1e-4


def _start(library: str, threads: int) -> Callable[..., Any]:
    """What answers a worker's requests."""
    if library == BASE:
        # In this process, whose fastmlp is the one under test.
        pin(threads)
        worker = Worker(library, threads)
        return lambda do, **arguments: getattr(worker, do)(**arguments)
    # A worker of another library imports the checkout's package: an older one has no workers.
    sys.path.insert(0, str(CHECKOUT))
    process = Process(library, threads)
    sys.path.remove(str(CHECKOUT))
    atexit.register(process.close)
    return process.ask


@cache
def _work(library: str, name: str, threads: int, rows: int) -> tuple[Callable[[], Any], int]:
    """A sample by the library's fastest way, and how many steps or predictions it is."""
    skip_impossible("numba", threads)
    case = get_case(name)
    missing = LIBRARIES[library].missing()
    if missing is not None:
        raise NotImplementedError(f"{missing} is not installed")
    refusal = LIBRARIES[library].load().refusal(case)
    if refusal is not None:
        raise NotImplementedError(refusal)
    ask = _start(library, threads)
    seconds_each = ask("setup", case=name, rows=rows, variants=None)["seconds"]
    found = ask("check", epochs=1, shuffle=False)
    if case.predicts:
        assert found < _TOLERANCE_PREDICTION, f"{library} is {found:.1e} from NumPy"
    else:
        _check_loss(library, case, found)
    number = ceil(_SAMPLE_SECONDS / seconds_each)
    each = 1 if case.predicts else case.steps(min(rows, case.rows))
    return lambda: ask("run", number=number), number * each


def _check_loss(library: str, case: Case, found: float) -> None:
    x, y = make_data(case, _ROWS)
    first = loss(case, first_parameters(case), x, y)
    model = new_model(case, "numpy", 1)
    model.fit(x, y, epochs=1, batch_size=case.batch, shuffle=False, verbose=0)
    expected = loss(case, views(case, model), x, y)
    tolerance = (_TOLERANCE_DROPOUT if case.dropout else _TOLERANCE) * abs(first - expected)
    assert abs(found - expected) <= tolerance, (
        f"after an epoch {library} has a loss of {found:.4f}, NumPy of {expected:.4f}"
    )


class _Timed:
    """One library's work on a network, `rows` of it."""

    param_names = ("library", "network", "threads")
    number = 1
    rounds = 1
    repeat = (3, 5, 5.0)
    warmup_time = 0.0
    timeout = 600
    rows: int

    def setup(self, library: str, network: str, threads: int) -> None:
        self.sample, repeats = _work(library, network, threads, self.rows)
        self.timer = slow_clock(repeats)


class Step(_Timed):
    """A training by its steps."""

    params = (list(LIBRARIES), TRAINING, [1, 2])
    rows = _ROWS

    def time_step(self, library: str, network: str, threads: int) -> None:
        self.sample()


class Prediction(_Timed):
    """A prediction of 100 000 rows."""

    params = (list(LIBRARIES), ["P"], [1, 2])
    rows = _PREDICTED_ROWS

    def time_predict(self, library: str, network: str, threads: int) -> None:
        self.sample()
