"""Schedules of a fit's progress against values worked by hand and pytabkit's definitions."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

import fastmlp as fm
from fastmlp.declarations.learning_rate import Schedule
from fastmlp.declarations.progress import CosLog, FlatAnneal, FlatCosine
from fastmlp.declarations.schedules import (
    CosineDecay,
    ExponentialDecay,
    InverseTimeDecay,
    OneCycle,
    ReduceOnPlateau,
    StepDecay,
)
from fastmlp.kernels.typing import Array


def values(schedule: Any, epochs: int, steps: int, **arguments: Any) -> Array:
    return np.concatenate(
        [schedule.rates(epoch, steps, schedule.start(), **arguments) for epoch in range(epochs)]
    )


def test_cos_log_by_hand() -> None:
    # log2(1 + 15 t) is a whole number at t = 0, 1/15, 3/15, 7/15, 1: there the value is 0. It lies
    # half way between two of them where 1 + 15 t = 2**(k + 1/2): there it is the maximum.
    found = values(CosLog(0.04, epochs=15), 15, 1)
    np.testing.assert_allclose(found[[0, 1, 3, 7]], 0.0, atol=1e-15)
    one_cycle = CosLog(2.0, epochs=1, periods=1).rates(0, 1000, {})
    assert np.argmax(one_cycle) == round(1000 * (math.sqrt(2) - 1))
    assert one_cycle.max() == pytest.approx(2.0, abs=1e-5)


@pytest.mark.parametrize("periods", [1, 3, 4])
def test_cos_log_is_pytabkits(periods: int) -> None:
    t = np.arange(60) / 60
    expected = 0.5 * (1 - np.cos(2 * np.pi * np.log2(1 + (2**periods - 1) * t)))
    found = values(CosLog(0.3, 12, periods=periods), 12, 5)
    np.testing.assert_allclose(found, 0.3 * expected, rtol=1e-13)


def test_flat_cosine_by_hand() -> None:
    half = math.sqrt(0.5) / 2
    expected = [1.0, 1.0, 1.0, 1.0, 1.0, 0.5 + half, 0.5, 0.5 - half]
    np.testing.assert_allclose(values(FlatCosine(0.2, 4), 4, 2), 0.2 * np.array(expected))


def test_flat_anneal_by_hand() -> None:
    # A quarter, half and three quarters of the way from 1 at t = 0.6 down to 1e-5.
    share = np.array([0.5 + math.sqrt(0.5) / 2, 0.5, 0.5 - math.sqrt(0.5) / 2])
    expected = [*np.ones(7), *(1e-5 + (1 - 1e-5) * share)]
    np.testing.assert_allclose(values(FlatAnneal(1.0, 5), 5, 2), expected, rtol=1e-12)


def test_they_stay_at_their_end() -> None:
    np.testing.assert_allclose(FlatCosine(0.2, 3).rates(7, 4, {}), np.zeros(4), atol=1e-16)
    np.testing.assert_allclose(FlatAnneal(0.2, 3).rates(3, 2, {}), np.full(2, 2e-6))
    np.testing.assert_allclose(CosLog(0.2, 3).rates(3, 2, {}), np.zeros(2), atol=1e-15)


@pytest.mark.parametrize("schedule", [CosLog(0.3), FlatCosine(0.3), FlatAnneal(0.3)])
def test_without_epochs_it_is_the_fit_s_progress(schedule: Any) -> None:
    counted = type(schedule)(0.3, epochs=4)
    first = [counted.rates(epoch, 3, {}) for epoch in range(4)]
    # A fit of four epochs, from epoch 10 on.
    found = [schedule.rates(epoch, 3, {}, span=(10, 4)) for epoch in range(10, 14)]
    np.testing.assert_array_equal(found, first)
    # Outside of a fit, as at the beginning of one.
    assert schedule.rates(10, 1, {})[0] == first[0][0]


def test_a_factor_multiplies_the_maximum() -> None:
    assert 0.04 * CosLog(periods=5) == CosLog(0.04, periods=5)
    assert 2 * FlatCosine(0.1, 7) == FlatCosine(0.2, 7)
    with pytest.raises(TypeError):
        "0.1" * FlatCosine()  # type: ignore[operator]


@pytest.mark.parametrize(
    "schedule",
    [
        *(CosLog(0.4, 9), FlatCosine(0.4, 9), FlatAnneal(0.4, 9), OneCycle(0.4, 9)),
        *(CosineDecay(0.4, 9), CosineDecay(0.1, 9, 0.4), StepDecay(0.4, 0.5, 2)),
        *(ExponentialDecay(0.4, 0.9), InverseTimeDecay(0.4, 1.0), ReduceOnPlateau(0.4)),
        fm.Constant(0.4),
    ],
)
def test_the_largest_value(schedule: Schedule) -> None:
    rates = [np.max(schedule.rates(epoch, 50, schedule.start())) for epoch in range(12)]
    assert schedule.largest == 0.4
    assert max(rates) == pytest.approx(0.4, rel=1e-2)
    assert max(rates) <= 0.4


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: CosLog(0), "maximum must be a finite number > 0, got 0"),
        (lambda: CosLog(0.1, 0), "epochs must be an integer >= 1, got 0"),
        (lambda: CosLog(0.1, periods=0), "periods must be an integer >= 1, got 0"),
        (lambda: FlatCosine(-0.1), "maximum must be a finite number > 0, got -0.1"),
        (
            lambda: fm.Dropout(FlatCosine()),
            r"the largest rate of FlatCosine must be a finite number in \[0, 1\), got 1.0",
        ),
        (
            lambda: fm.AdamW(weight_decay=-1),
            "weight_decay must be a finite number >= 0, got -1",
        ),
    ],
)
def test_refused_values(make: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make()


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: fm.Dropout("0.1"), "rate must be a number or a schedule, got '0.1'"),
        (lambda: fm.AdamW(weight_decay=None), "weight_decay must be a number or a schedule"),
        (lambda: FlatCosine(0.1, 2.5), "epochs must be an integer, got 2.5"),
    ],
)
def test_refused_types(make: Any, message: str) -> None:
    with pytest.raises(TypeError, match=message):
        make()
