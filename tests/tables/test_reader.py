"""The door: files of all kinds, what is told, and what is refused."""

from __future__ import annotations

import gzip
import io
import subprocess
import sys
import warnings
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("pyarrow")

import fastmlp as fm
from fastmlp.tables.reader import ReadOptions, read


def test_a_plain_file_is_not_spoken_of(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_bytes(b"\xef\xbb\xbfa,b\r\n1,\xc3\xa4\r\n2,x\r\n")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        table = fm.read_table(path)
    assert (table.columns, table.title) == (("a", "b"), str(path))
    assert table["b"].tolist() == ["ä", "x"]


def test_what_was_found_out_is_told_at_the_callers_line() -> None:
    text = "größe;n\n1,5;a\n2,5;b\n".encode("cp1252")
    with pytest.warns(fm.TableWarning) as told:
        table = fm.read_table(io.BytesIO(text), decimal=",")
    assert [str(warning.message) for warning in told] == [
        "read in the encoding cp1252; encoding='cp1250' decides otherwise",
        "';' is taken for the separator; separator=',' decides otherwise",
    ]
    assert all(warning.filename == __file__ for warning in told)
    assert (table.columns, table.decimal) == (("größe", "n"), ",")


def test_missing_cells_by_what_the_user_says() -> None:
    text = "a,b\n ? ,x\n1,-\n2,--\n"
    table = fm.read_table(io.StringIO(text), na_values=["?", "-"])
    assert table["a"].tolist() == [None, "1", "2"]
    assert table["b"].tolist() == ["x", None, "--"]
    assert fm.read_table(io.StringIO("a,b\n1,??\n2,x\n"), na_values="??")["b"].tolist() == [
        None,
        "x",
    ]


def test_every_option_arrives() -> None:
    table = fm.read_table(
        io.BytesIO("1|ä\n2|b\n".encode("utf-16-le")),
        *("|", ".", "'", "utf-16-le", False, ("b",)),
    )
    assert table["column_1"].tolist() == ["ä", None]
    assert (table.decimal, table.thousands, table.columns[0]) == (".", "'", "column_0")


def test_compressed_text(tmp_path: Path) -> None:
    path = tmp_path / "t.csv.gz"
    path.write_bytes(gzip.compress(b"a,b\n1,2\n"))
    assert fm.read_table(str(path)).shape == (1, 2)


def test_errors_begin_with_the_file(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_bytes(b"a,b\n1,2\n3\n")
    with pytest.raises(ValueError, match="t.csv: 1 row does not have the 2 fields"):
        fm.read_table(path)
    with pytest.raises(ValueError, match="separator must be one character"):
        fm.read_table(path, separator="::")


def test_a_long_table_of_numbers() -> None:
    numbers = np.random.default_rng(0).normal(size=(30_000, 5))
    text = "\n".join(["a,b,c,d,e", *(",".join(map(repr, row)) for row in numbers.tolist())])
    table = read(io.BytesIO(text.encode()))
    found = np.column_stack([table[name].astype(float) for name in table.columns])
    np.testing.assert_array_equal(found, numbers)
    assert table.line(29_999) == 30_001


def test_pandas_is_not_needed() -> None:
    code = (
        "import io, sys, warnings, numpy, fastmlp; warnings.simplefilter('ignore'); "
        "text = ',a,b\\n0,1,x\\n,a,b\\n1,?,y\\n'; "
        "table = fastmlp.read_table(io.StringIO(text), na_values='?'); "
        "assert table.take(numpy.array([1])).shape == (1, 2); "
        "assert not {'pandas', 'polars', 'sklearn', 'scipy'} & sys.modules.keys()"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_a_missing_arrow_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(ImportError, match="this needs pyarrow, which is not installed"):
        read(io.StringIO("a\n1\n"), ReadOptions())
