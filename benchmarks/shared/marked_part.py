"""The part of a document that a program writes, between two comments."""

from __future__ import annotations

import re
from pathlib import Path

BEGIN, END = "<!-- written by python -m benchmarks.edge --write -->", "<!-- end of it -->"


def write_between(path: Path, text: str) -> None:
    """Put text between the two comments of a file.

    Raises
    ------
    ValueError
        The file does not have both, once and in this order.
    """
    old = path.read_text(encoding="utf-8")
    pattern = f"(?<={re.escape(BEGIN)}\n).*(?={re.escape(END)})"
    if old.count(BEGIN) != 1 or old.count(END) != 1 or not re.search(pattern, old, re.DOTALL):
        raise ValueError(f"{path} must have a line {BEGIN!r} and after it a line {END!r}")
    path.write_text(re.sub(pattern, lambda _: f"\n{text}\n", old, flags=re.DOTALL), "utf-8")
