"""Networks trained by Keras: what is taken computes the same, the rest is refused by name."""

from __future__ import annotations

from collections.abc import Callable
from importlib.util import find_spec
from typing import Any

import numpy as np
import pytest
from taken_checks import assert_taken, kinds, rows

import fastmlp as fm
from fastmlp.kernels.typing import Array

X = rows(2000, 6)

# Keras converts PyTorch's tensors in a way that NumPy 2 warns of.
pytestmark = pytest.mark.filterwarnings(
    "ignore:__array__ implementation doesn't accept a copy keyword:DeprecationWarning"
)


def import_keras() -> Any:
    """Keras on a backend that is installed; it reads its backend when it is imported."""
    backend = next((name for name in ("torch", "jax", "tensorflow") if find_spec(name)), None)
    if backend is None or not find_spec("keras"):
        pytest.skip("Keras or a backend of it is not installed", allow_module_level=True)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("KERAS_BACKEND", backend)
        import keras
    return keras


keras = import_keras()
layers = keras.layers


def network(*parts: Any, n_features: int = 6, dtype: str = "float32") -> Any:
    return keras.Sequential([layers.Input((n_features,), dtype=dtype), *parts])


def outputs(model: Any, X: Array = X) -> Array:
    values: Array = np.asarray(keras.ops.convert_to_numpy(model(X, training=False)))
    return values


def taken(model: Any, **arguments: Any) -> fm.Sequential:
    return fm.from_keras(model, backend="numpy", **arguments)


def scrambled(model: Any, seed: int = 0) -> Any:
    """The model with numbers none of which is as at the start; variances above 0."""
    rng = np.random.default_rng(seed)
    model.set_weights(
        [
            rng.uniform(0.5, 1.5, values.shape)
            if values.ndim == 1
            else rng.normal(size=values.shape) / np.sqrt(len(values))
            for values in model.get_weights()
        ]
    )
    return model


NAMES = [
    *("relu", "leaky_relu", "elu", "selu", "gelu", "silu", "swish", "mish", "softplus"),
    *("tanh", "sigmoid", "softmax", "linear", None),
]
FACTORIES: list[Callable[[], Any]] = [
    layers.ReLU,
    lambda: layers.ReLU(negative_slope=0.2),
    layers.LeakyReLU,
    lambda: layers.LeakyReLU(negative_slope=0.05),
    layers.ELU,
    lambda: layers.ELU(alpha=0.4),
    layers.Softmax,
]
NOTHING: list[Callable[[], Any]] = [
    *(layers.Identity, layers.Flatten, lambda: layers.GaussianNoise(0.1)),
    *(lambda: layers.AlphaDropout(0.2), lambda: layers.GaussianDropout(0.2)),
    *(lambda: layers.Dropout(0.0), lambda: layers.ActivityRegularization(l2=0.1)),
]


@pytest.mark.parametrize("name", NAMES)
def test_activations_by_name(name: str | None) -> None:
    model = scrambled(network(layers.Dense(7, name), layers.Dense(4), layers.Activation(name)))
    assert kinds(taken(model)) == ["Dense", "Dense"]
    assert_taken(taken(model), X, outputs(model))


def test_exponential() -> None:
    model = scrambled(network(layers.Dense(4, "tanh"), layers.Dense(2, "exponential")))
    assert taken(model, loss="poisson").loss == fm.Poisson()
    assert_taken(taken(model), X, outputs(model))


@pytest.mark.parametrize("make", FACTORIES, ids=range(len(FACTORIES)))
def test_activations_as_layers(make: Callable[[], Any]) -> None:
    model = scrambled(network(layers.Dense(7), make(), layers.Dense(4, activation=make())))
    assert kinds(taken(model)) == ["Dense", "Dense"]
    assert_taken(taken(model), X, outputs(model))


@pytest.mark.parametrize("make", NOTHING, ids=range(len(NOTHING)))
def test_what_does_nothing_in_prediction(make: Callable[[], Any]) -> None:
    model = scrambled(network(make(), layers.Dense(5, "relu"), make(), layers.Dense(2)))
    assert kinds(taken(model)) == ["Dense", "Dense"]
    assert_taken(taken(model), X, outputs(model))


