"""The options of ``fastmlp bench``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..peers.networks import CASES
from ..peers.options import FULL, SHORT, SHORT_CASES
from ..peers.peer import BASE, LIBRARIES
from ..peers.tabular.short import ROWS, SPLITS
from .option import Command, Group, Option
from .values import integer, number, threads

PEERS = tuple(name for name in LIBRARIES if name != BASE)

_MEASURED = (
    Option(
        name="estimators",
        action="store_true",
        default=False,
        help="MLPClassifier and MLPRegressor beside scikit-learn's, with the same arguments, in "
        "place of the cases; goes with --rounds and --epochs alone (half a minute)",
    ),
    Option(
        name="tabular",
        action="store_true",
        default=False,
        help="TabularClassifier and TabularRegressor beside other ways to learn from tables, those "
        "that are installed, in place of the cases; goes with --rounds, random splits "
        f"(default: {SPLITS}), and --rows of a table at most (default: {ROWS}) alone; a minute, "
        "with pytabkit some. pip install 'fastmlp[tabular-peers]' brings them all",
    ),
    Option(
        name="full",
        action="store_true",
        default=False,
        help="all cases with all rows, thoroughly: about an hour in place of some minutes",
    ),
    Option(
        name="cases",
        metavar="CASE",
        nargs="+",
        choices=tuple(CASES),
        help=f"from the list below (default: {' '.join(SHORT_CASES)}; with --full all)",
    ),
    Option(
        name="threads",
        metavar="N",
        nargs="+",
        parse=threads,
        help="numbers of threads; auto: fastmlp with its own choice, beside the best of each "
        "library over the numbers (default: 1, all cores, auto)",
    ),
    Option(
        name="peers",
        metavar="PEER",
        nargs="*",
        choices=PEERS,
        help=f"{', '.join(PEERS)}; without a name fastmlp is measured alone (default: those that "
        "are installed)",
    ),
)


def _thoroughness(name: str, metavar: str, parse: Callable[[str], Any], text: str) -> Option:
    """Make the option for a field of `peers.options.Options`."""
    short, full = getattr(SHORT, name), getattr(FULL, name)
    default = f"{short:g}; with --full {'all' if full is None else format(full, 'g')}"
    return Option(
        name=name,
        metavar=metavar,
        parse=parse,
        help=f"{text} (default: {default})",
        goes_to="measurement",
    )


_THOROUGHLY = (
    _thoroughness(
        *("variants", "N", integer(1)),
        "ways to use a library that are tried at most, the fastest of which is measured",
    ),
    _thoroughness("rounds", "N", integer(1), "measurements, in which the libraries take turns"),
    _thoroughness("epochs", "N", integer(1), "least epochs of a fit"),
    _thoroughness("seconds", "S", number(0, open_low=True), "least seconds of a fit"),
    _thoroughness(
        *("limit", "S", number(0, open_low=True)),
        "most seconds of a fit: it has fewer epochs where an epoch is long",
    ),
    _thoroughness("rows", "N", integer(1), "most rows of an epoch or a prediction"),
    _thoroughness(
        "pause",
        "S",
        number(0),
        "seconds between two libraries, for spinning threads to fall asleep",
    ),
)

_OUTPUT = (
    Option(
        name="output",
        metavar="FOLDER",
        help="write peers.json, peers.md (with quartiles, losses and ways tried) and peers.png "
        "there, anew after each case",
    ),
)

BENCH = Command(
    name="bench",
    phrase="measure fastmlp beside other libraries",
    run="bench:bench",
    usage="fastmlp bench [option ...]",
    description="Measure fastmlp on this machine beside the other libraries that are installed, "
    "each at\nits best: prints what a training step takes, and how many times as long theirs do.\n"
    "pip install 'fastmlp[peers]' brings them all.",
    epilog="cases:\n" + "\n".join(f"  {name:3} {case}" for name, case in CASES.items()),
    groups=(
        Group("what is measured", _MEASURED),
        Group("how thoroughly", _THOROUGHLY),
        Group("output", _OUTPUT),
    ),
)
