"""A table's columns, rows and lines."""

from __future__ import annotations

import pickle
import re

import numpy as np
import pytest

pa = pytest.importorskip("pyarrow")

from fastmlp.tables.delimited import read_delimited  # noqa: E402
from fastmlp.tables.options import ReadOptions  # noqa: E402
from fastmlp.tables.table import Table, as_text  # noqa: E402

TABLE = read_delimited(b",a,b\n0,1,x\n\n1,,y\n2,3,z\n", ReadOptions(), "t.csv")


def test_what_a_table_tells() -> None:
    assert TABLE.columns == TABLE.names == ("a", "b")
    assert TABLE.shape == (3, 2)
    assert len(TABLE) == 3
    assert "a" in TABLE
    assert "c" not in TABLE
    assert TABLE["a"].tolist() == ["1", None, "3"]
    assert repr(TABLE) == "<Table of t.csv: 3 rows, 2 columns>"


def test_a_column_that_is_not_there() -> None:
    with pytest.raises(KeyError, match=re.escape("t.csv has no column 'c'; it has ['a', 'b']")):
        TABLE["c"]
    with pytest.raises(KeyError, match="no column 'c'"):
        TABLE.without(["c"])


def test_rows_keep_their_lines() -> None:
    assert [TABLE.line(row) for row in range(3)] == [2, 4, 5]
    some = TABLE.take(np.array([2, 0])).take(np.array([True, False]))
    assert some["b"].tolist() == ["z"]
    assert some.where(0) == "line 5"
    assert some.set_aside["Unnamed: 0"].to_pylist() == ["2"]
    frame = Table.of({"a": [5, 6, 7]}).take(np.array([2]))
    assert (frame.line(0), frame.where(0)) == (None, "row 2 (counted from 0)")


def test_columns_leave_and_come_back() -> None:
    assert TABLE.without(["a"]).columns == ("b",)
    back = TABLE.with_columns(["Unnamed: 0"])
    assert back.columns == ("Unnamed: 0", "a", "b")
    assert back.set_aside == {}
    assert TABLE.columns == ("a", "b")


def test_other_libraries_read_a_table() -> None:
    assert pa.table(TABLE).equals(TABLE.arrow)
    pd = pytest.importorskip("pandas")
    frame = TABLE.to_pandas()
    assert isinstance(frame, pd.DataFrame)
    assert list(frame) == ["a", "b"]


def test_a_table_shows_its_first_rows() -> None:
    shown = str(Table.of({"name": ["x" * 40, "b\nc", None, "d", "e", "f"], "n": range(6)}))
    assert shown.split("\n") == [
        "the dict: 6 rows, 2 columns",
        "name                      n",
        f"{'x' * 21}...  0",
        "b c                       1",
        "                          2",
        "d                         3",
        "e                         4",
        "...",
    ]


def test_a_table_can_be_pickled() -> None:
    copy = pickle.loads(pickle.dumps(TABLE))
    assert copy.arrow.equals(TABLE.arrow)
    assert copy.where(2) == "line 5"


@pytest.mark.parametrize(
    ("cells", "text"),
    [
        (pa.array([1.0, 2.5, None]), ["1", "2.5", None]),
        (pa.array([True, None]), ["true", None]),
        (pa.array([[1], None]), ["[1]", None]),
        (pa.array(["x"], pa.large_string()), ["x"]),
        (pa.array([1], pa.duration("s")), ["0:00:01"]),
        (pa.array(["u", None]).dictionary_encode(), ["u", None]),
    ],
)
def test_cells_of_any_type_as_text(cells: object, text: list[str | None]) -> None:
    found = as_text(pa.chunked_array([cells]))
    assert found.type == pa.string()
    assert found.to_pylist() == text


def test_rows_are_taken_of_views_of_strings() -> None:
    views = pa.table({"a": pa.array(["x", None, "z"]).cast(pa.string_view()), "b": [1, 2, 3]})
    assert Table.of(views).take([2, 1]).arrow.to_pydict() == {"a": ["z", None], "b": [3, 2]}
