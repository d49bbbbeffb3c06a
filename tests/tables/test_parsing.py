"""One parser reads the rows, and says on which line they are no rows."""

from __future__ import annotations

import re

import pytest

pytest.importorskip("pyarrow")

from fastmlp.tables.dialect import Dialect
from fastmlp.tables.parsing import Text, parse


def text(data: bytes, n_columns: int = 2, n_optional: int = 0) -> Text:
    return Text(data, 0, 1, Dialect(","), n_columns, n_optional, "t")


def cells(data: bytes, n_columns: int = 2, n_optional: int = 0) -> list[list[str | None]]:
    columns, _, _ = parse(text(data, n_columns, n_optional))
    return [list(row) for row in zip(*(c.to_pylist() for c in columns), strict=True)]


@pytest.mark.parametrize(
    ("data", "rows"),
    [
        (b"", []),
        (b"\r\n\r\n", []),
        (b'1,\n"",2\n', [["1", None], [None, "2"]]),
        (b"1,2\n \t\n3, 4\n", [["1", "2"], ["3", " 4"]]),
        (b"1,2,\n3,4,,\n5,6", [["1", "2"], ["3", "4"], ["5", "6"]]),
        (b'1,2,""\n"3,,","4,,",,\n', [["1", "2"], ["3,,", "4,,"]]),
        (b"1,2\n# note\n3,4\n", [["1", "2"], ["3", "4"]]),
        (b'"a\nb",1\r"c\rd",2\r', [["a\nb", "1"], ["c\rd", "2"]]),
    ],
)
def test_rows(data: bytes, rows: list[list[str | None]]) -> None:
    assert cells(data) == rows


def test_columns_without_names_may_be_missing_at_the_end() -> None:
    assert cells(b"1,2,\n3,4\n", 3, 1) == [["1", "2", None], ["3", "4", None]]


def test_rows_longer_than_a_block() -> None:
    long = b"x" * 3_000_000
    assert cells(b"1," + long + b"\n3,4\n")[0][1] == long.decode()


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"1,2\n3\n4,5\n", "t: 1 row does not have the 2 fields of the header: line 2 has 1; put"),
        (
            b'"1\n",2\n3\n\n4,5,6\n7,8,9\n1,2,3\n',
            "t: 4 rows do not have the 2 fields of the header: line 3 has 1, line 5 has 3, "
            "line 6 has 3 and 1 more; put cells that hold ',' into quotes",
        ),
        (b"#1,2\n#3\n", "t: 1 row does not have the 2 fields of the header: line 2 has 1"),
        (b'1,"2\n3,4\n5,6\n', 't, line 1: a cell begins with a quote " that is never closed'),
        (b'1,2\n"3\n', "t, line 2: a cell begins with a quote"),
        (b'1,2\n3,4\n5,"""', "t, line 3: a cell begins with a quote"),
    ],
)
def test_what_are_no_rows(data: bytes, message: str) -> None:
    with pytest.raises(ValueError, match=f"^{re.escape(message)}"):
        parse(text(data))


def test_what_was_mended_is_told() -> None:
    _, mended, (note,) = parse(text(b"1,2\n3,4,\n5,6,,\n"))
    assert note.text == "2 rows, such as that in line 2, have empty fields behind the last column"
    assert mended.data == b"1,2\n3,4\n5,6\n"
    _, _, (note,) = parse(text(b"1,2\n# a\n# b\n3,4\n"))
    assert note.text == "2 lines are comments and left out, such as line 2, '# a'"
