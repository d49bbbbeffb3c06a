"""Graphs that are read: of another kind, with functions of their own, in half precision."""

from __future__ import annotations

import numpy as np
import pytest
from onnx_graphs import graph_of, node, onnx, run
from onnx_layers import CONSTANTS, DENSE, rows, taken
from taken_checks import kinds

import fastmlp as fm


def test_half_precision_becomes_float32() -> None:
    constants = {key: values.astype(np.float16) for key, values in CONSTANTS.items()}
    graph = graph_of([*DENSE, node("Tanh", "h", "y")], constants, dtype="float16")
    model = fm.from_onnx(graph)
    assert model.dtype == "float32"
    X = rows(4)
    np.testing.assert_allclose(model.predict(X), run(graph, X.astype("f2"))["y"], atol=0.05)


def test_graphs_of_another_kind() -> None:
    two = graph_of([*DENSE, node("Relu", "h", "y")], CONSTANTS, outputs=("h", "y"))
    with pytest.raises(ValueError, match="one output of numbers.*'h', 'y'"):
        fm.from_onnx(two)
    label = graph_of([*DENSE, node("ArgMax", "h", "y", axis=1)], CONSTANTS)
    with pytest.raises(ValueError, match="one output of numbers.*has none"):
        fm.from_onnx(label)
    with pytest.raises(ValueError, match="output 'y' of the graph is a constant"):
        fm.from_onnx(graph_of([node("Neg", "b", "y")], CONSTANTS))
    with pytest.raises(ValueError, match="depends on none"):
        fm.from_onnx(graph_of([node("Relu", "b", "y")], CONSTANTS))
    unknown = graph_of(DENSE, CONSTANTS, width=["columns"], outputs=("h",))
    with pytest.raises(ValueError, match="'x' has the shape .* not fixed"):
        fm.from_onnx(unknown)
    with pytest.raises(ValueError, match="the network has no parameters"):
        fm.from_onnx(graph_of([node("Relu", "x", "y")], {}))
    sums = graph_of([node("Gemm", "x w b", "a"), node("Mul", "a other", "y")], CONSTANTS)
    sums.graph.input.append(onnx.helper.make_tensor_value_info("other", 1, ["rows", 4]))
    with pytest.raises(ValueError, match="Mul"):
        fm.from_onnx(sums)
    sums.graph.node[1].op_type = "Add"
    with pytest.raises(ValueError, match="of two inputs, one must be read by one MatMul"):
        fm.from_onnx(sums)
    with pytest.raises(TypeError, match="takes the path of a file or an onnx.ModelProto"):
        fm.from_onnx(b"bytes")


def test_weights_that_are_not_finite() -> None:
    with pytest.raises(ValueError, match="NaN, infinite"):
        fm.from_onnx(graph_of(DENSE, CONSTANTS | {"b": np.float32([1, np.nan, 0, 0])}, 4, ("h",)))


def test_functions_of_the_models_own() -> None:
    domain = "own"
    body = [node("Gemm", "x w b", "h"), node("Relu", "h", "y")]
    versions = [onnx.helper.make_opsetid("", 17), onnx.helper.make_opsetid(domain, 1)]
    function = onnx.helper.make_function(domain, "Layer", ["x", "w", "b"], ["y"], body, versions)
    call = onnx.helper.make_node("Layer", ["x", "w", "b"], ["y"], domain=domain)
    graph = graph_of([node("Identity", "x", "y")], CONSTANTS).graph
    del graph.node[:]
    graph.node.append(call)
    model = onnx.helper.make_model(
        graph, functions=[function], opset_imports=versions, ir_version=8
    )
    assert kinds(taken(model, rows(4))) == ["Dense"]
