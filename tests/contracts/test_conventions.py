"""The conventions of training, one by one: what each number of a model means."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from states import contents

import fastmlp as fm
from fastmlp.declarations.initializers import draw
from fastmlp.kernels.typing import Array

N = 70


@pytest.fixture(params=["numpy", "numba"])
def backend(request: pytest.FixtureRequest) -> str:
    if request.param == "numba":
        pytest.importorskip("numba")
    name: str = request.param
    return name


def data(n_features: int = 4, n: int = N) -> tuple[Array, Array]:
    """Rows, and numbers that have something to do with them."""
    rng = np.random.default_rng(31)
    X = rng.normal(size=(n, n_features))
    return X, np.sin(X[:, 0]) + 0.3 * rng.normal(size=n)


def classes() -> tuple[Array, Array]:
    X, y = data()
    return X, np.digitize(y, [-0.4, 0.4])


def network(backend: str, layers: Any = None, **arguments: Any) -> fm.Sequential:
    layers = layers or [fm.Dense(6, "tanh"), fm.Dense(1)]
    arguments = {"dtype": "float64", "random_state": 3, **arguments}
    return fm.Sequential(layers, backend=backend, **arguments)


def copies(arrays: Any) -> dict[str, Array]:
    return {name: array.copy() for name, array in arrays.items()}


# Parameters


def test_names_and_shapes(backend: str) -> None:
    layers = [
        fm.Dense(5),
        fm.BatchNorm(),
        fm.Activation("relu"),
        fm.Residual([fm.Dense(7, use_bias=False), fm.Residual([fm.BatchNorm()]), fm.Dense(5)]),
        fm.Residual([fm.Dense(3)], shortcut=[fm.Dense(3)]),
        fm.WideAndDeep(2, deep=[fm.Dense(4, "relu")], wide=[1]),
    ]
    model = network(backend, layers).build(6)
    shapes = {name: value.shape for name, value in model.parameters.items()}
    assert shapes == {
        "0.weight": (6, 5),
        "0.bias": (5,),
        "1.gamma": (5,),
        "1.beta": (5,),
        "3.0.weight": (5, 7),
        "3.1.0.gamma": (7,),
        "3.1.0.beta": (7,),
        "3.2.weight": (7, 5),
        "3.2.bias": (5,),
        "4.shortcut.0.weight": (5, 3),
        "4.shortcut.0.bias": (3,),
        "4.0.weight": (5, 3),
        "4.0.bias": (3,),
        "5.0.weight": (3, 4),
        "5.0.bias": (4,),
        "5.weight": (4, 2),
        "5.wide_weight": (1, 2),
        "5.bias": (2,),
    }
    assert list(model.parameters)[:4] == ["0.weight", "0.bias", "1.gamma", "1.beta"]
    assert list(model.buffers) == [
        "1.running_mean",
        "1.running_var",
        "3.1.0.running_mean",
        "3.1.0.running_var",
    ]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_views_are_live_and_stay_valid(backend: str, dtype: str) -> None:
    X, y = data()
    layers = [fm.Dense(6), fm.BatchNorm(), fm.Activation("tanh"), fm.Dense(1)]
    model = network(backend, layers, dtype=dtype).build(4)
    views = {**model.parameters, **model.buffers}
    first = copies(views)

    def assert_live() -> None:
        now = {**model.parameters, **model.buffers}
        for name, view in views.items():
            assert view.dtype == dtype
            assert np.shares_memory(view, now[name])
            np.testing.assert_array_equal(view, now[name])

    model.fit(X, y, epochs=2, verbose=0)
    assert_live()
    assert all((views[name] != first[name]).any() for name in views if name != "0.bias")
    model.build(4)
    assert_live()
    model.train_step(X, y)
    assert_live()
    model.reset()
    assert_live()
    for name, value in first.items():
        np.testing.assert_array_equal(views[name], value, err_msg=name)
    model.fit(X, y, epochs=1, verbose=0)
    assert_live()
    views["3.weight"][...] = 0.0
    views["3.bias"][...] = 2.5
    np.testing.assert_array_equal(model.predict(X), np.full((N, 1), 2.5))


def test_written_parameters_are_trained_from(backend: str) -> None:
    X, y = data()
    model, other = network(backend).build(4), network(backend, random_state=8).build(4)
    for name, value in model.parameters.items():
        other.parameters[name][...] = value
    model.fit(X, y, epochs=2, shuffle=False, verbose=0)
    other.fit(X, y, epochs=2, shuffle=False, verbose=0)
    for name, value in model.parameters.items():
        np.testing.assert_array_equal(other.parameters[name], value)


def test_the_mapping_itself_cannot_be_changed(backend: str) -> None:
    model = network(backend).build(4)
    with pytest.raises(TypeError):
        model.parameters["0.weight"] = np.zeros((4, 6))  # type: ignore[index]


def test_build_checks_the_width_afterwards(backend: str) -> None:
    X, y = data()
    model = network(backend).build(4)
    before = copies(model.parameters)
    assert model.build(4) is model
    with pytest.raises(ValueError, match=r"4 features, got 5"):
        model.build(5)
    for name, value in before.items():
        np.testing.assert_array_equal(model.parameters[name], value)
    unbuilt = network(backend)
    model.fit(X, y, verbose=0)
    unbuilt.fit(X, y, verbose=0)
    np.testing.assert_array_equal(model.predict(X), unbuilt.predict(X))


# First values

AFTER = {
    "relu": "he",
    "leaky_relu": "he",
    "elu": "he",
    "gelu": "he",
    "silu": "he",
    "mish": "he",
    "softplus": "he",
    "selu": "lecun_normal",
    "tanh": "glorot",
    "sigmoid": "glorot",
    "softmax": "glorot",
    "linear": "glorot",
    "exp": "glorot",
}


@pytest.mark.parametrize("activation", AFTER)
@pytest.mark.parametrize("place", ["its own", "after", "past BatchNorm"])
def test_auto_looks_at_the_activation_that_follows(place: str, activation: str) -> None:
    def layers(initializer: str) -> list[Any]:
        if place == "its own":
            return [fm.Dense(30, activation, initializer=initializer), fm.Dense(2)]
        dense, after = fm.Dense(30, initializer=initializer), fm.Activation(activation)
        norm = [fm.BatchNorm()] if place == "past BatchNorm" else []
        return [dense, *norm, after, fm.Dense(2)]

    auto, chosen = (
        network("numpy", layers(name)).build(20).parameters["0.weight"]
        for name in ("auto", AFTER[activation])
    )
    np.testing.assert_array_equal(auto, chosen)


def test_auto_in_nested_layers() -> None:
    """What stands last in a residual meets no activation; an output layer meets its own."""

    def layers(*names: str) -> list[Any]:
        first, second, last = names
        return [
            fm.Residual([fm.Dense(9, "relu", first), fm.Dense(9, "linear", second)]),
            fm.Activation("relu"),
            fm.Dense(3, "softmax", last),
        ]

    auto = network("numpy", layers("auto", "auto", "auto")).build(9)
    chosen = network("numpy", layers("he", "glorot", "glorot")).build(9)
    for name, value in chosen.parameters.items():
        np.testing.assert_array_equal(auto.parameters[name], value, err_msg=name)


@pytest.mark.parametrize(
    ("initializer", "scale"),
    [
        ("he", math.sqrt(2 / 200)),
        ("he_uniform", math.sqrt(2 / 200)),
        ("glorot", math.sqrt(2 / 500)),
        ("xavier", math.sqrt(2 / 500)),
        ("glorot_normal", math.sqrt(2 / 500)),
        ("lecun_normal", math.sqrt(1 / 200)),
        ("random", 0.01),
        ("zeros", 0.0),
    ],
)
def test_first_values(initializer: str, scale: float) -> None:
    model = network("numpy", [fm.Dense(300, "relu", initializer), fm.BatchNorm(), fm.Dense(1)])
    parameters, buffers = model.build(200).parameters, model.buffers
    assert np.std(parameters["0.weight"]) == pytest.approx(scale, rel=0.02)
    assert abs(np.mean(parameters["0.weight"])) <= 0.02 * scale
    if initializer in ("glorot", "xavier", "he_uniform"):
        assert np.max(np.abs(parameters["0.weight"])) == pytest.approx(math.sqrt(3) * scale, 0.01)
    for name in ("0.bias", "1.beta", "2.bias"):
        assert not parameters[name].any()
    assert (parameters["1.gamma"] == 1).all()
    assert not buffers["1.running_mean"].any()
    assert (buffers["1.running_var"] == 1).all()


def test_first_weights_are_those_of_the_seed(backend: str) -> None:
    """Weights are drawn in float64 from one generator, in the order of the parameters."""
    model = network(backend, [fm.Dense(6, "relu"), fm.Dense(2)], dtype="float32").build(3)
    rng = np.random.default_rng(np.random.SeedSequence(3).spawn(3)[0])
    for name, kind, shape in (("0.weight", "he", (3, 6)), ("1.weight", "glorot", (6, 2))):
        expected = draw(kind, rng, *shape).astype(np.float32)
        np.testing.assert_array_equal(model.parameters[name], expected)


# Gradients and activations


def everything(backend: str, dtype: str = "float32", **arguments: Any) -> fm.Sequential:
    """A classifier with a layer of each kind."""
    layers = [
        fm.Dense(12),
        fm.BatchNorm(),
        fm.Activation("relu"),
        fm.Dropout(0.3),
        fm.Residual([fm.Dense(5, "gelu"), fm.Dropout(0.2), fm.Dense(12)]),
        fm.Dense(3, "softmax", l2=1e-3),
    ]
    return network(backend, layers, dtype=dtype, **arguments)


def test_looking_changes_nothing(backend: str) -> None:
    X, y = classes()
    model, plain = everything(backend), everything(backend)
    model.fit(X, y, epochs=2, batch_size=16, verbose=0)
    plain.fit(X, y, epochs=2, batch_size=16, verbose=0)
    before = contents(model)
    model.gradients(X, y)
    model.gradients(X[:5], y[:5], training=False)
    model.gradients(X, y, np.linspace(0, 1, N))
    model.activations(X)
    model.activations(X[:9], training=True)
    model.predict(X)
    model.predict_classes(X)
    model.evaluate(X, y)
    after = contents(model)
    np.testing.assert_equal(after, before)
    model.fit(X, y, epochs=2, batch_size=16, verbose=0)
    plain.fit(X, y, epochs=2, batch_size=16, verbose=0)
    np.testing.assert_equal(contents(model), contents(plain))


def test_gradients_and_activations_are_copies(backend: str) -> None:
    X, y = classes()
    model = everything(backend)
    model.build(4)
    for arrays in (model.gradients(X, y), model.activations(X)):
        again = model.gradients(X, y) if "0.weight" in arrays else model.activations(X)
        kept = copies(again)
        for name, array in arrays.items():
            assert array.flags.writeable
            assert not np.shares_memory(array, again[name])
            assert not np.shares_memory(array, X)
            array[...] = np.nan
        np.testing.assert_equal(again, kept)
    assert np.isfinite(model.predict(X)).all()


@pytest.mark.parametrize("weighted", [False, True])
def test_gradients_are_those_of_the_next_step(backend: str, weighted: bool) -> None:
    """Dropout with the next step's mask, batch statistics: at a rate of 1 they are the step."""
    X, y = classes()
    model = everything(backend, "float64", optimizer=fm.SGD(1.0))
    weights = np.linspace(0.0, 2.0, N) if weighted else None
    for _ in range(3):
        gradients = model.build(4).gradients(X, y, weights)
        before = copies(model.parameters)
        model.train_step(X, y, weights)
        for name, gradient in gradients.items():
            np.testing.assert_array_equal(model.parameters[name], before[name] - gradient)


