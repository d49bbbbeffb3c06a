"""Training that goes on: further fits, steps and resets, none of which changes a bit of it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from continued_fits import SCHEDULES, SPECS, classes, fit, network
from states import assert_same, contents


@pytest.mark.parametrize("name", SPECS)
def test_two_fits_are_one(backend: str, name: str) -> None:
    """Schedules, shuffles, dropout and the optimizer's state go on."""
    twice, once = network(backend, SPECS[name]), network(backend, SPECS[name])
    first, second = fit(twice, 3), fit(twice, 3)
    whole = fit(once, 6)
    assert_same(twice, once)
    assert first["loss"] + second["loss"] == whole["loss"] == twice.history["loss"]
    assert first["learning_rate"] + second["learning_rate"] == whole["learning_rate"]
    assert (first.epochs, second.epochs) == ([0, 1, 2], [3, 4, 5])
    assert twice.history.epochs == whole.epochs == [0, 1, 2, 3, 4, 5]
    if name in SCHEDULES:
        assert len(set(whole["learning_rate"])) > 1


def test_two_fits_are_one_with_a_random_validation_split(backend: str) -> None:
    twice, once = network(backend), network(backend)
    split: dict[str, Any] = {"validation_split": 0.3, "validation_data": None}
    fit(twice, 2, **split)
    fit(twice, 2, **split)
    fit(once, 4, **split)
    assert_same(twice, once)


@pytest.mark.parametrize("name", ["adam", "nadam", "plateau", "ftrl"])
def test_reset_begins_anew(backend: str, name: str) -> None:
    model, other = network(backend, SPECS[name]), network(backend, SPECS[name])
    built = network(backend, SPECS[name]).build(4)
    fit(model, 4)
    model.reset()
    assert len(model.history) == 0
    assert model.classes is None
    assert_same(model, built)
    fit(model, 3)
    fit(other, 3)
    assert_same(model, other)


def test_reset_forgets_labels(backend: str) -> None:
    X, y = classes()
    model = network(backend)
    fit(model, 1)
    with pytest.raises(ValueError, match="labels"):
        model.fit(X, np.array(["a", "b", "c"])[y], epochs=1, verbose=0)
    model.reset()
    model.fit(X, np.array(["a", "b", "c"])[y], epochs=1, verbose=0)
    assert set(model.predict_classes(X)) <= {"a", "b", "c"}


def test_reset_before_anything_is_built(backend: str) -> None:
    model = network(backend)
    model.reset()
    fit(model, 1)
    other = network(backend)
    fit(other, 1)
    assert_same(model, other)


@pytest.mark.parametrize("name", ["adam", "one cycle"])
def test_steps_and_fits_may_alternate(backend: str, name: str) -> None:
    """A single step counts as a step, and not as an epoch."""
    X, y = classes()
    model, other = network(backend, SPECS[name]), network(backend, SPECS[name])
    fit(model, 1)
    model.train_step(X, y)
    assert contents(model)[1]["step"] == 6
    assert contents(model)[1]["epoch"] == 1
    fit(other, 1)
    other.train_step(X, y)
    fit(model, 1)
    fit(other, 1)
    assert_same(model, other)
    assert model.history.epochs == [0, 1]
