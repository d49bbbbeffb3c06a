"""``fastmlp bench``: measure this machine, print a table and write its files."""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import replace
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from ..common.atomic_file import atomic_text
from ..errors import missing_extra
from ..peers.measure import measure
from ..peers.options import FULL, FULL_CASES, SHORT, SHORT_CASES
from ..peers.process import PeerError
from ..peers.report import draw, markdown, short
from ..peers.tabular.short import ROWS, SPLITS, measure_tabular
from ..peers.tabular.short import report as report_tabular
from .options_bench import BENCH, PEERS

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..peers.measure import Results


_EPOCHS = 10


def bench(arguments: argparse.Namespace) -> None:
    """Measure, print the table, and write it with the picture where a folder is given."""
    if arguments.estimators and arguments.tabular:
        raise ValueError("--estimators and --tabular are two measurements: give one of them")
    if arguments.estimators:
        _bench_estimators(arguments)
        return
    if arguments.tabular:
        _bench_tabular(arguments)
        return
    options, cases = (FULL, FULL_CASES) if arguments.full else (SHORT, SHORT_CASES)
    options = replace(options, **BENCH.passed(arguments, "measurement"))
    try:
        results = measure(
            arguments.cases or cases,
            arguments.threads,
            PEERS if arguments.peers is None else arguments.peers,
            options,
            say=partial(print, file=sys.stderr, flush=True),
            keep=_writer(arguments.output),
        )
    except PeerError as error:
        raise ValueError(str(error)) from error
    print(short(results), end="")


def _bench_estimators(arguments: argparse.Namespace) -> None:
    """Measure the estimators and print their table."""
    _refuse_others(arguments, "estimators", "rounds", "epochs")
    if find_spec("sklearn") is None:
        raise missing_extra("sklearn", "sklearn")
    # It imports scikit-learn, which the other measurements leave to processes of their own.
    from ..peers.estimators import measure_estimators, report

    rounds = arguments.rounds or SHORT.rounds
    say = partial(print, file=sys.stderr, flush=True)
    found = measure_estimators(rounds, arguments.epochs or _EPOCHS, say)
    print(report(found, rounds), end="")


def _bench_tabular(arguments: argparse.Namespace) -> None:
    """Measure the methods that learn from tables and print what they reach."""
    _refuse_others(arguments, "tabular", "rounds", "rows")
    for name in ("sklearn", "pandas"):
        if find_spec(name) is None:
            raise missing_extra(name, "sklearn")
    say = partial(print, file=sys.stderr, flush=True)
    found = measure_tabular(arguments.rounds or SPLITS, arguments.rows or ROWS, say)
    print(report_tabular(found), end="")


def _refuse_others(arguments: argparse.Namespace, chosen: str, *its_own: str) -> None:
    """Refuse options that are not for the measurement that was chosen.

    Raises
    ------
    ValueError
        One was given.
    """
    others = [
        f"--{option.name}"
        for option in BENCH.options
        if option.is_given(arguments) and option.name not in (chosen, *its_own)
    ]
    if others:
        allowed = " and ".join(f"--{name}" for name in its_own)
        raise ValueError(f"{others[0]} is not for --{chosen}, which goes with {allowed} alone")


def _writer(folder: str | None) -> Callable[[Results], None] | None:
    """Return a function that writes results into a folder, which is made before the measuring."""
    if folder is None:
        return None
    if find_spec("matplotlib") is None:
        raise missing_extra("matplotlib", "plot")
    path = Path(folder)
    path.mkdir(parents=True, exist_ok=True)

    def write(results: Results) -> None:
        as_json = json.dumps(results.to_dict(), indent=2)
        for name, text in (("peers.json", as_json + "\n"), ("peers.md", markdown(results))):
            with atomic_text(path / name, "text") as file:
                file.write(text)
        draw(results, path / "peers.png")

    return write
