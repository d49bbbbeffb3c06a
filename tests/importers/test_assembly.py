"""Parts and graphs that become models, with values, labels and errors of their own."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from taken_checks import assert_taken, rows

import fastmlp as fm
from fastmlp.importers.assembly import sequential, take
from fastmlp.importers.graph import Node, parts_of_graph
from fastmlp.importers.parts import (
    Join,
    Part,
    Scale,
    Step,
    activation,
    batch_norm,
    cannot_take,
    dense,
    standardization,
)
from fastmlp.kernels.typing import Array

RNG = np.random.default_rng(3)
X = rows(2000, 4, "float64")
EXACT: dict[str, Any] = {"dtype": "float64", "backend": "numpy"}


def linear(n_in: int, n_out: int) -> Step:
    return dense(RNG.normal(size=(n_in, n_out)), RNG.normal(size=n_out))


def apply(step: Step, x: Array) -> Array:
    return x @ step.tensors["weight"] + step.tensors["bias"]


def scale(factor: object, shift: object) -> Scale:
    return Scale(np.asarray(factor, np.float64), np.asarray(shift, np.float64))


def kinds(model: fm.Sequential) -> list[str]:
    return [type(layer).__name__ for layer in model.layers]


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


def test_batch_norm_without_gamma_and_beta() -> None:
    mean, variance = RNG.normal(size=4), RNG.uniform(0.5, 2, size=4)
    last = linear(4, 2)
    model = take([batch_norm(mean, variance, None, None, 0.2, 1e-3), last], None, **EXACT)
    assert model.layers[0] == fm.BatchNorm(0.2, 1e-3)
    assert_taken(model, X, apply(last, (X - mean) / np.sqrt(variance + 1e-3)))


# Graphs


def graph(*nodes: tuple[str, str, Part | str]) -> list[Node]:
    """Nodes written as (output, inputs, part or merge)."""
    return [
        Node(output, inputs.split(), output, merge=what)
        if isinstance(what, str)
        else Node(output, inputs.split(), output, [what])
        for output, inputs, what in nodes
    ]


def test_residual() -> None:
    f, last = linear(4, 4), linear(4, 2)
    nodes = graph(("f", "x", f), ("sum", "f x", "add"), ("y", "sum", last))
    model = take(parts_of_graph(nodes, "x", "y"), None, **EXACT)
    assert kinds(model) == ["Residual", "Dense"]
    assert_taken(model, X, apply(last, X + apply(f, X)))


def test_paths_side_by_side_keep_their_order() -> None:
    f, g, last = linear(4, 3), linear(4, 2), linear(9, 1)
    nodes = graph(("f", "x", f), ("g", "x", g), ("c", "f x g", "concat"), ("y", "c", last))
    model = take(parts_of_graph(reversed(nodes), "x", "y"), None, **EXACT)
    assert kinds(model) == ["Branch", "Dense"]
    assert_taken(model, X, apply(last, np.hstack([apply(f, X), X, apply(g, X)])))


def test_a_projection_and_a_join_within_a_path() -> None:
    f, g, h, p = linear(4, 3), linear(3, 3), linear(3, 3), linear(4, 3)
    nodes = graph(
        *(("f", "x", f), ("g", "f", g), ("inner", "f g", "add"), ("h", "inner", h)),
        *(("p", "x", p), ("y", "h p", "add")),
    )
    model = take(parts_of_graph(nodes, "x", "y"), None, **EXACT)
    assert kinds(model) == ["Branch"]
    inner = apply(f, X) + apply(g, apply(f, X))
    assert_taken(model, X, apply(h, inner) + apply(p, X))


@pytest.mark.parametrize("merge", ["add", "concat"])
def test_everything_before_is_joined(merge: str) -> None:
    f, g = linear(4, 4), linear(4, 4)
    nodes = graph(("f", "x", f), ("g", "f", g), ("y", "x f g", merge))
    model = take(parts_of_graph(nodes, "x", "y"), None, **EXACT)
    outputs = [X, apply(f, X), apply(g, apply(f, X))]
    assert_taken(model, X, sum(outputs) if merge == "add" else np.hstack(outputs))
    assert sum(name.endswith("weight") for name in model.parameters) == 2


def test_sums_join_what_comes_through_one_place_in_any_order() -> None:
    f, g = linear(4, 4), linear(4, 4)
    nodes = graph(("f", "x", f), ("g", "f", g), ("y", "f x g", "add"))
    model = take(parts_of_graph(nodes, "x", "y"), None, **EXACT)
    assert_taken(model, X, X + apply(f, X) + apply(g, apply(f, X)))


def test_what_the_output_does_not_need_is_left_out() -> None:
    nodes = graph(("y", "x", linear(4, 2)), ("loss", "y", linear(2, 1)))
    assert kinds(take(parts_of_graph(nodes, "x", "y"), None, **EXACT)) == ["Dense"]


def test_a_graph_of_many_blocks() -> None:
    nodes, before = [], "x"
    for number in range(400):
        f = dense(np.eye(4) / 400, np.zeros(4))
        nodes += graph((f"f{number}", before, f), (f"s{number}", f"{before} f{number}", "add"))
        before = f"s{number}"
    model = take(parts_of_graph(nodes, "x", before), None, **EXACT)
    assert_taken(model, X, X * (1 + 1 / 400) ** 400)


CROSSING = graph(
    *(("a", "x", linear(4, 4)), ("b", "x", linear(4, 4))),
    *(("c", "a b", "add"), ("d", "a b", "concat")),
    *(("e", "d", linear(8, 4)), ("y", "c e", "add")),
)


@pytest.mark.parametrize(
    ("nodes", "message"),
    [
        (CROSSING, "a cannot be taken: its output is read by paths that cross"),
        (graph(("y", "x z", "add")), "z is read, but is neither the input nor computed"),
        (graph(("y", "x x", "add")), "y cannot be taken: it joins one input with itself"),
        (
            graph(("f", "x", linear(4, 3)), ("y", "x f", "add")),
            r"y cannot be taken: it adds outputs of the widths \[4, 3\]",
        ),
    ],
)
def test_graphs_that_cannot_be_taken(nodes: list[Node], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        take(parts_of_graph(nodes, "x", "y"), 4, **EXACT)


# Values and labels


def test_the_width_of_the_input_comes_from_the_first_tensor_that_tells() -> None:
    layer = linear(4, 2)
    for parts in (
        [activation("relu"), Step(fm.Dropout(0.5)), layer],
        [scale(2, 1), layer],
        [scale(np.ones(4), 0), layer],
        [Join("", "concat", [[activation("tanh"), layer], []])],
    ):
        assert take(parts, None, **EXACT).predict(X).shape[0] == 2000
    both = Join("", "concat", [[activation("tanh")], [activation("relu")]])
    with pytest.raises(ValueError, match="give n_features"):
        take([both, linear(8, 2)], None, **EXACT)
    assert take([both, linear(8, 2)], 4, **EXACT).predict(X).shape == (2000, 2)


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


def test_no_library_is_imported_to_refuse_what_is_none_of_its_own() -> None:
    code = """
import sys
import fastmlp as fm
for take in (fm.from_torch, fm.from_sklearn, fm.from_keras):
    try:
        take(object())
    except TypeError as error:
        assert "takes a" in str(error), error
fm.from_torch({"weight": __import__("numpy").ones((1, 2))}, layers=[fm.Dense(1, use_bias=False)])
assert not {"torch", "sklearn", "keras"} & set(sys.modules)
"""
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


def test_the_error_for_what_cannot_be_taken() -> None:
    error = cannot_take("conv1 (Conv2d)", "it is two-dimensional", ["Linear", "ReLU"])
    assert str(error) == (
        "conv1 (Conv2d) cannot be taken: it is two-dimensional; what can be: Linear, ReLU"
    )
