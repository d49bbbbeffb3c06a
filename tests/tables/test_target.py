"""What is predicted: the task, labels as they are written, and what is told of them."""

from __future__ import annotations

import numpy as np
import pytest

from fastmlp.tables.target import Target, find_target, read_target

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


LABELS = [
    (["2", "10", "-1"], [-1, 2, 10]),
    (["01", "1", "02"], ["01", "02", "1"]),
    (["1E2", "100", "5"], ["100", "1E2", "5"]),
    (["1234567890123456", "1234567890123457"], [1234567890123456, 1234567890123457]),
    (["1.0", "2.0", "10.0"], [1.0, 2.0, 10.0]),
    (["+1", "-1"], ["+1", "-1"]),
    (["5 stars", "1 stars"], ["1 stars", "5 stars"]),
    (["true", "false"], ["false", "true"]),
    ([" a", "b "], ["a", "b"]),
]


@pytest.mark.parametrize(("cells", "labels"), LABELS)
def test_labels_are_as_they_are_written(cells: list[str], labels: list) -> None:
    found = find(cells * 9)
    assert np.unique(found.y).tolist() == labels
    assert found.target.classes == tuple(map(str, labels))
    order = {name: place for place, name in enumerate(found.target.classes)}
    assert [order[cell.strip()] for cell in cells] == np.searchsorted(
        labels, found.y[: len(cells)]
    ).tolist()
    again = read_target(found.target, Table.of({"y": cells}))
    assert again.y.tolist() == found.y[: len(cells)].tolist()


@pytest.mark.parametrize("cell", ["None", "NA", "unknown", "none", "n/a"])
def test_a_class_that_is_called_so(cell: str) -> None:
    found = find(["yes", "no", cell] * 9)
    assert len(found.target.classes) == 3
    assert f"is '{cell}' in 9 rows, which is taken for a class; --na-values" in texts(found)


@pytest.mark.parametrize("cell", ["?", "-", "nan", "#N/A", "\\N"])
def test_texts_that_are_no_class(cell: str) -> None:
    found = find(["yes", "no", "no", cell] * 5)
    assert found.target.classes == ("no", "yes")
    assert len(found.rows) == 15
    assert f"5 of 20 cells say that there is none, such as {cell!r} in row 3" in texts(found)


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


def test_twins_and_rare_classes_are_told() -> None:
    cells = ["Yes", "yes", "no"] * 9 + ["maybe"]
    found = find(cells)
    assert found.target.classes == ("Yes", "maybe", "no", "yes")
    assert "differ by case alone: 'Yes', 'yes'; --join-case y decides otherwise" in texts(found)
    assert "classes with few rows: 'maybe' (1)" in texts(found)
    one = find(cells, join_case=True)
    assert one.target.classes == ("Yes", "maybe", "no")
    assert read_target(one.target, Table.of({"y": ["YES", "yes", "No"]})).y.tolist() == [
        *("Yes", "Yes", "no")
    ]


def test_extreme_and_skewed_numbers_are_told() -> None:
    rng = np.random.default_rng(0)
    usual = rng.normal(300, 50, 400)
    assert find(usual.tolist()).notes == ()
    slip = usual.copy()
    slip[17] = 3e8
    text = texts(find(slip.tolist()))
    assert "has 1 extreme value, such as 3e+08 in row 17 (counted from 0)" in text
    assert "skewed" not in text
    sentinel = usual.copy()
    sentinel[5] = -9999
    assert "such as -9999 in row 5" in texts(find(sentinel.tolist()))
    skewed = find(np.exp(rng.normal(5, 1.2, 400)).tolist())
    assert "is strongly skewed" in texts(skewed)
    assert "learned as it is; --log-target decides otherwise" in texts(skewed)
    assert "extreme" not in texts(skewed)


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


def test_what_the_network_learns_and_back() -> None:
    y = np.array([0.0, 1, 9, 99])
    for log in (False, True):
        target = Target("y", "number").fitted(y, log)
        learned = target.transform(y)
        assert learned.mean() == pytest.approx(0, abs=1e-12)
        assert learned.std() == pytest.approx(1)
        np.testing.assert_allclose(target.inverse_transform(learned.reshape(-1, 1)), y, atol=1e-12)
    assert target.shift == 1
    np.testing.assert_allclose(np.diff(learned) * target.scale, np.diff(np.log1p(y)))
    assert Target("y", "number").fitted(y[1:], True).shift == 0
    assert Target("y", "number").fitted(np.full(3, 5.0)).scale == 1
    with pytest.raises(ValueError, match="has negative numbers, such as -1"):
        Target("y", "number").fitted(np.array([-1.0, 2]), True)
    with pytest.raises(ValueError, match="numbers without one"):
        target.transform(np.array([-5.0]))


@pytest.mark.parametrize(
    "wrong", [{"kind": "odd"}, {"scale": 0.0}, {"classes": (1,)}, {"decimal": ";"}, {"mean": "0"}]
)
def test_targets_that_cannot_be(wrong: dict) -> None:
    with pytest.raises((TypeError, ValueError)):
        Target(**{"name": "y", "kind": "number", **wrong})
