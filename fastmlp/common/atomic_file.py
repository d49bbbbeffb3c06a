"""Files that appear under their names only once they are complete."""

from __future__ import annotations

import hashlib
import io
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any, BinaryIO, TextIO

PASSING_DIGITS = 24
"""Those in the name by way of which a file takes its place; others have fewer."""


@contextmanager
def atomic_file(path: str | os.PathLike[str], extension: str) -> Iterator[BinaryIO]:
    """Open a file to write; it takes the place of `path` where the block ends without an error.

    Otherwise what was there before stays, whole, whatever ends the process or the machine. A link
    is followed. What is no file, such as a device or a pipe, is written itself.

    Parameters
    ----------
    path : str or path-like
        Where to write; its folder must exist.
    extension : str
        Names the temporary file beside it, ``.<digits>.<extension>.tmp``. Where the system can, the
        file has this name but for the moment in which it takes the place of the other, and what a
        writer leaves that is killed in it goes away when the file is written again.

    Yields
    ------
    binary file

    Raises
    ------
    OSError
        If the file cannot be written; its ``filename`` is `path`.
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
    # The same for each writer of the file, so that the next one takes away what one has left.
    name = hashlib.sha256(os.fsencode(os.path.basename(target))).hexdigest()
    passing = os.path.join(folder, f".{name[:PASSING_DIGITS]}.{extension}.tmp")
    try:
        with _nameless(folder) or open(temporary, "xb") as file:
            yield file
            file.flush()
            # Else a name may reach the disk before what it names, and a power cut leave it empty.
            os.fsync(file.fileno())
            if file.name != temporary:
                if _put_in_place(file, target, passing):
                    return
                _copy(file, temporary)
        os.replace(temporary, target)
    except BaseException as error:
        for left in (temporary, passing):
            with suppress(OSError):
                os.unlink(left)
        if isinstance(error, OSError) and error.errno is not None:
            # Users know nothing of the other name.
            raise OSError(error.errno, error.strerror, os.fspath(path)) from error
        raise


def _nameless(folder: str) -> BinaryIO | None:
    """A file in a folder that vanishes with the process, unless it is given a name; or None."""
    if not hasattr(os, "O_TMPFILE"):
        return None
    # Not every file system has them; where the folder is at fault, whoever comes next will say so.
    with suppress(OSError):
        return open(os.open(folder, os.O_TMPFILE | os.O_RDWR, 0o666), "w+b")
    return None


def _put_in_place(file: BinaryIO, target: str, passing: str) -> bool:
    """Let a file without a name replace another, by way of a third name; False if that cannot be.

    Writers of one file use one name. What is there is complete, whosever it is: to put it in its
    place does no harm, and who finds that its own has gone begins once more.
    """
    number = file.fileno()
    while True:
        try:
            # With a folder given, which a whole path has no need of, Python follows the link.
            source = f"/proc/self/fd/{number}"
            os.link(source, passing, src_dir_fd=number, follow_symlinks=True)
        except FileExistsError:
            with suppress(FileNotFoundError):
                os.unlink(passing)
            continue
        except OSError:
            # There may be no /proc, and Android forbids it.
            return False
        try:
            os.replace(passing, target)
        except FileNotFoundError:
            with suppress(FileNotFoundError):
                if os.path.samestat(os.fstat(number), os.stat(target)):
                    return True
            continue
        return True


def _copy(file: BinaryIO, name: str) -> None:
    file.seek(0)
    with open(name, "xb") as copy:
        shutil.copyfileobj(file, copy)
        copy.flush()
        os.fsync(copy.fileno())


@contextmanager
def atomic_text(path: str | os.PathLike[str], extension: str) -> Iterator[TextIO]:
    r"""As `atomic_file`, for text in UTF-8 whose lines end in ``\n`` on every system."""
    with atomic_file(path, extension) as file:
        text = io.TextIOWrapper(file, encoding="utf-8", newline="")
        yield text
        text.flush()
        # It would close the file, which has yet to be put in its place.
        text.detach()


def save_figure(figure: Any, path: str | os.PathLike[str], dpi: int) -> None:
    """As matplotlib's ``figure.savefig(path)``, by `atomic_file`.

    Parameters
    ----------
    figure : matplotlib.figure.Figure
    path : str or path-like
        Its suffix names the format; without one, matplotlib's own is added.
    dpi : int
    """
    name = os.fspath(path)
    kind = os.path.splitext(name)[1].removeprefix(".")
    if not kind:
        kind = figure.canvas.get_default_filetype()
        name = f"{name}.{kind}"
    # Drawn before a file is there to be left behind.
    drawn = io.BytesIO()
    figure.savefig(drawn, format=kind, dpi=dpi)
    with atomic_file(name, kind) as file:
        file.write(drawn.getbuffer())
