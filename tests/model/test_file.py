"""A file holds all that training goes on with, labels, history and metadata too."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from architectures import HEADS, Run, random_run
from continued_fits import SPECS, classes, fit, network
from states import assert_same

import fastmlp as fm
from fastmlp.kernels.typing import Array


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", SPECS)
def test_saving_does_not_change_what_comes(
    backend: str, name: str, dtype: str, tmp_path: Path
) -> None:
    """Save, load and continue equals never having saved."""
    path = tmp_path / "model.safetensors"
    model = network(backend, SPECS[name], dtype)
    fit(model, 3)
    model.save(path)
    loaded = fm.load(path, backend=backend)
    assert_same(loaded, model)
    X, _ = classes()
    np.testing.assert_array_equal(loaded.predict(X), model.predict(X))
    assert loaded.backend == backend
    for continued in (model, loaded):
        fit(continued, 3)
    assert_same(loaded, model)


@pytest.mark.parametrize("number", range(0, 2 * len(HEADS), 3))
def test_files_of_random_networks(backend: str, number: int, tmp_path: Path) -> None:
    """Layers, losses and optimizers of all kinds, X in two parts, labels of all types."""
    run = random_run(number)
    run.fit["epochs"] = 2
    path = tmp_path / "model.safetensors"
    model = run.model(backend, "float32")
    model.fit(run.X, run.y, verbose=0, **run.fit)
    model.save(path)
    loaded = fm.load(path, backend=backend)
    assert_same(loaded, model)
    assert loaded.layers == model.layers
    assert loaded.loss == model.loss
    assert loaded.optimizer == model.optimizer
    np.testing.assert_array_equal(loaded.predict(run.X), model.predict(run.X))
    for continued in (model, loaded):
        continued.fit(run.X, run.y, verbose=0, **run.fit)
    assert_same(loaded, model)
    assert loaded.history.epochs == [0, 1, 2, 3]


def test_the_random_networks_include_two_parts_and_own_optimizers() -> None:
    runs: list[Run] = [random_run(number) for number in range(0, 2 * len(HEADS), 3)]
    wide = [run.layers[0] for run in runs if isinstance(run.layers[0], fm.WideAndDeep)]
    assert any(layer.wide_optimizer for layer in wide)
    assert any(isinstance(run.X, tuple) for run in runs)


def test_a_model_built_but_not_trained(backend: str, tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    model = network(backend).build(4)
    model.save(path)
    loaded = fm.load(path, backend=backend)
    assert_same(loaded, model)
    for continued in (model, loaded):
        fit(continued, 2)
    assert_same(loaded, model)


def test_a_loaded_model_can_be_reset(backend: str, tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    model = network(backend)
    fit(model, 2)
    model.save(path)
    loaded = fm.load(path, backend=backend)
    for again in (model, loaded):
        again.reset()
        fit(again, 2)
    assert_same(loaded, model)


@pytest.mark.parametrize("trained", ["numpy", "numba"])
def test_the_other_backend_reads_it(trained: str, tmp_path: Path) -> None:
    pytest.importorskip("numba")
    path = tmp_path / "model.safetensors"
    model = network(trained, dtype="float64")
    fit(model, 3)
    model.save(path)
    loaded = fm.load(path, backend="numpy" if trained == "numba" else "numba")
    assert_same(loaded, model)
    X, _ = classes()
    np.testing.assert_allclose(loaded.predict(X), model.predict(X), rtol=1e-10)
    a, b = fit(loaded, 3), fit(model, 3)
    np.testing.assert_allclose(a["loss"], b["loss"], rtol=1e-9)


@pytest.mark.parametrize(
    "labels",
    [
        np.array(["no", "maybe", "yes"]),
        np.array([3, 7, 11]),
        np.array([-1.5, 0.25, 2.0]),
        np.array(["2020-01-01", "2020-02-01", "2021-01-01"], dtype="datetime64[D]"),
    ],
    ids=str,
)
def test_labels_are_kept(backend: str, labels: Array, tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    X, y = classes()
    model = network(backend)
    model.fit(X, labels[y], epochs=2, verbose=0)
    model.save(path)
    loaded = fm.load(path, backend=backend)
    predicted = loaded.predict_classes(X)
    assert predicted.dtype == labels.dtype
    np.testing.assert_array_equal(predicted, model.predict_classes(X))
    np.testing.assert_array_equal(loaded.classes, np.unique(labels))


def test_history_and_metadata_are_kept(backend: str, tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    model = network(backend)
    history = fit(model, 2)
    model.metadata["note"] = "für später"
    model.save(path)
    loaded = fm.load(path)
    assert loaded.metadata == {"note": "für später"}
    assert loaded.history.to_dict() == history.to_dict()
    assert loaded.random_state == model.random_state
