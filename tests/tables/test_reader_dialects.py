"""Tables in any dialect are read back cell for cell, and broken ones are refused clearly."""

from __future__ import annotations

import codecs
import io
import os
import re
from dataclasses import dataclass

import pytest
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

pytest.importorskip("pyarrow")

from fastmlp.tables.reader import ReadOptions, read
from fastmlp.tables.table import Table

# FASTMLP_EXAMPLES=500 tries more.
EXAMPLES = int(os.environ.get("FASTMLP_EXAMPLES", "100"))
SETTINGS = settings(
    max_examples=EXAMPLES, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)

NUMBERS = st.integers(-999, 999).map(str) | st.floats(-9, 9).map(lambda x: f"{x:.3g}")
# All that means something somewhere, and letters of several bytes.
TEXTS = st.text("ab,;\t| \"'\\\r\n#%.-1äß€中\u2028\x0c", min_size=1, max_size=8)
WORDS = st.text("abcdefghij", min_size=1, max_size=5)
KINDS = [NUMBERS, TEXTS, WORDS]


@dataclass(frozen=True)
class Written:
    """A table, and the file that it was written into."""

    names: list[str]
    rows: list[list[str]]
    lines: list[int]
    data: bytes
    separator: str


@st.composite
def written(draw: st.DrawFn) -> Written:
    separator = draw(st.sampled_from(",;\t| "))
    n_columns = draw(st.integers(1, 5))
    n_rows = draw(st.integers(1, 8))
    # A column of numbers below its name is what a title above is told by.
    kinds = [NUMBERS, *(draw(st.sampled_from(KINDS)) for _ in range(n_columns - 1))]
    names = [f"n{place} {draw(WORDS)}" for place in range(n_columns)]
    cells = st.tuples(kinds[0], *(kind | st.just("") for kind in kinds[1:])).map(list)
    rows = draw(st.lists(cells, min_size=n_rows, max_size=n_rows))
    end = draw(st.sampled_from(["\n", "\r\n", "\r", "mixed"]))
    every = draw(st.booleans())
    # A digit for each line: whether blank lines follow and, where ends are mixed, how it ends.
    digits = iter(draw(st.lists(st.integers(0, 7), min_size=n_rows + 2, max_size=n_rows + 2)))

    def ending() -> str:
        digit = next(digits)
        mark = "\r\n" if end == "mixed" and digit % 2 else "\n" if end == "mixed" else end
        return mark * (1 + max(0, digit - 5))

    def record(cells: list[str]) -> str:
        return separator.join(quoted(cell, separator, every) for cell in cells)

    text = ""
    if draw(st.booleans()) and n_columns > 1:
        title = draw(st.sampled_from(["A table of things", "Made in 2020", "things (all)"]))
        # One of as many words as there are columns could be the header of a table of words.
        text += title if separator != " " else title.replace(" ", "_")
        text += ending()
    text += record(names) + ending()
    lines = []
    for row in rows:
        lines.append(1 + count_lines(text))
        text += record(row) + ending()
    if draw(st.booleans()) and rows[-1][-1]:
        text = text.rstrip("\r\n")
    return Written(names, rows, lines, draw(encoded(text)), separator)


def quoted(cell: str, separator: str, every: bool) -> str:
    """A cell as RFC 4180 writes it."""
    special = re.search(rf"[{re.escape(separator)}\"\r\n]", cell)
    # Spreadsheets and other readers cut blanks and look for apostrophes and comments.
    odd = cell[:1] in ("'", "#", "%") or cell.strip() != cell
    if every or special or odd:
        doubled = cell.replace('"', '""')
        return f'"{doubled}"'
    return cell


def count_lines(text: str) -> int:
    return len(re.findall(r"\r\n|\r|\n", text))


@st.composite
def encoded(draw: st.DrawFn, text: str) -> bytes:
    ways = ["utf-8", "utf-8-sig", "utf-16", "utf-16-be", "utf-32"]
    name = draw(st.sampled_from(ways))
    event(name)
    if name == "utf-16-be":
        return codecs.BOM_UTF16_BE + text.encode(name)
    return text.encode(name)


@SETTINGS
@given(written())
def test_what_was_written_is_read(table: Written) -> None:
    found = read(io.BytesIO(table.data))
    assert list(found.columns) == table.names, found.notes
    cells = [list(row.values()) for row in found.arrow.to_pylist()]
    assert cells == [[cell or None for cell in row] for row in table.rows], found.notes
    assert [found.line(row) for row in range(len(found))] == table.lines


