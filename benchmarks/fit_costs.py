"""What a fit costs beside its steps: ``python -m benchmarks.fit_costs``.

Two tables. The first holds fixed costs beside what is aimed at. A fit beyond its epochs looks at X
and y once: the aim allows for as long as NumPy takes to read both, by ``isfinite(...).all()``. The
Python of an epoch is what an epoch of one step takes, less the step, which is what an epoch takes
longer for each further step.

The second table holds the time of a row, all costs of the fit and the epoch included, on a thousand
to a million rows: beyond the caches a row should cost hardly more than within.

What is compared is timed in turns, round by round; numbers are medians. The first steps are held
against the NumPy backend before anything is timed.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import replace
from statistics import median
from time import perf_counter
from typing import Any

import numpy as np

from fastmlp.peers.networks import CASES, Array, make_data

from .shared.networks import check_training, new_model
from .shared.rounds import conditions, interleaved, ratios, say, spread, table

SIZES = (1_000, 10_000, 100_000, 1_000_000)
SMALL, LARGE = "T", ("S", "L")
_REPEATS = 100
_SECONDS = 0.4

# What is aimed at: seconds, and times the thousand rows.
_FIT, _EPOCH, _ROW = 300e-6, 40e-6, 1.15


class Training:
    """A warm model and rows of its case, as many as are asked for."""

    def __init__(self, name: str, x: Array, y: Array, threads: int = 1) -> None:
        case = CASES[name]
        self.x, self.y, self._batch = x, y, case.batch
        self._model = new_model(case, "numba", threads)
        self.run(1)

    def run(self, epochs: int) -> Any:
        """Train and return the history."""
        return self._model.fit(self.x, self.y, epochs=epochs, batch_size=self._batch, verbose=0)

    def beyond_epochs(self, repeats: int) -> float:
        """Seconds of a fit that its epoch does not take."""
        found = []
        for _ in range(repeats):
            start = perf_counter()
            history = self.run(1)
            found.append(perf_counter() - start - history["seconds"][0])
        return median(found)

    def one_pass(self) -> float:
        """Seconds that NumPy takes to look at X and y once, where a fit would do it."""
        found = []
        for _ in range(3):
            self.run(1)
            start = perf_counter()
            np.isfinite(self.x).all()
            np.isfinite(self.y).all()
            found.append(perf_counter() - start)
        return median(found)


def rows_of(name: str, rows: int, threads: int = 1) -> tuple[Array, Array]:
    """X and y of so many rows, on which the first steps have been checked."""
    case = replace(CASES[name], rows=rows)
    x, y = make_data(case)
    check_training(case, "numba", threads, x, y)
    return x, y


def python_of_an_epoch(rounds: int) -> list[float]:
    """Seconds of an epoch of one step, less the step; one number a round."""
    x, y = rows_of(SMALL, CASES[SMALL].rows)
    batch, steps = CASES[SMALL].batch, CASES[SMALL].steps(len(x))
    timed = {
        "one": Training(SMALL, x[:batch], y[:batch]).run,
        "all": Training(SMALL, x, y).run,
    }
    found = interleaved(timed, rounds)
    return [
        one - (every - one) / (steps - 1)
        for one, every in zip(found["one"], found["all"], strict=True)
    ]


def rows_by_size(name: str, rounds: int, threads: int = 1) -> dict[int, list[float]]:
    """Seconds of a row for each number of rows, one number a round."""
    x, y = rows_of(name, max(SIZES), threads)
    timed: dict[str, Callable[[int], Any]] = {
        str(rows): Training(name, x[:rows], y[:rows], threads).run for rows in SIZES
    }
    found = interleaved(timed, rounds, _SECONDS)
    return {rows: [epoch / rows for epoch in found[str(rows)]] for rows in SIZES}


def _fixed_costs(rounds: int) -> list[list[str]]:
    lines = []
    for name, rows in ((SMALL, CASES[SMALL].rows), *((name, max(SIZES)) for name in LARGE)):
        say(f"fits of {rows:,} rows of {name}")
        training = Training(name, *rows_of(name, rows))
        repeats = _REPEATS if name == SMALL else 1
        found = [1e6 * training.beyond_epochs(repeats) for _ in range(rounds)]
        aim = 1e6 * (_FIT + training.one_pass())
        what = f"a fit beyond its epochs, {rows:,} rows of {CASES[name].widths[0]}"
        lines.append([what, spread(found), f"{aim:,.0f}"])
    say(f"epochs of {SMALL}")
    found = [1e6 * seconds for seconds in python_of_an_epoch(rounds)]
    lines.append(["the Python of an epoch", spread(found), f"{1e6 * _EPOCH:.0f}"])
    return lines


def _rows(rounds: int, threads: int) -> list[list[str]]:
    lines = []
    for name in LARGE:
        say(f"{name} on {', '.join(map(str, SIZES))} rows")
        found = rows_by_size(name, rounds, threads)
        for rows, seconds in found.items():
            times = spread(ratios(seconds, found[min(SIZES)])) if rows > min(SIZES) else ""
            aim = f"{_ROW}" if rows == max(SIZES) else ""
            cells = [str(CASES[name]), f"{rows:,}", f"{1e9 * median(seconds):.4g}", times, aim]
            lines.append(cells)
    return lines


def main(argv: list[str] | None = None) -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.fit_costs",
        description="What a fit, an epoch and a row of many cost, beside what is aimed at.",
    )
    parser.add_argument("--rounds", type=int, default=7, metavar="N")
    parser.add_argument("--threads", type=int, default=1, metavar="N", help="of the second table")
    arguments = parser.parse_args(argv)
    fixed = _fixed_costs(arguments.rounds)
    rows = _rows(arguments.rounds, arguments.threads)
    print(conditions(), end="\n\n")
    print(table(["what", "microseconds (quartiles)", "aim"], fixed), end="\n\n")
    head = ["network", "rows", "ns a row", "times a thousand rows (quartiles)", "aim"]
    print(table(head, rows))


if __name__ == "__main__":
    main()
