"""The table of docs/guarantees.md."""

from __future__ import annotations

from .journal import Journal, Tried
from .promise import PROMISES, Promise


def table(journal: Journal) -> str:
    """A row for each promise, with what was counted."""
    rows = ["| promise | counted | came to | broken | took | on |", "|---|---|---|---|---|---|"]
    rows += [_row(made, journal.of(name)) for name, made in sorted(PROMISES.items())]
    return "\n".join(rows)


def _row(made: Promise, tried: Tried) -> str:
    counted = f"{tried.count:,} {made.unit}"
    if tried.count < made.full:
        counted += f" (of {made.full:,})"
    outcomes = ", ".join(f"{what} {count:,}" for what, count in tried.outcomes.most_common())
    on = f"{tried.last}, {tried.version}" if tried.count else ""
    cells = (made.name, counted, outcomes, len(tried.broken), duration(tried.seconds), on)
    return "| " + " | ".join(str(cell) for cell in cells) + " |"


def duration(seconds: float) -> str:
    """As a person says it."""
    if seconds < 100:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 6000 else f"{seconds / 3600:.1f} h"
