"""The methods that are installed on the tables that need no download."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Iterator

import numpy as np

from ..machine import describe_machine, load_average
from ..report import aligned
from ..wording import digits
from .methods import METHODS, installed
from .process import measure_apart, outcome
from .summary import Cell, Summary
from .tables import Table, own_tables

# With them the networks of pytabkit take minutes, all others seconds.
ROWS, SPLITS = 2000, 1


def measure_tabular(splits: int, rows: int, say: Callable[[str], None]) -> Summary:
    """Fit every method on each table, of which so many rows at most are drawn."""
    methods = installed(METHODS, say)
    found = {}
    for table in _shortened(rows):
        for split in range(splits):
            for method in methods:
                result = measure_apart(method, table, split)
                found[Cell(table.name, method, split)] = result
                say(f"{table.name}, split {split}, {METHODS[method].title}: {outcome(result)}")
    return Summary(found)


def _shortened(rows: int) -> Iterator[Table]:
    for table in own_tables():
        n = len(table.y)
        if n <= rows:
            yield table
        else:
            drawn = np.sort(np.random.default_rng(0).choice(n, rows, replace=False))
            yield table._replace(X=table.X.iloc[drawn], y=table.y[drawn])


def report(found: Summary) -> str:
    """Return the machine, a line for each method, and what the numbers mean."""
    machine = describe_machine()
    head = ["method", *found.tables, "mean rank", "fits, CPU s", "10,000 rows, ms"]
    rows = [
        [
            METHODS[name].title,
            *(_error(found, table, name) for table in found.tables),
            f"{rank.value:.1f}" if (rank := found.mean_rank(name)) else "",
            digits(found.seconds_of_fits(name)),
            digits(1e3 * found.seconds_of_prediction(name)),
        ]
        for name in found.methods
    ]
    failures = [
        f"{METHODS[cell.method].title} failed on {cell.table}: {message}"
        for cell, message in found.failures.items()
    ]
    text = (
        "Errors on a random fifth of the rows, wrong classes in percent or root mean squares, "
        "means over splits; CPU seconds of all fits together, in processes with one thread; "
        "milliseconds for 10,000 rows, the median over fits. Each method has the defaults of its "
        "package; fastmlp compiles before it is measured. docs/accuracy.md has larger tables."
    )
    lines = [
        f"{machine['cpu']}, {machine['available_cores']} of {machine['cores']} cores; "
        f"Python {machine['python']}; load average {load_average()}",
        "",
        *aligned(head, rows),
        "",
        *textwrap.wrap(text, 100),
        *failures,
    ]
    return "\n".join([*lines, ""])


def _error(found: Summary, table: str, method: str) -> str:
    error = found.error(table, method)
    if error is None:
        return "failed"
    return digits(error) if found.about(table)["classes"] is None else f"{100 * error:.1f}%"
