"""Quotes that take rows in are told of or refused, and formulas of texts are these texts."""

from __future__ import annotations

import io

import pytest

pytest.importorskip("pyarrow")

from fastmlp.tables.options import ReadOptions
from fastmlp.tables.reader import read
from fastmlp.tables.table import Table

HEADER = "a,c,y\n"
ROWS = "".join(f"{number}.5,u,{number}\n" for number in range(10))


def table(text: str) -> Table:
    return read(io.BytesIO(text.encode()), ReadOptions())


def told(found: Table) -> list[str]:
    return [note.text for note in found.notes]


def test_rows_within_a_quoted_cell_are_told_of() -> None:
    found = table(f'{HEADER}{ROWS}1,"2,3\n{ROWS}1,2",3\n{ROWS}')
    assert len(found) == 21
    (text,) = told(found)
    assert text.startswith("line 12: a cell in quotes holds 10 lines that look like rows")


def test_one_row_within_a_quoted_cell_is_told_of() -> None:
    (text,) = told(table(f'{HEADER}{ROWS}1,"u\n7.5,u,7\n",3\n'))
    assert text.startswith("line 12: a cell in quotes holds a line that looks like a row")


@pytest.mark.parametrize(
    "cell",
    ["Main Street 1\nTown, X\nCountry", "one\ntwo, three, four\nfive", "1\n2\n3", "a,b\nc,d"],
)
def test_texts_of_several_lines_are_no_rows(cell: str) -> None:
    found = table(f'{HEADER}{ROWS}1,"{cell}",3\n')
    assert found["c"][-1] == cell
    assert told(found) == []


def test_where_all_columns_are_of_words_rows_have_three() -> None:
    rows = "u,v,w\n" * 10
    assert told(table(f'a,b,c\n{rows}u,"x\nv,w,x\ny",z\n'))[0].startswith("line 12: a cell in")
    rows = "u,v\n" * 10
    assert told(table(f'a,b\n{rows}u,"x\nv,w\ny"\n')) == []


def test_a_quote_that_is_closed_within_another_cell_is_refused() -> None:
    with pytest.raises(
        ValueError, match="line 12: a cell begins .* closed only in line 23, within"
    ):
        table(f'{HEADER}{ROWS}1,"u,3\n{ROWS}1,"v,3\n{ROWS}')


def test_a_quote_in_the_header_that_takes_all_rows_is_named() -> None:
    with pytest.raises(ValueError, match='a quote " in the header is closed only lines below'):
        table('a,"c,y\n1,2,3\n4,5,6"\n')


def test_formulas_of_texts_are_these_texts() -> None:
    found = table('="a",b\n="00501",1\n="",2\n"=""7""",3\n')
    assert found.columns == ("a", "b")
    assert found["a"].tolist() == ["00501", None, "7"]
    assert told(found) == ['cells such as ="00501" are read as the texts in them']


def test_other_formulas_stay() -> None:
    found = table('a,b\n=1+2,1\n"=""x"" & ""y""",2\n')
    assert found["a"].tolist() == ["=1+2", '="x" & "y"']
    assert told(found) == []