def test_dropout_is_kept() -> None:
    model = scrambled(network(layers.Dense(5, "relu"), layers.Dropout(0.3), layers.Dense(2)))
    assert taken(model).layers[1] == fm.Dropout(0.3)
    assert_taken(taken(model), X, outputs(model))


@pytest.mark.parametrize("center", [True, False])
@pytest.mark.parametrize("scale", [True, False])
def test_batch_normalization(center: bool, scale: bool) -> None:
    norm = layers.BatchNormalization(center=center, scale=scale, momentum=0.97, epsilon=0.01)
    parts = [layers.Dense(5, use_bias=False), norm, layers.ReLU(), layers.Dense(2)]
    model = scrambled(network(layers.BatchNormalization(), *parts))
    assert taken(model).layers[0] == fm.BatchNorm(0.01, 1e-3)
    assert taken(model).layers[2] == fm.BatchNorm(0.03, 0.01)
    assert_taken(taken(model), X, outputs(model))


def test_normalization() -> None:
    shift = np.array([100.0, -3, 0, 5, 0, 1000])
    raw = (X * [1, 10, 0.1, 3, 0, 20] + shift).astype(np.float32)
    norm = layers.Normalization(mean=shift, variance=[1.0, 100, 0.01, 9, 0, 400])
    model = scrambled(network(norm, layers.Dense(3), layers.Softmax()))
    assert kinds(taken(model)) == ["BatchNorm", "Dense"]
    assert_taken(taken(model), raw, outputs(model, raw))


def test_normalization_that_was_adapted_and_inverted() -> None:
    norm = layers.Normalization()
    norm.adapt(X * 3 + 5)
    back = layers.Normalization(mean=[3.0, 40], variance=[2.0, 9], invert=True)
    model = network(norm, layers.Dense(2), back)
    assert kinds(taken(model)) == ["BatchNorm", "Dense"]
    assert_taken(taken(model), X * 3 + 5, outputs(model, X * 3 + 5))


def test_images_are_flattened_rows() -> None:
    parts = [layers.Rescaling(1 / 255, offset=-0.5), layers.Flatten(), layers.Dense(3, "softmax")]
    model = scrambled(keras.Sequential([layers.Input((4, 5)), *parts]))
    images = np.random.default_rng(0).uniform(0, 255, (500, 4, 5)).astype(np.float32)
    assert kinds(taken(model)) == ["Dense"]
    assert_taken(taken(model), images.reshape(500, -1), outputs(model, images))


def test_reshape() -> None:
    parts = [layers.Reshape((2, 3)), layers.Reshape((6,)), layers.Dense(7, "gelu")]
    model = scrambled(network(*parts, layers.Dense(3)))
    assert_taken(taken(model), X, outputs(model))


def test_float64() -> None:
    model = scrambled(network(layers.Dense(3, "tanh", dtype="float64"), dtype="float64"))
    assert taken(model, dtype="float32").dtype == "float32"
    # Keras itself may multiply in float32.
    weight, bias = model.get_weights()
    assert_taken(taken(model), X.astype(float), np.tanh(X.astype(float) @ weight + bias))


def functional(function: Callable[[Any], Any], n_features: int = 6) -> Any:
    x = layers.Input((n_features,))
    return scrambled(keras.Model(x, function(x)))


def dense(units: int, activation: str | None = None) -> Any:
    return layers.Dense(units, activation)


def inner(x: Any) -> Any:
    """A model within a model."""
    sequential = keras.Sequential([layers.Input((6,)), dense(5, "relu"), dense(6)])
    a = layers.Input((6,))
    return keras.Model(a, layers.Add()([sequential(a), a]))(x)


