"""Schedules against hand-written formulas and torch's schedulers."""

from __future__ import annotations

import json
import math
from typing import Any

import numpy as np
import pytest

from fastmlp.declarations.learning_rate import Constant, Schedule
from fastmlp.declarations.schedules import (
    CosineDecay,
    ExponentialDecay,
    InverseTimeDecay,
    OneCycle,
    ReduceOnPlateau,
    StepDecay,
)


def rate(schedule: Schedule, epoch: int) -> float:
    value = schedule.rates(epoch, 7, schedule.start())
    assert type(value) is float
    return value


@pytest.mark.parametrize(
    ("schedule", "expected"),
    [
        (Constant(0.3), [0.3, 0.3, 0.3, 0.3]),
        (ExponentialDecay(0.8, 0.5), [0.8, 0.4, 0.2, 0.1]),
        (InverseTimeDecay(0.6, 0.5), [0.6, 0.4, 0.3, 0.24]),
        (StepDecay(0.8, 0.5, 2), [0.8, 0.8, 0.4, 0.4, 0.2, 0.2, 0.1]),
        (StepDecay(0.8, 0.5, 1), [0.8, 0.4, 0.2]),
        (CosineDecay(0.8, 4), [0.8, 0.4 + 0.4 * math.sqrt(0.5), 0.4, 0.4 - 0.4 * math.sqrt(0.5)]),
        (CosineDecay(1.0, 2, final=0.2), [1.0, 0.6, 0.2, 0.2, 0.2]),
    ],
)
def test_rates_by_epoch(schedule: Schedule, expected: list[float]) -> None:
    assert schedule.start() == {}
    rates = [rate(schedule, epoch) for epoch in range(len(expected))]
    np.testing.assert_allclose(rates, expected, rtol=1e-14)
    assert schedule.observe({"loss": 1.0}, {}) == {}


def test_cosine_ends_exactly_on_final() -> None:
    assert rate(CosineDecay(0.8, 4), 4) == 0.0
    assert rate(CosineDecay(0.8, 4, final=0.1), 1000) == 0.1


def test_decays_far_out() -> None:
    assert rate(ExponentialDecay(0.1, 0.5), 10_000) == 0.0
    assert rate(InverseTimeDecay(0.1, 1.0), 10**9) > 0


def one_cycle_by_hand(maximum: float, total: int, step: int) -> float:
    """The definition, step by step: up over 30 % of the steps, then down."""
    first, last, peak = maximum / 25, maximum / 25e4, 0.3 * total - 1
    if step <= peak:
        start, stop, fraction = first, maximum, step / peak
    else:
        start, stop, fraction = maximum, last, (step - peak) / (total - 1 - peak)
    return stop + (start - stop) * (1 + math.cos(math.pi * fraction)) / 2


def one_cycle(maximum: float, epochs: int, steps: int) -> list[float]:
    """All rates of the cycle, in the form in which each epoch must give them."""
    schedule = OneCycle(maximum, epochs)
    assert schedule.start() == {}
    rates: list[float] = []
    for epoch in range(epochs):
        values = schedule.rates(epoch, steps, {})
        assert isinstance(values, np.ndarray)
        assert values.dtype == np.float64
        assert values.shape == (steps,)
        rates += values.tolist()
    return rates


@pytest.mark.parametrize(("epochs", "steps"), [(1, 1), (1, 2), (3, 1), (5, 4), (10, 1), (4, 25)])
def test_one_cycle_by_hand(epochs: int, steps: int) -> None:
    total = epochs * steps
    expected = [one_cycle_by_hand(0.5, total, step) for step in range(total)]
    np.testing.assert_allclose(one_cycle(0.5, epochs, steps), expected, rtol=1e-13)


def test_one_cycle_stays_at_its_end() -> None:
    np.testing.assert_allclose(OneCycle(0.5, 3).rates(3, 4, {}), np.full(4, 0.5 / 25e4), rtol=1e-12)


