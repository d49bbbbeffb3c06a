"""X of any kind as columns, and which of them are categories."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from fastmlp.tabular.columns import Columns, categories_of, is_frame, schema_of

NUMBERS = np.column_stack([np.arange(60.0), np.arange(60) % 3, np.arange(60) % 7 / 7])


def kinds(columns: Columns, wanted: Any = "from_dtype", named: bool = False) -> list[str]:
    return [column.kind for column in schema_of(columns, wanted, named)[0].columns]


def test_an_array_of_numbers_is_what_it_is() -> None:
    # In a table the first column would only number the rows.
    assert kinds(Columns.of_array(NUMBERS)) == ["number"] * 3
    assert Columns.of_array(NUMBERS).names == ("column_0", "column_1", "column_2")
    for wanted in ([1], [False, True, False]):
        assert kinds(Columns.of_array(NUMBERS), wanted) == ["number", "category", "number"]
    assert kinds(Columns.of_array(NUMBERS), None) == ["number"] * 3


def test_categories_of_frames() -> None:
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame(
        {"a": ["x", "y"] * 30, "b": pandas.Categorical([1, 2, 3] * 20), "c": NUMBERS[:, 2]}
    )
    columns = Columns.of_frame(frame)
    assert kinds(columns, named=True) == ["category", "category", "number"]
    assert kinds(columns, ["c"], True) == ["category", "category", "category"]
    # Texts that are no numbers tell nothing then.
    assert kinds(columns, None, True) == ["left out", "number", "number"]


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ("from_dtype", None),
        (None, None),
        ([], ()),
        (["c", "a"], ("c", "a")),
        ([2, 0, 2], ("c", "a")),
        ([True, False, True], ("a", "c")),
        (np.array(["b"], object), ("b",)),
    ],
)
def test_names_numbers_and_masks(wanted: Any, found: Any) -> None:
    assert categories_of(wanted, ("a", "b", "c"), True) == found


@pytest.mark.parametrize(
    ("wanted", "part"),
    [
        ([True, False], "must have a length of 3"),
        ([3], "must be from 0 to 2, got \\[3\\]"),
        ([-1], "must be from 0 to 2"),
        (["d"], "names 'd', which is no column of X; it has a, b, c"),
        ([["a"]], "got the shape \\(1, 1\\)"),
    ],
)
def test_columns_that_are_not_there(wanted: Any, part: str) -> None:
    with pytest.raises(ValueError, match=part):
        categories_of(wanted, ("a", "b", "c"), True)


def test_what_is_a_frame() -> None:
    pandas, polars = pytest.importorskip("pandas"), pytest.importorskip("polars")
    records = np.array([(1, 2.0)], [("a", "i4"), ("b", "f8")])
    for frame in ({"a": [1]}, [{"a": 1}], records, pandas.DataFrame({"a": [1]})):
        assert is_frame(frame)
    for other in (NUMBERS, [[1, 2]], [], polars.Series([1]), pandas.Series([1])):
        assert not is_frame(other)
