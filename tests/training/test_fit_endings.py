"""How fits end: by callbacks and by Ctrl-C, with what they leave."""

from __future__ import annotations

import threading
import time
from typing import Any

import numpy as np
import pytest
from ended_fits import Remember, classes, network, weights_of
from interrupted_fits import helpers, large, slow_network
from states import assert_same

import fastmlp as fm


def test_order_of_calls(backend: str) -> None:
    X, y = classes()
    model, remember = network(backend), Remember()
    model.fit(X, y, epochs=1, callbacks=[remember], verbose=0)
    model.fit(X, y, epochs=2, callbacks=[remember], verbose=0)
    assert remember.calls == [
        *("fit begin", "epoch 0 begin", "epoch 0 end", "fit end"),
        *("fit begin", "epoch 1 begin", "epoch 1 end", "epoch 2 begin", "epoch 2 end", "fit end"),
    ]


def test_stop_training(backend: str) -> None:
    X, y = classes()
    model, shorter = network(backend), network(backend)

    def stop(model: fm.Sequential, epoch: int, logs: dict[str, float]) -> None:
        model.stop_training = epoch == 2

    history = model.fit(
        X, y, epochs=10, callbacks=[fm.LambdaCallback(on_epoch_end=stop)], verbose=0
    )
    shorter.fit(X, y, epochs=3, verbose=0)
    assert history.epochs == [0, 1, 2]
    assert_same(model, shorter)
    assert len(model.fit(X, y, epochs=2, verbose=0)) == 2


@pytest.mark.parametrize("ending", ["patience", "epochs", "stop", "error", "interrupt", "nan"])
def test_early_stopping_restores_the_best_epoch(backend: str, ending: str) -> None:
    """Weights and running statistics, however the fit ends."""
    X, y = classes()
    # Rows of the opposite sign: what is learned is soon wrong for them.
    X_val, y_val = -X[:30], y[:30]
    model, remember = network(backend, fm.Adam(0.02)), Remember()
    patience = 3 if ending == "patience" else 1000
    stopping = fm.EarlyStopping(patience=patience)

    def end(model: fm.Sequential, epoch: int, logs: dict[str, float]) -> None:
        if epoch == 7 and ending == "error":
            raise RuntimeError("broken")
        if epoch == 7 and ending == "interrupt":
            raise KeyboardInterrupt
        if epoch == 7 and ending == "stop":
            model.stop_training = True
        if epoch == 7 and ending == "nan":
            model.parameters["0.weight"][...] = 1e30

    callbacks = [stopping, remember, fm.LambdaCallback(on_epoch_end=end)]
    expected = {"error": RuntimeError, "interrupt": KeyboardInterrupt, "nan": fm.DivergenceError}
    fit: dict[str, Any] = {"validation_data": (X_val, y_val), "callbacks": callbacks, "verbose": 0}
    if ending in expected:
        with pytest.raises(expected[ending]):
            model.fit(X, y, epochs=9, **fit)
    else:
        model.fit(X, y, epochs=9, **fit)
    losses = model.history["val_loss"]
    best = int(np.argmin(losses))
    assert stopping.best_epoch == best
    assert 0 < best < len(losses) - 1
    for name, value in remember.weights[best].items():
        np.testing.assert_array_equal(weights_of(model)[name], value, err_msg=name)
    assert model.evaluate(X_val, y_val)["loss"] == pytest.approx(losses[best], rel=1e-6)
    if ending == "patience":
        assert len(losses) == best + 1 + patience < 9


def test_early_stopping_without_restoring(backend: str) -> None:
    X, y = classes()
    model, plain = network(backend), network(backend)
    stopping = fm.EarlyStopping(monitor="loss", patience=1, restore_best=False, mode="max")
    history = model.fit(X, y, epochs=9, callbacks=[stopping], verbose=0)
    plain.fit(X, y, epochs=len(history), verbose=0)
    assert len(history) < 9
    assert_same(model, plain)


def test_early_stopping_without_validation_data(backend: str) -> None:
    X, y = classes()
    model = network(backend)
    with pytest.raises(ValueError, match=r"validation.*monitor='loss'"):
        model.fit(X, y, epochs=3, callbacks=[fm.EarlyStopping()], verbose=0)
    assert len(model.fit(X, y, epochs=2, verbose=0)) == 2


@pytest.mark.parametrize("place", ["on_fit_begin", "on_epoch_begin", "on_epoch_end"])
def test_errors_of_callbacks_come_through(backend: str, place: str) -> None:
    X, y = classes()
    model, remember = network(backend), Remember()

    def fail(*_: Any) -> None:
        raise RuntimeError("broken")

    failing = fm.LambdaCallback(**{place: fail})
    with pytest.raises(RuntimeError, match="broken"):
        model.fit(X, y, epochs=2, callbacks=[remember, failing], verbose=0)
    assert remember.calls[-1] == "fit end"
    assert remember.calls.count("fit end") == 1
    model.fit(X, y, epochs=1, verbose=0)
    assert np.isfinite(model.predict(X)).all()


@pytest.mark.parametrize("optimizer", [fm.Nadam(), fm.Adam(fm.OneCycle(0.01, 5))])
def test_ctrl_c_between_epochs(backend: str, optimizer: Any) -> None:
    """What was interrupted after an epoch goes on as if it had not been."""
    X, y = classes()
    model, other = network(backend, optimizer), network(backend, optimizer)

    def interrupt(model: fm.Sequential, epoch: int, logs: dict[str, float]) -> None:
        if epoch == 1:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        model.fit(X, y, epochs=9, callbacks=[fm.LambdaCallback(on_epoch_end=interrupt)], verbose=0)
    assert model.history.epochs == [0, 1]
    model.fit(X, y, epochs=3, verbose=0)
    other.fit(X, y, epochs=5, verbose=0)
    assert_same(model, other)


def test_ctrl_c_while_helpers_start(monkeypatch: pytest.MonkeyPatch) -> None:
    """The first helper runs already when the interruption comes; it must not wait for ever."""
    pytest.importorskip("numba")
    X, y = large(4)
    model, other = slow_network(4), slow_network(4)
    before, start = helpers(), threading.Thread.start

    def interrupted_start(thread: threading.Thread) -> None:
        start(thread)
        if thread.name == "fastmlp-2":
            raise KeyboardInterrupt

    monkeypatch.setattr(threading.Thread, "start", interrupted_start)
    with pytest.raises(KeyboardInterrupt):
        model.fit(X, y, epochs=1, batch_size=128, verbose=0)
    monkeypatch.undo()
    deadline = time.monotonic() + 2.0
    while helpers() != before and time.monotonic() < deadline:
        time.sleep(0.01)
    assert helpers() == before
    for each in (model, other):
        each.reset()
        each.fit(X, y, epochs=1, batch_size=128, verbose=0)
    assert_same(model, other)


@pytest.mark.parametrize("label", [10**9, 3, -1])
def test_labels_made_invalid_during_a_fit_end_it(label: int) -> None:
    """The compiled path reads y where it lies; a label of no class must not be an address."""
    pytest.importorskip("numba")
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(64, 4)), np.arange(64) % 3
    model = fm.Sequential([fm.Dense(3, "softmax")], backend="numba", random_state=0)
    changed = fm.Callback()
    changed.on_epoch_end = lambda *_: y.__setitem__(5, label)  # type: ignore[method-assign]
    with pytest.raises(fm.DivergenceError, match="those of the loss itself"):
        model.fit(X, y, epochs=3, callbacks=[changed], verbose=0)
    assert all(np.isfinite(values).all() for values in model.parameters.values())
