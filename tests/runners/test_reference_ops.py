"""What the layers compute: activations, statistics of BatchNorm, masks of dropout."""

from __future__ import annotations

import math

import numpy as np
import pytest
from plain_models import N, classes, copies, data, everything, network

import fastmlp as fm
from fastmlp.data.batches import Batches
from fastmlp.data.features import check_sparse
from fastmlp.data.rows import deep_part
from fastmlp.kernels.typing import Array


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_activations_are_what_the_layers_compute(backend: str, dtype: str) -> None:
    X, y = classes()
    model = everything(backend, dtype)
    model.fit(X, y, epochs=2, verbose=0)
    a, p = model.activations(X), model.parameters
    tolerance = {"rtol": 1e-4, "atol": 1e-5} if dtype == "float32" else {"rtol": 1e-12}
    z = X @ p["0.weight"] + p["0.bias"]
    np.testing.assert_allclose(a["0.preactivation"], z, **tolerance)
    np.testing.assert_array_equal(a["0.output"], a["0.preactivation"])
    mean, var = model.buffers["1.running_mean"], model.buffers["1.running_var"]
    normal = p["1.gamma"] * (z - mean) / np.sqrt(var + 1e-5) + p["1.beta"]
    np.testing.assert_allclose(a["1.output"], normal, **tolerance)
    np.testing.assert_array_equal(a["2.output"], np.maximum(a["1.output"], 0))
    np.testing.assert_array_equal(a["3.output"], a["2.output"])
    np.testing.assert_array_equal(a["4.output"], a["3.output"] + a["4.2.output"])
    np.testing.assert_allclose(a["5.output"], model.predict(X), **tolerance)
    assert {value.dtype for value in a.values()} == {np.dtype(dtype)}


def test_gelu_is_the_exact_one(backend: str) -> None:
    X, _ = data()
    model = network(backend, [fm.Dense(6, "gelu"), fm.Dense(1)]).build(4)
    z = model.activations(X)["0.preactivation"]
    exact = 0.5 * z * (1 + np.vectorize(math.erf)(z / math.sqrt(2)))
    np.testing.assert_allclose(model.activations(X)["0.output"], exact, rtol=1e-13, atol=1e-15)


@pytest.mark.parametrize("momentum", [0.1, 0.4, 1.0])
def test_batch_norm_statistics(backend: str, momentum: float) -> None:
    """Biased variance in the output, unbiased in the running statistics."""
    X, y = data()
    model = network(backend, [fm.BatchNorm(momentum, epsilon=0.01), fm.Dense(1)]).build(4)
    gamma, beta = model.parameters["0.gamma"], model.parameters["0.beta"]
    gamma[...], beta[...] = [1, 2, 3, 4], [0, 1, 0, -1]
    mean, var = X.mean(0), X.var(0)
    expected = gamma * (X - mean) / np.sqrt(var + 0.01) + beta
    output = model.activations(X, training=True)["0.output"]
    np.testing.assert_allclose(output, expected, rtol=1e-12, atol=1e-12)
    assert not model.buffers["0.running_mean"].any()
    model.train_step(X, y)
    running_mean, running_var = model.buffers["0.running_mean"], model.buffers["0.running_var"]
    np.testing.assert_allclose(running_mean, momentum * mean, rtol=1e-12)
    unbiased = (1 - momentum) + momentum * var * N / (N - 1)
    np.testing.assert_allclose(running_var, unbiased, rtol=1e-12)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_batch_of_one_row_with_batch_norm(backend: str, dtype: str) -> None:
    """The output is beta, and the running statistics stay."""
    X, y = data()
    layers = [fm.Dense(5), fm.BatchNorm(), fm.Activation("tanh"), fm.Dense(1)]
    model = network(backend, layers, dtype=dtype, optimizer=fm.SGD(0.1))
    model.fit(X, y, epochs=2, batch_size=16, verbose=0)
    beta, buffers = model.parameters["1.beta"].copy(), copies(model.buffers)
    output = model.activations(X[:1], training=True)["1.output"]
    np.testing.assert_array_equal(output, beta[np.newaxis])
    before = copies(model.parameters)
    gradients = model.gradients(X[:1], y[:1])
    for name in ("0.weight", "0.bias", "1.gamma"):
        assert not gradients[name].any()
    assert gradients["1.beta"].any()
    model.train_step(X[:1], y[:1])
    for name, value in buffers.items():
        np.testing.assert_array_equal(model.buffers[name], value)
    for name in ("0.weight", "0.bias", "1.gamma"):
        np.testing.assert_array_equal(model.parameters[name], before[name])
    assert (model.parameters["1.beta"] != before["1.beta"]).any()


