"""Orders, held out rows and batches of a fit."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from sklearn.model_selection import train_test_split
from sklearn.utils import shuffle
from twin_estimators import fit_both, made, quietly, tables

import fastmlp as fm
from fastmlp.estimators.stochastic import Order, Rows, batch_rows, reported, split


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


def test_rows_of_a_batch() -> None:
    assert batch_rows("auto", 1000) == 200
    assert batch_rows("auto", 30) == 30
    assert batch_rows(16, 30) == 16
    with pytest.warns(UserWarning, match="It is going to be clipped"):
        assert batch_rows(31, 30) == 30


def test_losses_of_squares_are_reported_as_means_over_outputs() -> None:
    assert reported(5.0, 1.0, 4, "identity") == 2.0
    assert reported(5.0, 1.0, 4, "logistic") == 5.0


def test_batches_that_are_clipped_are_told_of_alike() -> None:
    kind, X, y, _ = tables()["numbers"]
    both = made(kind, batch_size=500, max_iter=2)
    fit_both(both, "fit", X, y)
    assert any("clipped" in message for _, message in quietly(both[1].fit, X, y))


def test_the_best_weights_come_back() -> None:
    """Theirs loses them in a second fit that is worse."""
    _, X, y, _ = tables()["binary"]
    model = fm.MLPClassifier(early_stopping=True, warm_start=True, random_state=0, max_iter=20)
    quietly(model.fit, X, y)
    best, weights = model.best_validation_score_, model.coefs_[0].copy()
    model.set_params(solver="sgd", learning_rate_init=50.0, max_iter=3)
    quietly(model.fit, X, y)
    assert max(model.validation_scores_[-3:]) < best
    np.testing.assert_array_equal(model.coefs_[0], weights)


def test_an_interrupt_leaves_a_model(monkeypatch: pytest.MonkeyPatch) -> None:
    _, X, y, _ = tables()["binary"]
    model = fm.MLPClassifier(random_state=0)
    calls = []

    def interrupted(self: Order) -> None:
        calls.append(self)
        if len(calls) == 4:
            raise KeyboardInterrupt

    monkeypatch.setattr(Order, "draw", interrupted)
    with pytest.warns(UserWarning, match="Training interrupted by user"):
        model.fit(X, y)
    assert model.n_iter_ == 3
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert model.predict(X).shape == y.shape


def test_early_stopping_does_not_go_with_single_epochs() -> None:
    _, X, y, _ = tables()["numbers"]
    with pytest.raises(ValueError, match="partial_fit does not support early_stopping=True"):
        fm.MLPRegressor(early_stopping=True).partial_fit(X, y)
