"""One table in many spellings: what is learned from is the same, and one thing is told of each."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import zipfile
from collections.abc import Callable

import numpy as np
import pytest

pytest.importorskip("pyarrow")

from fastmlp.tables.infer import understand
from fastmlp.tables.reader import read

N = 120
RNG = np.random.default_rng(3)
A = RNG.normal(0, 3000, N).round(2)
C = RNG.choice(["u", "v", "w w"], N).tolist()
Y = RNG.normal(size=N).round(3)


def rows(
    a: Callable[[float], str] = str, c: Callable[[str], str] = str, y: Callable[[float], str] = str
) -> list[list[str]]:
    return [["a", "c", "y"], *([a(x), c(word), y(z)] for x, word, z in zip(A, C, Y, strict=True))]


def joined(table: list[list[str]], separator: str = ",", end: str = "\n") -> str:
    return "".join(separator.join(row) + end for row in table)


def quoted(cell: str, quote: str = '"') -> str:
    return f"{quote}{cell}{quote}"


def european(x: float) -> str:
    return f"{x:,.2f}".translate(str.maketrans(",.", ".,"))


PLAIN = joined(rows())
LINES = PLAIN.splitlines()
SEMICOLON = "';' is taken for the separator"

# The text, and what is told of it, each by how it begins or goes on.
READING: dict[str, tuple[str, tuple[str, ...]]] = {
    "plain": (PLAIN, ()),
    "semicolons": (joined(rows(), ";"), (SEMICOLON,)),
    "tabs": (joined(rows(), "\t"), ("a tab is taken for the separator",)),
    "pipes": (joined(rows(), "|"), ("'|' is taken for the separator",)),
    "pipes and blanks": (joined(rows(), " | "), ("'|' is taken for the separator",)),
    "blanks": (joined(rows(c=quoted), " "), ("runs of blanks are taken for the separator",)),
    "carets": (joined(rows(), "^"), ("'^' is taken for the separator",)),
    "two colons": (joined(rows(), "::"), ("':' is taken", "2 columns, without a name or a cell")),
    "quotes": (joined([list(map(quoted, row)) for row in rows()]), ()),
    "single quotes": (
        joined([[quoted(cell, "'") for cell in row] for row in rows()]),
        ("cells stand in single quotes",),
    ),
    "quotes around lines": (
        "".join(quoted(line) + "\n" for line in LINES),
        ("whole lines stand in quotes",),
    ),
    "quotes around rows": (
        LINES[0] + "\n" + "".join(quoted(line) + "\n" for line in LINES[1:]),
        ("whole lines stand in quotes",),
    ),
    "formulas": (
        joined([[f'="{cell}"' for cell in row] for row in rows()]),
        ("cells such as =",),
    ),
    "markdown": (
        "| a | c | y |\n|---|:-:|--:|\n"
        + "".join(f"| {' | '.join(row)} |\n" for row in rows()[1:]),
        ("'|' is taken", "lines of dashes", "2 columns, without a name or a cell"),
    ),
    "carriage returns": (joined(rows(), end="\r"), ()),
    "returns and feeds": (joined(rows(), end="\r\n"), ()),
    "empty lines": (joined(rows(), end="\n\n"), ()),
    "no end": (PLAIN.rstrip("\n"), ()),
    "title": ("Sales of 2020\n\n" + PLAIN, ("a line above the header is left out, 'Sales",)),
    "title in cells": ("Sales of 2020,,\n" + PLAIN, ("a line above the header is left out",)),
    "groups": ("size,,target\n" + PLAIN, ("a line above the header is left out, 'size,,",)),
    "comments": ("# by a program\n" + PLAIN, ("lines that begin with '#' are comments",)),
    "header in a comment": ("#" + PLAIN, ("lines that begin with '#' are comments",)),
    "sep": ("sep=;\n" + joined(rows(), ";"), ("the first line names the separator",)),
    "header again": (
        "\n".join([*LINES[:50], LINES[0], *LINES[50:]]),
        ("line 51 is the header again and left out",),
    ),
    "header again, blanks": (
        "\n".join([*LINES[:50], "a, c ,y", *LINES[50:]]),
        ("line 51 is the header again and left out",),
    ),
    "a note below": (PLAIN + "\nSource: an office\n", ("line 123, 'Source: an office', stands",)),
    "index": (
        "".join(f"{place},{line}\n" for place, line in zip(["", *range(N)], LINES, strict=True)),
        ("the column 'Unnamed: 0' has no name and counts the rows",),
    ),
    "commas behind": (joined(rows(), end=",\n"), ("the last column, without a name or a cell",)),
    "empty column": (
        "".join(line.replace(",", ",,", 1) + "\n" for line in LINES),
        ("a column, without a name or a cell",),
    ),
}
WRITTEN: dict[str, tuple[bytes, tuple[str, ...]]] = {
    "mark of UTF-8": (PLAIN.encode("utf-8-sig"), ()),
    "two marks": (b"\xef\xbb\xbf" + PLAIN.encode("utf-8-sig"), ()),
    "UTF-16": (PLAIN.encode("utf-16"), ("read in the encoding utf-16",)),
    "UTF-16 without a mark": (PLAIN.encode("utf-16-be"), ("read in the encoding utf-16-be",)),
    "UTF-32": (PLAIN.encode("utf-32"), ("read in the encoding utf-32",)),
    "gzip": (gzip.compress(PLAIN.encode()), ()),
    "bzip2": (bz2.compress(PLAIN.encode()), ()),
    "xz": (lzma.compress(PLAIN.encode()), ()),
}
# How the numbers of the column a are spelled, and what begins the one note.
SPELLED: dict[str, tuple[Callable[[float], str], str]] = {
    "thousands": (lambda x: quoted(f"{x:,.2f}"), "texts such as '"),
    "apostrophes": (lambda x: f"{x:,.2f}".replace(",", "'"), "texts such as "),
    "blanks": (lambda x: f"{x:,.2f}".replace(",", "\u202f"), "texts such as '"),
    "European": (lambda x: quoted(european(x)), "texts such as '"),
    "decimal commas": (lambda x: quoted(f"{x:.2f}".replace(".", ",")), "texts such as '"),
    "dollars": (lambda x: quoted(f"${x:,.2f}"), "texts such as '$"),
    "dollars behind the sign": (
        lambda x: f"{'-' if x < 0 else ''}${abs(x):.2f}",
        "texts such as '",
    ),
    "francs": (lambda x: f"CHF {x:,.2f}".replace(",", "'"), 'texts such as "CHF '),
    "euros": (lambda x: quoted(f"{european(x)} \u20ac"), "texts such as '"),
    "percent": (lambda x: f"{x:.2f} %", "texts such as '"),
    "kilograms": (lambda x: f"{x:.2f} kg", "texts such as '"),
    "parentheses": (lambda x: f"({-x:.2f})" if x < 0 else f"{x:.2f}", "texts such as '("),
    "minus behind": (lambda x: f"{abs(x):.2f}{'-' if x < 0 else ''}", "texts such as '"),
    "typographic minus": (lambda x: f"{x:.2f}".replace("-", "\u2212"), "texts such as '\u2212"),
    "apostrophe before": (lambda x: f"'{x:.2f}" if x > 0 else f"{x:.2f}", "texts such as \"'"),
    "exponents": (lambda x: f"{x:.8e}", ""),
    "exponents with commas": (lambda x: quoted(f"{x:.8e}".replace(".", ",")), "texts such as '"),
    "plus": (lambda x: f"{x:+.2f}", ""),
    "blanks around": (lambda x: f"  {x:.2f} ", ""),
    "thousands and bare ones": (
        lambda x: f"{x / 1000:.5f}K" if abs(x) > 1000 else f"{x:.2f}",
        "texts such as '",
    ),
}


def assert_same(data: bytes, told: tuple[str, ...]) -> None:
    table = read(io.BytesIO(data))
    found = understand(table, target="y")
    assert list(found.cells) == ["a", "c"]
    np.testing.assert_allclose(found.cells["a"], A, rtol=1e-7)
    assert found.cells["c"].tolist() == C
    assert found.target is not None
    np.testing.assert_array_equal(found.target.y, Y)
    notes = [note.text for note in (*table.notes, *found.schema.notes)]
    assert len(notes) == len(told), notes
    for note, words in zip(notes, told, strict=True):
        assert words in note


@pytest.mark.parametrize("kind", READING)
def test_however_it_is_written(kind: str) -> None:
    text, told = READING[kind]
    assert_same(text.encode(), told)


@pytest.mark.parametrize("kind", WRITTEN)
def test_in_whatever_bytes(kind: str) -> None:
    assert_same(*WRITTEN[kind])


def test_in_an_archive() -> None:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("table.csv", PLAIN)
    assert_same(file.getvalue(), ())


@pytest.mark.parametrize("kind", SPELLED)
def test_however_numbers_are_spelled(kind: str) -> None:
    spell, told = SPELLED[kind]
    assert_same(joined(rows(a=spell)).encode(), (told,) if told else ())