def test_a_last_batch_of_one_row(backend: str) -> None:
    """Running statistics after such an epoch are those of the batches before."""
    X, y = data(n=33)
    layers = [fm.BatchNorm(), fm.Dense(1)]
    model, shorter = network(backend, layers), network(backend, layers)
    model.fit(X, y, epochs=1, batch_size=16, shuffle=False, verbose=0)
    shorter.fit(X[:32], y[:32], epochs=1, batch_size=16, shuffle=False, verbose=0)
    for name, value in shorter.buffers.items():
        np.testing.assert_array_equal(model.buffers[name], value)
    assert (model.parameters["0.beta"] != shorter.parameters["0.beta"]).any()


@pytest.mark.parametrize("rate", [0.0, 0.25, 0.5, 0.9])
def test_dropout_is_inverted(backend: str, rate: float) -> None:
    X = np.ones((200, 100))
    model = network(backend, [fm.Dropout(rate), fm.Dense(1)]).build(100)
    output = model.activations(X, training=True)["0.output"]
    kept = output != 0
    np.testing.assert_allclose(output[kept], 1 / (1 - rate), rtol=1e-15)
    assert kept.mean() == pytest.approx(1 - rate, abs=0.015)
    np.testing.assert_array_equal(model.activations(X)["0.output"], X)


def test_dropout_masks_change_with_step_layer_and_seed(backend: str) -> None:
    X, y = np.ones((40, 10)), np.ones(40)
    layers = [fm.Dropout(0.5), fm.Residual([fm.Dropout(0.5)]), fm.Dense(1)]
    model = network(backend, layers, optimizer=fm.SGD(0.0)).build(10)

    def masks(of: fm.Sequential) -> list[Array]:
        a = of.activations(X, training=True)
        return [a["0.output"] != 0, a["1.0.output"] != 0]

    first, inner = masks(model)
    assert (first != inner).any()
    np.testing.assert_array_equal(masks(model)[0], first)
    model.train_step(X, y)
    assert (masks(model)[0] != first).any()
    model.reset()
    np.testing.assert_array_equal(masks(model)[0], first)
    assert (masks(network(backend, layers, random_state=4).build(10))[0] != first).any()


def test_dropout_is_the_same_in_both_backends() -> None:
    pytest.importorskip("numba")
    X, y = data()
    layers = [fm.Dropout(0.5), fm.Dense(1)]
    models = [network(name, layers, optimizer=fm.SGD(0.0)) for name in ("numpy", "numba")]
    losses = [
        [model.train_step(X, y) for _ in range(4)]
        for model in models
        for _ in [model.build(4).parameters["1.weight"].fill(1.0)]
    ]
    np.testing.assert_allclose(losses[0], losses[1], rtol=1e-12)
    assert len(set(losses[0])) == 4


@pytest.mark.parametrize("ordered", [False, True])
def test_sparse_rows_of_a_single_input(backend: str, ordered: bool) -> None:
    """Gradients, updates and predictions are those of the same rows as an array."""
    sparse = pytest.importorskip("scipy.sparse")
    rng = np.random.default_rng(4)
    X = np.where(rng.random((50, 9)) < 0.3, rng.normal(size=(50, 9)), 0.0)
    X[7] = 0.0
    y, weight = rng.normal(size=(50, 2)), rng.random(50)
    rows = check_sparse(sparse.csr_array(X), 9, np.float64, "X")
    order = rng.permutation(50)[:37] if ordered else None
    found = []
    for x in (X, rows):
        layers = [fm.Dense(6, "tanh", l2=0.1), fm.BatchNorm(), fm.Dense(2)]
        model = fm.Sequential(layers, dtype="float64", backend=backend, random_state=0).build(9)
        runner = model.runner
        gradients = runner.gradients(x, y, weight, True)
        session = runner.session(Batches(x, y, weight, 16, order), [0.01])
        session.start_epoch([0.01])
        number = 0
        while number < (3 if ordered else 4):
            number = session.run(number)
        found.append((gradients, [session.loss_sum], runner.predict(x)))
        found[-1] += tuple(array.copy() for array in model.parameters.values())
        session.close()
    for dense, of_sparse in zip(*found, strict=True):
        np.testing.assert_allclose(of_sparse, dense, rtol=1e-10, atol=1e-12)
    with pytest.raises(TypeError, match="rows of a single input are sparse"):
        deep_part(rows)
