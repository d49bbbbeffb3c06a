"""The command line: ``fastmlp train``, ``fastmlp predict`` and the other commands."""

from __future__ import annotations

import argparse
import io
import os
import sys
from typing import TYPE_CHECKING, NoReturn

from .. import __version__
from ..common.error_state import own_error_state
from .config import with_config
from .options_bench import BENCH
from .options_model import EVALUATE, EXPORT, INSPECT, PREDICT, WARMUP
from .options_train import EXAMPLES, TRAIN
from .values import with_underscores

if TYPE_CHECKING:
    from collections.abc import Sequence


__all__ = ["main"]

COMMANDS = (TRAIN, PREDICT, EVALUATE, EXPORT, INSPECT, BENCH, WARMUP)


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
    for stream in (sys.stdout, sys.stderr):
        # A console that cannot show a character shows another one; results are never lost for it.
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")
    words = with_underscores(sys.argv[1:] if argv is None else argv)
    try:
        arguments = _parser().parse_args(with_config(words))
        arguments.command.carry_out(arguments)
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
    """Return the message of an error, without the number that Python puts before the system's."""
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
    parser = _Parser(
        prog="fastmlp",
        description="Multilayer perceptrons on this machine's CPU.",
        epilog=EXAMPLES,
        formatter_class=_HelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=f"fastmlp {__version__}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for command in COMMANDS:
        phrase = command.phrase
        command.declare(
            commands.add_parser(
                command.name,
                help=phrase,
                description=f"{phrase[0].upper()}{phrase[1:]}.",
                formatter_class=_HelpFormatter,
                allow_abbrev=False,
            )
        )
    return parser
