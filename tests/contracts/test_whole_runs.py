"""Whole trainings: NumPy against Numba on random networks, and the same bits where promised."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from architectures import (
    HEADS,
    HIDDEN,
    SCHEDULES,
    Run,
    random_run,
    train,
)
from comparisons import assert_same_bits, declarations, worst

import fastmlp as fm
from fastmlp.common.config import to_config
from fastmlp.kernels.typing import Array

pytest.importorskip("numba")


N_FLOAT64 = 104
N_FLOAT32 = 60
BLOCK = 10


def without_accuracy(results: dict[str, Array]) -> dict[str, Array]:
    """Results without those that jump where two outputs are equal but for rounding."""
    return {name: values for name, values in results.items() if "accuracy" not in name}


@pytest.mark.parametrize("number", range(N_FLOAT64))
def test_backends_agree_in_float64(number: int) -> None:
    run, reference = well_conditioned(number)
    compiled = train(run.model("numba", "float64"), run)
    largest, name = worst(compiled, reference)
    assert largest <= 1e-9, f"{name} of {run}"


def well_conditioned(number: int) -> tuple[Run, dict[str, Array]]:
    """The first run of this number that the NumPy backend does not find chaotic, and its results.

    Fifty steps of some networks amplify a change of X's last bits a millionfold; what rounding
    does to those says nothing about an implementation. Only the reference is asked which they are.
    """
    for attempt in range(5):
        run = random_run(number, attempt)
        reference = train(run.model("numpy", "float64"), run)
        if moved_by_last_bits(run, reference) <= 1e-10:
            return run, reference
    raise AssertionError(f"no run of number {number} is well conditioned")


def moved_by_last_bits(run: Run, reference: dict[str, Array]) -> float:
    """How far the NumPy backend's results move when X is changed by two units of rounding."""
    rng = np.random.default_rng(0)

    def moved(x: Array) -> Array:
        return x * (1.0 + rng.choice([-1.0, 1.0], x.shape) * np.finfo(np.float64).eps)

    X = tuple(map(moved, run.X)) if isinstance(run.X, tuple) else moved(run.X)
    changed = replace(run, X=X)
    return worst(train(changed.model("numpy", "float64"), changed), reference)[0]


@pytest.mark.parametrize("first", range(0, N_FLOAT32, BLOCK))
def test_backends_agree_in_float32(first: int) -> None:
    judged = 0
    for number in range(first, first + BLOCK):
        run = random_run(number)
        reference = without_accuracy(train(run.model("numpy", "float32"), run))
        exact = without_accuracy(train(run.model("numpy", "float64"), run))
        if worst(reference, exact)[0] > 1e-4:
            # Rounding alone moves this training so far that a difference would tell nothing.
            continue
        judged += 1
        compiled = without_accuracy(train(run.model("numba", "float32"), run))
        largest, name = worst(compiled, reference)
        assert largest <= 1e-3, f"{name} of {run}"
    assert judged >= 7


def all_words(numbers: range) -> set[str]:
    words: set[str] = set()
    for number in numbers:
        run = random_run(number)
        model = run.model("numpy", "float64")
        configs = [to_config(x) for x in (*model.layers, model.loss, model.optimizer)]
        words |= declarations(configs)
    return words


def test_random_networks_cover_everything() -> None:
    """A generator that leaves something out would make the tests above say less than they seem."""
    wanted = {"Dense", "BatchNorm", "Dropout", "Activation", "Residual", "WideAndDeep"}
    wanted |= set(HIDDEN) - {"leaky_relu", "elu"} | {"LeakyReLU", "ELU"}
    wanted |= {"MSE", "MAE", "Huber", "Quantile", "Poisson"}
    wanted |= {"BinaryCrossentropy", "CategoricalCrossentropy"}
    wanted |= {"SGD", "RMSprop", "Adam", "AdamW", "Nadam", "AdaGrad", "Ftrl"}
    wanted |= set(SCHEDULES) - {"number"}
    assert wanted <= all_words(range(N_FLOAT64))
    assert {number % len(HEADS) for number in range(N_FLOAT32)} == set(range(len(HEADS)))
    runs = [random_run(number) for number in range(N_FLOAT64)]
    pairs = [run.X for run in runs if isinstance(run.X, tuple)]
    assert {type(wide).__name__ for wide, _ in pairs} == {"csr_array", "ndarray"}
    assert any("class_weight" in run.fit for run in runs)
    assert any("sample_weight" in run.fit and run.fit.get("shuffle", True) for run in runs)
    assert any(not run.fit.get("shuffle", True) for run in runs)
    assert any(run.optimizer.clip_norm is None and run.optimizer.clip_value for run in runs)
    assert any(run.optimizer.clip_norm and run.optimizer.clip_value is None for run in runs)


@pytest.mark.parametrize("backend", ["numpy", "numba"])
@pytest.mark.parametrize("number", [3, 10, 14, 28])
def test_same_seed_same_bits(backend: str, number: int) -> None:
    run = random_run(number)
    first = train(run.model(backend, "float32"), run)
    second = train(run.model(backend, "float32"), run)
    assert_same_bits(second, first)


def test_another_seed_other_weights() -> None:
    run = random_run(10)
    models = [
        fm.Sequential(run.layers, random_state=seed, backend="numpy").build(4) for seed in (0, 1)
    ]
    a, b = (model.parameters["0.weight"] for model in models)
    assert not np.array_equal(a, b)