def test_one_cycle_peak() -> None:
    rates = one_cycle(0.5, 10, 10)
    assert rates[0] == pytest.approx(0.02)
    assert rates[29] == max(rates) == pytest.approx(0.5)
    assert rates[-1] == pytest.approx(2e-6)


def run_plateau(schedule: ReduceOnPlateau, losses: list[float]) -> list[float]:
    """The rate after each epoch; the state goes through JSON as in a saved model."""
    state = schedule.start()
    rates = []
    for epoch, loss in enumerate(losses):
        before = dict(state)
        new = schedule.observe({schedule.monitor: loss}, state)
        assert state == before, "observe must leave the state it is given alone"
        state = json.loads(json.dumps(new))
        value = schedule.rates(epoch + 1, 5, state)
        assert isinstance(value, float)
        rates.append(value)
    return rates


def test_reduce_on_plateau_by_hand() -> None:
    schedule = ReduceOnPlateau(0.8, factor=0.5, patience=1, minimum=0.3)
    assert rate(schedule, 0) == 0.8
    losses = [3.0, 2.0, 2.0, 2.5, 2.1, 1.0, 1.0, 1.0, 1.0, 1.0]
    # bad:    -    -    1    2    1    -    1    2    1    2
    expected = [0.8, 0.8, 0.8, 0.4, 0.4, 0.4, 0.4, 0.3, 0.3, 0.3]
    assert run_plateau(schedule, losses) == expected


def test_reduce_on_plateau_without_patience() -> None:
    schedule = ReduceOnPlateau(0.8, factor=0.5, patience=0)
    assert run_plateau(schedule, [1.0, 1.0, 1.0, 0.5]) == [0.8, 0.4, 0.2, 0.2]


def test_nan_is_never_better() -> None:
    schedule = ReduceOnPlateau(0.8, factor=0.5, patience=0)
    assert run_plateau(schedule, [math.nan, 1.0, math.nan]) == [0.4, 0.4, 0.2]


@pytest.mark.parametrize("monitor", ["accuracy", "val_accuracy", "val_r2"])
def test_scores_rise(monitor: str) -> None:
    schedule = ReduceOnPlateau(0.8, factor=0.5, patience=0, monitor=monitor)
    assert run_plateau(schedule, [0.5, 0.6, 0.7, 0.7, 0.6]) == [0.8, 0.8, 0.8, 0.4, 0.2]


def test_unknown_monitor() -> None:
    schedule = ReduceOnPlateau(0.1, monitor="val_loss")
    with pytest.raises(ValueError, match="cannot monitor 'val_loss', this fit has: loss, seconds;"):
        schedule.observe({"loss": 1.0, "seconds": 0.1}, schedule.start())
    with pytest.raises(ValueError, match=r"cannot monitor 'los', this fit has: loss$"):
        ReduceOnPlateau(0.1, monitor="los").observe({"loss": 1.0}, schedule.start())


def test_defaults() -> None:
    assert ReduceOnPlateau(0.1) == ReduceOnPlateau(
        initial=0.1, factor=0.1, patience=10, minimum=0.0, monitor="loss"
    )
    assert CosineDecay(0.1, 5) == CosineDecay(initial=0.1, epochs=5, final=0.0)


