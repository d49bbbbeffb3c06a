"""How threads scale, and what they leave behind: ``python -m benchmarks.threads``.

Three tables. The first holds the time of a step, or of a prediction, on one thread against that on
several, beside what the machine itself gives to as many: independent loops of the case's matrix
products, each on a thread and on arrays of its own, against one such loop. A step can hardly scale
better than they do, and where other processes take turns on the cores they show it.

The second holds ``n_threads="auto"`` against the better of one and two threads, on an idle machine
and with one core taken by another process. The third tells the CPU time that the process uses while
it sleeps after a fit or a prediction on two threads; a helper that went on spinning would use as
much as it sleeps.

Two cores of a virtual machine are at times two threads of one, and at times far apart. Targets are
judged by the rounds in which two loops of products did 1.9 times as much as one; how long two
threads take to meet tells how far apart the cores were.

What is compared is timed in turns, round by round. Numbers are medians; ratios are of the same
round. Results are held against NumPy before anything is timed.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from statistics import median
from time import process_time, sleep
from typing import Any

from threadpoolctl import threadpool_limits

from fastmlp.kernels.compiled.machine.runner import BARRIER
from fastmlp.peers.machine import available_cores
from fastmlp.peers.networks import CASES, first_parameters, make_data, prediction_error
from fastmlp.runners.compiled.executable import Executable
from fastmlp.runners.compiled.lowering_ops import lower_forward
from fastmlp.runners.compiled.workers import Team

from .shared.networks import new_model, training
from .shared.own_products import linear_lowering, loops
from .shared.rounds import conditions, interleaved, ratios, say, spread, table

_CASES = ("S", "M", "MB", "L", "R", "P")
_THREADS = (1, 2, 4, 8, 16)
_PREDICTED_ROWS = 100_000
_SECONDS = 0.06
_ASLEEP = 0.5

# What is aimed at with two threads, in rounds in which two loops reach _LOOPS.
_TARGETS = {"M": 1.3, "MB": 1.3, "L": 1.6, "R": 1.6, "P": 1.6}
_LOOPS = 1.9
# What is aimed at with "auto".
_IDLE, _BUSY = 1.05, 1.3

# Ends when its parent does, however that ends.
_SPINNING = """
import os, sys
if hasattr(os, "sched_setaffinity"):
    os.sched_setaffinity(0, [int(sys.argv[1])])
parent = os.getppid()
print(flush=True)
while os.getppid() == parent:
    for _ in range(10**5):
        pass
"""


@dataclass(frozen=True)
class Work:
    """A case on so many threads, warm and checked.

    Attributes
    ----------
    run : callable
        Does it so many times.
    steps : int
        Steps of one time; 1 for a prediction.
    """

    run: Callable[[int], Any]
    steps: int


def work(name: str, threads: int | str) -> Work:
    """A case to be timed.

    Raises
    ------
    AssertionError
        Its results differ from those of NumPy.
    """
    case = CASES[name]
    if case.predicts:
        x = make_data(case, _PREDICTED_ROWS)[0]
        model = new_model(case, "numba", threads)
        assert prediction_error(case, first_parameters(case), x, model.predict(x)) < 1e-4

        def predict(count: int) -> None:
            for _ in range(count):
                model.predict(x)

        return Work(predict, 1)

    made = training(name, "numba", threads)

    def fit(count: int) -> None:
        made.model.fit(made.x, made.y, epochs=count, batch_size=made.batch, verbose=0)

    return Work(fit, len(made.x) // made.batch)


class Barriers:
    """Nothing but meetings of two threads, as fastmlp's workers meet."""

    def __init__(self) -> None:
        lowering = linear_lowering((1, 1), 1)
        lower_forward(lowering.program.ops, lowering)
        executable = Executable(lowering, workers=2)
        executable.table[...] = BARRIER
        # A step ends with one more.
        self.each = len(executable.table) + 1
        self._team = Team(executable, workers=2)

    def run(self, count: int) -> None:
        """Meet `count` times `each` times."""
        self._team.run(0, count, 1, count)

    def close(self) -> None:
        """End the helper."""
        self._team.close()


def scaling(name: str, threads: list[int], rounds: int) -> list[list[str]]:
    """Rows of the first table, one for each number of threads but 1."""
    works = {number: work(name, number) for number in (1, *threads)}
    timed = {f"work {number}": made.run for number, made in works.items()}
    timed |= {f"loops {number}": loops(CASES[name], number) for number in (1, *threads)}
    barriers = Barriers()
    seconds = interleaved({**timed, "barriers": barriers.run}, rounds, _SECONDS)
    barriers.close()
    meeting = f"{1e9 * median(seconds['barriers']) / barriers.each:.0f}"
    rows = []
    for number in threads:
        speedups = ratios(seconds["work 1"], seconds[f"work {number}"])
        ceilings = _ceilings(seconds, number)
        micros = [f"{1e6 * median(seconds[f'work {n}']) / works[n].steps:.4g}" for n in (1, number)]
        cells = [name, str(number), *micros, spread(speedups), spread(ceilings)]
        if number == 2:
            target = _TARGETS.get(name)
            judged = _in_good_rounds(speedups, ceilings)
            cells += [meeting, _judged(judged), _verdict(judged, target, lambda a, b: a >= b)]
        else:
            cells += ["", "", ""]
        rows.append(cells)
    return rows


