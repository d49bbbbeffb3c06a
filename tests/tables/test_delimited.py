"""Delimited text of every kind that people have."""

from __future__ import annotations

import re

import pytest

pytest.importorskip("pyarrow")

from fastmlp.tables.delimited import read_delimited
from fastmlp.tables.options import ReadOptions
from fastmlp.tables.table import Table

ROWS = [["1.5", "x"], ["2.5", "y"], ["3.5", "x"]]


def read(text: str, **options: object) -> Table:
    return read_delimited(text.encode(), ReadOptions(**options), "t")  # type: ignore[arg-type]


def cells(table: Table) -> list[list[str | None]]:
    return [list(row.values()) for row in table.arrow.to_pylist()]


KINDS = {
    "plain": ("a,b\n1.5,x\n2.5,y\n3.5,x\n", [], [2, 3, 4]),
    "lines in quotes": (
        '"a,b"\n"1.5,x"\n"2.5,y"\n"3.5,x"\n',
        ["whole lines stand in quotes"],
        [2, 3, 4],
    ),
    "ruled off": (
        "+---+---+\r\n| a | b |\r\n+===+===+\r\n|1.5|x|\r\n|2.5|y|\r\n|3.5|x|\r\n+---+---+\r\n",
        ["'|' is taken", "lines of dashes, which only rule", "2 columns, without a name or a cell"],
        [4, 5, 6],
    ),
    "markdown": (
        "|a|b|\n|:--|--:|\n|1.5|x|\n|2.5|y|\n|3.5|x|\n",
        ["'|' is taken", "lines of dashes", "2 columns, without a name"],
        [3, 4, 5],
    ),
    "ruled off, blanks": (
        "a    b\n---  --\n1.5  x\n2.5  y\n3.5  x\n",
        ["runs of blanks are taken", "lines of dashes"],
        [3, 4, 5],
    ),
    "a note below": (
        "a,b\n1.5,x\n2.5,y\n3.5,x\n\nSource: an office\n",
        ["line 6, 'Source: an office', stands below the rows and is left out"],
        [2, 3, 4],
    ),
    "notes below": (
        "a,b\n1.5,x\n2.5,y\n3.5,x\nan office\n\nof things\n",
        ["2 lines from line 5 on, 'an office', stand below the rows and are left out"],
        [2, 3, 4],
    ),
    "semicolons": ("a;b\n1.5;x\n2.5;y\n3.5;x\n", ["';' is taken for the separator"], [2, 3, 4]),
    "tabs": ("a\tb\n1.5\tx\n2.5\ty\n3.5\tx\n", ["a tab is taken"], [2, 3, 4]),
    "pipes": ("a|b\n1.5|x\n2.5|y\n3.5|x\n", ["'|' is taken"], [2, 3, 4]),
    "blanks": ("a    b\n1.5  x\n 2.5 y\n3.5  x\n", ["runs of blanks are taken"], [2, 3, 4]),
    "sep": ("sep=;\na;b\n1.5;x\n2.5;y\n3.5;x\n", ["the first line names the sep"], [3, 4, 5]),
    "title": ("Sales\n\na,b\n1.5,x\n2.5,y\n3.5,x\n", ["a line above the header is"], [4, 5, 6]),
    "padded": ("Sales,\n\na,b\n1.5,x\n2.5,y\n3.5,x\n", ["a line above the header"], [4, 5, 6]),
    "comment": ("# by me\na,b\n1.5,x\n2.5,y\n#\n3.5,x\n", ["lines that begin with"], [3, 4, 6]),
    "numpy": ("# a,b\n1.5,x\n2.5,y\n3.5,x\n", ["the last above the rows is the"], [2, 3, 4]),
    "note": ("a,b\n1.5,x\n# stop\n2.5,y\n3.5,x\n", ["line 3, '# stop', is a comment"], [2, 4, 5]),
    "again": ("a,b\n1.5,x\na,b\n2.5,y\n3.5,x\n", ["line 3 is the header again"], [2, 4, 5]),
    "twice again": ("a,b\n1.5,x\na,b\n2.5,y\na,b\n3.5,x", ["2 lines, such as 3, are"], [2, 4, 6]),
    "blank lines": ("\n\na,b\n\n1.5,x\n  \n2.5,y\n\n3.5,x\n\n", [], [5, 7, 9]),
    "returns": ("a,b\r1.5,x\r\r2.5,y\r3.5,x\r", [], [2, 4, 5]),
    "mixed": ("a,b\r\n1.5,x\n2.5,y\r3.5,x", [], [2, 3, 4]),
    "trailing": ("a,b,\n1.5,x,\n2.5,y,\n3.5,x,\n", ["the last column, without"], [2, 3, 4]),
    "some": ("a,b\n1.5,x,\n2.5,y\n3.5,x\n", ["the row in line 2 has empty"], [2, 3, 4]),
    "rows": ("a,b\n1.5,x,\n2.5,y,\n3.5,x,\n", ["the last column, without"], [2, 3, 4]),
    "name": ("a,b,\n1.5,x\n2.5,y\n3.5,x\n", ["an empty name at the end"], [2, 3, 4]),
    "index": (",a,b\n0,1.5,x\n1,2.5,y\n2,3.5,x\n", ["the column 'Unnamed: 0' has"], [2, 3, 4]),
    "R": (
        '"a" "b"\n"1" 1.5 "x"\n"2" 2.5 "y"\n"3" 3.5 "x"\n',
        ["runs of blanks", "the header names all columns but the first", "'Unnamed: 0'"],
        [2, 3, 4],
    ),
    "quotes": ("'a','b'\n1.5,'x'\n2.5,'y'\n3.5,'x'\n", ["cells stand in single"], [2, 3, 4]),
    "loose": ('a, "b"\n1.5, "x"\n2.5, "y"\n3.5, "x"\n', [], [2, 3, 4]),
}


