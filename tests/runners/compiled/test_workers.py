"""No thread outlives a fit, and interruptions leave sound models."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from itertools import cycle

import numpy as np
import pytest
from paths import ROOT

import fastmlp as fm

pytest.importorskip("numba")

from fastmlp.runners.compiled.executable import Executable
from fastmlp.runners.compiled.workers import free_cores, training_threads

RNG = np.random.default_rng(0)
X = RNG.normal(size=(256, 96)).astype(np.float32)
Y = RNG.normal(size=256)
LABELS = np.arange(256) % 3


def wide(seed=0, n_threads=2, **arguments):
    """Wide enough that its steps are cut into shards for several threads."""
    layers = [fm.Dense(256, "relu"), fm.BatchNorm(), fm.Dense(256, "tanh"), fm.Dense(1)]
    arguments = {"optimizer": fm.Adam(1e-4), "backend": "numba", **arguments}
    return fm.Sequential(layers, random_state=seed, n_threads=n_threads, **arguments)


def fit(model, epochs=2, **arguments):
    return model.fit(X, Y, epochs=epochs, batch_size=64, verbose=0, **arguments)


def bits(model):
    return [value.tobytes() for value in (*model.parameters.values(), *model.buffers.values())]


# Threads that a test has left behind, so that the others do not fail with it.
_left = set()


def threads():
    return [thread for thread in threading.enumerate() if thread not in _left]


def helpers():
    return [thread for thread in threads() if thread.name.startswith("fastmlp")]


@pytest.fixture(autouse=True)
def _nothing_is_left_behind():
    fit(wide(), epochs=1)
    before = threads()
    yield
    left = [thread for thread in threads() if thread not in before]
    _left.update(left)
    assert not left


class Watch(fm.Callback):
    def __init__(self, watch):
        self.watch = watch
        self.seen = []

    def on_epoch_begin(self, model, epoch):
        self.seen.append(self.watch())

    on_epoch_end = on_progress = lambda self, model, *_: self.seen.append(self.watch())


def test_two_threads_are_used_and_one_where_one_is_asked_for():
    for n_threads in (1, 2, 3):
        watch = Watch(lambda: len(helpers()))
        fit(wide(n_threads=n_threads), callbacks=[watch])
        assert set(watch.seen) == {n_threads - 1}
    assert not helpers()


def test_small_networks_get_no_second_thread():
    watch = Watch(lambda: len(helpers()))
    model = fm.Sequential([fm.Dense(4, "relu"), fm.Dense(1)], backend="numba")
    model.fit(X[:, :3], Y, epochs=2, callbacks=[watch], verbose=0)
    assert set(watch.seen) == {0}


@pytest.mark.parametrize("n_threads", [1, 2])
def test_nothing_spins_after_a_fit_nor_between_epochs(n_threads):
    model = wide(n_threads=n_threads)
    spent = []

    def sleep():
        start = time.process_time()
        time.sleep(0.15)
        spent.append(time.process_time() - start)

    callback = fm.Callback()
    callback.on_epoch_end = lambda *_: sleep()
    fit(model, epochs=1, callbacks=[callback])
    sleep()
    sleep()
    assert max(spent) < 0.05


def cpu_by_wall_while_asleep():
    """CPU time of all threads, as a share of the time that the caller sleeps."""
    start, cpu = time.perf_counter(), time.process_time()
    time.sleep(0.5)
    return (time.process_time() - cpu) / (time.perf_counter() - start)


@pytest.mark.parametrize("what", ["a fit", "a prediction", "a fit that was interrupted"])
def test_nothing_spins_after(what):
    """One helper that went on spinning would use as much as the caller sleeps."""
    if what == "a prediction":
        model, rows = large()
        model.predict(rows)
    elif what == "a fit":
        fit(wide(), epochs=3)
    else:

        def interrupt(*_):
            raise KeyboardInterrupt

        callback = fm.Callback()
        callback.on_epoch_end = interrupt
        with pytest.raises(KeyboardInterrupt):
            fit(wide(), callbacks=[callback])
    assert cpu_by_wall_while_asleep() < 0.2


def test_a_fit_within_a_fit():
    inner = []
    callback = fm.Callback()
    callback.on_epoch_end = lambda *_: inner.append(bits(fitted(wide(5))))

    def fitted(model):
        fit(model)
        return model

    outer = wide(4)
    fit(outer, callbacks=[callback])
    assert bits(outer) == bits(fitted(wide(4)))
    assert inner == [bits(fitted(wide(5)))] * 2


@pytest.mark.parametrize("n_threads", [1, 2])
def test_fits_at_once_are_the_same_as_one_after_the_other(n_threads):
    def train(seed):
        model = wide(seed, n_threads)
        fit(model, epochs=3, validation_split=0.2)
        return bits(model)

    serial = [train(seed) for seed in range(6)]
    with ThreadPoolExecutor(6) as pool:
        assert list(pool.map(train, range(6))) == serial


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


def large():
    """A model and rows whose prediction is worth several threads."""
    model = fm.Sequential([fm.Dense(512, "relu"), fm.Dense(512)], random_state=0, n_threads=2)
    return model.build(96), np.tile(X, (40, 1))


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


def test_gradients_of_one_model_at_once():
    model = wide().build(96)
    batches = [(X[: 64 * k], Y[: 64 * k]) for k in (1, 2, 3, 4)]

    def gradients(k):
        return [value.tobytes() for value in model.gradients(*batches[k % 4]).values()]

    serial = [gradients(k) for k in range(4)]
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(gradients, range(200)))
    assert [k for k in range(200) if found[k] != serial[k % 4]] == []


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


# Interruptions.

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
    import sys
    import threading
    import time

    import numpy as np

    import fastmlp as fm

    faulthandler.dump_traceback_later(200, exit=True)
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(64, 64)).astype(np.float32), rng.normal(size=64)


    def network():
        layers = [fm.Dense(256, "relu"), fm.Dense(256, "relu"), fm.Dense(1)]
        optimizer = fm.Adam(1e-4)
        return fm.Sequential(layers, random_state=0, n_threads=2, optimizer=optimizer).build(64)


    def fit(model):
        return model.fit(X, y, epochs=2, batch_size=16, shuffle=False, verbose=0)


    def interrupt_after(number):
        # A signal is handled once a call has returned; here after the calls that these files make.
        files, count, where = ("compiled/workers.py", "compiled/runner.py"), 0, None

        def profile(frame, event, arg):
            nonlocal count, where
            if event not in ("return", "c_return"):
                return
            caller = frame if event == "c_return" else frame.f_back
            if caller is None or not caller.f_code.co_filename.endswith(files):
                return
            if caller.f_code.co_name in ("session", "__init__", "_start_helpers", "close"):
                return
            count += 1
            if count == number:
                where = f"{caller.f_code.co_qualname}, line {caller.f_lineno}"
                raise KeyboardInterrupt

        return profile, lambda: where


    fit(network())
    number = 0
    while True:
        number += 1
        model = network()
        profile, where = interrupt_after(number)
        sys.setprofile(profile)
        try:
            fit(model)
        except KeyboardInterrupt:
            pass
        finally:
            sys.setprofile(None)
        if where() is None:
            break
        helpers = [t for t in threading.enumerate() if t.name.startswith("fastmlp")]
        assert not helpers, f"interrupted in {where()}: {helpers} left"
        expected = network()
        updates = model.training_state.state.step
        for step in range(updates):
            rows = slice(16 * (step % 4), 16 * (step % 4) + 16)
            expected.train_step(X[rows], y[rows])
        for name, value in expected.parameters.items():
            same = np.array_equal(model.parameters[name], value)
            assert same, f"interrupted in {where()}: not the model of {updates} updates"
    print(number)
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
def test_an_interruption_after_any_call():
    assert int(run(INTERRUPTED_ANYWHERE)) > 30


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


# Processes that are forks.

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


def test_auto_gives_way_where_cores_are_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fewer workers, chunk by chunk, and the same bits."""
    x = np.random.default_rng(0).standard_normal((1024, 64), dtype=np.float32)
    layers = [fm.Dense(256, "relu"), fm.Dense(256, "relu"), fm.Dense(3, "softmax")]
    used: list[int] = []
    use = Executable.use

    def note(executable: Executable, workers: int) -> None:
        used.append(workers)
        use(executable, workers)

    monkeypatch.setattr(Executable, "use", note)
    monkeypatch.setattr("fastmlp.runners.compiled.workers.available_cores", lambda: 2)
    results = []
    for free in ([2], [1], [2, 1, 2, 1]):
        left = cycle(free)
        monkeypatch.setattr(
            "fastmlp.runners.compiled.workers.free_cores", lambda left=left: next(left)
        )
        model = fm.Sequential(layers, random_state=0)
        used.clear()
        model.fit(x, np.arange(1024) % 3, epochs=4, batch_size=256, verbose=0)
        assert set(used) == set(free)
        results.append(b"".join(view.tobytes() for view in model.parameters.values()))
    assert results[0] == results[1] == results[2]