def _ceilings(seconds: dict[str, list[float]], number: int) -> list[float]:
    """How many times as much as one loop so many loops do."""
    return [number * ratio for ratio in ratios(seconds["loops 1"], seconds[f"loops {number}"])]


def _in_good_rounds(values: list[float], ceilings: list[float]) -> list[float]:
    return [v for v, ceiling in zip(values, ceilings, strict=True) if ceiling >= _LOOPS]


def _judged(values: list[float]) -> str:
    return f"{median(values):.2f} ({len(values)})" if values else "none"


def _verdict(
    values: list[float], target: float | None, meets: Callable[[float, float], bool]
) -> str:
    if target is None or not values:
        return "" if target is None else f"{target}"
    return f"{target}, met" if meets(median(values), target) else f"{target}, **missed**"


def auto(name: str, rounds: int, idle: bool) -> list[str]:
    """Cells of the second table."""
    works = {str(number): work(name, number) for number in (1, 2, "auto")}
    used = threads_at_work(works["auto"].run)
    timed = {number: made.run for number, made in works.items()}
    if idle:
        timed |= {"loops 1": loops(CASES[name], 1), "loops 2": loops(CASES[name], 2)}
    seconds = interleaved(timed, rounds, _SECONDS)
    better = min("12", key=lambda number: median(seconds[number]))
    longer = ratios(seconds["auto"], seconds[better])
    judged = _in_good_rounds(longer, _ceilings(seconds, 2)) if idle else longer
    micros = [f"{1e6 * median(seconds[n]) / made.steps:.4g}" for n, made in works.items()]
    target = _IDLE if idle else _BUSY
    verdict = _verdict(judged, target, lambda a, b: a <= b)
    return [*micros, str(used), spread(longer), _judged(judged), verdict]


def threads_at_work(run: Callable[[int], Any]) -> int:
    """The caller and the most helpers that are seen while it runs."""
    running = threading.Thread(target=run, args=(5,))
    running.start()
    most = 0
    while running.is_alive():
        names = [thread.name for thread in threading.enumerate()]
        most = max(most, sum(name.startswith("fastmlp") for name in names))
        sleep(0.001)
    return 1 + most


@contextmanager
def one_core_taken() -> Iterator[None]:
    """Keep the last core busy by another process meanwhile."""
    core = max(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 0
    command = [sys.executable, "-c", _SPINNING, str(core)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        try:
            yield
        finally:
            process.kill()


def asleep(name: str) -> list[str]:
    """Cells of the third table."""
    made = work(name, 2)
    made.run(3)
    start = process_time()
    sleep(_ASLEEP)
    used = process_time() - start
    case = CASES[name]
    done = "a prediction" if case.predicts else "a fit"
    return [name, done, f"{1e3 * used:.2f}", f"{100 * used / _ASLEEP:.2f}%"]


def main(argv: list[str] | None = None) -> None:
    """Print the tables."""
    most = available_cores()
    several = [number for number in _THREADS if 1 < number <= most]
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.threads",
        description="How threads scale, what n_threads='auto' makes of them, and whether they "
        "sleep afterward.",
    )
    parser.add_argument("--cases", nargs="+", choices=_CASES, default=_CASES, metavar="CASE")
    parser.add_argument("--threads", nargs="+", type=int, default=several, metavar="N")
    parser.add_argument("--rounds", type=int, default=15, metavar="N")
    arguments = parser.parse_args(argv)
    if not arguments.threads or not 2 <= min(arguments.threads) <= max(arguments.threads) <= most:
        parser.error(f"--threads takes numbers from 2 to that of the cores, which is {most}")
    if arguments.rounds < 1:
        parser.error(f"--rounds takes a number from 1 on, not {arguments.rounds}")
    # It has held the other libraries to one thread by now; "auto" would keep to it too.
    os.environ.pop("OMP_NUM_THREADS", None)
    # What checks use of NumPy's BLAS would leave threads behind that spin for a while.
    with threadpool_limits(1, user_api="blas"):
        _print_tables(arguments.cases, arguments.threads, arguments.rounds)


def _print_tables(cases: list[str], threads: list[int], rounds: int) -> None:
    print(conditions())
    print(f"Microseconds of a step, of P those of {_PREDICTED_ROWS:,} rows", end="\n\n")
    good = f"in rounds with loops at {_LOOPS} (rounds)"

    rows = []
    for name in cases:
        say(f"{name} on 1, {', '.join(map(str, threads))} threads: {CASES[name]}")
        rows += scaling(name, threads, rounds)
    head = ["case", "threads", "1 thread, us", "threads, us", "speed-up (quartiles)"]
    head += ["loops of products", "a meeting of two, ns", good, "target"]
    print(table(head, rows), end="\n\n", flush=True)

    rows = []
    for name in cases:
        say(f"{name} with n_threads='auto', idle and with a core taken")
        rows.append([name, "idle", *auto(name, rounds, idle=True)])
        with one_core_taken():
            rows.append([name, "a core taken", *auto(name, rounds, idle=False)])
    head = ["case", "machine", "1 thread, us", "2 threads, us", "auto, us", "auto's threads"]
    head += ["auto by the better (quartiles)", good, "target"]
    print(table(head, rows), end="\n\n", flush=True)

    say("asleep")
    head = ["case", "after", f"CPU ms in {1e3 * _ASLEEP:g} ms of sleep", "share"]
    print(table(head, [asleep(name) for name in cases]), end="\n\n")
    print(conditions())


if __name__ == "__main__":
    main()