def test_names_of_gradients_and_activations(backend: str) -> None:
    X, y = classes()
    model = everything(backend).build(4)
    assert list(model.gradients(X, y)) == list(model.parameters)
    assert list(model.activations(X)) == [
        "0.preactivation",
        "0.output",
        "1.output",
        "2.output",
        "3.output",
        "4.0.preactivation",
        "4.0.output",
        "4.1.output",
        "4.2.preactivation",
        "4.2.output",
        "4.output",
        "5.preactivation",
        "5.output",
    ]


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


# Batch normalisation and dropout


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


# Losses


def test_loss_of_an_epoch_is_of_its_own_forward_passes(backend: str) -> None:
    """Each batch counts by its rows, with the parameters that it met."""
    X, y = classes()
    weights = np.linspace(0.2, 3.0, N)
    fitted, stepped = (network(backend, [fm.Dense(3, "softmax")]) for _ in range(2))
    history = fitted.fit(
        X, y, epochs=1, batch_size=16, shuffle=False, sample_weight=weights, verbose=0
    )
    losses, correct = [], []
    for start in range(0, N, 16):
        rows = slice(start, start + 16)
        correct += (stepped.build(4).predict(X[rows]).argmax(1) == y[rows]).tolist()
        loss = stepped.train_step(X[rows], y[rows], weights[rows])
        losses.append(loss * len(X[rows]))
    assert history["loss"][0] == pytest.approx(sum(losses) / N, rel=1e-14)
    assert history["accuracy"][0] == pytest.approx(np.mean(correct), rel=1e-14)
    assert 0 < history["accuracy"][0] < 1


