"""Nodes that cannot be taken are named."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from onnx_graphs import graph_of, node, onnx
from onnx_layers import CONSTANTS, DENSE

import fastmlp as fm

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
