"""Orders, held out rows and batches of a fit."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.model_selection import train_test_split
from sklearn.utils import shuffle

from fastmlp.estimators.rows import Order, Rows, batch_rows, split


def test_each_order_shuffles_the_last() -> None:
    order = Order(np.arange(20), np.random.RandomState(3))
    rng, expected, memory = np.random.RandomState(3), np.arange(20), order.rows
    for _ in range(3):
        expected = shuffle(expected, random_state=rng)
        order.draw()
        np.testing.assert_array_equal(order.rows, expected)
    assert order.rows is memory


def test_without_a_generator_the_order_stays() -> None:
    order = Order(np.array([3, 1, 2]), None)
    order.draw()
    assert order.rows.tolist() == [3, 1, 2]


def test_held_out_rows_are_theirs() -> None:
    X, strata = np.arange(40.0).reshape(20, 2), np.arange(20) % 4 == 0
    rows = Rows(X, np.zeros((20, 1)), None, strata)
    train, held = split(rows, 0.4, np.random.RandomState(5))
    expected = train_test_split(X, random_state=5, test_size=0.4, stratify=strata)
    np.testing.assert_array_equal(X[train], expected[0])
    np.testing.assert_array_equal(rows.take(held).x, expected[1])
    assert rows.take(held).weight is None


def test_too_few_rows_are_held_out() -> None:
    rows = Rows(np.zeros((10, 2)), np.zeros((10, 1)), np.ones(10))
    with pytest.raises(ValueError, match="The validation set is too small"):
        split(rows, 0.1, np.random.RandomState(0))


def test_held_out_rows_that_do_not_count() -> None:
    weight = np.zeros(10)
    rows = Rows(np.zeros((10, 2)), np.zeros((10, 1)), weight)
    with pytest.raises(ValueError, match=r"held out have weight 0.* give .* X_val and y_val"):
        split(rows, 0.5, np.random.RandomState(0))
    weight[:] = 1
    assert len(split(rows, 0.5, np.random.RandomState(0))[1]) == 5


def test_rows_of_a_batch() -> None:
    assert batch_rows("auto", 1000) == 200
    assert batch_rows("auto", 30) == 30
    assert batch_rows(16, 30) == 16
    with pytest.warns(UserWarning, match="It is going to be clipped"):
        assert batch_rows(31, 30) == 30
