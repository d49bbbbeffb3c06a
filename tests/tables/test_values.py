"""Tables read by a schema that was made of others."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from fastmlp.tables.cells import column_of
from fastmlp.tables.column_schema import ColumnSchema
from fastmlp.tables.values import read_cells, values_of

pytest.importorskip("pyarrow")
from fastmlp.tables.table import Table

NAN = np.nan
READ = [
    ({"kind": "number"}, ["1", "2.5", "x", "", "inf"], [1, 2.5, NAN, NAN, NAN], 2),
    ({"kind": "number", "decimal": ","}, ["1,5", "1.234,5"], [1.5, 1234.5], 0),
    # Of another country than the training.
    ({"kind": "number", "decimal": ","}, ["1.5", "2.75"], [1.5, 2.75], 0),
    ({"kind": "number", "decimal": ","}, ["1,234"], [1.234], 0),
    ({"kind": "number", "unit": "$"}, ["$5", "7", "5 kg"], [5, 7, NAN], 1),
    ({"kind": "number"}, ["1e200", "-1e151", "1e149"], [NAN, NAN, 1e149], 2),
    ({"kind": "number", "na": ("NA",)}, ["1", "NA", "?"], [1, NAN, NAN], 1),
    ({"kind": "yes/no"}, ["Yes", "FALSE", "1", "maybe", ""], [1, 0, 1, NAN, NAN], 1),
    ({"kind": "date", "order": "month first"}, ["1/13/1970", "13/1/1970"], [12, NAN], 1),
    ({"kind": "date", "digits": True}, ["19700103", "x"], [2, NAN], 1),
    ({"kind": "date", "clock": True}, ["06:00", "1970-01-02"], [0.25, 0], 0),
]


@pytest.mark.parametrize(("settings", "cells", "expected", "n_bad"), READ)
def test_cells_of_texts(settings: dict, cells: list, expected: list, n_bad: int) -> None:
    schema = ColumnSchema("x", **settings)
    for frame in (Table.of({"x": cells}), {"x": np.array(cells, object)}):
        values, notes = read_cells(frame, schema, column_of(frame, "x"))
        np.testing.assert_array_equal(values, expected)
        assert sum(note.count for note in notes) == n_bad


TYPED: list[tuple[str, Any, list[float], int]] = [
    ("number", np.array([1, 2]), [1, 2], 0),
    ("number", np.array([True, False]), [1, 0], 0),
    ("number", np.array(["1970-01-02"], "M8[D]"), [NAN], 1),
    ("yes/no", np.array([1.0, 0, 5, NAN]), [1, 0, NAN, NAN], 1),
    ("date", np.array(["1970-01-02", "NaT"], "M8[D]"), [1, NAN], 0),
    ("date", np.array([3.5]), [NAN], 1),
]


@pytest.mark.parametrize(("kind", "cells", "expected", "n_bad"), TYPED)
def test_cells_of_types(kind: str, cells: np.ndarray, expected: list, n_bad: int) -> None:
    for frame in (Table.of({"x": cells}), {"x": cells}):
        values, bad = values_of(ColumnSchema("x", kind), column_of(frame, "x"))
        np.testing.assert_array_equal(values, expected)
        assert (0 if bad is None else bad.sum()) == n_bad


def test_digits_as_numbers_are_dates_on_wish() -> None:
    column = column_of({"x": np.array([19700103, 2])}, "x")
    values, _ = values_of(ColumnSchema("x", "date", digits=True), column)
    np.testing.assert_array_equal(values, [2, NAN])


def test_categories() -> None:
    column = column_of({"x": np.array([" a", "A", None, "NA"], object)}, "x")
    assert values_of(ColumnSchema("x", "category"), column)[0].tolist() == ["a", "A", "", "NA"]
    joined = ColumnSchema("x", "category", join_case=True, na=("NA",))
    assert values_of(joined, column)[0].tolist() == ["a", "a", "", ""]
    numbers = column_of({"x": np.array([5.0, NAN])}, "x")
    assert values_of(ColumnSchema("x", "category"), numbers)[0].tolist() == ["5", ""]


def test_the_sign_that_is_said_of_a_table() -> None:
    column = column_of({"x": np.array(["1,234", "1.5"], object)}, "x")
    np.testing.assert_array_equal(
        values_of(ColumnSchema("x", "number"), column, ",")[0], [1.234, NAN]
    )
    np.testing.assert_array_equal(
        values_of(ColumnSchema("x", "number"), column, ".")[0], [1234, 1.5]
    )


def test_dates_of_another_country_are_read_and_told() -> None:
    schema = ColumnSchema("x", "date", order="day first")
    frame = Table.of({"x": ["01/02/1970", "01/31/1970", "?"]})
    values, (told, bad) = read_cells(frame, schema, column_of(frame, "x"))
    np.testing.assert_array_equal(values, [1, 30, np.nan])
    assert told.text == "the column 'x': dates are read with the month first here, not the day"
    assert "1 of 3 cells is no date, '?'" in bad.text
    # A slip or two change nothing.
    frame = Table.of({"x": ["01/02/1970"] * 20 + ["01/31/1970"]})
    values, (bad,) = read_cells(frame, schema, column_of(frame, "x"))
    assert values[0] == 31


def test_categories_of_whole_numbers_may_be_written_with_a_point() -> None:
    schema = ColumnSchema("x", "category", whole=True)
    frame = Table.of({"x": ["7.0", "10", None, "a.0"]})
    assert read_cells(frame, schema, column_of(frame, "x"))[0].tolist() == ["7", "10", "", "a.0"]
    schema = ColumnSchema("x", "category")
    assert read_cells(frame, schema, column_of(frame, "x"))[0].tolist()[0] == "7.0"
