"""Tables that commands read, and what is told of them."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from ..tables.reader import read
from .options_table import reading_of

if TYPE_CHECKING:
    from ..tables.notes import Note
    from ..tables.table import Table

# Options after which nothing is left to tell.
_DECIDED = ("header", "decimal", "thousands", "test_last", "log_target")


def read_table(path: str, arguments: argparse.Namespace) -> Table:
    """Read a file as the options say."""
    return read(path, reading_of(arguments))


def undecided(notes: Iterable[Note], arguments: argparse.Namespace) -> tuple[Note, ...]:
    """Leave out what an option that was given has decided, one way or the other."""
    return tuple(
        note for note in notes if note.option not in _DECIDED or note.option not in arguments.given
    )


def refuse(notes: Iterable[Note]) -> None:
    """Make an error of notes, as ``--strict`` does.

    Raises
    ------
    ValueError
        There are some.
    """
    lines = _lines(notes)
    if lines:
        raise ValueError("--strict: " + "; ".join(lines))


def tell(notes: Iterable[Note], strict: bool = False) -> None:
    """Print notes on stderr, each on a line.

    Raises
    ------
    ValueError
        There are some, and they shall be an error.
    """
    if strict:
        refuse(notes)
    for line in _lines(notes):
        print(f"note: {line}", file=sys.stderr)
    sys.stderr.flush()


def _lines(notes: Iterable[Note]) -> list[str]:
    return list(dict.fromkeys(note.in_shell() for note in notes))


def check_outputs(
    inputs: Iterable[str | Path | None], outputs: Iterable[str | Path | None]
) -> None:
    """Refuse to write over what is read, before anything is.

    Raises
    ------
    ValueError
        An output is an input.
    """
    read_from = [path for path in inputs if path is not None and path != "-"]
    for path in outputs:
        if path is not None and any(is_same(path, other) for other in read_from):
            raise ValueError(f"{path} would be written over, but is read from; name another output")


def check_folder(path: str | Path | None) -> None:
    """Refuse to write into a folder that is not there, before anything takes long.

    Raises
    ------
    ValueError
        There is no such folder.
    """
    if path is not None and not Path(path).parent.is_dir():
        raise ValueError(f"{path}: there is no folder {Path(path).parent}")


def is_same(path: str | Path, other: str | Path) -> bool:
    """Whether both name one file, by a link or in letters of another case perhaps."""
    if os.path.exists(path) and os.path.exists(other):
        return os.path.samefile(path, other)
    return os.path.realpath(path) == os.path.realpath(other)
