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


def read_table(path: str, arguments: argparse.Namespace) -> Table:
    """Read a file as the options say."""
    return read(path, reading_of(arguments))


def tell(notes: Iterable[Note], strict: bool) -> None:
    """Print notes on stderr, each on a line.

    Raises
    ------
    ValueError
        There are some, and --strict makes them an error.
    """
    lines = list(dict.fromkeys(note.in_shell() for note in notes))
    if lines and strict:
        raise ValueError("--strict: " + "; ".join(lines))
    for line in lines:
        print(f"note: {line}", file=sys.stderr)
    sys.stderr.flush()


def check_outputs(inputs: Iterable[str | None], outputs: Iterable[str | Path | None]) -> None:
    """Refuse to write over what is read, before anything is.

    Raises
    ------
    ValueError
        An output is an input.
    """
    read_from = {os.path.realpath(path): path for path in inputs if path not in (None, "-")}
    for path in outputs:
        if path is not None and os.path.realpath(path) in read_from:
            raise ValueError(f"{path} would be written over, but is read from; name another output")
