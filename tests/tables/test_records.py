"""What is looked at outside of the parser agrees with it."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fastmlp.tables.records import RecordLines, count_lines, grammar, is_blank

PLAIN = grammar(b",", b'"')


def fields(data: bytes) -> list[list[bytes]]:
    return [record.fields for record in PLAIN.records(data)]


@pytest.mark.parametrize(
    ("data", "records"),
    [
        (b"", []),
        (b"\n\r\n\r", []),
        (b"a,b\n1,\n", [[b"a", b"b"], [b"1", b""]]),
        (b"a,", [[b"a", b""]]),
        (b'"a\r\nb","c""d"\r"",x', [[b"a\r\nb", b'c"d'], [b"", b"x"]]),
        (b'"a"b,c"d', [[b"ab", b'c"d']]),
        (b'x,"a\n1', [[b"x", b"a\n1"]]),
    ],
)
def test_records(data: bytes, records: list[list[bytes]]) -> None:
    assert fields(data) == records


@settings(deadline=None)
@given(st.text('ab,"\n\r', max_size=12).map(str.encode))
def test_arrow_reads_the_same(data: bytes) -> None:
    pa = pytest.importorskip("pyarrow")
    csv = pytest.importorskip("pyarrow.csv")
    # The end of an open quote is for the parser to refuse.
    if PLAIN.unclosed(data) is not None or not data.strip(b"\r\n"):
        return
    records = fields(data)
    names = [str(place) for place in range(len(records[0]))]
    found = csv.read_csv(
        pa.BufferReader(data),
        csv.ReadOptions(column_names=names),
        csv.ParseOptions(newlines_in_values=True, invalid_row_handler=lambda row: "skip"),
        csv.ConvertOptions(column_types=dict.fromkeys(names, pa.string())),
    )
    expected = [[cell.decode() for cell in row] for row in records if len(row) == len(names)]
    assert [list(row.values()) for row in found.to_pylist()] == expected


def test_places_and_lines() -> None:
    data = b'h,i\r\n\r\n"a\nb",1\r2,3\n  \nx,y,z\n4,5'
    assert [record.start for record in PLAIN.records(data)] == [0, 7, 15, 19, 22, 28]
    lines = RecordLines(data, 5, 2, b",", b'"', 2)
    assert lines.numbers().tolist() == [3, 5, 8]
    assert count_lines(data, 0, 28) == 7


def test_quotes_that_stay_open() -> None:
    assert PLAIN.unclosed(b'a,"b"\n"c') == 6
    assert PLAIN.unclosed(b'a,b"\n"c""",d') is None


def test_lines_of_blanks() -> None:
    assert is_blank([b" \t"])
    assert not is_blank([b" ", b""])
