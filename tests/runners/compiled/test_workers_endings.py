"""No thread outlives a fit however it ends, and interruptions leave sound models."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import threading
import time

import numpy as np
import pytest
from paths import ROOT

import fastmlp as fm

pytest.importorskip("numba")

from threaded_fits import X, Y, bits, fit, helpers, wide

pytestmark = pytest.mark.usefixtures("no_thread_left")


class Failure(Exception):
    pass


METHODS = ("on_fit_begin", "on_epoch_begin", "on_progress", "on_epoch_end", "on_fit_end")


@pytest.mark.parametrize("error", [Failure, KeyboardInterrupt, SystemExit])
@pytest.mark.parametrize("method", METHODS)
def test_an_exception_from_a_callback(method, error):
    def fail(*_):
        raise error

    callback = fm.Callback()
    setattr(callback, method, fail)
    model = wide()
    with pytest.raises(error):
        fit(model, callbacks=[callback])
    assert not helpers()
    fit(model)
    assert np.isfinite(model.predict(X)).all()


def test_divergence_of_a_fit_with_threads():
    model = wide(optimizer=fm.SGD(1e30))
    with pytest.raises(fm.DivergenceError, match="not finite"):
        fit(model, epochs=5)
    assert np.isfinite(model.predict(X)).all()


def test_where_no_thread_can_be_started_the_fit_runs_serially(monkeypatch):
    """Limits on threads are common in containers; the caller alone does the same work."""
    expected = wide()
    fit(expected)

    def refuse(self):
        if self.name.startswith("fastmlp"):
            raise RuntimeError("can't start new thread")
        start(self)

    start = threading.Thread.start
    monkeypatch.setattr(threading.Thread, "start", refuse)
    model = wide()
    fit(model)
    assert bits(model) == bits(expected)


def test_where_the_second_helper_cannot_be_started_the_first_is_let_go(monkeypatch):
    started = []

    def refuse(self):
        if self.name.startswith("fastmlp"):
            started.append(self)
            if len(started) == 2:
                raise RuntimeError("can't start new thread")
        start(self)

    start = threading.Thread.start
    expected = wide(n_threads=3)
    fit(expected)
    monkeypatch.setattr(threading.Thread, "start", refuse)
    model = wide(n_threads=3)
    fit(model)
    assert bits(model) == bits(expected)
    assert len(started) == 2
    assert not started[0].is_alive()


# The rows of each batch are the same, so that a model is known by its number of updates.
REPEATED = np.tile(X[:64], (150, 1))
REPEATED_Y = np.tile(Y[:64], 150)


def after_updates(model, number):
    model.build(X.shape[1])
    for _ in range(number):
        model.train_step(X[:64], Y[:64])
    return model


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="needs timers that send a signal")
@pytest.mark.parametrize("n_threads", [1, 2])
@pytest.mark.parametrize("delay", [0.05, 0.2])
def test_ctrl_c_in_a_long_fit(delay, n_threads):
    model = wide(n_threads=n_threads).build(X.shape[1])
    before = signal.signal(signal.SIGALRM, lambda *_: signal.raise_signal(signal.SIGINT))
    start = time.perf_counter()
    signal.setitimer(signal.ITIMER_REAL, delay)
    try:
        with pytest.raises(KeyboardInterrupt):
            model.fit(REPEATED, REPEATED_Y, epochs=10**6, batch_size=64, shuffle=False, verbose=0)
        seconds = time.perf_counter() - start
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    assert seconds < delay + 1.0
    assert not helpers()
    assert np.isfinite(model.predict(X)).all()
    # Adam's corrections and dropout's masks go on from the number of updates that were done.
    updates = model.training_state.state.step
    assert updates > 0
    assert bits(model) == bits(after_updates(wide(n_threads=n_threads), updates))
    fit(model)


INTERRUPTED_ANYWHERE = """
    import faulthandler
    import gc
    import signal
    import sys
    import threading
    import time
    from collections import Counter

    import numpy as np

    import fastmlp as fm

    faulthandler.dump_traceback_later(200, exit=True)
    FILES = tuple("compiled/" + name + ".py" for name in ("workers", "runner", "objective"))
    X = np.random.default_rng(0).normal(size=(64, 64)).astype(np.float32)
    y = X[:, 0].astype(float)


    def network():
        layers = [fm.Dense(256, "relu"), fm.Dense(256, "relu"), fm.Dense(1)]
        optimizer = fm.Adam(1e-4)
        return fm.Sequential(layers, random_state=0, n_threads=2, optimizer=optimizer).build(64)


    def fit(model):
        model.fit(X, y, epochs=1, batch_size=32, shuffle=False, verbose=0)


    def minimize(model):
        objective = model.runner.objective(X, y[:, None].astype(np.float32), None)
        try:
            objective.evaluate()
            objective.evaluate()
        finally:
            objective.close()


    def raised():
        raise KeyboardInterrupt


    def signalled():
        signal.raise_signal(signal.SIGINT)


    def interrupted(what, model, interrupt, moment):
        # Before each line of those files and after each call that they make, the first two times.
        count, where, seen = 0, None, Counter()

        def come(frame, event):
            nonlocal count, where
            place = frame.f_code, frame.f_lineno, event
            seen[place] += 1
            # What comes within a destructor is told, but goes no further.
            if seen[place] > 2 or "__del__" in (frame.f_code.co_name, frame.f_back.f_code.co_name):
                return
            count += 1
            if count == moment:
                where = f"{frame.f_code.co_qualname}, line {frame.f_lineno}"
                interrupt()

        def trace(frame, event, arg):
            if event == "call" and not frame.f_code.co_filename.endswith(FILES):
                return None
            if event == "line":
                come(frame, event)
            return trace

        def profile(frame, event, arg):
            caller = frame if event == "c_return" else frame.f_back
            if event not in ("return", "c_return") or caller is None:
                return
            if caller.f_code.co_filename.endswith(FILES):
                come(caller, event)

        sys.settrace(trace)
        sys.setprofile(profile)
        try:
            what(model)
        except KeyboardInterrupt:
            pass
        finally:
            sys.settrace(None)
            sys.setprofile(None)
        return where


    def helpers():
        return [t for t in threading.enumerate() if t.name.startswith("fastmlp")]


    def check(model, interrupt, where):
        gc.collect()
        # What the interruption has kept from being waited for is ending.
        deadline = time.monotonic() + 5.0
        while helpers() and time.monotonic() < deadline:
            time.sleep(0.001)
        assert not helpers(), f"interrupted in {where}: {helpers()} left"
        assert np.isfinite(model.predict(X)).all()
        if interrupt is raised:
            # Nothing can hold it back, not even between an update and its count.
            return
        expected = network()
        updates = model.training_state.state.step
        for step in range(updates):
            expected.train_step(X[32 * step : 32 * step + 32], y[32 * step : 32 * step + 32])
        for name, value in expected.parameters.items():
            same = np.array_equal(model.parameters[name], value)
            assert same, f"interrupted in {where}: not the model of {updates} updates"


    moments = 0
    for what in (fit, minimize):
        # Loads all kernels.
        what(network())
        gc.collect()
        gc.freeze()
        for interrupt in (raised, signalled):
            moment = 0
            while True:
                moment += 1
                model = network()
                where = interrupted(what, model, interrupt, moment)
                if where is None:
                    break
                check(model, interrupt, f"{where} by {interrupt.__name__}")
            moments += moment
    print(moments)
