"""All fits that are wanted and not there yet, in turns."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from fastmlp.peers.tabular.methods import METHODS, installed
from fastmlp.peers.tabular.process import measure_apart, outcome
from fastmlp.peers.tabular.summary import Cell
from fastmlp.peers.tabular.tables import Table

from ..shared.rounds import say
from .results import ResultsFile


def measure(
    results: ResultsFile, tables: dict[str, Table], methods: Sequence[str], splits: Sequence[int]
) -> None:
    """Fit what is not in the results: all tables by one split after the other, cheap fits first."""
    there = installed(methods, say)

    def order(cell: Cell) -> tuple[int, float]:
        return cell.split, METHODS[cell.method].seconds * len(tables[cell.table].y)

    cells = [Cell(table, method, split) for table in tables for method in there for split in splits]
    waiting = sorted((cell for cell in cells if cell not in results.found), key=order)
    for number, cell in enumerate(waiting, start=1):
        table = tables[cell.table]
        result = measure_apart(cell.method, table, cell.split)
        results.add(cell, result)
        named = f"{cell.table}, {cell.method}, split {cell.split}"
        say(f"[{number}/{len(waiting)}] {named}: {outcome(result)}")


def remove_stale(
    results: ResultsFile, tables: Iterable[str], methods: Sequence[str], splits: Sequence[int]
) -> None:
    """Take out what failed, or was measured with other versions than those of today."""
    wanted = {
        Cell(table, method, split) for table in tables for method in methods for split in splits
    }
    today = {name: METHODS[name].measured() for name in installed(methods, say)}
    removed = results.remove(
        lambda cell, result: (
            cell in wanted
            and cell.method in today
            and ("failure" in result or result["measured"] != today[cell.method])
        )
    )
    say(f"{removed} results are measured again")
