"""What each node of a graph becomes."""

from __future__ import annotations

import numpy as np
import pytest
from onnx_graphs import graph_of, node, onnx
from onnx_layers import BIAS, CONSTANTS, DENSE, OTHER, RNG, SQUARE, rows, taken
from taken_checks import kinds

import fastmlp as fm


@pytest.mark.parametrize("name", ["Relu", "Tanh", "Sigmoid", "Selu", "Softplus", "Exp", "Mish"])
def test_functions_of_one_node(name: str) -> None:
    X = rows(4) / 5
    graph = graph_of([*DENSE, node(name, "h", "y")], CONSTANTS, opset=18)
    [layer] = taken(graph, X).layers
    assert layer.activation_function.name == name.lower()


def test_parameters_of_functions() -> None:
    nodes = [*DENSE, node("LeakyRelu", "h", "a", alpha=0.3), node("Elu", "a", "y", alpha=0.7)]
    first, second = taken(graph_of(nodes, CONSTANTS), rows(4)).layers
    assert first.activation_function == fm.LeakyReLU(0.3)
    assert second.activation_function == fm.ELU(0.7)
    taken(graph_of([*DENSE, node("Gelu", "h", "y")], CONSTANTS, opset=20), rows(4))
    for axis in (1, -1):
        taken(graph_of([*DENSE, node("Softmax", "h", "y", axis=axis)], CONSTANTS), rows(4))


def test_forms_of_a_dense_layer() -> None:
    X = rows(4)
    flipped = node("Gemm", "x w b", "h", transB=1, alpha=0.5, beta=-2.0)
    two = {"w": RNG.normal(size=(3, 4)).astype(np.float32), "b": np.float32([[1, 2, 3]])}
    assert taken(graph_of([flipped, node("Relu", "h", "y")], two), X).layers[0].units == 3
    number = {"w": SQUARE, "b": np.float32(0.7)}
    taken(graph_of([node("Gemm", "x w b", "y")], number), X)
    assert not taken(graph_of([node("Gemm", "x w", "y")], {"w": SQUARE}), X).layers[0].use_bias
    separate = [
        node("MatMul", "x w", "a"),
        node("Mul", "s a", "c"),
        node("Sub", "b c", "d"),
        node("Tanh", "d", "y"),
    ]
    [layer] = taken(graph_of(separate, CONSTANTS | {"s": OTHER[0]}), X).layers
    assert layer.activation_function.name == "tanh"
    # The weight as other exporters write it: computed of a constant.
    turned = [
        node("Transpose", "w", "t", perm=[1, 0]),
        node("Cast", "t", "u", to=1),
        node("MatMul", "x u", "y"),
    ]
    taken(graph_of(turned, {"w": SQUARE}), X)
    constant = onnx.helper.make_node(
        "Constant", [], ["w"], value=onnx.numpy_helper.from_array(SQUARE)
    )
    taken(graph_of([constant, node("MatMul", "x w", "y")], {}), X)


@pytest.mark.parametrize("opset", [9, 13, 17])
def test_batch_norm(opset: int) -> None:
    statistics = {"mean": BIAS, "var": np.abs(BIAS) + 0.5, "g": SQUARE[0], "e": SQUARE[1]}
    norm = node("BatchNormalization", "h g e mean var", "y", epsilon=1e-3, momentum=0.75)
    graph = graph_of([*DENSE, norm], CONSTANTS | statistics, opset=opset)
    layer = taken(graph, rows(4)).layers[1]
    assert layer == fm.BatchNorm(momentum=0.25, epsilon=1e-3)


def test_batch_norm_without_an_epsilon() -> None:
    statistics = {"mean": BIAS, "var": np.abs(BIAS) + 1e-6, "g": SQUARE[0], "e": SQUARE[1]}
    norm = node("BatchNormalization", "h g e mean var", "y", epsilon=0.0)
    model = taken(graph_of([*DENSE, norm], CONSTANTS | statistics), rows(4))
    np.testing.assert_array_equal(model.buffers["1.running_var"], statistics["var"])


def test_nodes_that_change_nothing() -> None:
    nodes = [
        node("Identity", "x", "a"),
        node("Flatten", "a", "c", axis=1),
        node("Gemm", "c w b", "h"),
        node("Reshape", "h shape", "d"),
        node("Dropout", "d", "e"),
        node("Cast", "e", "f", to=1),
        node("Relu", "f", "y"),
    ]
    graph = graph_of(nodes, CONSTANTS | {"shape": np.array([-1, 4])})
    assert kinds(taken(graph, rows(4))) == ["Dense"]


def test_rows_of_several_dimensions_are_laid_flat() -> None:
    weight = RNG.normal(size=(12, 2)).astype(np.float32)
    X = rows(12).reshape(-1, 3, 2, 2)
    for flat, more in (
        (node("Flatten", "x", "a"), {}),
        (node("Reshape", "x shape", "a"), {"shape": np.array([0, -1])}),
        (node("Reshape", "x shape", "a"), {"shape": np.array([-1, 12])}),
    ):
        graph = graph_of([flat, node("MatMul", "a w", "y")], {"w": weight} | more, [3, 2, 2])
        assert taken(graph, X).parameters["0.weight"].shape == (12, 2)


def test_sums_and_concatenations() -> None:
    X = rows(4)
    residual = [*DENSE, node("Relu", "h", "r"), node("MatMul", "r v", "g"), node("Add", "g h", "y")]
    assert kinds(taken(graph_of(residual, CONSTANTS), X)) == ["Dense", "Residual"]
    branches = [
        node("Gemm", "x w b", "a"),
        node("MatMul", "x v", "c"),
        node("Tanh", "c", "d"),
        node("Concat", "a x d", "y", axis=1),
    ]
    [layer] = taken(graph_of(branches, CONSTANTS), X).layers
    assert [len(path) for path in layer.paths] == [1, 0, 1]
    total = [node("MatMul", "x w", "a"), node("MatMul", "x v", "c"), node("Sum", "a c x", "y")]
    [layer] = taken(graph_of(total, CONSTANTS), X).layers
    assert layer.merge == "add"
