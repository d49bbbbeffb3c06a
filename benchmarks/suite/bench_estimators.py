"""The estimators: fits by data set and dtype, L-BFGS, predictions of one row and of many."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, partial
from typing import Any

import numpy as np

from benchmarks.shared.clock import count_repeats, slow_clock
from benchmarks.shared.estimator_tasks import TASKS, NotThereError
from benchmarks.shared.networks import skip_impossible
from fastmlp.peers.estimators import Task, check_same, fitted

_SAMPLE_SECONDS = 0.1
_ITERATIONS = 20
_CHECKED_EPOCHS = 2
# How near weights come to scikit-learn's in double precision.
_NEAR = {"float64": 1e-8, "float32": 1e-2}


@cache
def _task(name: str) -> Task:
    try:
        return TASKS[name]()
    except NotThereError as reason:
        # How asv is told that there is nothing to measure.
        raise NotImplementedError(str(reason)) from reason


def _estimators(task: Task) -> tuple[Any, Any]:
    from sklearn import neural_network

    import fastmlp as fm

    return getattr(neural_network, task.kind), getattr(fm, task.kind)


@cache
def _epochs(name: str, dtype: str) -> tuple[Callable[[int], Any], int]:
    """A fit of so many epochs, checked, and how many of them make a sample."""
    task = _task(name)
    theirs, ours = _estimators(task)
    X = task.X.astype(dtype)
    make = partial(ours, n_threads=1, tol=0.0)

    def run(epochs: int) -> Any:
        return fitted(make, X, task.y, max_iter=epochs, n_iter_no_change=epochs)

    check_same(
        fitted(theirs, task.X, task.y, max_iter=_CHECKED_EPOCHS), run(_CHECKED_EPOCHS), _NEAR[dtype]
    )
    return run, count_repeats(run, _SAMPLE_SECONDS)


class Fit:
    """An epoch with default arguments, on one thread; a sample is a fit."""

    params = (list(TASKS), ["float64", "float32"])
    param_names = ("data", "dtype")
    number = 1
    repeat = (3, 5, 2.0)
    timeout = 300

    def setup(self, data: str, dtype: str) -> None:
        self.run, self.epochs = _epochs(data, dtype)
        self.timer = slow_clock(self.epochs)

    def time_epoch(self, data: str, dtype: str) -> None:
        self.run(self.epochs)


@cache
def _quasi_newton(threads: int) -> tuple[Callable[[int], Any], int]:
    skip_impossible("numba", threads)
    task = _task("digits")
    theirs, ours = _estimators(task)
    arguments: dict[str, Any] = {"solver": "lbfgs", "max_iter": _ITERATIONS, "tol": 0.0}
    run = partial(fitted, partial(ours, n_threads=threads), task.X, task.y, **arguments)
    check_same(fitted(theirs, task.X, task.y, **arguments), run(), 1e-2)
    return run, count_repeats(run, _SAMPLE_SECONDS)


class QuasiNewton:
    """Fits by L-BFGS."""

    params = ([1, 2],)
    param_names = ("threads",)
    number = 1
    repeat = (3, 5, 2.0)
    timeout = 300

    def setup(self, threads: int) -> None:
        self.run, self.fits = _quasi_newton(threads)
        self.timer = slow_clock(self.fits * _ITERATIONS)

    def time_iteration(self, threads: int) -> None:
        self.run(self.fits)


@cache
def _predictions(rows: int) -> tuple[Callable[[int], None], int]:
    task = _task("digits")
    theirs, ours = (fitted(kind, task.X, task.y, max_iter=2) for kind in _estimators(task))
    X = np.resize(task.X, (rows, task.X.shape[1]))
    expected = theirs.predict_proba(X)
    np.testing.assert_allclose(ours.predict_proba(X), expected, rtol=1e-6, atol=1e-9)

    def run(times: int) -> None:
        for _ in range(times):
            ours.predict_proba(X)

    return run, count_repeats(run, _SAMPLE_SECONDS)


class Predict:
    """``predict_proba``."""

    params = ([1, 100_000],)
    param_names = ("rows",)
    number = 1
    repeat = (5, 10, 1.0)
    timeout = 300

    def setup(self, rows: int) -> None:
        self.run, self.times = _predictions(rows)
        self.timer = slow_clock(self.times)

    def time_predict_proba(self, rows: int) -> None:
        self.run(self.times)
