"""How many threads work at a fit, and that none of them spins or changes a bit."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from itertools import cycle

import numpy as np
import pytest

import fastmlp as fm

pytest.importorskip("numba")

from threaded_fits import X, Y, bits, fit, helpers, large, wide

from fastmlp.runners.compiled.executable import Executable
from fastmlp.runners.compiled.workers import training_threads

pytestmark = pytest.mark.usefixtures("no_thread_left")


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
        # The first batches start them.
        assert watch.seen[0] == 0
        assert set(watch.seen[1:]) == {n_threads - 1}
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


def test_gradients_of_one_model_at_once():
    model = wide().build(96)
    batches = [(X[: 64 * k], Y[: 64 * k]) for k in (1, 2, 3, 4)]

    def gradients(k):
        return [value.tobytes() for value in model.gradients(*batches[k % 4]).values()]

    serial = [gradients(k) for k in range(4)]
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(gradients, range(200)))
    assert [k for k in range(200) if found[k] != serial[k % 4]] == []


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
