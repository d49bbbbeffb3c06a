"""Large predictions by several threads: their bits, and how they end."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

import fastmlp as fm

pytest.importorskip("numba")

from threaded_fits import X, fit, helpers, large, wide

from fastmlp.runners.compiled.executable import Executable

pytestmark = pytest.mark.usefixtures("no_thread_left")


LABELS = np.arange(256) % 3


def test_predictions_of_one_model_at_once():
    """Each call has memory of its own, whatever the sizes of the others."""
    model = wide().build(96)
    parts = [np.repeat(X, k, axis=0)[: 300 * k + 1] for k in (1, 2, 3)] + [X[:1], X[:0:-1]]
    serial = [model.predict(part) for part in parts]

    def predict(number):
        return all(
            np.array_equal(model.predict(parts[k % 5]), serial[k % 5])
            for k in range(number, number + 60)
        )

    with ThreadPoolExecutor(4) as pool:
        assert all(pool.map(predict, range(8)))


def test_a_large_prediction_where_no_thread_can_be_started(monkeypatch):
    model, rows = large()
    expected = model.predict(rows)
    tried = []

    def refuse(self):
        tried.append(self)
        raise RuntimeError("can't start new thread")

    with monkeypatch.context() as patched:
        patched.setattr(threading.Thread, "start", refuse)
        np.testing.assert_array_equal(model.predict(rows), expected)
    assert tried, "the prediction was made without a second thread"


def test_a_large_prediction_that_is_interrupted_while_it_waits(monkeypatch):
    """No thread may still write into memory that is no longer the result's."""
    model, rows = large()
    expected = model.predict(rows)
    join, interruptions = threading.Thread.join, []

    def slow(self, *arguments):
        if threading.current_thread() is not threading.main_thread():
            time.sleep(0.2)
        return run_as(self, *arguments)

    def interrupted(self, timeout=None):
        if not interruptions:
            interruptions.append(self)
            raise KeyboardInterrupt
        join(self, timeout)

    run_as = Executable.run_as
    monkeypatch.setattr(Executable, "run_as", slow)
    monkeypatch.setattr(threading.Thread, "join", interrupted)
    with pytest.raises(KeyboardInterrupt):
        model.predict(rows)
    assert interruptions
    assert not helpers()
    np.testing.assert_array_equal(model.predict(rows), expected)


def test_predictions_and_gradients_while_other_models_are_fitted():
    model = fm.Sequential([fm.Dense(64, "relu"), fm.Dense(3, "softmax")], random_state=0)
    model.build(96)

    def use():
        gradients = model.gradients(X, LABELS)
        return model.predict(X).tobytes(), gradients["0.weight"].tobytes()

    expected = use()
    with ThreadPoolExecutor(2) as pool:
        fits = [pool.submit(fit, wide(seed), epochs=20) for seed in range(2)]
        assert all(use() == expected for _ in range(40))
        for running in fits:
            running.result(60)
