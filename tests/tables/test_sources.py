"""Bytes out of files, pipes, standard input and archives."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import os
import sys
import threading
import zipfile
from pathlib import Path

import pytest

from fastmlp.tables.sources import open_source

TEXT = b"a,b\n1,2\n"


def zipped(*names: str) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name in names:
            archive.writestr(name, TEXT)
    return file.getvalue()


def zstd(data: bytes) -> bytes:
    pa = pytest.importorskip("pyarrow")
    return bytes(pa.Codec("zstd").compress(data, asbytes=True))


COMPRESSED = {
    "gzip": gzip.compress,
    "bzip2": bz2.compress,
    "xz": lzma.compress,
    "zstd": zstd,
    "zip": lambda data: zipped("t.csv"),
    "zip of macOS": lambda data: zipped("t.csv", "__MACOSX/._t.csv"),
    "twice": lambda data: gzip.compress(bz2.compress(data)),
}


@pytest.mark.parametrize("way", COMPRESSED)
def test_compressed_files_whatever_their_names(way: str, tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_bytes(COMPRESSED[way](TEXT))
    source = open_source(path)
    assert (source.data, source.kind, source.title) == (TEXT, "text", str(path))


@pytest.mark.parametrize("way", ["gzip", "bzip2", "xz", "zstd", "zip"])
def test_damaged_archives(way: str) -> None:
    data = COMPRESSED[way](TEXT * 50)
    with pytest.raises(ValueError, match="^the file is damaged: as .* it cannot be read"):
        open_source(io.BytesIO(data[: len(data) // 2]))


def test_an_archive_of_several_files_is_not_chosen_from() -> None:
    with pytest.raises(ValueError, match=r"holds 2 files, \['a.csv', 'b.csv'\]; unpack it"):
        open_source(io.BytesIO(zipped("a.csv", "b.csv")))


def test_files_in_files_come_to_an_end() -> None:
    data = TEXT
    for _ in range(5):
        data = gzip.compress(data)
    with pytest.raises(ValueError, match="compressed more than 4 times"):
        open_source(io.BytesIO(data))


def test_open_files_of_bytes_and_of_text(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_bytes(TEXT)
    with path.open("rb") as file:
        assert open_source(file).title == str(path)
    with path.open() as file:
        assert open_source(file).data == TEXT


def test_bytes_that_were_no_text_come_back() -> None:
    text = b"a\n\xe4\n".decode(errors="surrogateescape")
    assert open_source(io.StringIO(text, newline="")).data == b"a\n\xe4\n"


def test_standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(TEXT)))
    source = open_source("-")
    assert (source.title, source.data) == ("standard input", TEXT)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
def test_pipes(tmp_path: Path) -> None:
    path = tmp_path / "pipe"
    os.mkfifo(path)
    writer = threading.Thread(target=path.write_bytes, args=(TEXT,))
    writer.start()
    assert open_source(path).data == TEXT
    writer.join()


def test_what_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(IsADirectoryError, match="is a folder; name the file"):
        open_source(tmp_path)
    with pytest.raises(FileNotFoundError):
        open_source(tmp_path / "none.csv")
    with pytest.raises(TypeError, match="expected the name of a file or an open one, got int"):
        open_source(3)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (b"BZh, a text", "text"),
        (b"PAR1....", "parquet"),
        (b"ARROW1\0\0", "feather"),
        (zipped("xl/workbook.xml"), "spreadsheet"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "spreadsheet"),
        (b"", "text"),
    ],
)
def test_first_bytes_tell_the_kind(data: bytes, kind: str) -> None:
    assert open_source(io.BytesIO(data)).kind == kind
