"""What a time limit leaves of a training."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from passing_time import Clock

from fastmlp.tabular import deadline
from fastmlp.tabular.deadline import Deadline
from fastmlp.tabular.hurry import within
from fastmlp.tabular.member import Member
from fastmlp.tabular.plan import Recipe

X = np.random.default_rng(0).normal(size=(400, 3)).astype("f4")
Y = X[:, 0] * X[:, 1]
PARTS = np.arange(400) % 5
FOLDS = [(np.flatnonzero(k != PARTS), np.flatnonzero(k == PARTS)) for k in range(5)]
RECIPE = Recipe(hidden=(8,), epochs=64)


def make(rows: np.ndarray, others: np.ndarray) -> Member:
    return Member(X, Y, 0, rows, others, [], RECIPE, None, 0)


def planned(seconds: float | None, beside: int = 1) -> tuple[Any, int]:
    folds, recipe = within(Deadline(seconds), FOLDS, RECIPE, beside, make)
    return folds, recipe.epochs


def test_without_a_limit_all_stays() -> None:
    assert planned(None) == (FOLDS, 64)


def test_first_epochs_go_then_networks_then_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    # A look at the clock is a second, an epoch of a network some of them.
    counts = []
    for seconds in (1e5, 300.0, 60.0, 25.0, 8.0):
        monkeypatch.setattr(deadline, "now", Clock(1.0))
        folds, epochs = planned(seconds)
        counts.append((len(folds), epochs, len(folds[0][0])))
    assert counts[0] == (5, 64, 320)
    assert counts[1][0] == 5
    assert 8 <= counts[1][1] < 64
    assert 1 < counts[2][0] < 5
    assert counts[3][0] == 1
    assert 1 < counts[3][1] < 8
    assert counts[4][:2] == (1, 1)
    assert counts[4][2] < 320
    # As many as there are cores train at once.
    monkeypatch.setattr(deadline, "now", Clock(1.0))
    alone = planned(300.0)
    monkeypatch.setattr(deadline, "now", Clock(1.0))
    both = planned(300.0, beside=2)
    assert both[1] > alone[1]


def test_no_time_for_a_look(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deadline, "now", Clock(1.0))
    folds, epochs = planned(1.5)
    assert (len(folds), epochs) == (1, 64)
