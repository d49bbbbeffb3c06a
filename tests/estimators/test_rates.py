"""The three rules of the learning rate."""

from __future__ import annotations

import pytest

import fastmlp as fm
from fastmlp.estimators.rates import Rate


def test_constant() -> None:
    rate = Rate("constant", 0.1, 0.5)
    rate.end_epoch(100)
    assert rate.stalls() == (True, "Stopping.")
    assert rate.learning_rate == 0.1


def test_by_the_rows_seen() -> None:
    rate = Rate("invscaling", 0.6, 0.5)
    rate.end_epoch(8)
    assert rate.learning_rate == pytest.approx(0.2)
    rate.end_epoch(35)
    assert rate.learning_rate == pytest.approx(0.1)
    assert rate.stalls()[0]


def test_divided_until_it_is_small() -> None:
    rate = Rate("adaptive", 2e-6, 0.5)
    assert rate.stalls() == (False, "Setting learning rate to 0.000000")
    assert rate.learning_rate == pytest.approx(4e-7)
    assert rate.stalls() == (True, "Learning rate too small. Stopping.")


def test_adam_has_one_rate() -> None:
    adam = fm.MLPClassifier(learning_rate="adaptive", learning_rate_init=0.3)
    assert (Rate.of(adam).rule, Rate.of(adam).learning_rate) == ("constant", 0.3)
    sgd = fm.MLPClassifier(solver="sgd", learning_rate="adaptive")
    assert Rate.of(sgd).rule == "adaptive"
