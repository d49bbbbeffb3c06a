"""Parquet, Feather and spreadsheets."""

from __future__ import annotations

import base64
import datetime
import io
import lzma
import re
import sys
import zipfile
from typing import Any

import pytest

pa = pytest.importorskip("pyarrow")

from fastmlp.tables.options import ReadOptions  # noqa: E402
from fastmlp.tables.reader import read  # noqa: E402

TABLE = pa.table({"a": [1.5, None], "b": ["x", "?"], "c": pa.array(["u", "v"]).dictionary_encode()})


def columnar(kind: str, table: Any = TABLE) -> io.BytesIO:
    from pyarrow import feather, parquet

    file = io.BytesIO()
    if kind == "parquet":
        parquet.write_table(table, file)
    else:
        feather.write_feather(table, file, version=1 if kind == "feather 1" else 2)
    file.seek(0)
    return file


def workbook(*sheets: list[list[Any]]) -> io.BytesIO:
    openpyxl = pytest.importorskip("openpyxl")
    pytest.importorskip("python_calamine")
    book = openpyxl.Workbook()
    book.remove(book.active)
    for number, rows in enumerate(sheets):
        sheet = book.create_sheet(f"sheet {number}")
        for row in rows:
            sheet.append(row)
    file = io.BytesIO()
    book.save(file)
    file.seek(0)
    return file


@pytest.mark.parametrize("kind", ["parquet", "feather"])
def test_columns_keep_their_types(kind: str) -> None:
    found = read(columnar(kind))
    assert found.arrow.equals(TABLE)
    assert found.line(0) is None
    assert found.where(1) == "row 1 (counted from 0)"
    assert read(columnar(kind), ReadOptions(na_values=("?",)))["b"].tolist() == ["x", None]


def test_an_index_in_parquet_is_set_aside() -> None:
    found = read(columnar("parquet", TABLE.append_column("__index_level_0__", [[0, 1]])))
    assert found.columns == ("a", "b", "c")
    assert found.with_columns(["__index_level_0__"]).columns[0] == "__index_level_0__"