def test_a_number_of_threads_is_kept_to(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fastmlp.runners.compiled.workers.free_cores", lambda: 1)
    used: list[int] = []
    monkeypatch.setattr(Executable, "use", lambda executable, workers: used.append(workers))
    x = np.zeros((512, 64), np.float32)
    layers = [fm.Dense(256, "relu"), fm.Dense(1)]
    fm.Sequential(layers, n_threads=2).fit(x, np.zeros(512), epochs=1, batch_size=256, verbose=0)
    assert set(used) == {2}


def test_free_cores_are_counted() -> None:
    assert 1 <= free_cores() <= (os.cpu_count() or 1)


@pytest.mark.parametrize(
    ("widths", "batch", "workers"),
    [
        ((2, 8, 8, 1), 32, 1),
        ((8, 64, 64, 1), 512, 1),
        ((54, 128, 7), 64, 1),
        ((54, 128, 7), 128, 2),
        ((54, 256, 256, 7), 16, 1),
        ((54, 256, 256, 7), 32, 2),
        ((784, 128, 64, 10), 16, 1),
        ((784, 128, 64, 10), 64, 2),
        ((300, 512, 2), 8, 2),
    ],
)
def test_auto_by_sizes(
    widths: tuple[int, ...], batch: int, workers: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where a second thread paid in measurements, and where it did not."""
    monkeypatch.setattr("fastmlp.runners.compiled.workers.available_cores", lambda: 2)
    model = fm.Sequential([fm.Dense(units) for units in widths[1:]]).build(widths[0])
    assert training_threads("auto", model.training_state.program, batch, 16) == workers
