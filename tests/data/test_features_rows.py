"""Weights of rows, and which rows are for validation."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fastmlp.data.features import (
    check_weights,
    split_validation,
)

DTYPES = ["float32", "float64"]


def test_no_weights():
    assert check_weights(None, 3) is None


@pytest.mark.parametrize(
    "weights",
    [
        [0, 1, 2],
        (0.0, 1.0, 2.0),
        np.array([[0], [1], [2]], np.uint8),
        np.array([0, 9, 1, 9, 2], ">f8")[::2],
        np.array([0, 1, 2], object),
    ],
)
def test_weights_become_float64(weights):
    checked = check_weights(weights, 3)
    assert checked.dtype == np.float64
    assert checked.flags.c_contiguous
    np.testing.assert_array_equal(checked, [0, 1, 2])


@pytest.mark.parametrize("dtype", DTYPES)
def test_floating_weights_are_not_copied(dtype):
    weights = np.array([0, 1, 2], dtype)
    assert np.shares_memory(check_weights(weights, 3), weights)
    assert check_weights(weights, 3).dtype == dtype


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        ([1, 2], r"3 rows, got shape \(2,\)"),
        (1.0, r"got shape \(\)"),
        ([[1, 2, 3]], r"got shape \(1, 3\)"),
        (np.ones((3, 2)), r"got shape \(3, 2\)"),
        ([1, -1, -2], "not be negative: 2 values, the first -1 in row 1"),
        ([1, 2, np.nan], "sample_weight contains NaN or infinity: 1 value, the first in row 2"),
        ([1, 2, np.inf], "NaN or infinity"),
        ([0, 0, 0], "zero for every row"),
        ([1e308, 1e308, 1e308], "overflows"),
    ],
)
def test_wrong_weights(weights, message):
    with pytest.raises(ValueError, match=message):
        check_weights(weights, 3)


def test_weights_that_are_no_numbers():
    with pytest.raises(TypeError, match="sample_weight must be real numbers, got strings"):
        check_weights(["a", "b", "c"], 3)


def assert_is_split(training, validation, n_rows):
    for side in (training, validation):
        assert side.dtype == np.int64
        assert (np.diff(side) > 0).all()
    np.testing.assert_array_equal(np.sort(np.concatenate((training, validation))), range(n_rows))


def test_nothing_for_validation():
    training, validation = split_validation(5, 0.0, np.random.default_rng(0))
    np.testing.assert_array_equal(training, range(5))
    assert validation.size == 0


@pytest.mark.parametrize("classes", [None, np.arange(100) % 3])
def test_splits_follow_the_generator(classes):
    def draw(seed):
        return split_validation(100, 0.3, np.random.default_rng(seed), classes)[1]

    np.testing.assert_array_equal(draw(1), draw(1))
    assert not np.array_equal(draw(1), draw(2))


@settings(deadline=None, max_examples=60)
@given(n_rows=st.integers(2, 200), fraction=st.floats(0.001, 0.999), seed=st.integers(0, 9))
def test_plain_splits(n_rows, fraction, seed):
    rng = np.random.default_rng(seed)
    expected = int(n_rows * fraction + 0.5)
    if 0 < expected < n_rows:
        training, validation = split_validation(n_rows, fraction, rng)
        assert_is_split(training, validation, n_rows)
        assert validation.size == expected
    else:
        with pytest.raises(ValueError, match="leaves none for"):
            split_validation(n_rows, fraction, rng)


@settings(deadline=None, max_examples=100)
@given(
    counts=st.lists(st.integers(0, 40), min_size=1, max_size=6).filter(lambda c: max(c) > 1),
    fraction=st.floats(0.05, 0.95),
    seed=st.integers(0, 9),
)
def test_stratified_splits(counts, fraction, seed):
    rng = np.random.default_rng(seed)
    classes = rng.permutation(np.repeat(np.arange(len(counts)), counts))
    n_rows, counts = classes.size, np.bincount(classes, minlength=len(counts))
    wanted = int(n_rows * fraction + 0.5)
    if not 0 < wanted < n_rows:
        return
    training, validation = split_validation(n_rows, fraction, rng, classes)
    assert_is_split(training, validation, n_rows)
    room = np.maximum(counts - 1, 0)
    shares = np.bincount(classes[validation], minlength=len(counts))
    assert validation.size == min(wanted, room.sum())
    assert (shares <= room).all()
    # Quotas differ from their shares by less than a row, unless a tiny class gave its row away.
    if (counts * wanted <= room * n_rows).all():
        assert (np.abs(shares - counts * validation.size / n_rows) < 1).all()


def test_shares_by_largest_remainders_worked_by_hand():
    # Quotas 2.5 * (0.5, 0.3, 0.2) of 25 rows: wanted 8 -> 4, 2.4, 1.6 -> 4, 2, 2.
    classes = np.repeat([0, 1, 2], [50, 30, 20])
    _, validation = split_validation(100, 0.08, np.random.default_rng(0), classes)
    np.testing.assert_array_equal(np.bincount(classes[validation]), [4, 2, 2])


def test_equal_remainders_are_drawn():
    classes = np.repeat(np.arange(20), 2)
    drawn = np.zeros(20, int)
    rng = np.random.default_rng(0)
    for _ in range(200):
        _, validation = split_validation(40, 0.1, rng, classes)
        drawn += np.bincount(classes[validation], minlength=20)
    assert drawn.sum() == 800
    assert drawn.min() > 20


def test_rows_of_a_class_are_equally_likely():
    classes = np.array([0] * 10 + [1] * 10)
    rng = np.random.default_rng(0)
    drawn = sum(
        np.isin(np.arange(20), split_validation(20, 0.2, rng, classes)[1]) for _ in range(1000)
    )
    assert abs(drawn - 200).max() < 60


@pytest.mark.parametrize(
    ("n_rows", "fraction", "message"),
    [
        (1, 0.4, "of 1 row leaves none for validation"),
        (1, 0.5, "of 1 row leaves none for training"),
        (3, 0.1, "validation_split=0.1 of 3 rows leaves none for validation"),
        (3, 0.9, "leaves none for training"),
        (10, 1.0, r"validation_split must be a finite number in \[0, 1\)"),
        (10, -0.1, "validation_split must be"),
        (10, np.nan, "validation_split must be"),
    ],
)
def test_impossible_splits(n_rows, fraction, message):
    with pytest.raises(ValueError, match=message):
        split_validation(n_rows, fraction, np.random.default_rng(0))


@pytest.mark.parametrize("fraction", [True, "0.1", None])
def test_fractions_that_are_no_numbers(fraction):
    with pytest.raises(TypeError, match="validation_split must be a number"):
        split_validation(10, fraction, np.random.default_rng(0))


def test_classes_of_one_row_cannot_be_split():
    with pytest.raises(ValueError, match="every class has only one row"):
        split_validation(4, 0.5, np.random.default_rng(0), np.arange(4))
