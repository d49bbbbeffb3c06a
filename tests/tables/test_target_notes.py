"""What is told of a target."""

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
