"""Python files on the disk, with the file of their weights beside them.

Two files cannot be replaced at once. So a Python file knows the digest of its weights, and has two
names for their file: ``net.npz``, and one with the digest in it, which is there while both are
replaced. The weights come first, under the second name; then the Python file, which finds them
there; then the weights take the place of the former ones. Whatever ends the process in between,
each Python file has its own weights: the old pair or the new one.
"""

from __future__ import annotations

import glob
import hashlib
import importlib.util
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from ...common.atomic_file import PASSING_DIGITS, atomic_file

_DIGITS = 16

READER = '''
def read_weights(name, sha256):
    """Return the arrays of the file beside this one that was written with it."""
    here = Path(__file__)
    # The first name is there only while both files are replaced.
    for place in (f"{name}.{sha256[:DIGITS]}.npz", f"{name}.npz"):
        try:
            content = here.with_name(place).read_bytes()
        except FileNotFoundError:
            continue
        if hashlib.sha256(content).hexdigest() == sha256:
            return np.load(io.BytesIO(content))
    missing = f"{name}.npz beside it is missing or holds other weights"
    raise ImportError(f"{here.name} has lost its weights: {missing}; copy or write both together")
'''.replace("DIGITS", str(_DIGITS))
READER_IMPORTS = ("import hashlib", "import io")


def digest_of(weights: bytes) -> str:
    """The digest of a file of weights, which `READER` takes."""
    return hashlib.sha256(weights).hexdigest()


def write_python(path: Path, source: bytes) -> None:
    """Write a Python file; no bytecode of the one that was there passes for its own.

    Python compares the second of the last change and the length, which two files of one network
    may have in common.
    """
    with atomic_file(path, "py") as file:
        file.write(source)
        _forget_bytecode(path)
    # Another process may have read the old one since.
    _forget_bytecode(path)


def _forget_bytecode(path: Path) -> None:
    folder = Path(importlib.util.cache_from_source(path)).parent
    for cached in folder.glob(f"{glob.escape(path.stem)}.*.pyc"):
        with suppress(OSError):
            cached.unlink()


def write_pair(path: Path, source: bytes, beside: Path, weights: bytes) -> None:
    """Write a Python file and that of its weights: at each moment the old pair or the new one.

    Parameters
    ----------
    path : Path
    source : bytes
        Has `READER`, and calls it with the stem of `beside` and the digest of `weights`.
    beside : Path
        ``.npz``, in the folder of `path`.
    weights : bytes

    Raises
    ------
    OSError
        One of them cannot be written; what was there before stays.
    """
    with _alone_in(path.parent):
        passing = beside.with_name(f"{beside.stem}.{digest_of(weights)[:_DIGITS]}.npz")
        try:
            with atomic_file(passing, "npz") as file:
                file.write(weights)
        except OSError as error:
            if error.filename is not None:
                error.filename = os.fspath(beside)
            raise
        try:
            write_python(path, source)
        finally:
            # An interrupt may come when the Python file is there already.
            if not path.is_file() or path.read_bytes() == source:
                os.replace(passing, beside)
            else:
                passing.unlink()
        # What a process has left that was killed on its way; whoever is not dead waits for us.
        of_pair = f"{glob.escape(beside.stem)}.{'[0-9a-f]' * _DIGITS}.npz"
        for pattern in (of_pair, f".{'[0-9a-f]' * PASSING_DIGITS}.npz.tmp"):
            for left in beside.parent.glob(pattern):
                left.unlink()


@contextmanager
def _alone_in(folder: Path) -> Iterator[None]:
    """Keep other writers of pairs out of a folder, of this machine and where it has such locks."""
    try:
        import fcntl
    except ImportError:
        yield
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        with suppress(OSError):
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