PENALISED = {
    "regression": ([fm.Dense(5, "tanh", l1=0.1), fm.Dense(1, l1=0.2, l2=0.3)], "loss"),
    "classification": (
        [fm.Dense(5, "tanh", l2=0.1), fm.BatchNorm(), fm.Dense(3, "softmax", l1=0.2)],
        "log_loss",
    ),
}


@pytest.mark.parametrize("kind", PENALISED)
def test_penalties_are_in_every_reported_loss(backend: str, kind: str) -> None:
    """They are those of the weights alone: biases, gamma and beta are excluded."""
    X, y = data() if kind == "regression" else classes()
    layers = PENALISED[kind][0]
    bare = [fm.Dense(5, "tanh"), *layers[1:-1], fm.Dense(layers[-1].units, layers[-1].activation)]
    model = network(backend, layers, optimizer=fm.SGD(0.0)).build(4)
    without = network(backend, bare, optimizer=fm.SGD(0.0)).build(4)
    rng = np.random.default_rng(0)
    for name, value in model.parameters.items():
        value += rng.normal(size=value.shape)
        without.parameters[name][...] = value
    penalty = sum(
        layer.l1 * np.abs(model.parameters[f"{place}.weight"]).sum()
        + layer.l2 / 2 * np.square(model.parameters[f"{place}.weight"]).sum()
        for place, layer in enumerate(layers)
        if isinstance(layer, fm.Dense)
    )
    assert penalty > 1
    fit: dict[str, Any] = {"epochs": 1, "batch_size": 16, "validation_data": (X, y), "verbose": 0}
    history, other = model.fit(X, y, **fit), without.fit(X, y, **fit)
    for name in ("loss", "val_loss"):
        assert history[name][0] == pytest.approx(other[name][0] + penalty, rel=1e-12)
    evaluated, expected = model.evaluate(X, y), without.evaluate(X, y)
    assert evaluated["loss"] == pytest.approx(expected["loss"] + penalty, rel=1e-12)
    assert evaluated["loss"] == pytest.approx(history["val_loss"][0], rel=1e-12)
    assert {**evaluated, "loss": 0} == {**expected, "loss": 0}
    step = model.train_step(X, y)
    assert step == pytest.approx(without.train_step(X, y) + penalty, rel=1e-12)


