"""Rows are cut as the options say, and a group is never split."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from given import given

from fastmlp.cli.data import Source
from fastmlp.cli.parts import FEWEST, Parts, cut
from fastmlp.tables.schema import Schema
from fastmlp.tables.target import Target


def source(y: Any, **more: Any) -> Source:
    y = np.asarray(y)
    classes = () if y.dtype.kind == "f" else tuple(map(str, np.unique(y)))
    target = Target("y", "number", classes)
    return Source("t", {}, Schema(()), y, target, np.arange(len(y)), **more)


def check(parts: Parts, n: int) -> None:
    """No row is lost, none is in two parts, and each held row is held once."""
    np.testing.assert_array_equal(np.sort([*parts.learned, *parts.test]), np.arange(n))
    assert np.all(np.diff(parts.learned) > 0)
    for training, held in parts.folds:
        both = np.sort([*training, *held])
        np.testing.assert_array_equal(both, np.arange(len(parts.learned)))
    if len(parts.folds) > 1:
        every = np.sort(np.concatenate([held for _, held in parts.folds]))
        np.testing.assert_array_equal(every, np.arange(len(parts.learned)))


def test_defaults_of_tables_and_of_data_sets() -> None:
    table, data_set = given(), given("-d", "iris")
    assert (table.validation_size, table.patience) == (0.2, 20)
    assert (data_set.validation_size, data_set.patience) == (0.0, 0)
    off = given("--validation-size", "0", "--patience", "0")
    assert (off.validation_size, off.patience) == (0.0, 0)


def test_small_tables_are_cross_fitted_and_large_ones_cut_once() -> None:
    for n, n_folds in ((50, 5), (1000, 5), (5000, 1)):
        parts = cut(source(np.arange(n) % 2), given(), True)
        check(parts, n)
        assert len(parts.test) == n // 5
        assert len(parts.folds) == n_folds
    assert len(cut(source(np.arange(90) % 2), given("--validation-size", "0.5"), True).folds) == 2
    np.testing.assert_array_equal(parts.training, parts.learned[parts.folds[0][0]])


def test_a_described_network_has_validation_rows_from_a_hundred_on() -> None:
    n = FEWEST * 5 // 4
    assert len(cut(source(np.arange(n) % 2), given(), False).folds) == 1
    few = cut(source(np.arange(n - 4) % 2), given(), False)
    assert few.folds == []
    np.testing.assert_array_equal(few.training, few.learned)
    asked = cut(source(np.arange(n - 4) % 2), given("--validation-size", "0.2"), False)
    assert len(asked.folds) == 1


def test_no_validation_rows_on_request() -> None:
    for may_cross_fit in (True, False):
        arguments = given("--validation_size", "0")
        parts = cut(source(np.arange(500) % 2), arguments, may_cross_fit)
        assert parts.folds == []


@pytest.mark.parametrize("n", [80, 500])
@pytest.mark.parametrize("may_cross_fit", [True, False])
def test_the_last_rows_on_request(n: int, may_cross_fit: bool) -> None:
    parts = cut(source(np.arange(n) % 2), given("--test-last"), may_cross_fit)
    check(parts, n)
    assert parts.test.tolist() == list(range(n - n // 5, n))
    if n >= FEWEST or may_cross_fit:
        ((training, held),) = parts.folds
        assert training.max() < held.min()


@pytest.mark.parametrize("n", [120, 3000])
@pytest.mark.parametrize("may_cross_fit", [True, False])
@pytest.mark.parametrize("numbers", [True, False])
def test_a_group_is_never_split(n: int, may_cross_fit: bool, numbers: bool) -> None:
    rng = np.random.default_rng(0)
    groups = np.array([f"g{number}" for number in rng.integers(0, 30, n)])
    y = rng.normal(size=n) if numbers else rng.integers(0, 3, n)
    for seed in range(5):
        arguments = given("--group", "g", "-s", str(seed))
        parts = cut(source(y, groups=groups), arguments, may_cross_fit)
        check(parts, n)
        assert parts.folds or n < FEWEST * 5 // 4
        assert not {*groups[parts.test]} & {*groups[parts.learned]}
        learned = groups[parts.learned]
        for training, held in parts.folds:
            assert not {*learned[training]} & {*learned[held]}


def test_rows_of_a_table_of_their_own_are_the_test() -> None:
    is_test = np.repeat([False, True], [200, 40])
    groups = np.array([f"g{row % 10}" for row in range(200)] + [""] * 40)
    parts = cut(
        source(np.arange(240) % 2, is_test=is_test, groups=groups), given("--group", "g"), True
    )
    check(parts, 240)
    assert parts.test.tolist() == list(range(200, 240))
    for training, held in parts.folds:
        assert not {*groups[training]} & {*groups[held]}


def test_the_same_share_of_each_class_and_a_rare_one_is_learned() -> None:
    y = np.repeat([0, 1, 2], [400, 99, 1])
    for seed in range(5):
        parts = cut(source(y), given("-s", str(seed)), True)
        assert np.bincount(y[parts.test]).tolist() in ([80, 20], [80, 20, 0])
        for _, held in parts.folds:
            assert 15 <= (y[parts.learned][held] == 1).sum() <= 17


def test_a_class_that_nothing_is_learned_of() -> None:
    y = np.repeat([0, 1], [80, 20])
    with pytest.raises(ValueError, match="of the class 1; the rows are sorted by class"):
        cut(source(y), given("--test-last"), True)
    few = np.append(np.zeros(50, int), 1)
    for case, words, told in (
        (source(few, groups=few.astype(str)), ("--group", "g"), "all its rows are in groups of"),
        (source(few), ("--no-stratify",), "leave out --no_stratify"),
    ):
        # The lone row is drawn for the test by some seeds.
        errors = [error for seed in range(60) if (error := error_of_cut(case, *words, seed=seed))]
        assert errors
        assert all(f"no training row is of the class 1; {told}" in error for error in errors)


def error_of_cut(case: Source, *words: str, seed: int) -> str:
    try:
        cut(case, given(*words, "-s", str(seed)), True)
    except ValueError as error:
        return str(error)
    return ""


def test_numbers_are_not_drawn_by_class() -> None:
    with pytest.raises(ValueError, match="this is a regression"):
        cut(source(np.arange(50.0)), given("--stratify"), True)