@pytest.mark.parametrize("kind", KINDS)
def test_the_same_table_however_it_is_written(kind: str) -> None:
    text, told, lines = KINDS[kind]
    table = read(text)
    assert table.columns == ("a", "b")
    assert cells(table) == ROWS
    assert len(table.notes) == len(told)
    for note, words in zip(table.notes, told, strict=True):
        assert words in note.text
    assert [table.line(row) for row in range(3)] == lines


@pytest.mark.parametrize(("name", "mark"), [("a§b", "§"), ("a::b", ":")])
def test_what_may_be_several_columns_is_told(name: str, mark: str) -> None:
    (note,) = read(f'"{name}"\n1{mark}2{mark}{mark}3\n1{mark}2\n').notes
    assert note.text == f"the table is read as one column, {name!r}"
    assert (note.option, note.value) == ("separator", mark)
    assert read("a-b\n1-2\n").notes == ()


def test_cells_stay_as_they_are_written() -> None:
    table = read('a,b\n 01 ," x "\n1E2,"say ""hi"", \r\nyou"\n,\n')
    assert cells(table) == [[" 01 ", " x "], ["1E2", 'say "hi", \r\nyou'], [None, None]]
    assert [table.line(row) for row in range(3)] == [2, 3, 5]


def test_backslashes_before_quotes() -> None:
    table = read('a,b\n"say \\"hi\\", you","C:\\\\x"\n')
    assert cells(table) == [['say "hi", you', "C:\\x"]]
    assert "behind backslashes" in table.notes[0].text


@pytest.mark.parametrize("line", ["sep=a", "sep=", 'sep="', "sep=ä"])
def test_what_names_no_separator_is_a_line_like_any_other(line: str) -> None:
    assert read(f"{line}\na,b\n1,2\n3,4\n").columns == ("a", "b")


def test_no_header() -> None:
    table = read("1.5,x\n2.5,y\n", header=False)
    assert table.columns == ("column_0", "column_1")
    assert (len(table), table.line(0), table.notes) == (2, 1, ())


def test_a_header_that_looks_like_data() -> None:
    (note,) = read("1.5,x\n2.5,y\n3.5,x\n").notes
    assert note.text == "the header looks like data, '1.5, x'"
    assert note.in_python().endswith("header=False decides otherwise")
    # A row may then be like the header.
    assert len(read("u,x\nv,y\nu,x\nv,x\nu,y\n")) == 4


def test_a_column_may_hold_its_own_name() -> None:
    assert cells(read("a\nb\na\n")) == [["b"], ["a"]]


def test_what_the_user_says_counts_more() -> None:
    assert read("sep=;\na,b\n1,2\n", separator=",").columns == ("a", "b")
    assert read("a;b,c\n1;2,3\n", separator=";").columns == ("a", "b,c")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "t is empty"),
        ("\n \n", "t is empty"),
        ("a,b\n", "t has no rows below its header"),
        ("a,b\na,b\n", "t has no rows but the header, again and again"),
        ("# a\n", "t is empty"),
        ('[{"a": 1}]', "t is JSON, no delimited text; save it as CSV first"),
        ('{"a": 1}\n{"a": 2}\n', "t is JSON"),
        ("<!DOCTYPE html>\n<table>", "t is HTML or XML"),
        ("% c\n@RELATION iris\n", "t is ARFF"),
        ("a,b,c\n1,2,3\n4,5\n", "t: 1 row does not have the 3 fields of the header: line 3 has 2"),
        ("a,b\n1,2,3\n4,5,6\n", "t: 2 rows do not have the 2 fields of the header: line 2 has 3"),
        ('x\n\na,b\n1,2\n3,"4\n', "t, line 5: a cell begins with a quote"),
    ],
)
def test_what_is_no_table(text: str, message: str) -> None:
    with pytest.raises(ValueError, match=f"^{re.escape(message)}"):
        read(text)
