"""How fits end: by callbacks, by Ctrl-C, by numbers that are no longer finite."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

import numpy as np
import pytest
from states import assert_same, contents

import fastmlp as fm
from fastmlp.kernels.typing import Array

N = 70


def classes() -> tuple[Array, Array]:
    rng = np.random.default_rng(51)
    X = rng.normal(size=(N, 4))
    return X, np.digitize(np.sin(X[:, 0]) + 0.3 * rng.normal(size=N), [-0.4, 0.4])


def network(backend: str, optimizer: Any = "adam") -> fm.Sequential:
    layers = [
        fm.Dense(12),
        fm.BatchNorm(),
        fm.Activation("relu"),
        fm.Dropout(0.3),
        fm.Dense(3, "softmax"),
    ]
    return fm.Sequential(layers, optimizer=optimizer, backend=backend, random_state=9)


def weights_of(model: fm.Sequential) -> dict[str, Array]:
    return {name: value.copy() for name, value in {**model.parameters, **model.buffers}.items()}


class Remember(fm.Callback):
    """Keeps the weights after each epoch and the order of the calls."""

    def __init__(self) -> None:
        self.weights: list[dict[str, Array]] = []
        self.calls: list[str] = []

    def on_fit_begin(self, model: fm.Sequential) -> None:
        self.calls.append("fit begin")

    def on_epoch_begin(self, model: fm.Sequential, epoch: int) -> None:
        self.calls.append(f"epoch {epoch} begin")

    def on_epoch_end(self, model: fm.Sequential, epoch: int, logs: dict[str, float]) -> None:
        self.calls.append(f"epoch {epoch} end")
        self.weights.append(weights_of(model))

    def on_fit_end(self, model: fm.Sequential) -> None:
        self.calls.append("fit end")


# Callbacks


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
    # Rows of the opposite sign: what is learnt is soon wrong for them.
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


# Ctrl-C


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


def large(n_batches: int) -> tuple[Array, Array]:
    rng = np.random.default_rng(0)
    block = rng.normal(size=(128, 20)).astype(np.float32)
    X = np.tile(block, (n_batches, 1))
    return X, X[:, :3].sum(axis=1)


def slow_network(n_threads: int, backend: str = "numba") -> fm.Sequential:
    """A step takes some milliseconds."""
    layers = [fm.Dense(512, "relu"), fm.Dense(384), fm.BatchNorm(), fm.Dropout(0.1), fm.Dense(1)]
    return fm.Sequential(layers, random_state=2, n_threads=n_threads, backend=backend)


@contextmanager
def ctrl_c_after(seconds: float) -> Generator[list[float], None, None]:
    """Send this process SIGINT; the list receives the moment."""
    sent: list[float] = []

    def send() -> None:
        sent.append(time.perf_counter())
        os.kill(os.getpid(), signal.SIGINT)

    timer = threading.Timer(seconds, send)
    timer.start()
    try:
        yield sent
    finally:
        timer.cancel()
        timer.join()


def helpers() -> list[str]:
    return [t.name for t in threading.enumerate() if t.name.startswith("fastmlp")]


needs_signals = pytest.mark.skipif(
    os.name == "nt" or threading.current_thread() is not threading.main_thread(),
    reason="SIGINT reaches the main thread of a POSIX process",
)


@needs_signals
@pytest.mark.parametrize("n_threads", [1, 2])
def test_ctrl_c_within_an_epoch(n_threads: int) -> None:
    """It takes effect soon, and what it leaves is the state after a whole number of steps."""
    pytest.importorskip("numba")
    X, y = large(1500)
    model = slow_network(n_threads)
    model.fit(X[:256], y[:256], epochs=1, batch_size=128, verbose=0)
    model.reset()
    before = helpers()
    with pytest.raises(KeyboardInterrupt), ctrl_c_after(0.25) as sent:
        model.fit(X, y, epochs=1, batch_size=128, shuffle=False, verbose=0)
    assert time.perf_counter() - sent[0] < 2.0
    assert helpers() == before
    tensors, description = contents(model)
    steps = description["step"]
    assert 0 < steps < 1500
    assert (description["epoch"], len(model.history)) == (0, 0)
    assert all(np.isfinite(value).all() for value in tensors.values())

    other = slow_network(n_threads)
    other.fit(
        X[: steps * 128], y[: steps * 128], epochs=1, batch_size=128, shuffle=False, verbose=0
    )
    expected, wanted = contents(other)
    assert wanted["step"] == steps
    for name, value in expected.items():
        np.testing.assert_array_equal(tensors[name], value, err_msg=name)

    assert np.isfinite(model.predict(X[:500])).all()
    history = model.fit(X[:512], y[:512], epochs=1, batch_size=128, verbose=0)
    assert np.isfinite(history["loss"]).all()
    assert contents(model)[1]["step"] == steps + 4


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


@needs_signals
def test_ctrl_c_in_the_reference() -> None:
    X, y = large(1500)
    model = slow_network(1, "numpy")
    with pytest.raises(KeyboardInterrupt), ctrl_c_after(0.2):
        model.fit(X, y, epochs=1, batch_size=128, verbose=0)
    assert len(model.history) == 0
    assert np.isfinite(model.predict(X[:100])).all()
    model.fit(X[:256], y[:256], epochs=1, verbose=0)
    assert model.history.epochs == [0]


# Divergence


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_divergence_keeps_the_last_finite_epoch(backend: str, dtype: str) -> None:
    """A rate somewhat too large grows for some epochs before it overflows."""
    X, y = classes()
    model = fm.Sequential(
        [fm.Dense(1)],
        optimizer=fm.SGD(4.0, momentum=0.5),
        dtype=dtype,
        backend=backend,
        random_state=0,
    )
    model.fit(X, y / 10, epochs=1, batch_size=32, verbose=0)
    remember = Remember()
    with pytest.raises(fm.DivergenceError, match=r"epoch \d+, batch [012].*kept") as caught:
        model.fit(X, y / 10, epochs=500, batch_size=32, callbacks=[remember], verbose=0)
    epochs = len(model.history)
    assert epochs > 3
    assert isinstance(caught.value, ValueError)
    assert f"epoch {epochs}," in str(caught.value)
    assert remember.calls[-1] == "fit end"
    for name, value in remember.weights[-1].items():
        np.testing.assert_array_equal(weights_of(model)[name], value, err_msg=name)
        assert np.isfinite(value).all()
    _, description = contents(model)
    assert (description["step"], description["epoch"]) == (3 * epochs, epochs)


def test_divergence_in_the_first_epoch_keeps_the_first_weights(backend: str) -> None:
    X, y = classes()
    model, built = network(backend, fm.SGD(1e38)), network(backend, fm.SGD(1e38)).build(4)
    with pytest.raises(fm.DivergenceError, match=r"epoch 0, batch [01]"):
        model.fit(1000 * X, y, epochs=3, verbose=0)
    for name, value in weights_of(built).items():
        np.testing.assert_array_equal(weights_of(model)[name], value, err_msg=name)
    assert contents(model)[1]["step"] == 0
    assert len(model.history) == 0


def test_divergence_restores_the_optimizers_state(backend: str) -> None:
    X, y = classes()
    model, other = network(backend, "nadam"), network(backend, "nadam")
    for each in (model, other):
        each.fit(X, y, epochs=2, batch_size=16, shuffle=False, verbose=0)
    bad = X.copy()
    bad[60:] = 1e38
    with pytest.raises(fm.DivergenceError, match=r"epoch 2, batch 3.*layer [01] "):
        model.fit(bad, y, epochs=1, batch_size=16, shuffle=False, verbose=0)
    assert_same(model, other)
    for each in (model, other):
        each.fit(X, y, epochs=2, batch_size=16, shuffle=False, verbose=0)
    assert_same(model, other)


OVERFLOWING = {
    "1": [fm.Dense(4, "tanh"), fm.Dense(4, "exp"), fm.Dense(1)],
    "1.1": [fm.Dense(4, "tanh"), fm.Residual([fm.Dense(4), fm.Activation("exp")]), fm.Dense(1)],
    "0.1": [fm.WideAndDeep(1, deep=[fm.Dense(4, "tanh"), fm.Dense(3, "exp")])],
}


@pytest.mark.parametrize("layer", OVERFLOWING)
def test_divergence_names_the_layer(backend: str, layer: str) -> None:
    X, y = classes()
    model = fm.Sequential(OVERFLOWING[layer], backend=backend, random_state=0).build(4)
    dense = {"1.1": "1.0"}.get(layer, layer)
    model.parameters[f"{dense}.bias"][...] = 200.0
    with pytest.raises(fm.DivergenceError, match=rf"layer {layer} \(its output\)"):
        model.fit(X, y, epochs=1, verbose=0)


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_parameters_that_are_not_finite_are_named(backend: str, bad: float) -> None:
    X, y = classes()
    model = network(backend).build(4)
    model.parameters["4.weight"][1, 1] = bad
    with pytest.raises(fm.DivergenceError, match=r"layer 4 \(its weight\)"):
        model.fit(X, y, epochs=1, verbose=0)


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