@pytest.mark.parametrize("kind", ["parquet", "feather"])
def test_damaged_and_empty_columnar_files(kind: str) -> None:
    data = columnar(kind).getvalue()
    with pytest.raises(ValueError, match=f"^the file is damaged: as {kind} it cannot be read"):
        read(io.BytesIO(data[: len(data) // 2]))
    with pytest.raises(ValueError, match="^the file has no rows"):
        read(columnar(kind, TABLE.slice(0, 0)))
    with pytest.raises(ValueError, match="is no delimited text, so it has no separator"):
        read(io.BytesIO(data), ReadOptions(separator=";"))


def test_cells_of_spreadsheets_become_text() -> None:
    moment = datetime.datetime(2024, 1, 31, 10, 30)
    day = datetime.date(2024, 1, 31)
    rows = [["a", "b", "when", "day"], [1, "x", moment, day], [2.5, None, moment, day]]
    found = read(workbook(rows))
    assert found.notes == ()
    assert found.arrow.to_pylist() == [
        {"a": "1", "b": "x", "when": "2024-01-31 10:30:00", "day": "2024-01-31"},
        {"a": "2.5", "b": None, "when": "2024-01-31 10:30:00", "day": "2024-01-31"},
    ]
    assert found.where(1) == "line 3"


def test_where_the_table_of_a_sheet_stands() -> None:
    rows = [["Sales"], [], [None, "a", "b"], [None, 1.5, "x"], [], [None, 2.5, "y"]]
    found = read(workbook([], rows, [["z"]]))
    # The title stands in a column without a name, which is left out with it.
    assert found.arrow.to_pylist() == [{"a": "1.5", "b": "x"}, {"a": "2.5", "b": "y"}]
    assert [found.line(row) for row in range(2)] == [4, 6]
    told = " ".join(note.text for note in found.notes)
    assert "the sheet 'sheet 1' is read, the first of 2; the others are 'sheet 2'" in told
    assert "a line above the header is left out, 'Sales'" in told


def test_headers_of_sheets() -> None:
    rows = [[1.5, "x"], [2.5, "x"], [3.5, "y"]]
    (note,) = read(workbook(rows)).notes
    assert "looks like data" in note.text
    assert read(workbook(rows), ReadOptions(header=False)).columns == ("column_0", "column_1")


@pytest.mark.parametrize(
    ("rows", "message"),
    [([], "the file is empty"), ([["a", "b"]], "the file has no rows below its header")],
)
def test_sheets_without_a_table(rows: list[list[Any]], message: str) -> None:
    with pytest.raises(ValueError, match=f"^{message}"):
        read(workbook(rows))


def test_a_damaged_spreadsheet() -> None:
    pytest.importorskip("python_calamine")
    data = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(100)
    with pytest.raises(ValueError, match="^the file cannot be read as a spreadsheet"):
        read(io.BytesIO(data))


def test_what_is_missing_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    file = workbook([["a"], [1]])
    monkeypatch.setitem(sys.modules, "python_calamine", None)
    with pytest.raises(ImportError, match=re.escape("python-calamine, which is not installed")):
        read(file)


def test_equal_names_in_parquet_are_numbered() -> None:
    found = read(columnar("parquet", pa.table([[1], [2]], names=["a", "a"])))
    assert found.columns == ("a", "a.1")
    assert [note.text for note in found.notes] == [
        "several columns have the name 'a'; the later ones are called 'a.1'"
    ]


def test_a_sheet_of_notes_is_passed_over() -> None:
    found = read(workbook([["read me"]], [], [["a", "b"], [1, 2]]))
    assert found.columns == ("a", "b")
    (note,) = found.notes
    assert note.text.startswith("the sheet 'sheet 2' is read, the first with several columns of 2")
    assert "the others are 'sheet 0'" in note.text


def test_cells_that_are_merged_with_those_above_hold_the_same() -> None:
    openpyxl = pytest.importorskip("openpyxl")
    pytest.importorskip("python_calamine")
    book = openpyxl.Workbook()
    for row in (["a", "b"], ["x", 1], [None, 2], [None, 3], ["y", 4], [None, 5]):
        book.active.append(row)
    book.active.merge_cells("A2:A4")
    file = io.BytesIO()
    book.save(file)
    found = read(io.BytesIO(file.getvalue()))
    assert found["a"].tolist() == ["x", "x", "x", "y", None]
    assert [note.text for note in found.notes] == [
        "2 cells are merged with those above, and hold the same"
    ]


def test_names_of_groups_above_names_are_a_title() -> None:
    found = read(workbook([["size", None, "kind"], ["a", "b", "c"], [1, 2, "u"], [3, 4, "v"]]))
    assert found.columns == ("a", "b", "c")
    assert [note.text for note in found.notes] == ["a line above the header is left out, 'size'"]


# A workbook of Excel 97 with the rows of `OTHERS`, compressed by xz.
EXCEL_97 = (
    "{Wp48S^xk9=GL@E0stWa761SMbT8$j;1&M@F<k&?Grk;#Fn3_|q=YI!3><bRg7T4u+=$92y5XR=#sm{*o6VTHX*C"
    "rpnc)M|#puk@^h-b4s3P%T*|5j%FV#XmrK5@>cY#$Aa2quG5BsCaW&p=w%`2#&kvK33jLRL19^cVN7!7pe@YpAhl"
    "_+DTtxO8)TRNPt)$jvGwZ=DKT9_0{g2$JZU%zO6<~VSw4G;M{w;st9r-w<b@Tc+k&|C0M&PHA6K~|~0kBh|_pUQm"
    "Sm{4vIjrt3iHZe`{3`Ff*C_^7JGHU+yc{3lCY(Vxaxe`_Vtr!Pd_IAX8oQq;+F>~Xvw9(F>K}`N)(JX4YXop%nL2"
    "Ydaey61O47wOFRt_(E>i}+4alrJE<Q?R?hyZ+r^ONXsqkr%3b$7u0l*#HT0HQE^L0$vcH5#6w9MTwy!Br#i+K)Zq"
    "V$?`@is!|DEbG`lJFF$wZO%=5J$hHaI0Ve8J(CY6kyz&Qq(+VScNEi<<Px+NnvJiE*ZC16^3PCRpw~-P*R-EOfq9"
    "l%K0SSLZ5j;!;I`G%vqcZYEd+1&tgwALk2NP9!x)6jC4Q%Ue@I`rREw#!9p#%w<0>$2w*601lRmT8Xi+|sOHd<F3"
    "y=iPkAbxA$Q&%Bi+ZR%gpLU%Hmc?#wAmFGP|XGd{dV*MYUma^!Ufjr!BD=n_m8N~gJWrn?<3tn>tca5Q$eE|J>(H"
    "vHYaI#3ViPH_a*_1n^RyNP3B2038{RJDMSAN00000^g!UP>^2zd00GSefGhw2$abwqvBYQl0ssI200dcD"
)
OTHERS = [["size", "town"], [81.5, "Delft"], [64, "Gouda"]]


def test_a_workbook_of_excel_97() -> None:
    pytest.importorskip("python_calamine")
    found = read(io.BytesIO(lzma.decompress(base64.b85decode(EXCEL_97))))
    assert {name: found[name].tolist() for name in found.columns} == {
        "size": ["81.5", "64"],
        "town": ["Delft", "Gouda"],
    }


def test_an_open_document() -> None:
    pytest.importorskip("python_calamine")
    kind = "application/vnd.oasis.opendocument.spreadsheet"
    office = "urn:oasis:names:tc:opendocument:xmlns"

    def cell(value: Any) -> str:
        attributes = f'office:value-type="float" office:value="{value}"'
        if isinstance(value, str):
            attributes = 'office:value-type="string"'
        return f"<table:table-cell {attributes}><text:p>{value}</text:p></table:table-cell>"

    rows = "".join(
        f"<table:table-row>{''.join(map(cell, row))}</table:table-row>" for row in OTHERS
    )
    spaces = " ".join(
        f'xmlns:{prefix}="{office}:{prefix}:1.0"' for prefix in ("office", "table", "text")
    )
    content = (
        f"<office:document-content {spaces}><office:body><office:spreadsheet>"
        f'<table:table table:name="rows">{rows}</table:table>'
        "</office:spreadsheet></office:body></office:document-content>"
    )
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("mimetype", kind)
        archive.writestr("META-INF/manifest.xml", "<manifest/>")
        archive.writestr("content.xml", content)
    found = read(io.BytesIO(file.getvalue()))
    assert {name: found[name].tolist() for name in found.columns} == {
        "size": ["81.5", "64"],
        "town": ["Delft", "Gouda"],
    }