GRAPHS: list[tuple[Callable[[Any], Any], list[str]]] = [
    (lambda x: layers.Add()([x, dense(6, "relu")(x)]), ["Residual"]),
    (lambda x: layers.Add()([dense(3)(x), dense(3, "tanh")(x), dense(3)(x)]), ["Branch"]),
    (lambda x: dense(2)(layers.Concatenate()([dense(3)(x), x])), ["Branch", "Dense"]),
    (lambda x: layers.Concatenate(axis=1)([dense(3)(x), dense(2)(x)]), ["Branch"]),
    (lambda x: inner(dense(6)(x)), ["Dense", "Residual"]),
    (lambda x: keras.Sequential([dense(5, "relu"), dense(2)])(x), ["Dense", "Dense"]),
    (lambda x: x + keras.ops.relu(dense(6)(x)), ["Residual"]),
    (lambda x: dense(2)((x - 3.0) / 2.0), ["Dense"]),
    (lambda x: 1 - 2 * dense(2)(x), ["Dense"]),
    (lambda x: dense(4, "tanh")(x) * np.arange(1, 5, dtype="float32"), ["Dense", "Dense"]),
    (lambda x: keras.ops.sigmoid(keras.ops.leaky_relu(dense(4)(x))), ["Dense", "Activation"]),
    (lambda x: keras.ops.softmax(keras.ops.elu(dense(4)(x), alpha=0.5)), ["Dense", "Activation"]),
    (lambda x: keras.ops.gelu(dense(4)(x), approximate=False), ["Dense"]),
    (lambda x: keras.ops.tanh(-dense(4)(x)), ["Dense"]),
]


@pytest.mark.parametrize(("function", "expected"), GRAPHS, ids=range(len(GRAPHS)))
def test_graphs(function: Callable[[Any], Any], expected: list[str]) -> None:
    model = functional(function)
    assert kinds(taken(model)) == expected
    assert_taken(taken(model), X, outputs(model))


def random_layers(rng: np.random.Generator, x: Any, depth: int) -> Any:
    for _ in range(depth):
        units = int(rng.integers(4, 20))
        x = layers.Dense(units, use_bias=bool(rng.integers(2)))(x)
        if rng.integers(2):
            x = layers.BatchNormalization(scale=bool(rng.integers(2)))(x)
        name = NAMES[rng.integers(len(NAMES) - 1)]
        x = layers.Activation(name)(x)
        way = rng.integers(4)
        if way == 0:
            x = layers.Add()([x, dense(units, "tanh")(layers.Dropout(0.2)(x))])
        elif way == 1:
            x = layers.Concatenate()([dense(5, "silu")(x), dense(3)(dense(4, "elu")(x)), x])
        elif way == 2:
            x = FACTORIES[rng.integers(len(FACTORIES))]()(x)
    return x


@pytest.mark.parametrize("seed", range(12))
def test_random_networks(seed: int) -> None:
    rng = np.random.default_rng(seed)

    def function(x: Any) -> Any:
        return dense(int(rng.integers(1, 6)))(random_layers(rng, x, int(rng.integers(1, 4))))

    model = functional(function)
    wide = rows(3000, 6, seed=seed)
    assert_taken(taken(model), wide, outputs(model, wide))


def test_labels_and_further_training() -> None:
    model = network(dense(16, "relu"), dense(3))
    compiled = fm.from_keras(model, output_activation="softmax", classes=["b", "c", "a"])
    logits = outputs(model).astype(np.float64)
    expected = np.exp(logits - logits.max(axis=1, keepdims=True))
    expected /= expected.sum(axis=1, keepdims=True)
    assert_taken(compiled, X, expected)
    labels = np.array(["b", "c", "a"])[logits.argmax(axis=1)]
    np.testing.assert_array_equal(compiled.predict_classes(X), labels)
    before = compiled.evaluate(X, labels)["loss"]
    compiled.fit(X, labels, epochs=3, verbose=0)
    assert compiled.evaluate(X, labels)["loss"] < before


class Mine(layers.Dense):  # type: ignore[misc,unused-ignore]
    """A layer that may do anything."""