def test_label_smoothing_is_in_reported_losses(backend: str) -> None:
    X, y = classes()
    layers, e = [fm.Dense(3, "softmax")], 0.3
    model = network(backend, layers, loss=fm.CategoricalCrossentropy(e), optimizer=fm.SGD(0.0))
    p = model.build(4).predict(X)
    smooth = (1 - e) * np.eye(3)[y] + e / 3
    expected = -(smooth * np.log(p)).sum(1).mean()
    history = model.fit(X, y, epochs=1, validation_data=(X, y), batch_size=16, verbose=0)
    assert history["loss"][0] == pytest.approx(expected, rel=1e-12)
    assert history["val_loss"][0] == pytest.approx(expected, rel=1e-12)
    evaluated = model.evaluate(X, y)
    assert evaluated["loss"] == pytest.approx(expected, rel=1e-12)
    assert evaluated["log_loss"] == pytest.approx(-np.log(p[np.arange(N), y]).mean(), rel=1e-9)


def test_validation_is_evaluation_after_the_epoch(backend: str) -> None:
    X, y = classes()
    model = everything(backend, "float64")
    weights = np.linspace(0.5, 2.0, N)
    evaluated = []

    def remember(model: fm.Sequential, epoch: int, logs: dict[str, float]) -> None:
        evaluated.append((logs, model.evaluate(X, y, weights), model.evaluate(X, y)))

    model.fit(
        X,
        y,
        epochs=3,
        validation_data=(X, y, weights),
        callbacks=[fm.LambdaCallback(on_epoch_end=remember)],
        verbose=0,
    )
    for logs, weighted, unweighted in evaluated:
        assert logs["val_loss"] == pytest.approx(weighted["loss"], rel=1e-12)
        assert logs["val_accuracy"] == pytest.approx(unweighted["accuracy"], rel=1e-12)
        assert weighted["loss"] != unweighted["loss"]


