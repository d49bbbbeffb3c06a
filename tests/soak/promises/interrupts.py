"""Ctrl-C at any moment leaves what can be used, no thread, and whole files."""

from __future__ import annotations

import gc
import os
import random
import signal
import subprocess
import sys
import threading
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing.dummy import DummyProcess
from pathlib import Path
from typing import Any

import joblib
import numpy as np
from sklearn.model_selection import GridSearchCV

import fastmlp as fm

from .. import ROOT
from ..promise import Trial, promise

_BATCH = 32


@contextmanager
def _ctrl_c() -> Iterator[None]:
    """SIGINT as a terminal sends it, from a timer that is set within."""
    kept = signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGALRM)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGALRM, lambda *_: signal.raise_signal(signal.SIGINT))
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGINT, kept[0])
        signal.signal(signal.SIGALRM, kept[1])


def _threads() -> set[threading.Thread]:
    """All but those of a pool of joblib's, which does not always end it when it is interrupted."""
    return {
        thread
        for thread in threading.enumerate()
        if not isinstance(thread, DummyProcess) and "(_handle_" not in thread.name
    }


def _interrupted(work: Callable[[], object], seconds: float) -> str:
    """Do the work until then, and wait for its threads."""
    before = _threads()
    with _ctrl_c():
        signal.setitimer(signal.ITIMER_REAL, max(seconds, 1e-6))
        try:
            work()
            signal.setitimer(signal.ITIMER_REAL, 0)
            came_to = "ended first"
        except KeyboardInterrupt:
            came_to = "interrupted"
    gc.collect()
    deadline = time.monotonic() + 10.0
    while (left := _threads() - before) and time.monotonic() < deadline:
        time.sleep(0.001)
    assert not left, f"left behind: {left}"
    return came_to


def _network() -> fm.Sequential:
    layers = [fm.Dense(256, "relu"), fm.BatchNorm(), fm.Dropout(0.1), fm.Dense(256, "tanh")]
    how: dict[str, Any] = {"n_threads": 2, "backend": "numba", "random_state": 0}
    return fm.Sequential([*layers, fm.Dense(1)], optimizer=fm.Adam(1e-3), **how)


def _bits(model: fm.Sequential) -> list[bytes]:
    return [value.tobytes() for value in (*model.parameters.values(), *model.buffers.values())]


@promise(
    "Ctrl-C at a random moment of a fit leaves the model of a whole number of updates, which "
    "predicts and fits on, and no thread.",
    unit="interrupts",
    full=200,
    quick=4,
)
def interrupted_fits(folder: Path) -> Iterator[Trial]:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(8 * _BATCH, 64)).astype(np.float32)
    y = x[:, 0] * x[:, 1]
    fit: dict[str, Any] = {"epochs": 6, "batch_size": _BATCH, "shuffle": False, "verbose": 0}
    # Loads the kernels.
    _network().fit(x, y, **fit)
    begun = time.perf_counter()
    _network().fit(x, y, **fit)
    seconds = time.perf_counter() - begun

    def trial(number: int) -> str:
        model, other = _network().build(64), _network().build(64)
        moment = random.Random(number).uniform(0.0, seconds)
        came_to = _interrupted(lambda: model.fit(x, y, **fit), moment)
        for step in range(model.training_state.state.step):
            rows = slice(step % 8 * _BATCH, (step % 8 + 1) * _BATCH)
            other.train_step(x[rows], y[rows])
        assert _bits(model) == _bits(other)
        assert model.predict(x).tobytes() == other.predict(x).tobytes()
        for each in (model, other):
            each.reset()
            each.fit(x, y, **fit)
        assert _bits(model) == _bits(other)
        return came_to

    yield trial


@promise(
    "Ctrl-C at a random moment of a prediction, of an export or of a search over estimators in "
    "threads leaves no thread and no broken file; done again, it gives the same.",
    unit="interrupts",
    full=200,
    quick=4,
)
def interrupted_uses(folder: Path) -> Iterator[Trial]:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(20_000, 64)).astype(np.float32)
    model = _network().build(64)
    predictor, path = model.freeze(), folder / "model.h"
    labels = (x[:120, 0] > 0).astype(int)

    def predict() -> Any:
        return model.predict(x).tobytes()

    def export() -> Any:
        predictor.export_c(path)
        return path.read_bytes()

    def search() -> Any:
        estimator = fm.MLPClassifier((16,), max_iter=10, tol=0.0, random_state=0)
        grid = {"alpha": [1e-4, 0.1], "solver": ["adam", "lbfgs"]}
        with warnings.catch_warnings(), joblib.parallel_config("threading"):
            # Of fits that have not converged.
            warnings.simplefilter("ignore")
            found = GridSearchCV(estimator, grid, cv=2, n_jobs=2).fit(x[:120], labels)
        return found.cv_results_["mean_test_score"].tobytes()

    works = [predict, export, search, predict]
    expected, seconds = [], []
    for work in works:
        expected.append(work())
        begun = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - begun)

    def trial(number: int) -> str:
        which = number // 50
        moment = random.Random(number).uniform(0.0, seconds[which])
        came_to = _interrupted(works[which], moment)
        if works[which] is export:
            assert path.read_bytes() == expected[which]
            assert list(folder.iterdir()) == [path]
        assert works[which]() == expected[which]
        return f"{works[which].__name__} {came_to}"

    yield trial


@promise(
    "Ctrl-C at a random moment of compiling into an empty cache leaves it whole: the next process "
    "compiles the rest and gives the same bits, the one after it compiles nothing.",
    unit="interrupts",
    full=100,
    quick=1,
)
def interrupted_compiling(folder: Path) -> Iterator[Trial]:
    def started(cache: Path, path: Path) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-m", "tests.soak.children.numbers", "small", "float32", str(path)],
            cwd=ROOT,
            env={**os.environ, "NUMBA_CACHE_DIR": str(cache)},
            stderr=subprocess.PIPE,
            text=True,
        )

    def values(cache: Path, path: Path) -> tuple[dict[str, bytes], dict[Path, int]]:
        process = started(cache, path)
        _, said = process.communicate()
        assert process.returncode == 0, said
        with np.load(path) as arrays:
            found = {name: array.tobytes() for name, array in arrays.items()}
        return found, {each: each.stat().st_mtime_ns for each in cache.rglob("*.nb?")}

    first = folder / "expected"
    first.mkdir()
    begun = time.perf_counter()
    expected, _ = values(first, folder / "expected.npz")
    seconds = time.perf_counter() - begun

    def trial(number: int) -> str:
        cache, path = folder / str(number), folder / f"{number}.npz"
        cache.mkdir()
        process = started(cache, path)
        time.sleep(random.Random(number).uniform(0.3, seconds))
        process.send_signal(signal.SIGINT)
        _, said = process.communicate()
        came_to = "interrupted" if process.returncode else "ended first"
        # Before Python has set itself up, the signal ends it without a word.
        assert process.returncode in (0, -signal.SIGINT) or "KeyboardInterrupt" in said, said
        found, files = values(cache, path)
        assert found == expected
        assert len(files) > 0
        assert values(cache, path) == (expected, files)
        return came_to

    yield trial
