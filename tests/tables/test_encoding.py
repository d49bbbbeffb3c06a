"""Encodings are found out, and bytes that are in none are named with their line."""

from __future__ import annotations

import codecs
import re

import pytest

from fastmlp.tables.encoding import to_utf8

TEXT = "größe,名\n1,é€\n"
MARKED = {
    "utf-8": codecs.BOM_UTF8,
    "utf-16-le": codecs.BOM_UTF16_LE,
    "utf-16-be": codecs.BOM_UTF16_BE,
    "utf-32-le": codecs.BOM_UTF32_LE,
    "utf-32-be": codecs.BOM_UTF32_BE,
}


@pytest.mark.parametrize("name", MARKED)
@pytest.mark.parametrize("said", [False, True])
def test_byte_order_marks_tell(name: str, said: bool) -> None:
    data = MARKED[name] + TEXT.encode(name)
    found, notes = to_utf8(data, name if said else None, "t")
    assert found == TEXT.encode()
    told = [] if said or name == "utf-8" else [f"read in the encoding {name}"]
    assert [note.text for note in notes] == told


@pytest.mark.parametrize("name", ["utf-8-sig", "utf-16", "utf-32", "cp437", "cp1252", "latin-1"])
def test_encodings_that_are_said(name: str) -> None:
    text = "größe\n1\n"
    assert to_utf8(text.encode(name), name, "t") == (text.encode(), [])


def test_a_mark_is_in_no_name_whatever_is_said() -> None:
    assert to_utf8(b"\xef\xbb\xbfa\n\xe4\n", "cp1252", "t")[0].decode() == "a\nä\n"


def test_plain_text_is_not_spoken_of() -> None:
    assert to_utf8(TEXT.encode(), None, "t") == (TEXT.encode(), [])
    assert to_utf8(b"a\n1\n\x1a", None, "t") == (b"a\n1\n", [])


def test_what_is_not_utf8_is_from_windows() -> None:
    found, (note,) = to_utf8("straße,€\nü,1\n".encode("cp1252"), None, "t")
    assert found.decode() == "straße,€\nü,1\n"
    assert note.text == "read in the encoding cp1252"
    assert note.option == "encoding"


@pytest.mark.parametrize("name", ["utf-16-le", "utf-16-be"])
def test_utf16_without_its_mark(name: str) -> None:
    text = "a,b\n1,2\n"
    found, (note,) = to_utf8(text.encode(name), None, "t")
    assert found == text.encode()
    assert name in note.text


BROKEN = [
    (
        "äöü\näö".encode() + b"\xe4,1\n",
        None,
        "t, line 2: 0xe4 is no character of the encoding utf-8",
    ),
    (b"a\r\n\r\nb\xff\n", "utf-8", "t, line 3: 0xff is no character of the encoding utf-8"),
    (b"a\n\x81,\xe4\n", None, "t, line 2: 0x81 is no character of the encoding cp1252"),
    (codecs.BOM_UTF16_LE + "a\n1\n".encode("utf-16-le") + b"x", None, "t, line 3: 0x78 is no"),
    (codecs.BOM_UTF16_LE + b"a\0\n\0\x00\xd8b\0", None, "t, line 2: 0x00 0xd8 is no character"),
    (b"a,b\n1,\x002\n", None, "t, line 2: a zero byte"),
    (b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x01\x02\x03", None, "t is no text but binary"),
    (bytes(range(32)) * 4 + b"\xff", None, "t is no text but binary"),
]


@pytest.mark.parametrize(("data", "encoding", "message"), BROKEN)
def test_broken_texts(data: bytes, encoding: str | None, message: str) -> None:
    with pytest.raises(ValueError, match=f"^{re.escape(message)}"):
        to_utf8(data, encoding, "t")
