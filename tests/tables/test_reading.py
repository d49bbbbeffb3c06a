"""CSV files: what their cells spell, and files that are none."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

pd = pytest.importorskip("pandas")

from fastmlp.tables import reading as tables  # noqa: E402


def column(*cells: str | None) -> pd.Series:
    return pd.Series(cells, dtype=object, name="c")


def write(path: Path, text: str | bytes) -> Path:
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


KINDS = [
    (["1", "-2.5", None, "1e3", " 4"], "number", [1, -2.5, np.nan, 1000, 4]),
    (["007", "12"], "number", [7, 12]),
    (["true", "False", None, "TRUE"], "boolean", [1, 0, np.nan, 1]),
    (["1970-01-02", None, "1969-12-31 12:00"], "date", [1, np.nan, -0.5]),
    (["1970-01-01T01:00:00+01:00", "1970-01-03T00:00Z"], "date", [0, 2]),
    (["1700-01-01", "2200-12-31"], "date", [-98615, 84370]),
    (["2024-01-31", "7"], "category", ["2024-01-31", "7"]),
    (["2024-01-31", "2024-02-31"], "category", ["2024-01-31", "2024-02-31"]),
    (["a", None, "ä b"], "category", ["a", "", "ä b"]),
    (["1", "2", "x"], "category", ["1", "2", "x"]),
    (["true", "1"], "category", ["true", "1"]),
    (["0x10", "1_000"], "category", ["0x10", "1_000"]),
    (["12:30", "13:45"], "category", ["12:30", "13:45"]),
    ([None, None], "number", [np.nan, np.nan]),
]


@pytest.mark.parametrize(
    ("cells", "kind", "values"), KINDS, ids=[str(cells) for cells, *_ in KINDS]
)
def test_kinds_and_values(cells: list[str | None], kind: str, values: list[object]) -> None:
    assert tables.kind_of(column(*cells)) == kind
    found = tables.values_of(column(*cells), kind)
    np.testing.assert_array_equal(found, np.array(values, object if kind == "category" else float))
    assert found.dtype == (object if kind == "category" else np.float64)


@pytest.mark.parametrize("kind", tables.KINDS)
def test_a_column_of_missing_cells_is_of_any_kind(kind: str) -> None:
    found = tables.values_of(column(None, None), kind)
    assert (found == "").all() if kind == "category" else np.isnan(found).all()


@pytest.mark.parametrize(
    ("cells", "kind", "message"),
    [
        (["1", "x"], "number", "'c' holds numbers, but row 1 (counted from 0) has 'x'"),
        (["1", None, "inf"], "number", "but row 2 (counted from 0) has 'inf'"),
        (["1e999"], "number", "has '1e999'"),
        (["true", "yes"], "boolean", "holds true and false, but row 1"),
        (["2024-01-01", "soon"], "date", "holds dates, but row 1"),
    ],
)
def test_cells_of_another_kind(cells: list[str | None], kind: str, message: str) -> None:
    with pytest.raises(ValueError, match=re.escape(message)):
        tables.values_of(column(*cells), kind)


def test_reading_keeps_text_as_it_stands(tmp_path: Path) -> None:
    text = '\ufeffa, "b, c",ä\r\n1, "two\r\nlines",\r\n\r\nNA,"say ""hi""",01\r\n'
    frame = tables.read(write(tmp_path / "t.csv", text))
    assert list(frame) == ["a", "b, c", "ä"]
    assert frame.isna().to_numpy().tolist() == [[False, False, True], [True, False, False]]
    assert frame["b, c"].tolist() == ["two\r\nlines", 'say "hi"']
    assert frame["ä"][1] == "01"


def test_a_column_that_is_quoted_throughout(tmp_path: Path) -> None:
    frame = tables.read(write(tmp_path / "t.csv", '"x"\n"1"\n\n"2"\n'))
    assert frame["x"].tolist() == ["1", "2"]


BROKEN = [
    ("", "is empty"),
    ("\n\n", "is empty"),
    ("a,b\n", "has no rows below its header"),
    ("a,b\n1,2\n3\n", "line 3: 1 fields, but the header has 2"),
    ("a,b\n1,2,3\n4,5,6\n", "line 2: 3 fields, but the header has 2"),
    ('a,b\n"x\ny",2\n1,2,3\n', "line 4: 3 fields, but the header has 2"),
    ("a,a\n1,2\n", "has two columns with the name 'a'"),
    ("a,,b\n1,2,3\n", "the column number 1 (from 0) has no name"),
    ('a,b\n1,"2\n', "is not a CSV file"),
    (b"\x89PNG\r\n\x1a\n\x00\x00", "is not a CSV file in UTF-8"),
    (b"a,b\n\xff\xfe,2\n", "is not a CSV file in UTF-8"),
    ("a,b\n1,2\n".encode("utf-16-le"), "it holds zero bytes"),
    (b"a,b\n1,\x00\n", "it holds zero bytes"),
]


@pytest.mark.parametrize(("text", "message"), BROKEN, ids=[repr(text) for text, _ in BROKEN])
def test_files_that_are_no_tables(text: str | bytes, message: str, tmp_path: Path) -> None:
    path = write(tmp_path / "t.csv", text)
    with pytest.raises(ValueError, match=f"^{re.escape(str(path))}.*{re.escape(message)}"):
        tables.read(path)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        tables.read(tmp_path / "none.csv")
