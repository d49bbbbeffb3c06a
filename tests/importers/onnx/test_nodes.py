"""What each node of a graph becomes, and which cannot be taken."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from onnx_graphs import error, graph_of, node, onnx, run
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


@pytest.mark.parametrize(
    "nodes",
    [
        [node("Sub", "x m", "a"), node("Div", "a s", "h")],
        [node("Add", "x m", "a"), node("Mul", "s a", "h")],
        [node("Mul", "x s", "a"), node("Add", "m a", "h")],
        [node("Neg", "x", "a"), node("Sub", "m a", "c"), node("Mul", "c s", "h")],
        [node("Scaler", "x", "h", domain="ai.onnx.ml")],
    ],
)
def test_scalers_in_front(nodes: list[Any]) -> None:
    first = nodes[0].op_type
    mean = np.float32([1000.0, -500.0, 3.0, 0.0])
    added = -mean if first in ("Add", "Neg") else mean
    if first == "Mul":
        mean = added = np.float32([1.0, 0.5, -2.0, 0.0])
    constants = CONSTANTS | {"m": added, "s": np.float32([0.5, 2.0, 10.0, 0.1])}
    if first == "Scaler":
        factors = {"offset": mean.tolist(), "scale": constants["s"].tolist()}
        nodes = [node("Scaler", "x", "h", domain="ai.onnx.ml", **factors)]
    graph = graph_of([*nodes, node("Gemm", "h w b", "g"), node("Tanh", "g", "y")], constants)
    X = rows(4) + mean
    made = fm.from_onnx(graph, backend="numpy")
    # Freezing folds the means into a bias, which costs the digits that they have too many.
    assert error(made.predict(X), run(graph, X)["y"]) < 1e-5
    if first == "Mul":
        assert kinds(made) == ["Dense"]
        return
    assert kinds(made) == ["BatchNorm", "Dense"]
    np.testing.assert_allclose(made.buffers["0.running_mean"], mean)
    np.testing.assert_allclose(made.parameters["0.gamma"], 1.0, rtol=1e-3)
    deviation = constants["s"] if first == "Sub" else 1 / constants["s"]
    np.testing.assert_allclose(made.buffers["0.running_var"], deviation**2, rtol=1e-6)


def test_a_scaler_of_huge_numbers_is_folded() -> None:
    constants = CONSTANTS | {"m": np.full(4, 1e25, "f4"), "s": np.full(4, 1e-25, "f4")}
    scaler = [node("Sub", "x m", "a"), node("Mul", "a s", "h")]
    graph = graph_of([*scaler, node("Gemm", "h w b", "y")], constants)
    # As a BatchNorm it would have variances that float32 cannot hold.
    assert kinds(taken(graph, rows(4) * np.float32(1e25))) == ["Dense"]


def test_only_the_rest_to_one_is_left_out() -> None:
    nodes = [
        node("Sigmoid", "h", "p"),
        node("Sub", "two p", "q"),
        node("Concat", "q p", "y", axis=1),
    ]
    graph = graph_of([*DENSE, *nodes], CONSTANTS | {"two": np.float32([2.0])})
    assert taken(graph, rows(4)).predict(rows(4)).shape == (1000, 8)


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


def test_columns_are_picked() -> None:
    X = rows(6)
    constants = CONSTANTS | {"some": np.array([5, 0, 3, -2]), "w": SQUARE}
    dense = [node("Gather", "x some", "p", axis=1), node("Gemm", "p w b", "y")]
    assert kinds(taken(graph_of(dense, constants, 6), X)) == ["Dense"]
    alone = [node("Gather", "x some", "p", axis=1), node("Relu", "p", "y")]
    taken(graph_of(alone, constants, 6), X)


def test_embeddings_as_others_write_them() -> None:
    table = RNG.normal(size=(5, 3)).astype(np.float32)
    nodes = [
        node("Gather", "x first", "c", axis=1),
        node("Squeeze", "c one", "s"),
        node("Cast", "s", "i", to=7),
        node("Gather", "t i", "e"),
        node("Gather", "x rest", "r", axis=1),
        node("Concat", "e r", "z", axis=-1),
        node("MatMul", "z w", "y"),
    ]
    constants = {
        "t": table,
        "first": np.array([0]),
        "one": np.array([1]),
        "rest": np.array([2, 1]),
        "w": RNG.normal(size=(5, 2)).astype(np.float32),
    }
    X = rows(3)
    X[:, 0] = RNG.integers(0, 5, len(X))
    model = taken(graph_of(nodes, constants, 3), X)
    assert model.layers[0] == fm.Embedding(5, 3, 0)


REFUSED = [
    ([node("LogSoftmax", "h", "y", axis=1)], {}, "LogSoftmax that computes 'y'"),
    ([node("Softmax", "h", "y", axis=0)], {}, "Softmax .* its axis is 0"),
    ([node("Gelu", "h", "y", approximate="tanh")], {}, "Gelu .* approximates by tanh"),
    ([node("HardSwish", "h", "y")], {}, "HardSwish"),
    ([node("Clip", "h zero six", "y")], {"zero": 0.0, "six": 6.0}, "Clip"),
    ([node("Mul", "h x", "y")], {}, "Mul that computes 'y'"),
    ([node("Sub", "h x", "y")], {}, "Sub that computes 'y'"),
    ([node("PRelu", "h slopes", "y")], {"slopes": np.float32([0.1, 0.2, 0.3, 0.4])}, "PRelu"),
    ([node("Gemm", "h w b", "y", transA=1)], {}, "Gemm .* from the left"),
    ([node("MatMul", "w h", "y")], {}, "MatMul .* from the left"),
    ([node("MatMul", "h x", "y")], {}, "MatMul .* its input 'x' is no constant"),
    ([node("ReduceSum", "h", "y")], {}, "ReduceSum"),
    ([node("Reshape", "h shape", "y")], {"shape": np.array([-1, 2])}, "changes the shape"),
    ([node("Transpose", "h", "y")], {}, "Transpose"),
    ([node("Cast", "h", "c", to=10), node("Cast", "c", "y", to=1)], {}, "Cast .* not float32"),
    ([node("Concat", "h h", "y", axis=0)], {}, "Concat .* its axis"),
    ([node("LayerNormalization", "h b", "y")], {}, "LayerNormalization"),
    (
        [node("BatchNormalization", "h b b b b", "y", training_mode=1)],
        {},
        "BatchNormalization .* training mode",
    ),
    (
        [onnx.helper.make_node("Fused", ["h"], ["y"], name="f1", domain="com.else")],
        {},
        "com.else.Fused 'f1'",
    ),
    ([node("Div", "b h", "y")], {}, "Div"),
    # Two of three paths share what the third does not go through.
    (
        [
            node("Relu", "h", "p"),
            node("MatMul", "p w", "q"),
            node("MatMul", "q w", "r"),
            node("Add", "q h", "s"),
            node("Concat", "r s p", "y", axis=1),
        ],
        {},
        "paths that cross",
    ),
]


@pytest.mark.parametrize(("nodes", "constants", "message"), REFUSED)
def test_what_cannot_be_taken_is_named(
    nodes: list[Any], constants: dict[str, Any], message: str
) -> None:
    known = {
        key: np.float32(value) if isinstance(value, float) else value
        for key, value in constants.items()
    }
    graph = graph_of([*DENSE, *nodes], CONSTANTS | known, opset=20)
    domains = {n.domain for n in nodes} - {""}
    graph.opset_import.extend(onnx.helper.make_opsetid(domain, 1) for domain in domains)
    with pytest.raises(ValueError, match=message) as raised:
        fm.from_onnx(graph)
    if "cross" not in message:
        assert "what can be: Gemm, MatMul" in str(raised.value)
