"""Results of single fits in a file, one JSON object a line, to which new ones are added."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from fastmlp.peers.tabular.summary import Cell, Result


class ResultsFile:
    """Results by what was fitted.

    Parameters
    ----------
    path : Path
        Need not be there yet.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.found: dict[Cell, Result] = {}
        if path.exists():
            text = path.read_text(encoding="utf-8")
            # What ends without a line feed was being written when the process ended.
            for line in text.split("\n")[:-1]:
                result = json.loads(line)
                self.found[_cell(result)] = result
            if not text.endswith("\n"):
                self._write()

    def add(self, cell: Cell, result: Result) -> None:
        """Write one more, at once."""
        self.found[cell] = {**cell._asdict(), **result}
        with self.path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(self.found[cell]) + "\n")

    def remove(self, is_stale: Callable[[Cell, Result], bool]) -> int:
        """Write all but the stale ones anew; return how many those were."""
        kept = {cell: result for cell, result in self.found.items() if not is_stale(cell, result)}
        removed = len(self.found) - len(kept)
        if removed:
            self.found = kept
            self._write()
        return removed

    def _write(self) -> None:
        lines = (json.dumps(result) + "\n" for result in self.found.values())
        self.path.write_text("".join(lines), encoding="utf-8")


def _cell(result: Result) -> Cell:
    return Cell(*(result[name] for name in Cell._fields))
