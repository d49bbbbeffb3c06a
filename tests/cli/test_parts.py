"""Rows are cut as the options say, and a group is never split."""

from __future__ import annotations

from dataclasses import replace
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


def test_tables_are_cross_fitted_where_the_preset_says_so() -> None:
    for n, words, n_folds in ((50, (), 5), (5000, (), 5), (5000, ("--preset", "fast"), 1)):
        parts = cut(source(np.arange(n) % 2), given(*words), True)
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
    for is_recipe in (True, False):
        arguments = given("--validation_size", "0")
        parts = cut(source(np.arange(500) % 2), arguments, is_recipe)
        assert parts.folds == []


@pytest.mark.parametrize("n", [80, 500])
@pytest.mark.parametrize("is_recipe", [True, False])
def test_the_last_rows_on_request(n: int, is_recipe: bool) -> None:
    parts = cut(source(np.arange(n) % 2), given("--test-last"), is_recipe)
    check(parts, n)
    assert parts.test.tolist() == list(range(n - n // 5, n))
    if n >= FEWEST or is_recipe:
        ((training, held),) = parts.folds
        assert training.max() < held.min()


@pytest.mark.parametrize("n", [120, 3000])
@pytest.mark.parametrize("is_recipe", [True, False])
@pytest.mark.parametrize("numbers", [True, False])
def test_a_group_is_never_split(n: int, is_recipe: bool, numbers: bool) -> None:
    rng = np.random.default_rng(0)
    groups = np.array([f"g{number}" for number in rng.integers(0, 30, n)])
    y = rng.normal(size=n) if numbers else rng.integers(0, 3, n)
    for seed in range(5):
        arguments = given("--group", "g", "-s", str(seed))
        parts = cut(source(y, groups=groups), arguments, is_recipe)
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


def test_presets_cut_as_the_estimators_do() -> None:
    y = np.arange(500) % 2
    for preset, n_folds, n_members in (("fast", 1, 1), ("default", 5, 1), ("best", 10, 10)):
        parts = cut(source(y), given("--preset", preset), True)
        check(parts, 500)
        assert (len(parts.folds), parts.n_members) == (n_folds, n_members)
        # Several networks have learned from all rows together, each from some.
        assert len(parts.training) == (320 if preset == "fast" else 400)
    last = cut(source(y), given("--preset", "best", "--test-last"), True)
    assert [held.tolist() for _, held in last.folds] == [list(range(320, 400))] * 10
    assert last.training.tolist() == list(range(320))
    assert (
        len(cut(source(y), given("--preset", "best", "--validation_size", "0"), True).folds) == 10
    )


def test_copies_are_given_to_a_preset_as_one_row() -> None:
    size = np.random.default_rng(0).normal(size=100)[np.arange(150) % 100]
    copied = replace(source(size > 0), columns={"size": size})
    assert cut(copied, given(), True).n_copies == 0
    assert cut(copied, given("--preset", "fast", "--test-last"), True).n_copies == 0
    parts = cut(copied, given("--preset", "fast"), True)
    assert parts.n_copies == len(parts.learned) - len(np.unique(size[parts.learned])) > 0
    assert parts.weight is not None
    assert parts.weight.sum() == len(parts.learned)
    # Rows that are the same are all learned from, or all held.
    ((training, held),) = parts.folds
    both = [parts.spread(places) for places in (training, held)]
    np.testing.assert_array_equal(np.sort([*both[0][0], *both[1][0]]), parts.learned)
    for places, (rows, of_them) in zip((training, held), both, strict=True):
        np.testing.assert_array_equal(size[rows], size[parts.given[places]][of_them])
    np.testing.assert_array_equal(parts.training, both[0][0])


def test_an_estimator_prepares_few_rows_from_all() -> None:
    y = np.arange(22) % 2
    parts = cut(source(y), given("--preset", "fast"), True)
    assert len(parts.training) == 14
    np.testing.assert_array_equal(parts.prepared, parts.learned)
    larger = cut(source(np.arange(200) % 2), given("--preset", "fast"), True)
    np.testing.assert_array_equal(larger.prepared, larger.training)
