"""Files that appear under their names only once they are complete."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import BinaryIO


@contextmanager
def atomic_file(path: str | os.PathLike[str], extension: str) -> Iterator[BinaryIO]:
    """Open a file to write; it takes the place of `path` where the block ends without an error.

    Otherwise what was there before stays. A link is followed. What is no file, such as a device or
    a pipe, is written itself.

    Parameters
    ----------
    path : str or path-like
        Where to write; its folder must exist.
    extension : str
        Names the temporary file beside it, ``.<random>.<extension>.tmp``.

    Yields
    ------
    binary file

    Raises
    ------
    OSError
        If the file cannot be written.
    """
    target = os.path.realpath(path)
    if os.path.isdir(target):
        raise IsADirectoryError(
            f"cannot write {os.fspath(path)!r}: it is a folder; give the name of a file in it"
        )
    if os.path.exists(path) and not os.path.isfile(path):
        # To put a file in the place of /dev/null would break the whole machine.
        with open(os.fspath(path), "wb") as file:
            yield file
        return
    folder = os.path.dirname(target)
    if not os.path.isdir(folder):
        raise FileNotFoundError(
            f"cannot write {os.fspath(path)!r}: there is no folder {folder!r}; make it first"
        )
    # A name of fixed length: one derived from the target's could exceed what the folder allows.
    temporary = os.path.join(folder, f".{os.urandom(8).hex()}.{extension}.tmp")
    try:
        with open(temporary, "xb") as file:
            yield file
        os.replace(temporary, target)
    except BaseException:
        with suppress(FileNotFoundError):
            os.unlink(temporary)
        raise