"""


def run(code, timeout=250):
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-c", textwrap.dedent(code)]
    finished = subprocess.run(
        command, env=environment, capture_output=True, text=True, timeout=timeout
    )
    assert finished.returncode == 0, finished.stderr
    return finished.stdout


@pytest.mark.slow
def test_an_interruption_at_any_line_and_after_any_call():
    assert int(run(INTERRUPTED_ANYWHERE)) > 300


def test_a_helper_that_is_let_go_does_not_keep_the_process():
    """An interpreter that ends in the middle of a fit ends."""
    code = """
        import os, signal, threading, time
        import numpy as np
        import fastmlp as fm

        X = np.random.default_rng(0).normal(size=(4096, 96)).astype(np.float32)
        layers = [fm.Dense(256, "relu"), fm.Dense(256, "relu"), fm.Dense(1)]
        model = fm.Sequential(layers, n_threads=2, optimizer=fm.Adam(1e-4))
        model.fit(X, X[:, 0], epochs=1, verbose=0)
        arguments = {"epochs": 10**6, "verbose": 0}
        fit = threading.Thread(target=lambda: model.fit(X, X[:, 0], **arguments), daemon=True)
        fit.start()
        time.sleep(0.3)
        print("end", flush=True)
    """
    assert run(code, timeout=60) == "end\n"


FORK = """
    import multiprocessing, os, sys, threading
    import numpy as np
    import fastmlp as fm

    X = np.random.default_rng(0).normal(size=(256, 96)).astype(np.float32)


    def train(seed):
        layers = [fm.Dense(256, "relu"), fm.BatchNorm(), fm.Dense(256, "tanh"), fm.Dense(1)]
        model = fm.Sequential(layers, random_state=seed, n_threads=2, backend="numba")
        model.fit(X, X[:, 0], epochs=2, verbose=0)
        return model.predict(X).tobytes()


    expected = [train(seed) for seed in range(2)]
    kept = fm.Sequential([fm.Dense(256, "relu"), fm.Dense(1)], random_state=0, backend="numba")
    kept.fit(X, X[:, 0], epochs=1, verbose=0)
    before = kept.predict(X)
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_fork_after_a_fit():
    code = """
        child = os.fork()
        if child == 0:
            good = train(0) == expected[0] and np.array_equal(kept.predict(X), before)
            kept.fit(X, X[:, 0], epochs=1, verbose=0)
            os._exit(0 if good and threading.active_count() == 1 else 1)
        assert train(1) == expected[1]
        _, status = os.waitpid(child, 0)
        assert os.waitstatus_to_exitcode(status) == 0
        assert np.array_equal(kept.predict(X), before)
    """
    run(textwrap.dedent(FORK) + textwrap.dedent(code), timeout=120)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_pool_of_forks_after_a_fit():
    code = """
        with multiprocessing.get_context("fork").Pool(2) as pool:
            assert pool.map(train, [0, 1, 0, 1], chunksize=1) == expected * 2
    """
    run(textwrap.dedent(FORK) + textwrap.dedent(code), timeout=120)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_fork_within_a_fit():
    """The child has no helpers, and can fit."""
    code = """
        def fork(*_):
            child = os.fork()
            if child == 0:
                os._exit(0 if train(0) == expected[0] else 1)
            _, status = os.waitpid(child, 0)
            statuses.append(os.waitstatus_to_exitcode(status))

        statuses = []
        callback = fm.Callback()
        callback.on_epoch_end = fork
        layers = [fm.Dense(256, "relu"), fm.Dense(256, "relu"), fm.Dense(1)]
        model = fm.Sequential(layers, n_threads=2, backend="numba")
        model.fit(X, X[:, 0], epochs=2, callbacks=[callback], verbose=0)
        assert statuses == [0, 0], statuses
    """
    run(textwrap.dedent(FORK) + textwrap.dedent(code), timeout=120)
