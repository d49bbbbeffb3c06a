"""Rows are cut for one network, or for several."""

from __future__ import annotations

import numpy as np
import pytest

from fastmlp.tabular.folds import folds_for, folds_of, several_folds


def test_rows_are_cut_in_parts_or_once() -> None:
    for n in (100, 5000):
        assert len(folds_of(n, 0.2, seed=0)) == 5
        assert len(folds_of(n, 0.5, seed=0)) == 2
        ((training, held),) = folds_of(n, 0.2, seed=0, crosses=False)
        assert len(held) == 0.2 * (len(training) + len(held))
    assert folds_of(100, 0.0, seed=0) == []
    ((training, held),) = folds_of(100, 0.2, seed=0, in_order=True)
    assert training.max() < held.min()


@pytest.mark.parametrize("n", [2, 5, 8])
def test_several_networks_have_parts_of_their_own(n: int) -> None:
    groups = np.arange(100) // 4
    found = several_folds(100, 0.2, n, seed=0, groups=groups)
    assert len(found) == n
    for training, held in found:
        assert sorted([*training, *held]) == list(range(100))
        assert not {*groups[training]} & {*groups[held]}
    held = np.concatenate([held for _, held in found[:5]])
    assert len(np.unique(held)) == len(held)
    # Those of a further draw are other parts.
    assert len({tuple(held) for _, held in found}) == n


def test_more_networks_are_judged_by_less() -> None:
    for n, n_parts in ((2, 5), (5, 5), (8, 8), (10, 10), (20, 10)):
        found = several_folds(100, 0.2, n, seed=0)
        assert {len(held) for _, held in found} <= {100 // n_parts, 100 // n_parts + 1}
    # But each part has a group, as it would without.
    groups = np.arange(100) % 6
    assert len({tuple(held) for _, held in several_folds(100, 0.2, 6, seed=0, groups=groups)}) == 6
    found = several_folds(100, 0.2, 10, seed=0, groups=groups)
    assert all(not {*groups[rows]} & {*groups[held]} for rows, held in found)
    assert [len(held) for _, held in several_folds(4, 0.2, 10, seed=0)] == [1] * 10


def test_one_network_and_several() -> None:
    assert len(folds_for(100, 0.2, 1, seed=0)) == 5
    assert len(folds_for(100, 0.2, 1, seed=0, crosses=False)) == 1
    assert len({tuple(held) for _, held in folds_for(100, 0.2, 3, seed=0)}) == 3
    # Those that come last judge all of several networks.
    last = folds_for(100, 0.2, 3, seed=0, in_order=True)
    assert [held.tolist() for _, held in last] == [list(range(80, 100))] * 3
    assert folds_for(100, 0.0, 1, seed=0) == []
    without = folds_for(100, 0.0, 3, seed=0)
    assert [(len(rows), len(held)) for rows, held in without] == [(100, 0)] * 3


def test_classes_of_one_row_each_are_not_shared_out() -> None:
    lone = folds_for(50, 0.2, 1, seed=0, classes=np.arange(50))
    plain = folds_for(50, 0.2, 1, seed=0)
    for (_, held), (_, other) in zip(lone, plain, strict=True):
        np.testing.assert_array_equal(held, other)
