"""Ctrl-C takes effect soon, and leaves whole steps."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Generator
from contextlib import contextmanager

import numpy as np
import pytest
from interrupted_fits import helpers, large, slow_network
from states import contents


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
