"""`find_learning_rate`: what it measures, what it suggests, and that the model stays as it is."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from architectures import HEADS, OPTIMIZERS, Run, optimizer, random_run
from states import contents

import fastmlp as fm
from fastmlp.inspection.range_test import RangeTest
from fastmlp.kernels.typing import Array

RNG = np.random.default_rng(2)
X = RNG.normal(size=(1000, 6))
NUMBERS = np.sin(X[:, 0]) + X[:, 1] * X[:, 2] + 0.1 * RNG.normal(size=1000)
CLASSES = np.digitize(NUMBERS, [-0.5, 0.5])


def network(backend: str = "numpy", last: Any = None, **arguments: Any) -> fm.Sequential:
    layers = [fm.Dense(32, "relu"), fm.Dropout(0.1), fm.Dense(32, "relu"), last or fm.Dense(1)]
    return fm.Sequential(layers, backend=backend, **{"random_state": 4, **arguments})


def test_rates_and_losses(backend: str) -> None:
    test = fm.find_learning_rate(network(backend), X, NUMBERS, steps=100)
    n = len(test.rates)
    assert 20 <= n <= 100
    assert test.losses.shape == test.smoothed.shape == (n,)
    assert test.rates[0] == 1e-7
    np.testing.assert_allclose(test.rates[1:] / test.rates[:-1], 1e8 ** (1 / 99), rtol=1e-9)
    assert np.isfinite(test.losses).all()
    assert np.isfinite(test.smoothed).all()
    # As good as no training happens at first; then the loss falls by half and more.
    assert abs(test.smoothed[:20] / test.smoothed[0] - 1).max() < 0.01
    assert test.smoothed.min() < 0.5 * test.smoothed[0]
    assert test.suggestion is not None
    assert 1e-4 < test.suggestion < 0.1
    assert f"suggested learning rate: {test.suggestion:.2g}" in str(test)


def test_losses_are_those_of_training_steps() -> None:
    """With all rows in each batch, and no dropout, the order of rows does not matter."""
    layers = [fm.Dense(32, "relu"), fm.Dense(1)]
    model = fm.Sequential(layers, backend="numpy", random_state=4).build(6)
    test = fm.find_learning_rate(model, X, NUMBERS, steps=30, batch_size=1000, highest=1e-2)
    for rate, loss in zip(test.rates, test.losses, strict=True):
        state = model.training_state.state
        optimizer = replace(model.optimizer, learning_rate=float(rate))
        state.program = replace(state.program, optimizers=(optimizer,))
        assert model.train_step(X, NUMBERS) == pytest.approx(loss, rel=1e-4)


def test_nothing_changes(backend: str) -> None:
    model, plain = network(backend), network(backend)
    for each in (model, plain):
        each.fit(X, NUMBERS, epochs=1, verbose=0)
    before = contents(model)
    fm.find_learning_rate(model, X, NUMBERS, steps=40)
    np.testing.assert_equal(contents(model), before)
    for each in (model, plain):
        each.fit(X, NUMBERS, epochs=1, verbose=0)
    np.testing.assert_equal(contents(model), contents(plain))


def test_a_model_that_is_not_built_stays_so() -> None:
    model = network()
    names = np.array(["a", "b", "c"])[CLASSES]
    fm.find_learning_rate(network(last=fm.Dense(3, "softmax")), X, names, steps=30)
    fm.find_learning_rate(model, X, NUMBERS, steps=30)
    with pytest.raises(ValueError, match="no parameters yet"):
        model.predict(X)
    assert model.classes is None


@pytest.mark.parametrize("classes", [False, True])
@pytest.mark.parametrize("kind", OPTIMIZERS)
def test_the_suggestion_is_a_good_rate(kind: str, classes: bool) -> None:
    """It trains well: better than a hundredth of it, and without leaving the finite numbers."""
    y: Array = CLASSES if classes else NUMBERS
    last = fm.Dense(3, "softmax") if classes else fm.Dense(1)
    # FTRL is for linear models: its first step draws all weights close to 0.
    layers = [last] if kind == "ftrl" else [fm.Dense(32, "relu"), fm.Dense(32, "relu"), last]
    chosen = replace(optimizer(kind, "number", {}), learning_rate=0.123)

    def train(rate: float) -> float:
        tried = replace(chosen, learning_rate=rate)
        model = fm.Sequential(layers, backend="numpy", random_state=4, optimizer=tried)
        return model.fit(X, y, epochs=8, verbose=0)["loss"][-1]

    model = fm.Sequential(layers, backend="numpy", random_state=4, optimizer=chosen)
    suggestion = fm.find_learning_rate(model, X, y).suggestion
    assert suggestion is not None
    assert train(suggestion) < train(suggestion / 100)


def test_schedules_give_way_to_the_test() -> None:
    losses = [
        fm.find_learning_rate(network(optimizer=fm.Adam(rate)), X, NUMBERS, steps=60).losses
        for rate in (1e-3, 0.5, fm.OneCycle(0.1, 5), fm.CosineDecay(0.1, 5))
    ]
    for other in losses[1:]:
        np.testing.assert_array_equal(other, losses[0])


@pytest.mark.parametrize("number", range(len(HEADS)))
def test_random_networks(number: int) -> None:
    run: Run = random_run(number)
    model = run.model("numpy", "float32")
    fit = {name: run.fit[name] for name in ("sample_weight", "batch_size") if name in run.fit}
    test = fm.find_learning_rate(model, run.X, run.y, steps=60, **fit)
    assert len(test.rates) >= 20
    assert np.isfinite(test.smoothed).all()


def test_weights_of_a_batch_may_all_be_zero() -> None:
    weights = np.zeros(len(X))
    weights[:30] = 1.0
    test = fm.find_learning_rate(
        network(), X, NUMBERS, steps=60, batch_size=4, sample_weight=weights
    )
    # A batch without weight trains nothing and is no part of the test.
    assert 0 < len(test.rates) == len(test.losses) < 60
    assert (np.diff(test.rates) > 0).all()


def test_no_suggestion_where_nothing_is_learned() -> None:
    test = fm.find_learning_rate(network(), X, NUMBERS, highest=1e-6, steps=40)
    assert test.suggestion is None
    assert "does not fall" in str(test)


def test_the_test_ends_where_the_loss_explodes() -> None:
    test = fm.find_learning_rate(network(optimizer="sgd"), X, NUMBERS, highest=1e3)
    assert test.rates[-1] < 10
    assert np.isfinite(test.losses).all()


def test_what_cannot_even_begin() -> None:
    model = fm.Sequential([fm.Dense(1, "exp")], backend="numpy", random_state=0).build(6)
    model.parameters["0.bias"][...] = 200.0
    with pytest.raises(fm.DivergenceError, match="lowest rate, 1e-07, already"):
        fm.find_learning_rate(model, X, NUMBERS)


def test_refusals() -> None:
    for wrong, words in (
        ({"lowest": 0.0}, "lowest must be a finite number > 0"),
        ({"highest": 1e-8}, "highest must be a finite number > 1e-07"),
        ({"steps": 19}, "steps must be an integer >= 20"),
        ({"batch_size": 0}, "batch_size must be an integer >= 1"),
    ):
        with pytest.raises(ValueError, match=words):
            fm.find_learning_rate(network(), X, NUMBERS, **wrong)
    with pytest.raises(ValueError, match="1000 rows, but y has 999"):
        fm.find_learning_rate(network(), X, NUMBERS[:-1])


def test_the_picture(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("matplotlib")
    monkeypatch.setenv("MPLBACKEND", "Agg")
    from matplotlib.figure import Figure

    rates = np.geomspace(1e-5, 1.0, 30)
    losses = np.linspace(3.0, 1.0, 30)
    ax = Figure().subplots()
    for suggestion, lines in ((0.01, 3), (None, 2)):
        ax.clear()
        assert RangeTest(rates, losses, losses, suggestion).plot(ax) is ax
        assert ax.get_xscale() == "log"
        assert len(ax.lines) == lines
