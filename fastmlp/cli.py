"""The command line: ``fastmlp train``, ``fastmlp bench`` and ``fastmlp warmup``.

A command is one row of `_COMMANDS`: what it does in a phrase, the function that declares its
options and the function that runs it. Packages that take long to import are imported by the
latter, so that ``--help`` answers at once.
"""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING, Any, NoReturn

from .names import check_int, check_number

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


__all__ = ["main"]

_EXAMPLES = """\
examples:
  fastmlp train --dataset breast_cancer
  fastmlp train -d iris -l 16 16 -a tanh -e 200 --show_loss
  fastmlp train -d diabetes --l2 0.01 -wf bmi bp -en small

Long options may be written with hyphens too: --test-size is --test_size.
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line.

    Parameters
    ----------
    argv : sequence of str, optional
        The words after ``fastmlp``; those of this process by default.

    Returns
    -------
    int
        The exit code: 0, 2 after an error (told in one line on stderr), 130 after Ctrl-C.

    Raises
    ------
    SystemExit
        After ``--help``, ``--version`` and words that do not parse.
    """
    words = sys.argv[1:] if argv is None else argv
    arguments = _parser().parse_args(_with_underscores(words))
    try:
        arguments.run(arguments)
    except (ImportError, OSError, ValueError) as error:
        print(f"fastmlp: error: {' '.join(str(error).split())}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("fastmlp: interrupted", file=sys.stderr)
        return 130
    return 0


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        print(f"fastmlp: error: {message} (see {self.prog} --help)", file=sys.stderr)
        raise SystemExit(2)


class _HelpFormatter(argparse.ArgumentDefaultsHelpFormatter, argparse.RawDescriptionHelpFormatter):
    pass


def _parser() -> argparse.ArgumentParser:
    from . import __version__

    parser = _Parser(
        prog="fastmlp",
        description="Multilayer perceptrons on this machine's CPU.",
        epilog=_EXAMPLES,
        formatter_class=_HelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=f"fastmlp {__version__}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for name, (phrase, declare, run) in _COMMANDS.items():
        command = commands.add_parser(
            name,
            help=phrase,
            description=f"{phrase[0].upper()}{phrase[1:]}.",
            formatter_class=_HelpFormatter,
            allow_abbrev=False,
        )
        declare(command)
        command.set_defaults(run=run)
    return parser


def _with_underscores(words: Sequence[str]) -> list[str]:
    """Each long option in the one spelling that the parser knows."""
    result = []
    for word in words:
        name, equals, value = word.partition("=")
        if name.startswith("--"):
            name = "--" + name[2:].replace("-", "_")
        result.append(name + equals + value)
    return result


def _integer(low: int, high: int | None = None) -> Callable[[str], int]:
    def parse(text: str) -> int:
        try:
            value = int(text)
        except ValueError:
            raise argparse.ArgumentTypeError(f"{text!r} is not an integer") from None
        try:
            check_number("value", check_int("value", value, low), low, high)
        except ValueError as error:
            raise argparse.ArgumentTypeError(str(error)) from error
        return value

    return parse


def _number(low: float, high: float | None = None, **open_ends: bool) -> Callable[[str], float]:
    def parse(text: str) -> float:
        try:
            value = float(text)
        except ValueError:
            raise argparse.ArgumentTypeError(f"{text!r} is not a number") from None
        try:
            return check_number("value", value, low, high, **open_ends)
        except ValueError as error:
            raise argparse.ArgumentTypeError(str(error)) from error

    return parse


def _threads(text: str) -> int | str:
    return text if text == "auto" else _integer(1)(text)


def _stem(text: str) -> str:
    if not text or any(separator in text for separator in "/\\"):
        raise argparse.ArgumentTypeError(f"{text!r} cannot be part of a file name")
    return text


def _declare_train(parser: argparse.ArgumentParser) -> None:
    parser.usage = "fastmlp train --dataset NAME [option ...]"
    parser.epilog = _EXAMPLES
    # Suppressed as defaults of the options themselves, these stay out of the help text.
    hidden: dict[str, Any] = {"default": argparse.SUPPRESS}
    parser.set_defaults(
        task=None, batch_norm=False, extension_name=None, wanted_features=None, show_loss=False
    )

    add = parser.add_argument_group("data").add_argument
    add(
        *("-d", "--dataset"),
        metavar="NAME",
        required=True,
        help="breast_cancer, digits, iris, mnist_784, wine (classification), california_housing, "
        "diabetes (regression)",
        **hidden,
    )
    add(
        *("-t", "--task"),
        choices=("classification", "regression"),
        help="what to learn (default: what the data set is for)",
        **hidden,
    )
    add(
        *("-ts", "--test_size"),
        metavar="SHARE",
        type=_number(0, 1, open_low=True, open_high=True),
        default=0.2,
        help="share of the rows that is kept for the test, the same of each class",
    )
    add(
        *("-s", "--seed"),
        metavar="N",
        type=_integer(0, 2**32 - 1),
        default=42,
        help="of the split, the first weights, the order of rows and dropout",
    )

    add = parser.add_argument_group("network").add_argument
    add(
        *("-l", "--layers"),
        metavar="UNITS",
        nargs="*",
        type=_integer(1),
        default=[64, 32],
        help="widths of the hidden layers; without a number the model is linear",
    )
    add(
        *("-a", "--activation"),
        metavar="NAME",
        default="relu",
        help="of the hidden layers: relu, tanh, gelu, ...",
    )
    add(
        *("-o", "--output"),
        metavar="NAME",
        default="auto",
        help="activation of the last layer; auto: sigmoid for two classes, softmax for more, "
        "linear for regression",
    )
    add(
        *("-wi", "--weight_init"),
        metavar="NAME",
        default="he",
        help="initialiser of the weights: he, glorot, auto, ...",
    )
    add(
        "--dropout",
        metavar="RATE",
        type=_number(0, 1, open_high=True),
        default=0.0,
        help="share of each hidden layer's outputs dropped in training",
    )
    add(
        "--batch_norm",
        action="store_true",
        help="batch normalisation before each hidden activation",
        **hidden,
    )
    add("--l1", metavar="L", type=_number(0), default=0.0, help="adds L * sum |W| to the loss")
    add("--l2", metavar="L", type=_number(0), default=0.0, help="adds L / 2 * sum W^2 to the loss")

    add = parser.add_argument_group("training").add_argument
    add(
        *("-e", "--epochs"), metavar="N", type=_integer(1), default=100, help="passes over the rows"
    )
    add("--batch_size", metavar="N", type=_integer(1), default=32, help="rows of one update")
    add(
        "--optimizer",
        metavar="NAME",
        default="adam",
        help="sgd, momentum, rmsprop, adam, adamw, adagrad, nadam or ftrl",
    )
    add(
        *("-lr", "--learning_rate"),
        metavar="RATE",
        type=_number(0, open_low=True),
        default=0.01,
        help="of the first epoch",
    )
    add(
        *("-decay", "--decay_rate"),
        metavar="D",
        type=_number(0),
        default=0.01,
        help="divides the learning rate by 1 + D after each epoch",
    )
    add(
        "--backend",
        choices=("auto", "numba", "numpy"),
        default="auto",
        help="what computes; auto is numba where that is installed",
    )
    add(
        "--threads",
        metavar="N",
        type=_threads,
        default="auto",
        help="at most so many; auto looks at the sizes; results do not depend on it",
    )
    add("--dtype", choices=("float32", "float64"), default="float32", help="of the arithmetic")

    add = parser.add_argument_group("output").add_argument
    add("--output_dir", metavar="FOLDER", default="outputs", help="where the files go")
    add(
        *("-en", "--extension_name"),
        metavar="NAME",
        type=_stem,
        help="write model_NAME.safetensors, metrics_NAME.json and so on",
        **hidden,
    )
    add(
        *("-wf", "--wanted_features"),
        metavar="FEATURE",
        nargs="+",
        help="features, by name or number from 0, whose effect on the prediction is drawn, the "
        "others at their means (default: the first two)",
        **hidden,
    )
    add("--show_loss", action="store_true", help="print the loss of every tenth epoch", **hidden)


def _train(arguments: argparse.Namespace) -> None:
    from .cli_train import train

    train(arguments)


def _declare_bench(parser: argparse.ArgumentParser) -> None:
    from .peers.networks import CASES
    from .peers.options import FULL, SHORT, SHORT_CASES
    from .peers.peer import BASE, LIBRARIES

    parser.usage = "fastmlp bench [option ...]"
    parser.description = (
        "Measure fastmlp on this machine beside the other libraries that are installed, each at\n"
        "its best: prints what a training step takes, and how many times as long theirs do.\n"
        "pip install 'fastmlp[peers]' brings them all."
    )
    parser.epilog = "cases:\n" + "\n".join(f"  {name:3} {case}" for name, case in CASES.items())
    peers = [name for name in LIBRARIES if name != BASE]
    numbers = ("variants", "rounds", "epochs", "seconds", "limit", "rows", "pause")
    parser.set_defaults(
        full=False, cases=None, threads=None, peers=peers, output=None, **dict.fromkeys(numbers)
    )
    hidden: dict[str, Any] = {"default": argparse.SUPPRESS}

    def add_number(name: str, parse: Callable[[str], Any], text: str, *, metavar: str) -> None:
        short, full = getattr(SHORT, name), getattr(FULL, name)
        default = f"{short:g}; with --full {'all' if full is None else format(full, 'g')}"
        add(
            f"--{name}",
            metavar=metavar,
            type=parse,
            help=f"{text} (default: {default})",
            **hidden,
        )

    add = parser.add_argument_group("what is measured").add_argument
    add(
        "--full",
        action="store_true",
        help="all cases with all rows, thoroughly: about an hour in place of some minutes",
        **hidden,
    )
    add(
        "--cases",
        metavar="CASE",
        nargs="+",
        choices=CASES,
        help=f"from the list below (default: {' '.join(SHORT_CASES)}; with --full all)",
        **hidden,
    )
    add(
        "--threads",
        metavar="N",
        nargs="+",
        type=_threads,
        help="numbers of threads; auto: fastmlp with its own choice, beside the best of each "
        "library over the numbers (default: 1, all cores, auto)",
        **hidden,
    )
    add(
        "--peers",
        metavar="PEER",
        nargs="*",
        choices=peers,
        help=f"{', '.join(peers)}; without a name fastmlp is measured alone (default: those that "
        "are installed)",
        **hidden,
    )

    add = parser.add_argument_group("how thoroughly").add_argument
    add_number(
        "variants",
        _integer(1),
        "ways to use a library that are tried at most, the fastest of which is measured",
        metavar="N",
    )
    add_number(
        "rounds", _integer(1), "measurements, in which the libraries take turns", metavar="N"
    )
    add_number("epochs", _integer(1), "least epochs of a fit", metavar="N")
    add_number("seconds", _number(0, open_low=True), "least seconds of a fit", metavar="S")
    add_number(
        "limit",
        _number(0, open_low=True),
        "most seconds of a fit: it has fewer epochs where an epoch is long",
        metavar="S",
    )
    add_number("rows", _integer(1), "most rows of an epoch or a prediction", metavar="N")
    add_number(
        "pause",
        _number(0),
        "seconds between two libraries, for spinning threads to fall asleep",
        metavar="S",
    )

    add = parser.add_argument_group("output").add_argument
    add(
        "--output",
        metavar="FOLDER",
        help="write peers.json, peers.md (with quartiles, losses and ways tried) and peers.png "
        "there, anew after each case",
        **hidden,
    )


def _bench(arguments: argparse.Namespace) -> None:
    from .cli_bench import bench

    bench(arguments)


def _declare_warmup(parser: argparse.ArgumentParser) -> None:
    parser.epilog = (
        "Compiled kernels are kept on disk, in the folder that NUMBA_CACHE_DIR names or else\n"
        "beside the package's sources, and loaded from there afterwards."
    )


def _warmup(arguments: argparse.Namespace) -> None:
    from time import perf_counter

    import fastmlp as fm

    start = perf_counter()
    fm.warmup(progress=True)
    print(f"all kernels are compiled ({perf_counter() - start:.1f} s)")


_COMMANDS = {
    "train": ("train a network and report how good it is", _declare_train, _train),
    "bench": ("measure fastmlp beside other libraries", _declare_bench, _bench),
    "warmup": ("compile every kernel ahead of its first use", _declare_warmup, _warmup),
}
