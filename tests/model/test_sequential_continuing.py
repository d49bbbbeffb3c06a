"""Training that goes on: further fits, reset, and files, none of which changes a bit of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from architectures import HEADS, Run, random_run
from states import assert_same, contents

import fastmlp as fm
from fastmlp.kernels.typing import Array

N = 70


def classes() -> tuple[Array, Array]:
    rng = np.random.default_rng(41)
    X = rng.normal(size=(N, 4))
    return X, np.digitize(np.sin(X[:, 0]) + 0.3 * rng.normal(size=N), [-0.4, 0.4])


def network(backend: str, optimizer: Any = "adam", dtype: str = "float32") -> fm.Sequential:
    layers = [
        fm.Dense(12),
        fm.BatchNorm(),
        fm.Activation("relu"),
        fm.Dropout(0.3),
        fm.Residual([fm.Dense(5, "gelu"), fm.Dropout(0.2), fm.Dense(12)]),
        fm.Dense(3, "softmax", l2=1e-3),
    ]
    return fm.Sequential(layers, optimizer=optimizer, dtype=dtype, backend=backend, random_state=9)


OPTIMIZERS = {
    "sgd": fm.SGD(0.05),
    "nesterov": fm.SGD(0.01, momentum=0.9, nesterov=True, clip_norm=0.5),
    "rmsprop": fm.RMSprop(),
    "adam": fm.Adam(clip_value=0.1),
    "adamw": fm.AdamW(),
    "nadam": fm.Nadam(),
    "adagrad": fm.AdaGrad(),
    "ftrl": fm.Ftrl(0.05, l1=1e-3),
}

SCHEDULES = {
    "exponential": fm.ExponentialDecay(0.01, 0.8),
    "inverse time": fm.InverseTimeDecay(0.01, 0.5),
    "step": fm.StepDecay(0.01, 0.5, 2),
    "cosine": fm.CosineDecay(0.01, 6),
    "one cycle": fm.OneCycle(0.01, 6),
    "plateau": fm.ReduceOnPlateau(0.01, 0.5, patience=0),
    "plateau of validation": fm.ReduceOnPlateau(0.01, 0.5, patience=1, monitor="val_loss"),
}

SPECS: dict[str, Any] = {
    **OPTIMIZERS,
    **{name: fm.Adam(schedule) for name, schedule in SCHEDULES.items()},
}


def fit(model: fm.Sequential, epochs: int, **arguments: Any) -> fm.History:
    X, y = classes()
    # What is learnt makes wrong labels look worse, which val_loss notices.
    wrong = (X[:20], (y[:20] + 1) % 3)
    arguments = {"batch_size": 16, "validation_data": wrong, "verbose": 0, **arguments}
    return model.fit(X, y, epochs=epochs, **arguments)


@pytest.mark.parametrize("name", SPECS)
def test_two_fits_are_one(backend: str, name: str) -> None:
    """Schedules, shuffles, dropout and the optimizer's state go on."""
    twice, once = network(backend, SPECS[name]), network(backend, SPECS[name])
    first, second = fit(twice, 3), fit(twice, 3)
    whole = fit(once, 6)
    assert_same(twice, once)
    assert first["loss"] + second["loss"] == whole["loss"] == twice.history["loss"]
    assert first["learning_rate"] + second["learning_rate"] == whole["learning_rate"]
    assert (first.epochs, second.epochs) == ([0, 1, 2], [3, 4, 5])
    assert twice.history.epochs == whole.epochs == [0, 1, 2, 3, 4, 5]
    if name in SCHEDULES:
        assert len(set(whole["learning_rate"])) > 1


def test_two_fits_are_one_with_a_random_validation_split(backend: str) -> None:
    twice, once = network(backend), network(backend)
    split: dict[str, Any] = {"validation_split": 0.3, "validation_data": None}
    fit(twice, 2, **split)
    fit(twice, 2, **split)
    fit(once, 4, **split)
    assert_same(twice, once)


@pytest.mark.parametrize("name", ["adam", "nadam", "plateau", "ftrl"])
def test_reset_begins_anew(backend: str, name: str) -> None:
    model, other = network(backend, SPECS[name]), network(backend, SPECS[name])
    built = network(backend, SPECS[name]).build(4)
    fit(model, 4)
    model.reset()
    assert len(model.history) == 0
    assert model.classes is None
    assert_same(model, built)
    fit(model, 3)
    fit(other, 3)
    assert_same(model, other)


def test_reset_forgets_labels(backend: str) -> None:
    X, y = classes()
    model = network(backend)
    fit(model, 1)
    with pytest.raises(ValueError, match="labels"):
        model.fit(X, np.array(["a", "b", "c"])[y], epochs=1, verbose=0)
    model.reset()
    model.fit(X, np.array(["a", "b", "c"])[y], epochs=1, verbose=0)
    assert set(model.predict_classes(X)) <= {"a", "b", "c"}


def test_reset_before_anything_is_built(backend: str) -> None:
    model = network(backend)
    model.reset()
    fit(model, 1)
    other = network(backend)
    fit(other, 1)
    assert_same(model, other)


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


@pytest.mark.parametrize("name", ["adam", "one cycle"])
def test_steps_and_fits_may_alternate(backend: str, name: str) -> None:
    """A single step counts as a step, and not as an epoch."""
    X, y = classes()
    model, other = network(backend, SPECS[name]), network(backend, SPECS[name])
    fit(model, 1)
    model.train_step(X, y)
    assert contents(model)[1]["step"] == 6
    assert contents(model)[1]["epoch"] == 1
    fit(other, 1)
    other.train_step(X, y)
    fit(model, 1)
    fit(other, 1)
    assert_same(model, other)
    assert model.history.epochs == [0, 1]
