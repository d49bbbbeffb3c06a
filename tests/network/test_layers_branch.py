"""Branch: paths side by side or added; its gradients stand with those of all networks."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import fastmlp as fm

BACKENDS = ["numpy", "numba"]
RNG = np.random.default_rng(0)
X = RNG.normal(size=(120, 5))
Y = X[:, 0] * X[:, 1]

NETWORKS: dict[str, list[Any]] = {
    "concat": [fm.Branch([fm.Dense(6, "tanh")], [fm.Dense(3), fm.BatchNorm()]), fm.Dense(1)],
    "concat with the input": [
        fm.Dense(7, "relu"),
        fm.Branch([fm.Dense(4, "silu")], []),
        fm.Dense(1),
    ],
    "add": [
        fm.Branch(
            [fm.Dense(6, "tanh")], [fm.Dense(6)], [fm.Dense(9, "relu"), fm.Dense(6)], merge="add"
        ),
        fm.Dense(1),
    ],
    "add to the input": [
        fm.Dense(6, "tanh"),
        fm.Branch([], [fm.Dense(6, "relu")], merge="add"),
        fm.Dense(1),
    ],
    "within each other": [
        fm.Branch(
            [fm.Branch([fm.Dense(2, "tanh")], [fm.Dropout(0.2)])],
            [fm.Residual([fm.Dense(5, "tanh")])],
        ),
        fm.Dense(1),
    ],
    "wide enough for shards": [fm.Branch([fm.Dense(200, "relu")], [fm.Dense(130)]), fm.Dense(1)],
    "the same path twice": [fm.Dense(6, "tanh"), fm.Branch([], [], [fm.Dense(2)]), fm.Dense(1)],
}


def model_of(name: str, backend: str, dtype: str = "float64", **more: Any) -> fm.Sequential:
    return fm.Sequential(NETWORKS[name], backend=backend, dtype=dtype, random_state=1, **more)


def test_what_concat_and_add_compute() -> None:
    for merge in ("concat", "add"):
        layers = [fm.Branch([fm.Dense(2, "tanh")], [fm.Dense(2)], merge=merge), fm.Dense(1)]
        model = fm.Sequential(layers, backend="numpy", dtype="float64", random_state=0).build(5)
        assert list(model.parameters)[:4] == [
            "0.0.0.weight",
            "0.0.0.bias",
            "0.1.0.weight",
            "0.1.0.bias",
        ]
        first = np.tanh(X @ model.parameters["0.0.0.weight"])
        second = X @ model.parameters["0.1.0.weight"]
        expected = np.hstack([first, second]) if merge == "concat" else first + second
        np.testing.assert_allclose(model.activations(X)["0.output"], expected, rtol=1e-12)


@pytest.mark.parametrize("name", NETWORKS)
def test_backends_agree(name: str) -> None:
    pytest.importorskip("numba")
    results = []
    for backend in BACKENDS:
        model = model_of(name, backend)
        model.fit(X, Y, epochs=6, batch_size=32, verbose=0)
        results.append({**model.parameters, **model.buffers, "prediction": model.predict(X)})
    for key, values in results[0].items():
        np.testing.assert_allclose(results[1][key], values, rtol=0, atol=1e-9, err_msg=key)


@pytest.mark.parametrize("name", NETWORKS)
def test_threads_do_not_change_a_bit(name: str) -> None:
    pytest.importorskip("numba")
    results = []
    for n_threads in (1, 2, 4):
        model = model_of(name, "numba", "float32", n_threads=n_threads)
        model.fit(X, Y, epochs=2, batch_size=64, verbose=0)
        results.append(model.parameters)
    for several in results[1:]:
        for key, values in results[0].items():
            np.testing.assert_array_equal(several[key], values)


@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.parametrize("backend", BACKENDS)
def test_saved_and_loaded(name: str, backend: str, tmp_path: Path) -> None:
    if backend == "numba":
        pytest.importorskip("numba")
    model = model_of(name, backend)
    model.fit(X, Y, epochs=1, verbose=0)
    model.save(tmp_path / "model.safetensors")
    loaded = fm.load(tmp_path / "model.safetensors", backend=backend)
    assert loaded.layers == model.layers
    np.testing.assert_array_equal(loaded.predict(X), model.predict(X))


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: fm.Branch([fm.Dense(2)]), ValueError, "at least two lists"),
        (lambda: fm.Branch([], []), ValueError, "at least two lists"),
        (lambda: fm.Branch(fm.Dense(2), fm.Dense(2)), TypeError, "Branch takes a list of layers"),
        (lambda: fm.Branch([fm.Dense(2)], [3]), TypeError, "entry 0 is 3"),
        (lambda: fm.Branch([fm.Dense(2)], [], merge="mean"), ValueError, "unknown merge 'mean'"),
        (
            lambda: fm.Sequential([fm.Branch([fm.Dense(2)], [fm.Dense(3)], merge="add")]).build(4),
            ValueError,
            r"adds outputs of one width, got \[2, 3\]",
        ),
    ],
)
def test_errors(make: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        make()
