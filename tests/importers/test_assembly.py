"""Parts that become models, with values, labels and errors of their own."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from taken_checks import assert_taken, kinds, rows
from taken_parts import RNG, X, apply, linear, scale

import fastmlp as fm
from fastmlp.importers.assembly import sequential, take
from fastmlp.importers.parts import (
    Join,
    activation,
    dense,
    standardization,
)

EXACT: dict[str, Any] = {"dtype": "float64", "backend": "numpy"}


def test_activations_go_into_the_layer_before() -> None:
    first, last = linear(4, 3), linear(3, 2)
    parts = [activation("relu"), first, activation("tanh"), activation("linear"), last]
    model = take(parts, None, **EXACT)
    assert kinds(model) == ["Activation", "Dense", "Dense"]
    assert_taken(model, X, apply(last, np.tanh(apply(first, np.maximum(X, 0)))))


@pytest.mark.parametrize("use_bias", [True, False])
def test_scales_are_folded_into_the_dense_layer_beside_them(use_bias: bool) -> None:
    first, last = linear(4, 3), linear(3, 2)
    if not use_bias:
        first = dense(first.tensors["weight"], None)
    factors, shifts = RNG.normal(size=4), RNG.normal(size=(1, 4))
    parts = [scale(factors, 0), scale(2, shifts), first, scale([1, 2, 3], 0.5), last]
    model = take([*parts, scale(100, -7)], None, **EXACT)
    assert kinds(model) == ["Dense", "Dense"]
    hidden = (2 * factors * X + shifts) @ first.tensors["weight"] + first.tensors.get("bias", 0)
    assert_taken(model, X, 100 * apply(last, hidden * [1, 2, 3] + 0.5) - 7)


def test_a_factor_alone_brings_no_bias() -> None:
    model = take([scale(2, 0), dense(np.ones((4, 1)), None)], 4, **EXACT)
    assert list(model.parameters) == ["0.weight"]


def test_a_scale_without_a_dense_layer_beside_it_stays_one() -> None:
    layer = linear(4, 4)
    parts = [layer, activation("tanh"), scale([1, -2, 3, 4], [0, 1, 2, 3]), activation("exp")]
    model = take([*parts, scale(0.1, 3)], None, **EXACT)
    assert kinds(model) == ["Dense", "BatchNorm", "Activation", "Dense"]
    hidden = np.tanh(apply(layer, X)) * [1, -2, 3, 4] + [0, 1, 2, 3]
    assert_taken(model, X, 0.1 * np.exp(hidden) + 3)


def test_a_scaled_output_means_numbers() -> None:
    parts = [linear(4, 2), activation("sigmoid"), scale([2, 4], -1)]
    model = take(parts, None, **EXACT)
    assert (model.loss, model.freeze().task) == (fm.MSE(), "regression")
    path = [linear(4, 4), activation("sigmoid"), scale(2, -1)]
    model = take([Join("", "add", [path, []]), linear(4, 1)], None, **EXACT)
    assert [type(layer) for layer in model.layers[0].layers] == [fm.Dense, fm.BatchNorm]


def test_large_means_cost_no_digits() -> None:
    mean, deviation = np.array([1e4, -2e3, 5.0, 0.0]), np.array([1.0, 0.5, 1e-4, 30.0])
    raw = (rows(2000, 4) * deviation + mean).astype(np.float32)
    layer = linear(4, 3)
    model = take([standardization(mean, deviation), layer], None, "float32", backend="numpy")
    expected = apply(layer, (raw.astype(np.float64) - mean) / deviation)
    error = np.abs(model.predict(raw) - expected).max()
    assert error < 1e-5 * np.abs(expected).max()


LAYERS = [fm.Dense(3, "tanh"), fm.BatchNorm(), fm.Dense(2, "softmax", use_bias=False)]
WEIGHTS = {
    "0.weight": RNG.normal(size=(4, 3)),
    "0.bias": RNG.normal(size=3),
    "1.gamma": np.ones(3),
    "1.beta": np.zeros(3),
    "1.running_mean": np.zeros(3),
    "1.running_var": np.ones(3),
    "2.weight": RNG.normal(size=(3, 2)),
}


def test_named_weights() -> None:
    model = sequential(LAYERS, 4, WEIGHTS, "float64", backend="numpy")
    for name, values in {**model.parameters, **model.buffers}.items():
        np.testing.assert_array_equal(values, WEIGHTS[name])
    assert model.classes is None


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"0.bias": None, "1.beta": None}, "no values for 0.bias, 1.beta of the network"),
        ({"2.bias": np.zeros(2)}, "the network has no 2.bias; it has 0.weight, 0.bias"),
        ({"0.weight": np.zeros((3, 4))}, r"0.weight has the shape \(3, 4\), .* needs \(4, 3\)"),
        ({"0.bias": np.array([0, np.nan, 0])}, "0.bias has values that are NaN"),
        ({"0.bias": np.array([0, 1e300, 0])}, "0.bias .* too large for its dtype"),
        ({"1.running_var": np.array([1.0, -1, 1])}, "1.running_var has negative variances"),
    ],
)
def test_weights_that_are_not_the_networks(change: dict[str, Any], message: str) -> None:
    weights = {name: values for name, values in {**WEIGHTS, **change}.items() if values is not None}
    with pytest.raises(ValueError, match=message):
        sequential(LAYERS, 4, weights, "float32")


def test_arguments_are_those_of_sequential() -> None:
    model = sequential(
        *(LAYERS, 4, WEIGHTS, "float32"), optimizer="sgd", random_state=5, backend="numpy"
    )
    assert (model.optimizer, model.random_state) == (fm.SGD(), 5)
    with pytest.raises(TypeError, match="optimiser"):
        sequential(LAYERS, 4, WEIGHTS, "float32", optimiser="sgd")


def test_labels_in_the_order_of_the_outputs(tmp_path: Path) -> None:
    model = sequential(
        *(LAYERS, 4, WEIGHTS, "float64", ["yes", "no"]),
        optimizer=fm.Adam(0.01),
        backend="numpy",
        random_state=0,
    )
    labels = np.array(["yes", "no"])[model.predict(X).argmax(axis=1)]
    np.testing.assert_array_equal(model.predict_classes(X), labels)
    np.testing.assert_array_equal(model.freeze().predict_classes(X), labels)
    assert model.evaluate(X, labels)["accuracy"] == 1
    model.save(tmp_path / "model.safetensors")
    loaded = fm.load(tmp_path / "model.safetensors", backend="numpy")
    np.testing.assert_array_equal(loaded.predict_classes(X), labels)
    opposite = np.where(labels == "yes", "no", "yes")
    model.fit(X, opposite, epochs=20, verbose=0)
    assert model.evaluate(X, opposite)["accuracy"] > 0.9
    with pytest.raises(ValueError, match="'maybe'; it knows 'yes', 'no'"):
        model.fit(X, ["maybe"] * 2000, verbose=0)


def test_the_two_labels_of_a_sigmoid() -> None:
    parts = [linear(4, 1)]
    model = take(parts, None, classes=[1, 0], output_activation="sigmoid", **EXACT)
    expected = np.where(model.predict(X)[:, 0] >= 0.5, 0, 1)
    np.testing.assert_array_equal(model.predict_classes(X), expected)
    assert model.evaluate(X, expected)["accuracy"] == 1


@pytest.mark.parametrize(
    ("output", "classes", "error", "message"),
    [
        ("softmax", ["a"], ValueError, r"takes 2 classes, got classes of shape \(1,\)"),
        ("softmax", ["a", "a"], ValueError, "must all be different, got 'a', 'a'"),
        ("softmax", ["a", None], ValueError, "classes: .* missing"),
        ("softmax", ["a", 1], TypeError, "classes: .* must all be numbers"),
        ("softmax", [0.0, np.nan], ValueError, "classes: .* missing"),
        ("sigmoid", ["a", "b"], ValueError, "this network ends in sigmoid with 2 units"),
        (None, ["a", "b"], ValueError, "this network ends in linear with 2 units"),
    ],
)
def test_labels_that_do_not_fit(
    output: str | None, classes: Any, error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        take([linear(4, 2)], None, classes=classes, output_activation=output, **EXACT)


def test_an_output_activation_follows_a_linear_output_alone() -> None:
    for end in (linear(4, 2), Join("", "add", [[linear(4, 4)], []])):
        model = take([end], None, output_activation="softmax", **EXACT)
        np.testing.assert_allclose(model.predict(X).sum(axis=1), 1)
    with pytest.raises(ValueError, match="'softmax' would follow 'tanh'"):
        take([linear(4, 2), activation("tanh")], None, output_activation="softmax", **EXACT)
