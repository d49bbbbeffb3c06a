"""Columns of tables and of arrays are the same columns."""

from __future__ import annotations

import datetime

import numpy as np
import pytest

from fastmlp.tables.cells import bad_cells, column_of, names_of, where

pa = pytest.importorskip("pyarrow")
from fastmlp.tables.table import Table  # noqa: E402

DAYS = np.array(["2020-01-01T06:00", "NaT", "1969-12-31T00:00"], "M8[us]")
COLUMNS = {
    "whole": (np.array([3, 1, 2]), "number", ["1", "2", "3"]),
    "float": (np.array([0.5, np.nan, 2]), "number", ["0.5", "2"]),
    "flag": (np.array([True, False, True]), "yes/no", ["False", "True"]),
    "day": (DAYS, "date", ["1969-12-31", "2020-01-01T06:00:00.000000"]),
    "text": (np.array([" a", None, "b"], object), "text", ["a", "b"]),
}


@pytest.mark.parametrize("name", COLUMNS)
def test_tables_and_arrays_agree(name: str) -> None:
    cells, kind, words = COLUMNS[name]
    pairs = [column_of({name: cells}, name), column_of(Table.of({name: cells}), name)]
    for column in pairs:
        assert (column.kind, column.size) == (kind, 3)
        assert column.words.words == words
    if pairs[0].typed is not None:
        np.testing.assert_array_equal(pairs[0].typed, pairs[1].typed)


def test_other_types_of_arrow() -> None:
    cells = {
        "decimal": pa.array([1, None, 3], pa.decimal128(9, 2)),
        "time": pa.array([datetime.time(6), None, datetime.time(18)]),
        "zone": pa.array([0, None, 86_400], pa.timestamp("s", "Europe/Zurich")),
        "date": pa.array([datetime.date(1970, 1, 2), None, None]),
        "void": pa.nulls(3),
        "codes": pa.array(["b", None, "a"]).dictionary_encode(),
        "unsigned": pa.array([1, 2, 2**63], pa.uint64()),
    }
    table = Table(pa.table(cells))
    found = {name: column_of(table, name) for name in names_of(table)}
    assert {name: column.kind for name, column in found.items()} == {
        "decimal": "number",
        "time": "time",
        "zone": "date",
        "date": "date",
        "void": "text",
        "codes": "category",
        "unsigned": "number",
    }
    np.testing.assert_array_equal(found["decimal"].typed, [1, np.nan, 3])
    np.testing.assert_array_equal(found["time"].typed, [0.25, np.nan, 0.75])
    np.testing.assert_array_equal(found["zone"].typed, [0, np.nan, 1])
    np.testing.assert_array_equal(found["date"].typed, [1, np.nan, np.nan])
    assert found["void"].words.words == []
    assert found["codes"].words.words == ["b", "a"]
    assert found["unsigned"].typed is not None
    assert int(found["unsigned"].typed[2]) == 2**63


def test_objects_of_one_type_are_of_that_type() -> None:
    assert column_of({"x": np.array([True, None], object)}, "x").kind == "yes/no"
    assert column_of({"x": np.array([1, 2.5, None], object)}, "x").kind == "number"
    assert column_of({"x": ["1", "2"]}, "x").kind == "text"
    with pytest.raises(ValueError, match=r"'x' has the shape \(2, 2\), expected \(n,\)"):
        column_of({"x": np.zeros((2, 2))}, "x")


def test_where_a_bad_cell_stands() -> None:
    table = Table.of({"x": ["1", "?", "a"]})
    column = column_of(table, "x")
    many = bad_cells(table, "the column 'x'", "numbers", column, np.array([False, True, True]))
    assert many == (
        "the column 'x': 2 of 3 cells are no numbers, such as '?' in row 1 (counted from 0)"
    )
    one = bad_cells(
        {"x": [1.0, 2]}, "x", "dates", column_of({"x": [1.0, 2]}, "x"), np.eye(2)[1] > 0
    )
    assert one == "x: 1 of 2 cells is no date, 2.0 in row 1 (counted from 0)"
    assert where({}, 7) == "row 7 (counted from 0)"


def test_times_between_dates_are_days() -> None:
    cells = np.array([12, 36, "NaT"], "m8[h]")
    for found in (column_of({"x": cells}, "x"), column_of(Table.of({"x": cells}), "x")):
        assert found.kind == "number"
        np.testing.assert_array_equal(found.typed, [0.5, 1.5, np.nan])


def test_dictionaries_of_dates_hold_dates() -> None:
    days = pa.array([datetime.date(2020, 1, 1), datetime.date(2020, 1, 2)]).dictionary_encode()
    found = column_of(Table.of(pa.table({"x": days})), "x")
    assert (found.kind, found.words.words) == ("date", ["2020-01-01", "2020-01-02"])


def test_bytes_are_texts() -> None:
    found = column_of(Table.of(pa.table({"x": pa.array([b"a", None, b"\xff"])})), "x")
    assert found.words.words == ["a", "\ufffd"]
