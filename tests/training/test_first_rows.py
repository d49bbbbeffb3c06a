"""First weights and biases that look at rows."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import fastmlp as fm

RNG = np.random.default_rng(0)
X = 5 + 3 * RNG.normal(size=(500, 6))
Y = X[:, 0] - X[:, 1]
LAYERS = [
    fm.Scale(),
    fm.Dense(40, initializer="std", bias_initializer="he+5", parametrization="ntk"),
    fm.ParametricActivation("selu"),
    fm.Dropout(0.15),
    fm.Dense(30, "relu", "std", bias_initializer="he+5"),
    fm.Dense(1),
]


def model_of(backend: str = "numpy", layers: Any = LAYERS, **given: Any) -> fm.Sequential:
    given = {"random_state": 3, "dtype": "float64", **given}
    # A rate of 0 leaves the first values as they are.
    return fm.Sequential(layers, optimizer=fm.SGD(0.0), backend=backend, **given)


def first(model: fm.Sequential, x: Any = X, y: Any = Y) -> dict[str, Any]:
    model.fit(x, y, epochs=1, verbose=0)
    return {name: values.copy() for name, values in model.parameters.items()}


def test_preactivations_have_deviation_one_and_bend_among_the_rows(backend: str) -> None:
    model = model_of(backend)
    first(model)
    values = model.activations(X)
    for layer in ("1", "4"):
        z, bias = values[f"{layer}.preactivation"], model.parameters[f"{layer}.bias"]
        np.testing.assert_allclose(z.std(axis=0), 1.0, rtol=1e-9)
        # Zero is a mean of values that occur.
        assert (z.min(axis=0) < 0).all()
        assert (z.max(axis=0) > 0).all()
        assert abs((z - bias).mean() + bias.mean()) < 0.3
    # A mean of five rows is less far out than a row.
    assert 0.3 < np.std(values["1.preactivation"].mean(axis=0)) < 0.9


def test_by_hand() -> None:
    """With one row there is one mean, and no deviation to divide by."""
    layers = [fm.Dense(3, initializer="std", bias_initializer="he+5")]
    model = model_of(layers=layers)
    found = first(model, X[:1], Y[:1].repeat(3).reshape(1, 3))
    np.testing.assert_allclose(found["0.bias"], -(X[:1] @ found["0.weight"])[0])
    drawn = np.random.default_rng([3, 6]).standard_normal((6, 3))
    np.testing.assert_array_equal(found["0.weight"], drawn)


def test_biases_can_be_normal() -> None:
    layers = [fm.Dense(2000, bias_initializer="standard_normal"), fm.Dense(1)]
    bias = model_of(layers=layers).build(3).parameters["0.bias"]
    assert bias.std() == pytest.approx(1.0, rel=0.05)
    assert abs(bias.mean()) < 0.1


def test_the_same_rows_give_the_same_numbers(backend: str) -> None:
    model = model_of(backend)
    expected = first(model)
    model.reset()
    assert (model.parameters["4.bias"] == 0).all()
    for other in (model, model_of(backend)):
        for name, values in first(other).items():
            np.testing.assert_array_equal(values, expected[name], err_msg=name)
    others = first(model_of(backend), X[:400], Y[:400])
    assert not np.allclose(others["4.bias"], expected["4.bias"])


def test_both_backends_draw_the_same() -> None:
    pytest.importorskip("numba")
    expected, found = first(model_of("numpy")), first(model_of("numba"))
    for name, values in found.items():
        np.testing.assert_array_equal(values, expected[name], err_msg=name)


def test_only_the_first_fit_draws(backend: str, tmp_path: Path) -> None:
    model = model_of(backend)
    expected = first(model)
    model.fit(2 * X, Y, epochs=1, verbose=0)
    model.save(tmp_path / "m")
    loaded = fm.load(tmp_path / "m", backend=backend)
    loaded.fit(3 * X, Y, epochs=1, verbose=0)
    for one in (model, loaded):
        for name, values in one.parameters.items():
            np.testing.assert_array_equal(values, expected[name], err_msg=name)


def test_a_file_of_a_new_model_still_waits(tmp_path: Path) -> None:
    model_of().build(6).save(tmp_path / "m")
    loaded = fm.load(tmp_path / "m", backend="numpy")
    np.testing.assert_array_equal(first(loaded)["1.weight"], first(model_of())["1.weight"])


def test_weights_that_are_set_are_kept() -> None:
    model, given = model_of().build(6), model_of().build(6)
    given.parameters["1.weight"][...] = 0.5
    model.set_weights(given.get_weights())
    assert (first(model)["1.weight"] == 0.5).all()


def test_rows_of_validation_do_not_count(backend: str) -> None:
    weight = np.ones(500)
    weight[100:] = 0.0
    model = model_of(backend)
    model.fit(X, Y, epochs=1, sample_weight=weight, verbose=0)
    alone = first(model_of(backend), X[:100], Y[:100])
    np.testing.assert_array_equal(model.parameters["1.bias"], alone["1.bias"])


def test_many_rows_are_sampled() -> None:
    x = RNG.normal(size=(20_000, 6))
    # Sorted rows: the first ones alone would be all negative.
    x = x[np.argsort(x[:, 0])]
    layers = [fm.Dense(50, initializer="std", bias_initializer="he+5"), fm.Dense(1)]
    model = model_of(layers=layers)
    first(model, x, x[:, 0])
    z = model.activations(x)["0.preactivation"]
    np.testing.assert_allclose(z.std(axis=0), 1.0, rtol=0.05)


def test_chunks_and_single_steps(backend: str) -> None:
    expected = first(model_of(backend), X[:64], Y[:64])
    chunked = model_of(backend)
    chunked.fit([(X[:64], Y[:64]), (X[64:], Y[64:])], epochs=1, verbose=0)
    stepped = model_of(backend)
    stepped.train_step(X[:64], Y[:64])
    for model in (chunked, stepped):
        np.testing.assert_array_equal(model.parameters["1.bias"], expected["1.bias"])


def test_a_range_test_begins_as_the_fit(backend: str) -> None:
    model = model_of(backend)
    found = fm.find_learning_rate(model, X, Y, steps=20, batch_size=500, highest=1e-5)
    model.fit(X, Y, epochs=1, batch_size=None, verbose=0)
    assert found.losses[0] == pytest.approx(model.history["loss"][0], rel=0.05)


def test_batch_norm_and_sparse_rows() -> None:
    sparse = pytest.importorskip("scipy.sparse")
    rows = X * (X > 5)
    deep = [fm.Dense(9, initializer="std"), fm.BatchNorm(), fm.Dense(4, initializer="std")]
    layers = [fm.WideAndDeep(1, deep=deep)]
    found = [first(model_of(layers=layers), (x, X), Y) for x in (rows, sparse.csr_array(rows))]
    np.testing.assert_allclose(found[1]["0.2.weight"], found[0]["0.2.weight"], rtol=1e-9)
    assert found[0]["0.0.weight"].std() == pytest.approx(1 / X.std() / 6**0.5, rel=0.3)


def test_a_bias_that_is_not_there() -> None:
    with pytest.raises(ValueError, match=r"bias_initializer='he\+5' needs use_bias=True"):
        fm.Dense(3, use_bias=False, bias_initializer="he+5")
    with pytest.raises(ValueError, match="unknown bias_initializer 'he'"):
        fm.Dense(3, bias_initializer="he")