# Weights


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_batch_whose_weights_sum_to_zero_is_skipped(backend: str, dtype: str) -> None:
    """As if its rows were not there: no update, no step, no statistics, no part in the loss."""
    X, y = classes()
    X, y = X[:64], y[:64]
    weights = np.linspace(0.5, 1.5, 64)
    weights[16:32] = 0.0
    without = np.r_[0:16, 32:64]
    model, shorter = everything(backend, dtype), everything(backend, dtype)
    fit: dict[str, Any] = {"epochs": 3, "batch_size": 16, "shuffle": False, "verbose": 0}
    history = model.fit(X, y, sample_weight=weights, **fit)
    expected = shorter.fit(X[without], y[without], sample_weight=weights[without], **fit)
    tensors, description = contents(model)
    wanted, other = contents(shorter)
    np.testing.assert_equal(tensors, wanted)
    assert description["step"] == other["step"] == 9
    assert history["loss"] == expected["loss"]
    assert history["accuracy"] == expected["accuracy"]


def test_rows_of_weight_zero_do_not_count(backend: str) -> None:
    X, y = classes()
    weights = np.where(np.arange(N) % 3 == 0, 0.0, 1.7)
    some = weights > 0
    model = network(backend, [fm.Dense(5, "tanh"), fm.Dense(3, "softmax")]).build(4)
    gradients = model.gradients(X, y, weights)
    for name, value in model.gradients(X[some], y[some]).items():
        np.testing.assert_allclose(gradients[name], value, rtol=1e-10, atol=1e-14)


def test_class_and_sample_weights_multiply(backend: str) -> None:
    X, y = classes()
    weights = np.linspace(0.5, 2.0, N)
    factors = np.array([0.5, 4.0, 1.0])
    balanced = N / (3 * np.bincount(y))
    for given, product in (
        ({0: 0.5, 1: 4.0}, factors[y] * weights),
        ("balanced", balanced[y] * weights),
    ):
        model, other = everything(backend), everything(backend)
        model.fit(X, y, sample_weight=weights, class_weight=given, epochs=2, verbose=0)
        other.fit(X, y, sample_weight=product, epochs=2, verbose=0)
        np.testing.assert_equal(contents(model), contents(other))


# Steps


def test_train_step_is_a_fit_of_one_batch(backend: str) -> None:
    X, y = classes()
    weights = np.linspace(0.5, 2.0, N)
    fitted, stepped = everything(backend), everything(backend)
    for _ in range(3):
        history = fitted.fit(
            X, y, sample_weight=weights, epochs=1, batch_size=None, shuffle=False, verbose=0
        )
        assert stepped.train_step(X, y, weights) == history["loss"][0]
    np.testing.assert_equal(contents(stepped)[0], contents(fitted)[0])
    assert len(stepped.history) == 0


def test_train_steps_are_the_batches_of_a_fit(backend: str) -> None:
    X, y = classes()
    fitted, stepped = everything(backend), everything(backend)
    fitted.fit(X, y, epochs=1, batch_size=16, shuffle=False, verbose=0)
    for start in range(0, N, 16):
        stepped.train_step(X[start : start + 16], y[start : start + 16])
    np.testing.assert_equal(contents(stepped)[0], contents(fitted)[0])
    assert contents(stepped)[1]["step"] == 5


def test_train_step_uses_the_rate_of_the_coming_epoch(backend: str) -> None:
    X, y = data()
    model = network(backend, [fm.Dense(1)], optimizer=fm.SGD(fm.ExponentialDecay(0.5, 0.1)))
    model.fit(X, y, epochs=2, verbose=0)
    gradient, before = model.gradients(X, y)["0.weight"], model.parameters["0.weight"].copy()
    model.train_step(X, y)
    expected = before - 0.5 * 0.1**2 * gradient
    np.testing.assert_allclose(model.parameters["0.weight"], expected, rtol=1e-12)


