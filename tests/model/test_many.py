"""Many fits at once: the bits of each alone, and what happens when one of them fails."""

from __future__ import annotations

import signal
import threading
import time
from typing import Any

import numpy as np
import pytest

import fastmlp as fm
from fastmlp.runners.cores import available_cores

RNG = np.random.default_rng(2)
X = RNG.normal(size=(200, 5))
Y = np.array(["a", "b", "c"])[np.digitize(X[:, 0] - X[:, 1], [-0.5, 0.5])]


def networks(backend: str, count: int = 5, **arguments: Any) -> list[fm.Sequential]:
    """Networks of different sizes and seeds."""
    return [
        fm.Sequential(
            [fm.Dense(8 + 8 * k, "tanh"), fm.Dropout(0.2), fm.Dense(3, "softmax")],
            backend=backend,
            random_state=k,
            **arguments,
        )
        for k in range(count)
    ]


def parameters(model: fm.Sequential) -> Any:
    return model.training_state.state.parameters


@pytest.mark.parametrize("n_jobs", [1, 2, 4, "auto"])
def test_the_bits_of_one_after_the_other(n_jobs: Any, backend: str) -> None:
    arguments = {"epochs": 3, "batch_size": 16, "validation_split": 0.2}
    alone, together = networks(backend), networks(backend)
    expected = [model.fit(X, Y, verbose=0, **arguments) for model in alone]
    found = fm.fit_many(together, X, Y, n_jobs=n_jobs, **arguments)
    for model, other, first, second in zip(alone, together, expected, found, strict=True):
        np.testing.assert_array_equal(parameters(model), parameters(other))
        assert first["val_loss"] == second["val_loss"]
        assert other.history.epochs == [0, 1, 2]


def test_wide_networks_that_share_steps_when_alone() -> None:
    pytest.importorskip("numba")
    layers = [fm.Dense(256, "relu"), fm.Dense(3, "softmax")]
    alone, *together = (fm.Sequential(layers, random_state=1, n_threads=2) for _ in range(3))
    alone.fit(X, Y, epochs=2, verbose=0)
    fm.fit_many(together, X, Y, n_jobs=2, epochs=2)
    for model in together:
        np.testing.assert_array_equal(parameters(model), parameters(alone))


def test_estimators() -> None:
    pytest.importorskip("sklearn")
    alone, together = (
        [fm.MLPClassifier((8,), max_iter=90, tol=1e-2, random_state=k) for k in range(3)]
        for _ in range(2)
    )
    found = fm.fit_many(together, X, Y, n_jobs=2)
    assert found == together
    for model, other in zip(alone, together, strict=True):
        model.fit(X, Y)
        np.testing.assert_array_equal(model.coefs_[0], other.coefs_[0])


def test_an_array_is_read_where_it_lies(backend: str) -> None:
    seen: list[Any] = []

    class Look(fm.Callback):
        def on_fit_data(self, model: Any, data: Any) -> None:
            seen.append(data.x)

    x = X.astype(np.float32)
    fm.fit_many(networks(backend, 3), x, Y, n_jobs=2, epochs=1, callbacks=[Look()])
    assert len(seen) == 3
    assert all(np.shares_memory(rows, x) for rows in seen)


def test_each_model_has_callbacks_of_its_own(backend: str) -> None:
    stops = fm.EarlyStopping("loss", patience=1, min_delta=1e9)
    models = networks(backend, 4)
    fm.fit_many(models, X, Y, n_jobs=2, epochs=50, callbacks=stops)
    assert [len(model.history) for model in models] == [2] * 4


def assert_none_runs() -> None:
    for thread in threading.enumerate():
        if thread.name.startswith("fastmlp-fit"):
            # It has ended its work, if it is not gone yet.
            thread.join(0.1)
            assert not thread.is_alive()


class FailError(Exception):
    pass


def fails_in(epoch: int, seed: int) -> fm.Callback:
    def fail(model: Any, number: int, logs: Any) -> None:
        if number == epoch and model.random_state == seed:
            raise FailError("it went wrong")

    return fm.LambdaCallback(on_epoch_end=fail)


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_the_first_error_names_its_model_and_stops_all(n_jobs: int, backend: str) -> None:
    models = networks(backend, 4)
    start = time.perf_counter()
    with pytest.raises(FailError, match=r"models\[1\] of 4: it went wrong"):
        fm.fit_many(models, X, Y, n_jobs=n_jobs, epochs=10**6 if n_jobs == 2 else 3,
                    callbacks=fails_in(2, 1))  # fmt: skip
    assert time.perf_counter() - start < 60
    assert len(models[1].history) == 3
    assert len(models[3].history) == 0
    # What was stopped is whole.
    assert np.isfinite(models[0].predict(X)).all()
    assert_none_runs()


def test_refused_rows_leave_all_models_as_they_were(backend: str) -> None:
    models = networks(backend, 2)
    with pytest.raises(ValueError, match=r"models\[\d\] of 2: "):
        fm.fit_many(models, X, Y[:-1], n_jobs=2)
    assert all(model.training_state.blueprint is None for model in models)


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_ctrl_c_stops_all(n_jobs: int, backend: str) -> None:
    models = networks(backend, 3)
    once = threading.Lock()

    def begin(model: Any, epoch: int) -> None:
        if epoch == 3 and once.acquire(blocking=False):
            signal.raise_signal(signal.SIGINT)

    with pytest.raises(KeyboardInterrupt):
        fm.fit_many(models, X, Y, n_jobs=n_jobs, epochs=10**6,
                    callbacks=[fm.LambdaCallback(on_epoch_begin=begin)])  # fmt: skip
    assert once.locked()
    assert np.isfinite(models[0].predict(X)).all()
    assert_none_runs()


def test_within_it_a_fit_has_its_share_of_the_cores() -> None:
    shares = []

    class Model:
        def fit(self, X: Any, y: Any) -> Model:
            shares.append(available_cores())
            return self

    cores = available_cores()
    fm.fit_many([Model() for _ in range(4)], X, Y, n_jobs=2)
    assert shares == [max(1, cores // 2)] * 4
    assert available_cores() == cores


def test_settings_of_the_caller_hold(backend: str) -> None:
    found = []
    look = fm.LambdaCallback(on_epoch_end=lambda model, epoch, logs: found.append(np.geterr()))
    with np.errstate(divide="raise"):
        fm.fit_many(networks(backend, 2), X, Y, n_jobs=2, epochs=1, callbacks=look)
    assert [state["divide"] for state in found] == ["raise"] * 2


def test_nothing_to_fit() -> None:
    assert fm.fit_many([], X, Y) == []


@pytest.mark.parametrize(
    ("models", "arguments", "error", "message"),
    [
        ("models", {}, TypeError, "fit_many takes a list of models, got 'models'"),
        ([3], {}, TypeError, r"models\[0\] has no fit\(X, y\): 3"),
        ([fm.Sequential], {}, TypeError, r"models\[0\] has no fit\(X, y\)"),
        ([fm.Sequential([fm.Dense(1)])] * 2, {}, ValueError, "are one object"),
        ([], {"n_jobs": 0}, ValueError, "n_jobs must be an integer >= 1, got 0"),
        ([], {"n_jobs": "all"}, ValueError, "n_jobs must be 'auto' or an integer >= 1, got 'all'"),
    ],
)
def test_what_is_refused(models: Any, arguments: Any, error: Any, message: str) -> None:
    with pytest.raises(error, match=message):
        fm.fit_many(models, X, Y, **arguments)
