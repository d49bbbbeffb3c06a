"""The target of a table: the task, and the rows that have one."""

from __future__ import annotations

import numpy as np
import pytest

from fastmlp.tables.target_rows import find_target, read_target

pytest.importorskip("pyarrow")
from fastmlp.tables.table import Table


def find(cells: list, task: str | None = None, **options):
    return find_target(Table.of({"x": list(range(len(cells))), "y": cells}), "y", task, **options)


def texts(found) -> str:
    return "\n".join(note.in_shell() for note in found.notes)


def test_the_task() -> None:
    assert find(["1", "2", "3"] * 9).target.task == "classification"
    assert find([str(i % 21) for i in range(99)]).target.task == "regression"
    assert find(["0.5", "1", "2"] * 9).target.task == "regression"
    assert find(["a", "b"] * 9).target.task == "classification"
    assert find(["1", "2", "3"] * 9, "regression").target.task == "regression"
    assert find([str(i % 21) for i in range(99)], "classification").target.task == "classification"
    assert find([True, False] * 9).target.classes == ("False", "True")
    assert find([1.5, 2.5, None] * 9).target.task == "regression"
    assert find([3, 1, 2] * 9).y.tolist() == [3, 1, 2] * 9


def test_rows_without_a_number_are_left_out() -> None:
    cells = [f"{i}.5" for i in range(50)]
    cells[3], cells[4], cells[5], cells[6] = "?", "", "12O", "inf"
    found = find(cells)
    assert found.target.task == "regression"
    assert found.rows.tolist() == [0, 1, 2, *range(7, 50)]
    assert "missing in 1 of 50 rows, which are left out" in texts(found)
    assert "3 of 50 cells are no numbers, such as '?' in row 3 (counted from 0); such" in texts(
        found
    )
    assert "classification" not in texts(found)
    assert found.target.missing == 4
    few = find(["1", "2", "3", "1", "2", "3", "1", "2", "3", "1", "?"])
    assert few.target.classes == ("1", "2", "3")
    assert "1 of 11 cells are no numbers" in texts(few)


def test_numbers_as_people_write_them() -> None:
    money = find([f"${i},000.00" for i in range(1, 40)])
    assert (money.target.task, money.y[0]) == ("regression", 1000)
    comma = find([f"{i},5" for i in range(40)])
    assert comma.y[1] == 1.5
    again = read_target(comma.target, Table.of({"y": ["1,234", "?", "7"]}))
    assert again.y.tolist() == [1.234, 7]
    either = find([f"{i},123" for i in range(1, 40)])
    assert either.y[0] == 1123
    assert "--decimal ',' decides otherwise" in texts(either)
    assert find([f"{i},123" for i in range(1, 40)], decimal=",").y[0] == 1.123


ERRORS = [
    (["a"] * 9, None, "'y' is a in every row"),
    (["1.5"] * 9, None, "'y' is 1.5 in every row"),
    ([""] * 9, None, "'y' is missing in every row"),
    (["?"] * 9, None, "'y' is missing in every row"),
    (["a", "b"] * 9, "regression", "'y' is text, such as 'a', not a number; use --task class"),
    ([f"n{i}" for i in range(50)], None, "cannot be classes: 50 different values in 50 rows"),
    ([f"{i}.5" for i in range(50)], "classification", "0.5 is not whole"),
]


@pytest.mark.parametrize(("cells", "task", "part"), ERRORS)
def test_targets_that_cannot_be_learned(cells: list[str], task: str | None, part: str) -> None:
    with pytest.raises(ValueError, match=part):
        find(cells, task)


def test_columns_and_classes_that_are_not_known() -> None:
    with pytest.raises(ValueError, match="unknown column 'z'"):
        find_target(Table.of({"y": [1]}), "z")
    target = find(["a", "b"] * 9).target
    with pytest.raises(ValueError, match="classes that the model does not know: 'c' in 2 rows"):
        read_target(target, Table.of({"y": ["a", "c", "c"]}))
    with pytest.raises(ValueError, match="the table has no column 'y', the target of the model"):
        read_target(target, Table.of({"x": ["a"]}))
    with pytest.raises(ValueError, match="'y' is missing in every row"):
        read_target(target, Table.of({"y": ["", "?"]}))


def test_arrays_are_read_too() -> None:
    target = find(["1", "2"] * 9).target
    assert read_target(target, {"y": np.array([2, 1])}).y.tolist() == [2, 1]
    assert read_target(target, {"y": np.array([2.0, np.nan, 1])}).rows.tolist() == [0, 2]


def test_how_numbers_are_read_is_told() -> None:
    told = texts(find([f"{n}.5%" for n in range(50)]))
    assert "texts such as '0.5%' are read as numbers, here 0.5; --task classification" in told
    told = texts(find([f"{n},5" for n in range(50)]))
    assert "texts such as '0,5' are read as numbers, here 0.5; --decimal '.'" in told
    assert "texts such as" not in texts(find([f"{n}.5" for n in range(50)]))
    assert "texts such as" not in texts(find([n + 0.5 for n in range(50)]))


def test_numbers_with_many_mistakes_are_told() -> None:
    cells = ["1.5", "2.5", "7"] * 20 + ["red"] * 20
    told = "taken for classes, for only 75% of its cells are numbers; --task regression"
    assert told in texts(find(cells))
    assert "are numbers" not in texts(find(cells, "classification"))
    assert "are numbers" not in texts(find(["red", "blue", "1"] * 20))


@pytest.mark.parametrize(
    "cells",
    [
        [f"2020-01-{day:02}" for day in range(1, 31)],
        [f"{hour}:00" for hour in range(24)],
        np.arange("2020-01-01", "2020-02-01", dtype="M8[D]"),
    ],
)
@pytest.mark.parametrize("task", [None, "regression"])
def test_dates_are_no_target(cells: list, task: str | None) -> None:
    with pytest.raises(
        ValueError, match="the target 'y' holds dates or times, such as .*; make it"
    ):
        find(list(cells), task)
    assert find(["2020-01-01", "2020-01-02"] * 20).target.classes == ("2020-01-01", "2020-01-02")


def test_numbers_whose_squares_cannot_be_had() -> None:
    found = find([f"{n}.5" for n in range(50)] + ["1e300"])
    assert "1 of 51 cells is no number, '1e300'" in texts(found)
    assert len(found.rows) == 50
    with pytest.raises(ValueError, match=r"holds numbers beyond 1e\+150 alone"):
        find([f"{n}.5e200" for n in range(1, 50)])