@pytest.mark.parametrize("batch_size", [None, N, 1000])
def test_full_batches(backend: str, batch_size: int | None) -> None:
    X, y = data()
    model, stepped = network(backend), network(backend)
    model.fit(X, y, epochs=1, batch_size=batch_size, shuffle=False, verbose=0)
    stepped.train_step(X, y)
    np.testing.assert_equal(contents(model)[0], contents(stepped)[0])


def test_shuffles_visit_each_row_once(backend: str) -> None:
    """With one row for each weight, an epoch of single rows is one update of each weight."""
    n = 13
    X, y = np.eye(n), np.ones(n)
    model = network(
        backend, [fm.Dense(1, initializer="zeros", use_bias=False)], optimizer=fm.SGD(0.25)
    )
    model.fit(X, y, epochs=3, batch_size=1, verbose=0)
    np.testing.assert_array_equal(model.parameters["0.weight"], np.full((n, 1), 1 - 0.5**3))


def test_each_epoch_has_an_order_of_its_own(backend: str) -> None:
    X, y = data()
    model, unshuffled = network(backend), network(backend)
    losses = model.fit(X, y, epochs=2, batch_size=8, verbose=0)["loss"]
    assert losses != unshuffled.fit(X, y, epochs=2, batch_size=8, shuffle=False, verbose=0)["loss"]
    still = network(backend, optimizer=fm.SGD(0.0), layers=[fm.Dropout(0.5), fm.Dense(1)])
    losses = still.fit(X, y, epochs=3, batch_size=8, verbose=0)["loss"]
    assert len(set(losses)) == 3


def test_input_is_not_changed(backend: str) -> None:
    X, y = classes()
    weights = np.linspace(0.5, 2.0, N)
    for array in (X, y, weights):
        array.flags.writeable = False
    model = everything(backend, "float64")
    model.fit(X, y, sample_weight=weights, epochs=1, validation_split=0.2, verbose=0)
    model.train_step(X, y, weights)
    model.gradients(X, y, weights)
    model.evaluate(X, y)
    model.predict(X)
    model.activations(X, training=True)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_forms_of_the_same_input(backend: str, dtype: str) -> None:
    X = np.random.default_rng(0).integers(0, 200, size=(40, 4)).astype(np.uint8)
    y = X[:, 0] / 100.0
    forms: list[Any] = [
        X,
        X.astype(np.float32),
        X.astype(np.float64),
        X.astype(np.int64),
        X.tolist(),
        np.asfortranarray(X.astype(np.float64)),
        np.repeat(X, 2, axis=0)[::2],
    ]
    results = []
    for form in forms:
        model = network(backend, [fm.BatchNorm(), fm.Dense(3, "tanh"), fm.Dense(1)], dtype=dtype)
        model.fit(form, y[:, np.newaxis], epochs=2, batch_size=16, verbose=0)
        results.append(model.predict(form))
        assert results[-1].dtype == dtype
    for result in results[1:]:
        np.testing.assert_array_equal(result, results[0])


# Optimizers


def step_of(model: fm.Sequential, X: Array, y: Array) -> dict[str, Array]:
    """How a step moves the parameters."""
    before = copies(model.parameters)
    model.train_step(X, y)
    return {name: before[name] - value for name, value in model.parameters.items()}


def clipped(gradients: dict[str, Array], value: float | None, norm: float | None) -> Any:
    if value is not None:
        gradients = {name: np.clip(g, -value, value) for name, g in gradients.items()}
    if norm is not None:
        length = math.sqrt(sum(np.square(g).sum() for g in gradients.values()))
        gradients = {name: g * min(1.0, norm / length) for name, g in gradients.items()}
    return gradients


@pytest.mark.parametrize(
    ("value", "norm"), [(None, 0.05), (0.02, None), (0.02, 0.05), (0.02, 10.0), (10.0, 0.05)]
)
def test_clipping(backend: str, value: float | None, norm: float | None) -> None:
    """Penalties enter first, then values are clipped, then the norm over all parameters."""
    X, y = data()
    layers = [fm.Dense(6, "tanh", l1=0.05), fm.BatchNorm(), fm.Dense(1, l2=0.5)]
    optimizer = fm.SGD(1.0, clip_value=value, clip_norm=norm)
    model = network(backend, layers, optimizer=optimizer).build(4)
    gradients = model.gradients(X, y)
    expected = clipped(gradients, value, norm)
    assert any((expected[name] != gradients[name]).any() for name in gradients)
    for name, moved in step_of(model, X, y).items():
        np.testing.assert_allclose(moved, expected[name], rtol=1e-10, atol=1e-15, err_msg=name)


