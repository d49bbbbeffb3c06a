"""All fits that are wanted and not there yet, in turns."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from fastmlp.peers.tabular.methods import METHODS
from fastmlp.peers.tabular.process import measure_apart
from fastmlp.peers.tabular.tables import Table

from ..shared.rounds import say
from .results import Cell, ResultsFile


def measure(
    results: ResultsFile, tables: dict[str, Table], methods: Sequence[str], splits: Sequence[int]
) -> None:
    """Fit what is not in the results: all tables by one split after the other, cheap fits first."""
    there = [name for name in methods if _is_there(name)]

    def order(cell: Cell) -> tuple[int, float]:
        return cell.split, METHODS[cell.method].seconds * len(tables[cell.table].y)

    cells = [Cell(table, method, split) for table in tables for method in there for split in splits]
    waiting = sorted((cell for cell in cells if cell not in results.found), key=order)
    for number, cell in enumerate(waiting, start=1):
        table = tables[cell.table]
        result = measure_apart(cell.method, table, cell.split)
        results.add(cell, {**_said_of(table), **result})
        told = result.get("failure") or (
            f"error {result['error']:.4g}, {result['fit_cpu_seconds']:.1f} s"
        )
        say(f"[{number}/{len(waiting)}] {cell.table}, {cell.method}, split {cell.split}: {told}")


def remove_stale(
    results: ResultsFile, tables: Iterable[str], methods: Sequence[str], splits: Sequence[int]
) -> None:
    """Take out what failed, or was measured with other versions than those of today."""
    wanted = {
        Cell(table, method, split) for table in tables for method in methods for split in splits
    }
    today = {name: METHODS[name].measured() for name in methods if _is_there(name)}
    removed = results.remove(
        lambda cell, result: (
            cell in wanted
            and cell.method in today
            and ("failure" in result or result["measured"] != today[cell.method])
        )
    )
    say(f"{removed} results are measured again")


def _is_there(method: str) -> bool:
    missing = METHODS[method].missing()
    if missing is not None:
        say(f"{method} skipped: {missing} is not installed")
    return missing is None


def _said_of(table: Table) -> dict[str, Any]:
    rows, columns = table.X.shape
    classes = None if table.is_regression else int(table.y.max()) + 1
    return {"rows": rows, "columns": columns, "classes": classes}