class Subclassed(keras.Model):  # type: ignore[misc,unused-ignore]
    def __init__(self) -> None:
        super().__init__()
        self.dense = layers.Dense(3)

    def call(self, x: Any) -> Any:
        return self.dense(x)


def shared(x: Any) -> Any:
    layer = dense(6)
    return layer(layer(x))


def frozen_dense() -> Any:
    layer = layers.Dense(16, name="packed")
    model = network(layer)
    layer.quantize("int8")
    return model


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: network(layers.PReLU(name="p")), r"p \(PReLU\) cannot be taken; what can be"),
        (lambda: network(layers.LayerNormalization(name="n")), r"n \(LayerNormalization\)"),
        (
            lambda: network(layers.Dense(3, "relu6", name="d")),
            r"d \(Dense\) .* activation relu6",
        ),
        (lambda: network(layers.Dense(3, abs, name="d")), r"d \(Dense\) .* function of your own"),
        (lambda: network(layers.ReLU(max_value=6.0, name="r")), r"r \(ReLU\) .* max_value"),
        (lambda: network(layers.ReLU(threshold=1.0)), "a max_value or a threshold"),
        (lambda: network(dense(3), layers.Dropout(1.0)), r"\(Dropout\) .* rate must be"),
        (lambda: network(layers.BatchNormalization(momentum=1.0)), r"momentum must be"),
        (lambda: network(Mine(3, name="m")), r"m \(Mine\) .* a class of your own"),
        (Subclassed, r"\(Subclassed\) .* a class with a call of its own"),
        (lambda: keras.Sequential([layers.Dense(3)]), r"\(Sequential\) is not built; give it an"),
        (lambda: functional(shared), r"\(Dense\) .* used in two places"),
        (lambda: functional(lambda x: x * dense(6)(x)), r"\(Multiply\) .* two paths can be added"),
        (lambda: functional(lambda x: layers.Subtract()([x, dense(6)(x)])), r"\(Subtract\) cannot"),
        (lambda: functional(lambda x: layers.Average()([x, dense(6)(x)])), r"\(Average\) cannot"),
        (lambda: functional(lambda x: keras.ops.gelu(dense(6)(x))), r"\(Gelu\) .* approximate"),
        (
            lambda: functional(lambda x: keras.activations.relu(dense(6)(x), max_value=6.0)),
            "a max_value or a threshold",
        ),
        (lambda: functional(lambda x: dense(6)(x)[:, :2]), r"\(GetItem\) cannot be taken"),
        (lambda: functional(lambda x: keras.ops.sqrt(dense(6)(x))), r"\(Sqrt\) cannot be taken"),
        (lambda: functional(lambda x: 1 / dense(6)(x)), "divided by, but not divided"),
        (frozen_dense, r"packed \(Dense\) .* it is quantized"),
        (
            lambda: keras.Sequential([layers.Input((4, 3)), layers.Dense(3, name="d")]),
            r"d \(Dense\) .* its input has the shape \(None, 4, 3\); flatten it first",
        ),
        (
            lambda: keras.Sequential([layers.Input((4, 3)), layers.Activation("softmax")]),
            r"\(Activation\) .* its input has the shape \(None, 4, 3\); flatten it first",
        ),
        (
            lambda: keras.Model((x := layers.Input((3,))), [dense(1)(x), dense(2)(x)], name="m"),
            r"m \(Functional\) .* it has 1 inputs and 2 outputs",
        ),
    ],
)
def test_what_cannot_be_taken(make: Callable[[], Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        taken(make())


def test_older_versions(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keras, "__version__", "2.15.0")
    with pytest.raises(ValueError, match="takes models of Keras 3, and this is Keras 2.15.0"):
        taken(network(dense(2)))


def test_what_is_no_model() -> None:
    with pytest.raises(TypeError, match=r"from_keras takes a model of Keras 3, got 3 \(int\)"):
        fm.from_keras(3)
    with pytest.raises(TypeError, match="fm.from_keras takes it"):
        fm.from_torch(network(dense(2)))
    with pytest.raises(TypeError, match="optimiser"):
        taken(network(dense(2)), optimiser="sgd")
