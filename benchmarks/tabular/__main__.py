"""``python -m benchmarks.tabular``: measure what is not measured yet, or write the page."""

from __future__ import annotations

import argparse
from pathlib import Path

from fastmlp.peers.tabular.methods import METHODS
from fastmlp.peers.tabular.summary import Summary

from ..shared.marked_part import write_between
from .measuring import measure, remove_stale
from .page import page
from .picture import draw
from .results import ResultsFile
from .tables import tables

_HERE = Path(__file__).parent
_PAGE = _HERE.parents[1] / "docs/accuracy.md"


def main(argv: list[str] | None = None) -> None:
    """Measure, or write what was measured."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.tabular",
        description="fastmlp beside other methods on open tables. What the file of results holds "
        "is not measured again.",
    )
    known = tables()
    parser.add_argument("--tables", nargs="+", default=list(known), choices=known, metavar="NAME")
    parser.add_argument(
        "--methods", nargs="*", default=list(METHODS), choices=METHODS, metavar="NAME"
    )
    parser.add_argument("--splits", nargs="+", type=int, default=[*range(5)], metavar="NUMBER")
    parser.add_argument("--results", type=Path, default=_HERE / "results.jsonl", metavar="FILE")
    parser.add_argument(
        "--again",
        nargs="+",
        default=[],
        choices=METHODS,
        metavar="METHOD",
        help="measure again what failed, or was measured with another version",
    )
    parser.add_argument(
        "--write",
        nargs="?",
        const=_PAGE,
        type=Path,
        metavar="PAGE",
        help="write the table and the picture of what is there, and measure nothing "
        "(default: docs/accuracy.md)",
    )
    arguments = parser.parse_args(argv)
    if arguments.write is not None:
        found = Summary(ResultsFile(arguments.results).found)
        picture = arguments.write.with_suffix(".png")
        write_between(arguments.write, page(found, picture.name), "benchmarks.tabular")
        draw(found, picture)
        return
    results = ResultsFile(arguments.results)
    chosen = {name: known[name] for name in known if name in arguments.tables}
    if arguments.again:
        remove_stale(results, chosen, arguments.again, arguments.splits)
    measure(results, chosen, arguments.methods, arguments.splits)


if __name__ == "__main__":
    main()