# What is added to the header, to each row, above and below them, and the names that it makes.
ODDITIES = {
    "comments": ([], [], "# made by hand, or so\n", False, []),
    "sep": ([], [], "sep=SEPARATOR\n", False, []),
    "trailing": ([""], [""], "", False, []),
    "twice": (["n0 a"], ["7"], "", False, ["n0 a.1"]),
    "no name": ([""], ["x"], "", False, ["Unnamed: 2"]),
    "again": ([], [], "", True, []),
}


@SETTINGS
@given(written(), st.sampled_from(sorted(ODDITIES)))
def test_what_stands_around_the_cells_is_told(table: Written, oddity: str) -> None:
    more_names, more_cells, above, again, expected = ODDITIES[oddity]
    # With blanks as separators an empty field more is none.
    separator = "," if table.separator == " " else table.separator
    names = ["n0 a", "n1 b", *more_names]
    rows = [[row[0], row[-1], *more_cells] for row in table.rows]
    records = [names, *rows, names] if again else [names, *rows]
    lines = [separator.join(quoted(cell, separator, True) for cell in row) for row in records]
    text = above.replace("SEPARATOR", separator) + "\n".join([*lines, ""])
    found = read(io.BytesIO(text.encode()))
    assert list(found.columns) == ["n0 a", "n1 b", *expected], found.notes
    cells = [list(row.values()) for row in found.arrow.to_pylist()]
    assert cells == [[cell or None for cell in row[: len(found.columns)]] for row in rows]
    assert found.line(0) == 2 + above.count("\n")
    assert found.notes


@SETTINGS
@given(written())
def test_a_column_that_counts_the_rows_is_set_aside(table: Written) -> None:
    rows = [["", *table.names], *([str(place), *row] for place, row in enumerate(table.rows))]
    text = "".join(",".join(quoted(cell, ",", True) for cell in row) + "\n" for row in rows)
    found = read(io.BytesIO(text.encode()))
    assert list(found.columns) == table.names
    assert found.set_aside["Unnamed: 0"].to_pylist() == [row[0] for row in rows[1:]]


@SETTINGS
@given(st.lists(st.text("aé ß€,;\n\"'ü", max_size=6), min_size=1, max_size=8))
def test_text_from_windows(cells: list[str]) -> None:
    # These two are one letter of UTF-8, which no one would tell from another.
    cells = [cell.replace("ß€", "€ß") for cell in cells]
    text = "größe,n\n" + "".join(f"{quoted(cell, ',', True)},1\n" for cell in cells)
    found = read(io.BytesIO(text.encode("cp1252")))
    assert found["größe"].tolist() == [cell or None for cell in cells]
    assert [note.text for note in found.notes] == ["read in the encoding cp1252"]


@SETTINGS
@given(written())
def test_the_separator_can_be_said(table: Written) -> None:
    found = read(io.BytesIO(table.data), ReadOptions(separator=table.separator))
    assert list(found.columns) == table.names
    assert len(found) == len(table.rows)


@st.composite
def mutated(draw: st.DrawFn) -> bytes:
    data = bytearray(draw(written()).data)
    for _ in range(draw(st.integers(1, 3))):
        place = draw(st.integers(0, max(0, len(data) - 1)))
        match draw(st.sampled_from(["delete", "insert", "swap", "cut"])):
            case "delete":
                del data[place : place + 1]
            case "insert":
                byte = st.sampled_from(b"\",;\n\r\\'# \t\0\xff\xc3") | st.integers(0, 255)
                data.insert(place, draw(byte))
            case "swap":
                data[place : place + 2] = data[place : place + 2][::-1]
            case "cut":
                del data[place:]
    return bytes(data)


@SETTINGS
@given(mutated())
def test_broken_files_are_read_or_refused(data: bytes) -> None:
    found, message = outcome(data)
    event("refused" if found is None else "read")
    if found is None:
        assert re.match(r"the file\b[^\n]*$", message), message
    else:
        lines = [found.line(row) for row in range(len(found))]
        assert lines == sorted(set(lines))


def outcome(data: bytes) -> tuple[Table | None, str]:
    try:
        return read(io.BytesIO(data)), ""
    except ValueError as error:
        return None, str(error)