def test_small_gradients_are_not_scaled_up(backend: str) -> None:
    X, y = data()
    model = network(backend, optimizer=fm.SGD(1.0, clip_norm=1e3, clip_value=1e3)).build(4)
    gradients = model.gradients(X, y)
    for name, moved in step_of(model, X, y).items():
        np.testing.assert_allclose(moved, gradients[name], rtol=1e-10, atol=1e-15)


def test_the_norm_is_over_parameters_of_all_optimizers(backend: str) -> None:
    X, y = data()
    own = fm.SGD(0.5, clip_norm=0.1)
    layers = [fm.WideAndDeep(1, deep=[fm.Dense(5, "tanh")], wide_optimizer=own)]
    model = network(backend, layers, optimizer=fm.SGD(1.0, clip_norm=0.05)).build(4)
    gradients = model.gradients(X, y)
    length = math.sqrt(sum(np.square(g).sum() for g in gradients.values()))
    assert length > 0.1
    for name, moved in step_of(model, X, y).items():
        wide = name == "0.wide_weight"
        expected = gradients[name] * (0.5 * 0.1 if wide else 0.05) / length
        np.testing.assert_allclose(moved, expected, rtol=1e-10, atol=1e-15)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(
    "optimizer",
    [
        fm.SGD(0.01, momentum=0.1),
        fm.SGD(0.01, momentum=0.1, nesterov=True),
        fm.RMSprop(rho=0.1),
        fm.Adam(beta_1=0.1, beta_2=0.1),
        fm.AdamW(beta_1=0.1, beta_2=0.1),
        fm.Nadam(beta_1=0.1, beta_2=0.1),
    ],
    ids=lambda optimizer: type(optimizer).__name__,
)
def test_moments_never_become_subnormal(backend: str, optimizer: Any, dtype: str) -> None:
    """A moment that only decays passes through the subnormal numbers unless it is set to 0."""
    X, y = data(2)
    model = network(backend, [fm.Dense(1)], optimizer=optimizer, dtype=dtype)
    model.train_step(X, y)
    X[:, 0] = 0.0
    smallest = np.finfo(dtype).smallest_normal
    for _ in range(12):
        model.fit(X, y, epochs=30, batch_size=None, verbose=0)
        for name, moment in contents(model)[0].items():
            if name.startswith("optimizer.") and name != "optimizer.products":
                size = np.abs(moment)
                assert not ((size > 0) & (size < smallest)).any(), name
    decayed = [
        moment[0]
        for name, moment in contents(model)[0].items()
        if name.startswith("optimizer.") and name.endswith("weight")
    ]
    assert decayed
    assert not np.any(decayed)


def test_history_keys(backend: str) -> None:
    X, y = classes()
    model = everything(backend, optimizer=fm.Adam(fm.StepDecay(0.01, 0.5, 2)))
    history = model.fit(X, y, epochs=3, validation_split=0.25, verbose=0)
    assert set(history.keys()) == {
        "loss",
        "accuracy",
        "val_loss",
        "val_accuracy",
        "seconds",
        "learning_rate",
    }
    assert all(len(values) == 3 for _, values in history.items())
    assert history.epochs == [0, 1, 2]
    assert history["learning_rate"] == [0.01, 0.01, 0.005]
    assert all(seconds > 0 for seconds in history["seconds"])
    regression = network(backend)
    assert set(regression.fit(*data(), epochs=1, verbose=0).keys()) == {
        "loss",
        "seconds",
        "learning_rate",
    }


@pytest.mark.parametrize("verbose", [0, 1, 2])
def test_printing(verbose: int, capsys: pytest.CaptureFixture[str]) -> None:
    network("numpy").fit(*data(), epochs=40, verbose=verbose)
    lines = capsys.readouterr().out.splitlines()
    low, high = {0: (0, 0), 1: (8, 13), 2: (40, 40)}[verbose]
    assert low <= len(lines) <= high


def test_random_state_none_draws_a_seed() -> None:
    a, b = (network("numpy", random_state=None).build(4) for _ in range(2))
    assert a.random_state != b.random_state
    again = network("numpy", random_state=a.random_state).build(4)
    np.testing.assert_array_equal(again.parameters["0.weight"], a.parameters["0.weight"])
