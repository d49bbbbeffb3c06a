"""``python -m benchmarks.tabular``: measure what is not measured yet, or write the page."""

from __future__ import annotations

import argparse
from pathlib import Path

from fastmlp.peers.tabular.methods import METHODS

from .measuring import measure, remove_stale
from .results import ResultsFile
from .tables import tables

_HERE = Path(__file__).parent


def main(argv: list[str] | None = None) -> None:
    """Measure, then write where that is asked for."""
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
    arguments = parser.parse_args(argv)
    results = ResultsFile(arguments.results)
    chosen = {name: known[name] for name in known if name in arguments.tables}
    if arguments.again:
        remove_stale(results, chosen, arguments.again, arguments.splits)
    measure(results, chosen, arguments.methods, arguments.splits)


if __name__ == "__main__":
    main()
