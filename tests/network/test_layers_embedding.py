"""Embeddings: what they compute, their gradients, and codes that are none."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from embedded_rows import model_of

import fastmlp as fm
from fastmlp.kernels.typing import Array

BACKENDS = ["numpy", "numba"]
N_ROWS = 90


def data(seed: int = 0) -> tuple[Array, Array]:
    """Two columns of numbers and two of codes, 5 and 3 categories, in turns; a target of both."""
    rng = np.random.default_rng(seed)
    X = np.column_stack(
        [
            *(rng.normal(size=N_ROWS), rng.integers(0, 5, N_ROWS)),
            *(rng.normal(size=N_ROWS), rng.integers(0, 3, N_ROWS)),
        ]
    )
    y = X[:, 0] + np.array([2.0, -1.0, 0.5, 0.0, 3.0])[X[:, 1].astype(int)] * X[:, 2]
    return X, y


NETWORKS: dict[str, list[Any]] = {
    "one": [fm.Embedding(5, 4, 1), fm.Dense(6, "tanh"), fm.Dense(1)],
    "two": [fm.Embedding(3, 2, 3), fm.Embedding(5, 4, 1), fm.Dense(6, "tanh"), fm.Dense(1)],
    "behind it a BatchNorm": [fm.Embedding(5, 4, 1), fm.BatchNorm(), fm.Dense(1)],
    "behind it a dropout": [
        fm.Embedding(5, 4, 1),
        fm.Dropout(0.3),
        fm.Dense(5, "relu"),
        fm.Dense(1),
    ],
    "behind it a branch": [
        fm.Embedding(5, 4, 1),
        fm.Branch([fm.Dense(3, "tanh")], []),
        fm.Dense(1),
    ],
    "wide and deep": [
        fm.WideAndDeep(
            1,
            deep=[fm.Embedding(5, 4, 1), fm.Dense(6, "tanh")],
            wide=[0, 2],
            deep_columns=[2, 1],
        )
    ],
}


def test_output_is_untouched_columns_then_embeddings(backend: str) -> None:
    X, _ = data()
    model = model_of([fm.Embedding(3, 2, 3), fm.Embedding(5, 4, 1), fm.Dense(1)], backend).build(4)
    assert {name: view.shape for name, view in model.parameters.items()} == {
        "0.weight": (3, 2),
        "1.weight": (5, 4),
        "2.weight": (8, 1),
        "2.bias": (1,),
    }
    of_3, of_1 = model.parameters["0.weight"], model.parameters["1.weight"]
    expected = np.hstack([X[:, [0, 2]], of_3[X[:, 3].astype(int)], of_1[X[:, 1].astype(int)]])
    np.testing.assert_array_equal(model.activations(X)["1.output"], expected)
    np.testing.assert_allclose(
        model.predict(X), expected @ model.parameters["2.weight"], rtol=1e-12, atol=1e-12
    )


def test_first_vectors_are_standard_normal() -> None:
    model = model_of([fm.Embedding(400, 50, 0), fm.Dense(1)], "numpy").build(1)
    values = model.parameters["0.weight"]
    assert abs(values.mean()) < 0.03
    assert abs(values.std() - 1.0) < 0.03


@pytest.mark.parametrize("name", NETWORKS)
def test_gradients_against_differences(name: str, backend: str) -> None:
    X, y = data()
    model = model_of(NETWORKS[name], backend).build(4)
    gradients = model.gradients(X, y, training=False)
    rng = np.random.default_rng(1)
    for key, view in model.parameters.items():
        direction = rng.normal(size=view.shape)
        before, losses = view.copy(), []
        for sign in (1.0, -1.0):
            view[...] = before + sign * 1e-6 * direction
            losses.append(model.evaluate(X, y)["loss"])
        view[...] = before
        slope = (losses[0] - losses[1]) / 2e-6
        assert abs(slope - (gradients[key] * direction).sum()) <= 1e-6 * max(1.0, abs(slope)), key


@pytest.mark.parametrize("name", NETWORKS)
def test_backends_agree(name: str) -> None:
    pytest.importorskip("numba")
    X, y = data()
    results = []
    for backend in BACKENDS:
        model = model_of(NETWORKS[name], backend, optimizer=fm.Adam(0.01))
        model.fit(X, y, epochs=8, batch_size=16, verbose=0)
        results.append({**model.parameters, "prediction": model.predict(X)})
    for key, values in results[0].items():
        np.testing.assert_allclose(results[1][key], values, rtol=0, atol=1e-9, err_msg=key)


@pytest.mark.parametrize("name", NETWORKS)
def test_threads_do_not_change_a_bit(name: str) -> None:
    pytest.importorskip("numba")
    X, y = data()
    results = []
    for n_threads in (1, 3):
        model = model_of(NETWORKS[name], "numba", "float32", n_threads=n_threads)
        model.fit(X, y, epochs=2, batch_size=32, verbose=0)
        results.append(model.parameters)
    for key, values in results[0].items():
        np.testing.assert_array_equal(results[1][key], values)


def test_learns_what_codes_mean(backend: str) -> None:
    rng = np.random.default_rng(2)
    X = rng.integers(0, 8, size=(400, 1))
    values = rng.normal(size=8)
    model = model_of([fm.Embedding(8, 3, 0), fm.Dense(1)], backend, optimizer=fm.Adam(0.05))
    model.fit(X, values[X[:, 0]], epochs=40, batch_size=50, verbose=0)
    np.testing.assert_allclose(model.predict(np.arange(8)[:, None])[:, 0], values, atol=0.02)


def test_a_category_that_does_not_occur_keeps_its_vector_under_sgd(backend: str) -> None:
    X, y = data()
    X[:, 1][X[:, 1] == 2] = 0
    model = model_of(NETWORKS["one"], backend, optimizer=fm.SGD(0.01)).build(4)
    before = model.parameters["0.weight"].copy()
    model.fit(X, y, epochs=2, verbose=0)
    changed = (model.parameters["0.weight"] != before).any(axis=1)
    np.testing.assert_array_equal(changed, [True, True, False, True, True])


def test_saved_and_loaded(backend: str, tmp_path: Path) -> None:
    X, y = data()
    model = model_of(NETWORKS["wide and deep"], backend)
    model.fit(X, y, epochs=1, verbose=0)
    model.save(tmp_path / "model.safetensors")
    loaded = fm.load(tmp_path / "model.safetensors", backend=backend)
    assert loaded.layers == model.layers
    np.testing.assert_array_equal(loaded.predict(X), model.predict(X))


@pytest.mark.parametrize("code", [-1.0, 5.0, 1.5])
def test_codes_that_are_none_are_refused(code: float, backend: str) -> None:
    X, y = data()
    wrong = X.copy()
    wrong[7, 1] = code
    message = rf"{code:g} in row 7, column 1, where an Embedding expects codes, .* from 0 to 4"
    model = model_of(NETWORKS["one"], backend)
    with pytest.raises(ValueError, match=message):
        model.fit(wrong, y, verbose=0)
    model.fit(X, y, epochs=1, verbose=0)
    for use in (model.predict, model.activations):
        with pytest.raises(ValueError, match=message):
            use(wrong)
    with pytest.raises(ValueError, match="validation_data's X has"):
        model.fit(X, y, validation_data=(wrong, y), verbose=0)


def test_codes_made_invalid_during_a_fit_end_it() -> None:
    """The compiled path reads X where it lies; a code that is none must not be an address."""
    pytest.importorskip("numba")
    X, y = data()
    changed = fm.LambdaCallback(on_epoch_end=lambda *_: X.__setitem__((5, 1), 1e9))
    with pytest.raises(fm.DivergenceError):
        model_of(NETWORKS["one"], "numba").fit(X, y, epochs=3, callbacks=[changed], verbose=0)


@pytest.mark.parametrize(
    ("layers", "message"),
    [
        ([fm.Dense(3), fm.Embedding(5, 2, 1)], "must stand first"),
        ([fm.Embedding(5, 2, 4), fm.Dense(1)], "reads column 4, but its input has the columns"),
        ([fm.Embedding(5, 2, 1), fm.Embedding(5, 2, 1)], "column 1 is embedded already"),
        ([fm.Embedding(5, 2, 1), fm.Branch([], [fm.Embedding(3, 2, 3)])], "must stand first"),
        ([fm.Embedding(5, 1, 1), fm.Residual([fm.Embedding(3, 1, 3)])], "must stand first"),
        (
            [fm.Embedding(5, 2, 1), fm.Activation("linear"), fm.Embedding(3, 2, 3)],
            "must stand first",
        ),
        (
            [fm.WideAndDeep(1, deep=[fm.Embedding(5, 2, 1)], deep_columns=[0, 2])],
            "reads column 1, but its input has the columns 0, 2",
        ),
    ],
)
def test_places_where_it_cannot_stand(layers: list[Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        model_of(layers, "numpy").build(4)


def test_more_categories_than_the_dtype_tells_apart() -> None:
    layers = [fm.Embedding(2**24 + 1, 1, 0), fm.Dense(1)]
    with pytest.raises(ValueError, match=r"float32 tells 16,777,216 codes apart.*float64"):
        model_of(layers, "numpy", "float32").build(1)


@pytest.mark.parametrize(("field", "value"), [("n_categories", 0), ("dim", 1.5), ("column", -1)])
def test_bad_arguments(field: str, value: Any) -> None:
    arguments = {"n_categories": 3, "dim": 2, "column": 0, field: value}
    with pytest.raises((TypeError, ValueError), match=field):
        fm.Embedding(**arguments)
