"""How measurements that take turns are told: spreads, tables, the conditions."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from fastmlp.peers.machine import describe_machine, load_average
from fastmlp.peers.report import quartiles
from fastmlp.peers.rounds import interleaved as interleaved
from fastmlp.peers.rounds import ratios as ratios


def spread(values: list[float]) -> str:
    """The median and the quartiles, for a table."""
    low, middle, high = quartiles(values)
    return f"**{middle:.2f}** ({low:.2f} to {high:.2f})"


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table in Markdown."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def conditions() -> str:
    """The machine and its load, as a line of Markdown."""
    machine = describe_machine()
    variables = "".join(f", `{name}={value}`" for name, value in machine["variables"].items())
    return (
        f"{machine['cpu']}, {machine['available_cores']} of {machine['cores']} cores, "
        f"{machine['memory_gib']} GiB; Python {machine['python']}{variables}; "
        f"load average {load_average()}"
    )


def say(line: str) -> None:
    """Tell how far things are, beside the tables."""
    print(line, file=sys.stderr, flush=True)
