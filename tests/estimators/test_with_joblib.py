"""Fits side by side, in joblib's processes and threads: the same bits, and no core taken twice."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from typing import Any

import joblib
import numpy as np
import pytest
from beside import CLASSES, X, assert_same, classifier
from joblib.externals.loky import get_reusable_executor
from sklearn.model_selection import GridSearchCV
from sklearn.multioutput import MultiOutputRegressor

pytest.importorskip("numba")

from counted_cores import noted_workers, seen_in_a_task, wide_regressor
from threaded_fits import X as ROWS
from threaded_fits import Y

import fastmlp as fm
from fastmlp.estimators import stochastic
from fastmlp.runners import cores
from fastmlp.runners.compiled import workers

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

GRID = {"alpha": [1e-4, 0.1, 10.0]}


@pytest.fixture(scope="module", autouse=True)
def processes() -> Iterator[None]:
    """Those of joblib, which the tests share, end with the last of them."""
    yield
    get_reusable_executor().shutdown(wait=True)


@pytest.fixture
def two_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine of two free cores, whatever there is."""
    monkeypatch.setattr(cores, "allowed_cores", lambda: 2)
    monkeypatch.setattr(workers, "free_cores", lambda: 2)
    monkeypatch.setenv("LOKY_MAX_CPU_COUNT", "2")
    for name in joblib.parallel.ParallelBackendBase.MAX_NUM_THREADS_VARS:
        monkeypatch.delenv(name, raising=False)


@pytest.mark.usefixtures("two_cores")
@pytest.mark.parametrize("backend", ["loky", "threading"])
def test_a_search_gives_the_same_bits(backend: str) -> None:
    def searched(library: Any, n_jobs: int) -> Any:
        return GridSearchCV(classifier(library), GRID, cv=3, n_jobs=n_jobs).fit(X, CLASSES)

    alone = searched(fm, 1)
    with joblib.parallel_config(backend):
        found = searched(fm, 2)
    np.testing.assert_array_equal(
        found.cv_results_["mean_test_score"], alone.cv_results_["mean_test_score"]
    )
    assert found.best_params_ == alone.best_params_
    for one, other in zip(found.best_estimator_.coefs_, alone.best_estimator_.coefs_, strict=True):
        assert one.tobytes() == other.tobytes()
    assert_same(lambda library: searched(library, 1).cv_results_["mean_test_score"])


@pytest.mark.usefixtures("two_cores")
def test_processes_of_joblib_keep_to_what_it_leaves_them() -> None:
    with joblib.parallel_config("loky", n_jobs=2):
        seen = joblib.Parallel()(joblib.delayed(seen_in_a_task)() for _ in range(2))
    assert os.getpid() not in {process for process, _, _ in seen}
    assert {(allowed, used) for _, allowed, used in seen} == {(1, 1)}


@pytest.mark.usefixtures("two_cores")
def test_threads_of_joblib_share_the_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    with noted_workers() as used:
        alone = wide_regressor().fit(ROWS, Y)
    assert set(used) == {2}
    together, train = threading.Barrier(2), stochastic.train_batches

    def side_by_side(*args: Any) -> Any:
        # Both are at work when either begins an epoch, and until both have done it.
        together.wait(20)
        try:
            return train(*args)
        finally:
            together.wait(20)

    monkeypatch.setattr(stochastic, "train_batches", side_by_side)
    with joblib.parallel_config("threading"), noted_workers() as used:
        both = MultiOutputRegressor(wide_regressor(), n_jobs=2)
        both.fit(ROWS, np.column_stack([Y, Y]))
    assert set(used) == {1}
    for estimator in both.estimators_:
        assert estimator.coefs_[0].tobytes() == alone.coefs_[0].tobytes()
