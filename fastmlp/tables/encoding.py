"""Bytes of any encoding as UTF-8, which is what the parser reads."""

from __future__ import annotations

import codecs
import re

from .notes import Note

# The first that fits; the mark of UTF-32 begins with that of UTF-16.
_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
# What is in neither a byte order mark nor UTF-8 is most likely from Windows in Western Europe.
_FALLBACK = "cp1252"
_SAMPLE = 1 << 12
_LINE_END = re.compile(rb"\r\n?|\n")
_BEYOND_ASCII = re.compile(rb"[\x80-\xff]+")
_CONTROLS = bytes({*range(1, 32), 127} - {*b"\t\n\r\f\v\x1a\x1b"})


def to_utf8(data: bytes, encoding: str | None, title: str) -> tuple[bytes, list[Note]]:
    """Return the bytes in UTF-8 without a byte order mark, and what was found out.

    Parameters
    ----------
    data : bytes
        Of a text.
    encoding : str or None
        What the user says that it is; None looks for a byte order mark, then for UTF-8, and takes
        all else for cp1252.
    title : str
        The file's name, for messages.

    Raises
    ------
    ValueError
        It is in no such encoding, or no text at all; names the line.
    """
    notes: list[Note] = []
    mark, marked = next(
        ((mark, name) for mark, name in _MARKS if data.startswith(mark)), (b"", None)
    )
    chosen = encoding or marked
    if marked is None and encoding is None:
        chosen = _without_mark(data)
    name = "utf-8" if chosen is None else codecs.lookup(chosen).name
    # Encodings that write a mark of their own take it off themselves.
    is_of_it = mark == codecs.BOM_UTF8 or name == marked
    bare = data[len(mark) :] if mark and is_of_it else data
    if name in ("utf-8", "utf-8-sig", "ascii"):
        bad = _first_bad_byte(bare)
        if bad is None:
            # Where files were joined or written twice, it stands there again.
            return _checked(bare.removeprefix(codecs.BOM_UTF8), title), notes
        if chosen is not None or _is_damaged_utf8(bare):
            raise ValueError(_undecodable(bare, bad, title))
        name = _FALLBACK
        if _share_of_controls(bare) > 0.02:
            raise ValueError(f"{title} is no text but binary, so no table can be read from it")
    text = _decoded(bare, name, title).removeprefix("\ufeff")
    if encoding is None:
        example = "utf-8" if name.startswith("utf-") else "cp1250"
        notes.append(Note(f"read in the encoding {name}", "encoding", example))
    try:
        return _checked(text.encode(), title), notes
    except UnicodeEncodeError as error:
        line = 1 + len(_LINE_END.findall(text[: error.start].encode()))
        raise ValueError(f"{title}, line {line}: half a character in {name}") from error


def _without_mark(data: bytes) -> str | None:
    """UTF-16 without its mark, by the zero bytes that ASCII has in it; None for all else."""
    sample = data[:_SAMPLE]
    half = len(sample) // 2
    even, odd = sample[0::2].count(0), sample[1::2].count(0)
    if half and odd > 0.7 * half and even < 0.1 * half:
        return "utf-16-le"
    if half and even > 0.7 * half and odd < 0.1 * half:
        return "utf-16-be"
    return None


def _first_bad_byte(data: bytes) -> int | None:
    """The place of the first byte that is not UTF-8."""
    if data.isascii():
        return None
    try:
        data.decode()
    except UnicodeDecodeError as error:
        return error.start
    return None


def _is_damaged_utf8(data: bytes) -> bool:
    """Whether most of what is not ASCII is UTF-8, so that a few bytes of it are broken."""
    runs = _BEYOND_ASCII.findall(data)
    good = [run.decode(errors="ignore") for run in runs]
    bad = sum(map(len, runs)) - sum(len(text.encode()) for text in good)
    return sum(map(len, good)) > bad


def _decoded(data: bytes, name: str, title: str) -> str:
    try:
        return data.decode(name)
    except UnicodeDecodeError as error:
        before = data[: error.start].decode(name, errors="ignore").encode(errors="ignore")
        line = 1 + len(_LINE_END.findall(before))
        raise ValueError(_message(title, line, data[error.start : error.end], name)) from error
    except (UnicodeError, LookupError, ValueError) as error:
        raise ValueError(f"{title} is not in the encoding {name}: {error}") from error


def _undecodable(data: bytes, place: int, title: str) -> str:
    line = 1 + len(_LINE_END.findall(data, 0, place))
    return _message(title, line, data[place : place + 1], "utf-8")


def _message(title: str, line: int, found: bytes, name: str) -> str:
    shown = " ".join(f"0x{byte:02x}" for byte in found[:4])
    return (
        f"{title}, line {line}: {shown} is no character of the encoding {name}; "
        f"name another one with encoding, such as 'latin-1', which reads every byte"
    )


def _share_of_controls(data: bytes) -> float:
    sample = data[:_SAMPLE]
    return (len(sample) - len(sample.translate(None, _CONTROLS))) / max(1, len(sample))


def _checked(data: bytes, title: str) -> bytes:
    """UTF-8 without zero bytes and without the mark that DOS ends files with."""
    data = data.removesuffix(b"\x1a")
    place = data.find(0)
    if place >= 0:
        if _share_of_controls(data) > 0.02:
            raise ValueError(f"{title} is no text but binary, so no table can be read from it")
        line = 1 + len(_LINE_END.findall(data, 0, place))
        raise ValueError(
            f"{title}, line {line}: a zero byte, which texts do not hold; if the file is in UTF-16 "
            f"or the like, name it with encoding"
        )
    return data
