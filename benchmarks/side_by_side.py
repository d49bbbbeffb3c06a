"""Two networks at once, one a core: ``python -m benchmarks.side_by_side``.

What `fastmlp.fit_many` makes of two cores. Two networks of a case are trained side by side, a core
for each; one after the other on one core; and one after the other, each on both. Beside stands what
the machine itself gives: two independent loops of the case's matrix products against one, which two
networks can hardly beat. TABLE is the network that a table gets (`fastmlp.TabularRegressor`), of
which five train like this.

What is compared is timed in turns, round by round. Numbers are medians of the time in which both
networks learn an epoch; ratios are of the same round. Before anything is timed, weights are held
against those of networks that were trained alone.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable
from statistics import median
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits

import fastmlp as fm
from fastmlp.peers.machine import available_cores
from fastmlp.peers.networks import CASES, Array, Case, make_data
from fastmlp.tabular.network import network
from fastmlp.tabular.plan import Recipe

from .shared.networks import MOST_ROWS, new_model
from .shared.own_products import loops
from .shared.rounds import conditions, interleaved, ratios, say, spread, table

_TABLE = Case("TABLE", (16, 128, 128, 128, 1), "relu", "linear", batch=64, rows=4_000)
_CASES = {**{name: CASES[name] for name in ("T", "S", "M", "L", "R")}, "TABLE": _TABLE}
_SECONDS = 0.2


def networks(case: Case, n_threads: int) -> list[fm.Sequential]:
    """Two networks that have learned nothing yet."""
    if case is not _TABLE:
        return [new_model(case, "numba", n_threads) for _ in range(2)]
    width = case.widths[0]
    recipe = Recipe(backend="numba", n_threads=n_threads)
    return [network(0, width, list(range(width)), recipe, seed) for seed in range(2)]


def work(case: Case, rows: int, n_threads: int, n_jobs: int) -> Callable[[int], Any]:
    """What trains two networks for so many epochs; it is warm and was checked.

    Raises
    ------
    AssertionError
        Weights are other bits than those of networks that were trained alone.
    """
    x, y = make_data(case, rows)
    models = networks(case, n_threads)

    def fit(count: int) -> None:
        fm.fit_many(models, x, y, n_jobs=n_jobs, epochs=count, batch_size=case.batch)

    fit(1)
    check(models, alone(case, x, y))
    return fit


def alone(case: Case, x: Array, y: Array) -> list[fm.Sequential]:
    """Two networks, trained for an epoch one by one."""
    models = networks(case, 1)
    for model in models:
        model.fit(x, y, epochs=1, batch_size=case.batch, verbose=0)
    return models


def check(models: list[fm.Sequential], expected: list[fm.Sequential]) -> None:
    """Hold the weights of networks against those of others, bit for bit."""
    for model, other in zip(models, expected, strict=True):
        for name, values in other.parameters.items():
            np.testing.assert_array_equal(model.parameters[name], values, err_msg=name)


def measure(name: str, rows: int, rounds: int, seconds: float) -> list[str]:
    """Cells of a line of the table."""
    case = _CASES[name]
    timed = {
        "one core": work(case, rows, 1, n_jobs=1),
        "both cores": work(case, rows, 2, n_jobs=1),
        "side by side": work(case, rows, 1, n_jobs=2),
        "loops 1": loops(case, 1),
        "loops 2": loops(case, 2),
    }
    found = interleaved(timed, rounds, seconds)
    ways = ("one core", "both cores", "side by side")
    millis = [f"{1e3 * median(found[way]):.4g}" for way in ways]
    gains = [spread(ratios(found[way], found["side by side"])) for way in ways[:2]]
    ceiling = [2 * ratio for ratio in ratios(found["loops 1"], found["loops 2"])]
    return [name, *millis, *gains, spread(ceiling)]


def main(argv: list[str] | None = None) -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.side_by_side",
        description="Two networks side by side on two cores against one after the other.",
    )
    names = list(_CASES)
    parser.add_argument("--cases", nargs="+", choices=names, default=names, metavar="CASE")
    parser.add_argument("--rounds", type=int, default=15, metavar="N")
    parser.add_argument("--rows", type=int, default=MOST_ROWS, metavar="N", help="at most")
    parser.add_argument("--seconds", type=float, default=_SECONDS, help="of a measurement, about")
    arguments = parser.parse_args(argv)
    if available_cores() < 2:
        parser.error("two networks side by side need two cores, and there is one")
    if arguments.rounds < 1 or arguments.rows < 1:
        parser.error("--rounds and --rows take numbers from 1 on")
    # It has held the other libraries to one thread by now; fits would keep to it too.
    os.environ.pop("OMP_NUM_THREADS", None)
    with threadpool_limits(1, user_api="blas"):
        print(conditions(), end="\n\n")
        lines = []
        for name in arguments.cases:
            say(f"{name}: two networks of {'-'.join(map(str, _CASES[name].widths))}")
            lines.append(measure(name, arguments.rows, arguments.rounds, arguments.seconds))
        head = ["case", "one core, ms", "each on both cores, ms", "side by side, ms"]
        head += ["one core by side by side (quartiles)", "both cores by side by side", "two loops"]
        print(table(head, lines), end="\n\n")
        print(conditions())


if __name__ == "__main__":
    main()
