"""The command ``python -m benchmarks.peers``."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from .machine import available_cores
from .measure import BASE, Options, measure
from .networks import CASES
from .peer import LIBRARIES
from .process import PeerError
from .report import draw, markdown


def _parser() -> argparse.ArgumentParser:
    defaults = Options()
    parser = argparse.ArgumentParser(
        prog=f"python -m {__package__}",
        description="Measure fastmlp beside other libraries, each at its best.",
        epilog="cases:\n" + "\n".join(f"  {name:3} {case}" for name, case in CASES.items()),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("--cases", nargs="+", choices=CASES, default=list(CASES), metavar="CASE")
    add("--threads", nargs="+", type=int, default=_default_threads(), metavar="N")
    others = [name for name in LIBRARIES if name != BASE]
    add(
        "--peers", nargs="*", choices=others, default=others, metavar="PEER", help=", ".join(others)
    )
    add("--rounds", type=int, default=defaults.rounds, metavar="N")
    add("--epochs", type=int, default=defaults.epochs, metavar="N", help="least epochs of a fit")
    add("--seconds", type=float, default=defaults.seconds, metavar="S", help="least of a fit")
    add(
        *("--limit",),
        type=float,
        default=defaults.limit,
        metavar="S",
        help="most seconds of a fit: fewer epochs where an epoch is long",
    )
    add("--rows", type=int, metavar="N", help="most rows of an epoch or a prediction")
    add(
        *("--pause",),
        type=float,
        default=defaults.pause,
        metavar="S",
        help="between two libraries, for spinning threads to fall asleep",
    )
    add("--output", type=Path, metavar="FOLDER", help="for peers.json, peers.md and peers.png")
    return parser


def _default_threads() -> list[int]:
    return [1, 2][: available_cores()]


def main(argv: list[str] | None = None) -> None:
    """Measure, print the table, and write it with the picture where a folder is given."""
    parser = _parser()
    arguments = parser.parse_args(argv)
    options = Options(
        rounds=arguments.rounds,
        epochs=arguments.epochs,
        seconds=arguments.seconds,
        limit=arguments.limit,
        rows=arguments.rows,
        pause=arguments.pause,
    )
    try:
        results = measure(
            arguments.cases,
            arguments.threads,
            arguments.peers,
            options,
            say=lambda line: print(line, file=sys.stderr, flush=True),
        )
    except (ValueError, PeerError) as error:
        sys.exit(f"{parser.prog}: {error}")
    text = markdown(results)
    print(text)
    if arguments.output is None:
        return
    arguments.output.mkdir(parents=True, exist_ok=True)
    as_json = json.dumps(results.to_dict(), indent=2)
    (arguments.output / "peers.json").write_text(as_json + "\n", encoding="utf-8")
    (arguments.output / "peers.md").write_text(text, encoding="utf-8")
    draw(results, arguments.output / "peers.png")


if __name__ == "__main__":
    main()