@pytest.mark.parametrize(
    ("cls", "arguments", "message"),
    [
        (Constant, (-1,), "rate must be a finite number >= 0, got -1"),
        (ExponentialDecay, (0, 0.5), "initial must be a finite number > 0, got 0"),
        (ExponentialDecay, (0.1, 0), r"rate must be a finite number in \(0, 1\], got 0"),
        (ExponentialDecay, (0.1, 1.1), r"rate must be a finite number in \(0, 1\], got 1.1"),
        (InverseTimeDecay, (-1, 0.5), "initial must be a finite number > 0, got -1"),
        (InverseTimeDecay, (0.1, -0.5), "rate must be a finite number >= 0, got -0.5"),
        (StepDecay, (0.1, 2, 3), r"rate must be a finite number in \(0, 1\], got 2"),
        (StepDecay, (0.1, 0.5, 0), "every must be an integer >= 1, got 0"),
        (CosineDecay, (0, 5), "initial must be a finite number > 0, got 0"),
        (CosineDecay, (0.1, 0), "epochs must be an integer >= 1, got 0"),
        (CosineDecay, (0.1, 5, -1), "final must be a finite number >= 0, got -1"),
        (OneCycle, (0, 5), "maximum must be a finite number > 0, got 0"),
        (OneCycle, (0.1, -5), "epochs must be an integer >= 1, got -5"),
        (ReduceOnPlateau, (0,), "initial must be a finite number > 0, got 0"),
        (ReduceOnPlateau, (0.1, 1), r"factor must be a finite number in \(0, 1\), got 1"),
        (ReduceOnPlateau, (0.1, 0.5, -1), "patience must be an integer >= 0, got -1"),
        (ReduceOnPlateau, (0.1, 0.5, 1, 0.2), r"minimum must be a finite number in \[0, 0.1\]"),
    ],
)
def test_refused_values(cls: Any, arguments: tuple[Any, ...], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        cls(*arguments)


@pytest.mark.parametrize(
    ("cls", "arguments", "message"),
    [
        (ExponentialDecay, ("0.1", 0.5), "initial must be a number, got '0.1'"),
        (StepDecay, (0.1, 0.5, 2.0), "every must be an integer, got 2.0"),
        (OneCycle, (0.1, 2.5), "epochs must be an integer, got 2.5"),
        (ReduceOnPlateau, (0.1, 0.5, 1, 0, None), "monitor must be a name, got None"),
    ],
)
def test_refused_types(cls: Any, arguments: tuple[Any, ...], message: str) -> None:
    with pytest.raises(TypeError, match=message):
        cls(*arguments)


def torch_optimizer(torch: Any, learning_rate: float) -> Any:
    return torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=learning_rate)


@pytest.mark.parametrize(("epochs", "steps"), [(1, 2), (3, 1), (5, 4), (7, 13)])
def test_one_cycle_is_torchs(epochs: int, steps: int) -> None:
    torch = pytest.importorskip("torch")
    optimizer = torch_optimizer(torch, 0.1)
    scheduler = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, max_lr=0.3, epochs=epochs, steps_per_epoch=steps
    )
    ours = one_cycle(0.3, epochs, steps)
    for step in range(epochs * steps):
        if step:
            optimizer.step()
            scheduler.step()
        assert ours[step] == pytest.approx(optimizer.param_groups[0]["lr"], rel=1e-12)


def test_cosine_decay_is_torchs() -> None:
    torch = pytest.importorskip("torch")
    optimizer = torch_optimizer(torch, 0.3)
    scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=9, eta_min=0.01)
    for epoch in range(10):
        ours = rate(CosineDecay(0.3, 9, final=0.01), epoch)
        assert ours == pytest.approx(optimizer.param_groups[0]["lr"], rel=1e-12)
        optimizer.step()
        scheduler.step()


@pytest.mark.parametrize("patience", [0, 1, 3])
@pytest.mark.parametrize("monitor", ["loss", "accuracy"])
def test_reduce_on_plateau_is_torchs(patience: int, monitor: str) -> None:
    torch = pytest.importorskip("torch")
    optimizer = torch_optimizer(torch, 0.3)
    scheduler = torch.optim.lr_scheduler.ReduceLROnPlateau(
        optimizer,
        mode="min" if monitor == "loss" else "max",
        factor=0.5,
        patience=patience,
        threshold=0.0,
        min_lr=1e-3,
    )
    values = np.random.default_rng(0).normal(size=60).round(1).tolist()
    values[20] = math.nan
    schedule = ReduceOnPlateau(0.3, factor=0.5, patience=patience, minimum=1e-3, monitor=monitor)
    expected = []
    for value in values:
        optimizer.step()
        scheduler.step(value)
        expected.append(optimizer.param_groups[0]["lr"])
    assert len(set(expected)) > 4
    np.testing.assert_allclose(run_plateau(schedule, values), expected, rtol=1e-14)
