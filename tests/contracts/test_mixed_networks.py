"""Random networks that nest branches, residuals, embeddings and registered functions."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from architectures import Run, error, train
from comparisons import assert_same_bits, declarations, worst
from mixed_networks import FUNCTIONS, LOSS_FUNCTIONS, mixed_run, moved, register, rows_of
from states import assert_same

import fastmlp as fm
from fastmlp.common.config import to_config
from fastmlp.declarations import activations, losses

pytest.importorskip("numba")

BACKENDS = ["numpy", "numba"]
NUMBERS = range(36)


@pytest.fixture(scope="module", autouse=True)
def registered() -> Iterator[None]:
    register()
    yield
    for name in FUNCTIONS:
        del activations.ACTIVATIONS[name]
    for name in LOSS_FUNCTIONS:
        del losses.LOSSES[name]


@pytest.mark.parametrize("number", NUMBERS)
def test_backends_agree(number: int) -> None:
    run, reference = well_conditioned(number)
    compiled = train(run.model("numba", "float64"), run)
    largest, name = worst(compiled, reference)
    assert largest <= 1e-9, f"{name} of {run}"


def well_conditioned(number: int) -> tuple[Run, dict[str, Any]]:
    """The first run of this number that does not amplify rounding, and what NumPy makes of it."""
    for attempt in range(5):
        run = mixed_run(number, attempt)
        changed = replace(run, X=moved(run.X))
        try:
            reference = train(run.model("numpy", "float64"), run)
            again = train(changed.model("numpy", "float64"), changed)
        except fm.DivergenceError:
            continue
        if worst(again, reference)[0] <= 1e-10:
            return run, reference
    raise AssertionError(f"no run of number {number} is well conditioned")


@pytest.mark.parametrize("number", NUMBERS[::3])
def test_threads_do_not_change_a_bit(number: int) -> None:
    run = well_conditioned(number)[0]
    one, three = (
        train(run.model("numba", "float32", n_threads=n_threads), run) for n_threads in (1, 3)
    )
    assert_same_bits(three, one)


@pytest.mark.parametrize("number", NUMBERS[1::3])
def test_gradients_against_differences(number: int) -> None:
    run = mixed_run(number)
    model = run.model("numba", "float64")
    weights = run.fit.get("sample_weight")
    model.train_step(run.X, run.y, weights)
    check = fm.check_gradients(model, run.X, run.y, weights, max_elements=3)
    assert check.ok, f"{run}\n{check}"


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("number", NUMBERS[2::6])
def test_chunks_as_arrays_in_order(number: int, backend: str) -> None:
    run = mixed_run(number)
    fit = {name: value for name, value in run.fit.items() if name != "validation_split"}
    fit |= {"epochs": 2, "shuffle": False, "verbose": 0}
    weights = fit.pop("sample_weight", None)
    size = 2 * fit["batch_size"]
    chunks = []
    for start in range(0, len(run.y), size):
        part = slice(start, start + size)
        chunk = (rows_of(run.X, part), run.y[part])
        chunks.append(chunk if weights is None else (*chunk, weights[part]))
    chunked, whole = (run.model(backend, "float32") for _ in range(2))
    chunked.fit(chunks, **fit)
    whole.fit(run.X, run.y, sample_weight=weights, **fit)
    assert_same_bits({**chunked.parameters, **chunked.buffers}, dict(whole.parameters))
    for name in whole.history.keys() - {"seconds"}:
        np.testing.assert_allclose(chunked.history[name], whole.history[name], rtol=1e-6)


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("number", NUMBERS[4::6])
def test_resumed_as_without_a_break(number: int, backend: str, tmp_path: Path) -> None:
    class BreakError(Exception):
        pass

    def stop(model: Any, epoch: int, logs: Any) -> None:
        if epoch == 2:
            raise BreakError

    run, path = mixed_run(number), tmp_path / "model.safetensors"
    whole, broken = (run.model(backend, "float32") for _ in range(2))
    fit = {**run.fit, "epochs": 5, "verbose": 0}
    whole.fit(run.X, run.y, **fit)
    callbacks = [fm.ModelCheckpoint(path, every=2), fm.LambdaCallback(on_epoch_end=stop)]
    with pytest.raises(BreakError):
        broken.fit(run.X, run.y, callbacks=callbacks, **fit)
    again = {
        name: value
        for name, value in run.fit.items()
        if name in ("sample_weight", "class_weight", "validation_data")
    }
    resumed = fm.resume(path, run.X, run.y, backend=backend, verbose=0, **again)
    assert_same(resumed, whole)


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("number", NUMBERS[::6])
def test_one_row_as_many(number: int, backend: str) -> None:
    run = mixed_run(number)
    model = run.model(backend, "float64")
    model.train_step(run.X, run.y)
    many = model.predict(run.X)
    blocks = model.predict(rows_of(run.X, np.arange(600) % len(run.y)))
    assert error(blocks[: len(many)], many) <= 1e-12
    for row in (0, len(many) - 1):
        one = model.predict(rows_of(run.X, slice(row, row + 1)))
        assert error(one, many[row : row + 1]) <= 1e-11
    np.testing.assert_allclose(list(model.activations(run.X).values())[-1], many, atol=1e-11)
    model.explain(rows_of(run.X, slice(0, 1)), run.y[0])


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("number", NUMBERS[5::6])
def test_a_step_is_a_fit_of_one_batch(number: int, backend: str) -> None:
    run = mixed_run(number)
    stepped, fitted = (run.model(backend, "float32") for _ in range(2))
    weights = run.fit.get("sample_weight")
    loss = stepped.train_step(run.X, run.y, weights)
    history = fitted.fit(
        run.X,
        run.y,
        epochs=1,
        batch_size=None,
        shuffle=False,
        sample_weight=weights,
        verbose=0,
    )
    assert_same_bits(dict(stepped.parameters), dict(fitted.parameters))
    assert loss == pytest.approx(history["loss"][0], rel=1e-6)


def test_the_networks_cover_everything() -> None:
    """A generator that leaves something out would make the tests above say less than they seem."""
    words: set[str] = set()
    for number in NUMBERS:
        model = mixed_run(number).model("numpy", "float64")
        for part in (*model.layers, model.loss, model.optimizer):
            words |= declarations(to_config(part))
    wanted = {"Dense", "BatchNorm", "Dropout", "Activation", "Residual", "WideAndDeep", "Branch"}
    wanted |= {"Embedding", "concat", "add", *FUNCTIONS, *LOSS_FUNCTIONS}
    wanted |= {"SGD", "RMSprop", "Adam", "AdamW", "Nadam", "AdaGrad", "Ftrl"}
    assert wanted <= words
    inputs = [mixed_run(number).X for number in NUMBERS]
    assert any(isinstance(X, tuple) and hasattr(X[0], "tocsr") for X in inputs)
    assert any(isinstance(X, tuple) and not hasattr(X[0], "tocsr") for X in inputs)
