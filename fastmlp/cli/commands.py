"""The command line: ``fastmlp train``, ``fastmlp predict`` and the other commands.

A command is one row of `_COMMANDS`: what it does in a phrase, the function that declares its
options and the one that runs it. Packages that take long to import are imported by the latter.
"""

from __future__ import annotations

import argparse
import os
import sys
from typing import TYPE_CHECKING, NoReturn

from ..common.error_state import own_error_state
from . import options as options
from .config import with_config
from .values import with_underscores

if TYPE_CHECKING:
    from collections.abc import Sequence


__all__ = ["main"]


@own_error_state
def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line.

    Parameters
    ----------
    argv : sequence of str, optional
        The words after ``fastmlp``; those of this process by default.

    Returns
    -------
    int
        The exit code: 0, 2 after an error (told in one line on stderr), 130 after Ctrl-C, 141
        where the reader of the output has gone.

    Raises
    ------
    SystemExit
        After ``--help``, ``--version`` and words that do not parse.
    """
    words = with_underscores(sys.argv[1:] if argv is None else argv)
    try:
        arguments = _parser().parse_args(with_config(words))
        arguments.run(arguments)
        sys.stdout.flush()
    except BrokenPipeError:
        # Python flushes once more when it ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141
    except (ImportError, OSError, ValueError) as error:
        print(f"fastmlp: error: {' '.join(_in_words(error).split())}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("fastmlp: interrupted", file=sys.stderr)
        return 130
    return 0


def _in_words(error: Exception) -> str:
    """What an error says, without the numbers that Python puts before what the system says."""
    if isinstance(error, OSError) and error.filename is not None and error.strerror:
        return f"{error.filename}: {error.strerror[0].lower()}{error.strerror[1:]}"
    return str(error)


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        print(f"fastmlp: error: {message} (see {self.prog} --help)", file=sys.stderr)
        raise SystemExit(2)


class _HelpFormatter(argparse.ArgumentDefaultsHelpFormatter, argparse.RawDescriptionHelpFormatter):
    pass


def _parser() -> argparse.ArgumentParser:
    from .. import __version__

    parser = _Parser(
        prog="fastmlp",
        description="Multilayer perceptrons on this machine's CPU.",
        epilog=options.EXAMPLES,
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


def _train(arguments: argparse.Namespace) -> None:
    from .train import train

    train(arguments)


def _predict(arguments: argparse.Namespace) -> None:
    from .predict import predict

    predict(arguments)


def _evaluate(arguments: argparse.Namespace) -> None:
    from .predict import evaluate

    evaluate(arguments)


def _export(arguments: argparse.Namespace) -> None:
    from .export import export

    export(arguments)


def _inspect(arguments: argparse.Namespace) -> None:
    from .inspect import inspect

    inspect(arguments)


def _bench(arguments: argparse.Namespace) -> None:
    from .bench import bench

    bench(arguments)


def _warmup(arguments: argparse.Namespace) -> None:
    from time import perf_counter

    import fastmlp as fm

    start = perf_counter()
    fm.warmup(progress=True)
    print(f"all kernels are compiled ({perf_counter() - start:.1f} s)")


_COMMANDS = {
    "train": ("train a network and report how good it is", options.declare_train, _train),
    "predict": ("predict with a model", options.declare_predict, _predict),
    "evaluate": ("report how good a model is on a table", options.declare_evaluate, _evaluate),
    "export": (
        "write a model as C, ONNX or Python for programs without fastmlp",
        options.declare_export,
        _export,
    ),
    "inspect": ("describe what a model's file holds", options.declare_inspect, _inspect),
    "bench": ("measure fastmlp beside other libraries", options.declare_bench, _bench),
    "warmup": ("compile every kernel ahead of its first use", options.declare_warmup, _warmup),
}
