"""Where the bytes of a table come from: files, pipes, standard input, and what compresses them."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import os
import sys
import zipfile
import zlib
from dataclasses import dataclass
from typing import IO, Any

from ..errors import missing_extra

# Spreadsheets are told from other archives by these members.
_SPREADSHEETS = ("xl/workbook.xml", "xl/workbook.bin", "content.xml")
_MAGIC = (
    (b"\x1f\x8b\x08", "gzip"),
    (b"\xfd7zXZ\x00", "xz"),
    (b"\x28\xb5\x2f\xfd", "zstd"),
    (b"PK\x03\x04", "zip"),
    (b"PK\x05\x06", "zip"),
    (b"PAR1", "parquet"),
    (b"ARROW1\0\0", "feather"),
    (b"FEA1", "feather"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "spreadsheet"),
)
# Compressed files lie in compressed files, but not for ever.
_DEEPEST = 4


@dataclass(frozen=True)
class Source:
    """The bytes of a table, uncompressed.

    Attributes
    ----------
    title : str
        The file's name, for messages.
    data : bytes
        All of it.
    kind : str
        "text", "parquet", "feather" or "spreadsheet", by its first bytes.
    """

    title: str
    data: bytes
    kind: str


def open_source(path: str | os.PathLike[str] | IO[Any]) -> Source:
    """Read a file whole and uncompress it.

    Parameters
    ----------
    path : str, path-like or file
        ``-`` is standard input; a file is one opened for reading, as bytes or as text.

    Raises
    ------
    ValueError
        It is damaged, or an archive of several files.
    OSError
        It cannot be read.
    TypeError
        It is neither a name nor an open file.
    """
    title, data = _bytes_of(path)
    for _ in range(_DEEPEST):
        kind = _kind(data)
        if kind in ("text", "parquet", "feather", "spreadsheet"):
            return Source(title, data, kind)
        try:
            data = _uncompressed(data, kind, title)
        except (EOFError, OSError, lzma.LZMAError, zlib.error, zipfile.BadZipFile) as error:
            raise ValueError(f"{title} is damaged: as {kind} it cannot be read: {error}") from error
    raise ValueError(f"{title} is compressed more than {_DEEPEST} times")


def _bytes_of(path: Any) -> tuple[str, bytes]:
    if hasattr(path, "read"):
        data = path.read()
        name = getattr(path, "name", None)
        title = name if isinstance(name, str) else "the file"
        # Bytes that were read as half characters are themselves again.
        encoded = data.encode(errors="surrogateescape") if isinstance(data, str) else bytes(data)
        return title, encoded
    if not isinstance(path, (str, os.PathLike)):
        raise TypeError(f"expected the name of a file or an open one, got {type(path).__name__}")
    title = os.fspath(path)
    if isinstance(title, bytes):
        title = os.fsdecode(title)
    if title == "-":
        return "standard input", sys.stdin.buffer.read()
    if os.path.isdir(title):
        raise IsADirectoryError(f"{title} is a folder; name the file of the table in it")
    with open(title, "rb") as file:
        return title, file.read()


def _kind(data: bytes) -> str:
    for magic, kind in _MAGIC:
        if data.startswith(magic):
            return "spreadsheet" if kind == "zip" and _is_spreadsheet(data) else kind
    # "BZh" alone could begin a text.
    if data[:3] == b"BZh" and data[4:10] == b"1AY&SY":
        return "bzip2"
    return "text"


def _is_spreadsheet(data: bytes) -> bool:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            return not set(_SPREADSHEETS).isdisjoint(archive.namelist())
    except zipfile.BadZipFile:
        return False


def _uncompressed(data: bytes, kind: str, title: str) -> bytes:
    if kind == "gzip":
        return gzip.decompress(data)
    if kind == "bzip2":
        return bz2.BZ2File(io.BytesIO(data)).read()
    if kind == "xz":
        return lzma.decompress(data)
    if kind == "zip":
        return _only_member(data, title)
    try:
        # Python has zstd from 3.14 on.
        import pyarrow as pa
    except ImportError as error:
        raise missing_extra("pyarrow", "tables") from error
    with pa.input_stream(pa.BufferReader(data), compression="zstd") as stream:
        return bytes(stream.read())


def _only_member(data: bytes, title: str) -> bytes:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        # macOS adds files of its own.
        members = [
            member
            for member in archive.infolist()
            if not member.is_dir() and not member.filename.startswith("__MACOSX/")
        ]
        if len(members) != 1:
            names = [member.filename for member in members[:10]]
            raise ValueError(
                f"{title} holds {len(members)} files, {names}; unpack it and name the one to read"
            )
        try:
            return archive.read(members[0])
        except (RuntimeError, NotImplementedError) as error:
            raise ValueError(f"{title} cannot be unpacked: {error}") from error
