"""Rows cut into parts."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fastmlp.data.split import folds, split

SHARES = {"validation": 0.2, "test": 0.2}


def test_each_row_is_in_one_part_and_parts_have_their_shares() -> None:
    parts = split(101, SHARES, seed=3)
    assert list(parts) == ["training", "validation", "test"]
    assert sorted(np.concatenate(list(parts.values()))) == list(range(101))
    assert [len(rows) for rows in parts.values()] == [61, 20, 20]
    assert all((np.diff(rows) > 0).all() for rows in parts.values())
    again, other = split(101, SHARES, seed=3), split(101, SHARES, seed=4)
    assert all((again[name] == rows).all() for name, rows in parts.items())
    assert (other["test"] != parts["test"]).any()


def test_classes_keep_their_shares() -> None:
    classes = np.repeat([0, 1, 2], [700, 250, 50])
    parts = split(1000, SHARES, seed=0, classes=classes)
    counts = {name: np.bincount(classes[rows]).tolist() for name, rows in parts.items()}
    assert counts == {
        "training": [420, 150, 30],
        "validation": [140, 50, 10],
        "test": [140, 50, 10],
    }


@given(st.lists(st.integers(0, 6), min_size=12, max_size=60), st.integers(0, 50))
def test_a_rare_class_is_in_the_training_rows_first(labels: list[int], seed: int) -> None:
    _, classes = np.unique(labels, return_inverse=True)
    if len(set(labels)) > 6:
        return
    parts = split(len(classes), SHARES, seed=seed, classes=classes)
    assert set(classes[parts["training"]]) == set(classes)
    wanted = round(0.2 * len(classes))
    assert len(parts["test"]) <= wanted
    assert len(parts["validation"]) <= wanted


def test_the_last_rows_are_the_test() -> None:
    parts = split(10, SHARES, seed=0, in_order=True)
    assert parts["test"].tolist() == [8, 9]
    assert parts["validation"].tolist() == [6, 7]
    # A run of equal groups stays together, in the part where it begins.
    groups = np.array([0, 0, 0, 0, 0, 0, 1, 1, 1, 2])
    parts = split(10, SHARES, seed=0, groups=groups, in_order=True)
    assert parts["test"].tolist() == [9]
    assert parts["validation"].tolist() == [6, 7, 8]


@given(st.lists(st.integers(0, 30), min_size=30, max_size=200), st.integers(0, 20))
def test_a_group_is_never_split(groups: list[int], seed: int) -> None:
    codes = np.array(groups)
    try:
        parts = split(len(codes), SHARES, seed=seed, groups=codes)
    except ValueError as error:
        assert "too few groups" in str(error)  # noqa: PT017
        return
    found = [set(codes[rows]) for rows in parts.values()]
    assert len(set.union(*found)) == sum(map(len, found))
    assert sum(map(len, parts.values())) == len(codes)


def test_too_few_rows() -> None:
    with pytest.raises(ValueError, match="of 2 rows no row is left for the training"):
        split(2, SHARES, seed=0)
    with pytest.raises(ValueError, match="too few groups for the (validation|test) part"):
        split(100, SHARES, seed=0, groups=np.zeros(100, int))


def test_each_row_is_held_once() -> None:
    classes = np.repeat([0, 1, 2], [60, 33, 7])
    found = folds(100, 5, seed=0, classes=classes)
    assert len(found) == 5
    assert sorted(np.concatenate([held for _, held in found])) == list(range(100))
    for training, held in found:
        assert sorted([*training, *held]) == list(range(100))
        counts = np.bincount(classes[held], minlength=3)
        assert counts[0] == 12
        assert 6 <= counts[1] <= 7
        assert 1 <= counts[2] <= 2
    assert any((a[1] != b[1]).any() for a, b in zip(found, folds(100, 5, seed=1), strict=True))


@given(st.lists(st.integers(0, 12), min_size=10, max_size=80), st.integers(2, 6))
def test_groups_are_held_together(groups: list[int], k: int) -> None:
    codes = np.array(groups)
    if len(set(groups)) < 2:
        with pytest.raises(ValueError, match="too few groups"):
            folds(len(codes), k, seed=0, groups=codes)
        return
    found = folds(len(codes), k, seed=0, groups=codes)
    assert len(found) == min(k, len(set(groups)))
    for training, held in found:
        assert not set(codes[training]) & set(codes[held])
