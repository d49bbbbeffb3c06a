"""The part of a document that a program writes, between two comments."""

from __future__ import annotations

import re
from pathlib import Path

END = "<!-- end of it -->"


def begin_of(module: str) -> str:
    """The comment before the part that ``python -m MODULE --write`` writes."""
    return f"<!-- written by python -m {module} --write -->"


def write_between(path: Path, text: str, module: str) -> None:
    """Put text between a module's comment and the next end.

    Raises
    ------
    ValueError
        The file does not have the comment, once, and an end behind it.
    """
    old, begin = path.read_text(encoding="utf-8"), begin_of(module)
    pattern = f"(?<={re.escape(begin)}\n).*?(?={re.escape(END)})"
    if old.count(begin) != 1 or not re.search(pattern, old, re.DOTALL):
        raise ValueError(f"{path} must have a line {begin!r} and after it a line {END!r}")
    # An empty part is found once more, with what is behind it.
    new = re.sub(pattern, lambda _: f"\n{text}\n", old, count=1, flags=re.DOTALL)
    path.write_text(new, "utf-8")
