"""What has been tried, one JSON object a line, so that a run goes on where the last one stopped."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


@dataclass
class Tried:
    """All trials of a promise so far."""

    count: int = 0
    seconds: float = 0.0
    last: str = ""
    version: str = ""
    outcomes: Counter[str] = field(default_factory=Counter)
    broken: list[tuple[int, str]] = field(default_factory=list)

    def add(self, line: dict[str, Any]) -> None:
        self.count = max(self.count, line["stop"])
        self.seconds += line["seconds"]
        self.last, self.version = line["day"], line["version"]
        self.outcomes.update(line["outcomes"])
        self.broken += [(number, what) for number, what in line["broken"]]


class Journal:
    """The trials of all promises.

    Parameters
    ----------
    path : Path
        Need not be there yet.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.tried: dict[str, Tried] = {}
        self._lines: list[dict[str, Any]] = []
        if path.exists():
            # What ends without a line feed was being written when the process ended.
            for text in path.read_text(encoding="utf-8").split("\n")[:-1]:
                self._take(json.loads(text))
            self._write()

    def of(self, name: str) -> Tried:
        return self.tried.get(name, Tried())

    def add(self, line: dict[str, Any]) -> None:
        """Write one more, at once; it follows on the trials before."""
        self._take(line)
        with self.path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")

    def forget(self, names: list[str]) -> None:
        """Begin these promises anew."""
        kept = [line for line in self._lines if line["promise"] not in names]
        self._lines, self.tried = [], {}
        for line in kept:
            self._take(line)
        self._write()

    def merge(self) -> None:
        """Keep a line for each promise: what has been counted, without the steps on the way."""
        lines = [
            {
                "promise": name,
                "first": 0,
                "stop": tried.count,
                "seconds": round(tried.seconds, 1),
                "outcomes": dict(sorted(tried.outcomes.items())),
                "broken": tried.broken,
                "day": tried.last,
                "version": tried.version,
            }
            for name, tried in sorted(self.tried.items())
        ]
        self._lines, self.tried = [], {}
        for line in lines:
            self._take(line)
        self._write()

    def _take(self, line: dict[str, Any]) -> None:
        self._lines.append(line)
        self.tried.setdefault(line["promise"], Tried()).add(line)

    def _write(self) -> None:
        text = "".join(json.dumps(line) + "\n" for line in self._lines)
        self.path.write_text(text, encoding="utf-8")
