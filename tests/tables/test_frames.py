"""Data frames of any library become tables."""

from __future__ import annotations

import re
import subprocess
import sys
from typing import Any

import numpy as np
import pytest

pa = pytest.importorskip("pyarrow")

from fastmlp.tables.infer import infer  # noqa: E402
from fastmlp.tables.table import Table  # noqa: E402


def texts(frame: Any) -> dict[str, list[str | None]]:
    table = Table.of(frame)
    return {name: table.text(name).to_pylist() for name in table.columns}


@pytest.mark.parametrize(
    "frame",
    [
        {"a": [1, 2], "b": ["x", None]},
        {"a": np.array([1, 2]), "b": np.array(["x", None], dtype=object)},
        [{"a": 1, "b": "x"}, {"a": 2}],
        pa.table({"a": [1, 2], "b": ["x", None]}),
    ],
)
def test_what_resembles_a_frame(frame: Any) -> None:
    assert texts(frame) == {"a": ["1", "2"], "b": ["x", None]}


def test_arrays() -> None:
    records = np.array([(1, "x"), (2, "y")], dtype=[("a", int), ("b", "U5")])
    assert texts(records) == {"a": ["1", "2"], "b": ["x", "y"]}
    plain = np.array([[1.5, np.nan], [2.0, 3.0]])
    assert texts(plain) == {"column_0": ["1.5", "2"], "column_1": [None, "3"]}


def test_a_table_is_returned_as_it_is() -> None:
    table = Table.of({"a": [1]})
    assert Table.of(table) is table


def test_pandas() -> None:
    pd = pytest.importorskip("pandas")
    frame = pd.DataFrame(
        {
            "mixed": [1, "x", None],
            "number": [1.5, np.nan, 2.0],
            "nullable": pd.array([1, None, 3], dtype="Int64"),
            "category": pd.Categorical(["u", None, "v"]),
            "zone": pd.to_datetime(["2024-01-31", None, "2024-02-01"]).tz_localize("UTC"),
            "month": pd.period_range("2024-01", periods=3, freq="M"),
            "span": pd.cut([1, 2, 3], [0, 1, 3]),
            7: [True, False, None],
        }
    )
    assert texts(frame) == {
        "mixed": ["1", "x", None],
        "number": ["1.5", None, "2"],
        "nullable": ["1", None, "3"],
        "category": ["u", None, "v"],
        "zone": texts(frame)["zone"],
        "month": ["2024-01", "2024-02", "2024-03"],
        "span": ["(0, 1]", "(1, 3]", "(1, 3]"],
        "7": ["true", "false", None],
    }
    zone = texts(frame)["zone"]
    assert zone[1] is None
    assert str(zone[0]).startswith("2024-01-31 00:00:00")
    levels = pd.DataFrame([[1, 2]], columns=pd.MultiIndex.from_tuples([("a", "x"), ("b", "")]))
    assert Table.of(levels).columns == ("a x", "b")
    assert len(Table.of(frame.iloc[[2, 0]])) == 2
    with pytest.raises(TypeError, match=re.escape("series.to_frame() makes one")):
        Table.of(frame["mixed"])


def test_polars() -> None:
    pl = pytest.importorskip("polars")
    frame = pl.DataFrame(
        {"a": [1, 2], "b": ["x", None], "c": pl.Series(["u", "v"], dtype=pl.Categorical)}
    )
    assert texts(frame) == {"a": ["1", "2"], "b": ["x", None], "c": ["u", "v"]}
    assert [column.kind for column in infer(Table.of(frame)).columns][2] == "category"
    with pytest.raises(TypeError, match=re.escape("frame.collect() makes one")):
        Table.of(frame.lazy())
    with pytest.raises(TypeError, match="expected a table, got Series"):
        Table.of(frame["a"])


@pytest.mark.parametrize(
    ("frame", "error", "message"),
    [
        (3, TypeError, "expected a data frame of pandas, polars or Arrow"),
        ("a,b", TypeError, "got str"),
        ([1], TypeError, "expected a list of dicts, got int at 0"),
        (np.zeros(3), TypeError, "expected an array of two dimensions"),
        ({"a": 5}, TypeError, "the column 'a' must be a sequence, got int"),
        ({"a": "xy"}, TypeError, "the column 'a' must be a sequence, got str"),
        ({"a": np.zeros((2, 2))}, ValueError, "the column 'a' must have one dimension"),
        ({"a": [1], "b": [1, 2]}, ValueError, "differ in length: {'a': 1, 'b': 2}"),
        ({1: [1], "1": [2]}, ValueError, "two columns with the name '1'"),
        ({}, ValueError, "the dict has no columns"),
        ({"a": []}, ValueError, "the dict has no rows"),
        ([], ValueError, "the list has no columns"),
    ],
)
def test_what_is_no_frame(frame: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=re.escape(message)):
        Table.of(frame)


def test_no_library_is_imported_that_the_user_has_not() -> None:
    code = (
        "import sys; from fastmlp.tables.table import Table; Table.of({'a': [1, 'x']}); "
        "assert not {'pandas', 'polars', 'sklearn'} & sys.modules.keys()"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
