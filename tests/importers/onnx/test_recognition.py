"""Activation functions composed of simpler nodes are known by their values."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from onnx_graphs import graph_of, node
from onnx_layers import CONSTANTS, DENSE, rows, taken

import fastmlp as fm


@pytest.mark.parametrize(
    ("name", "nodes", "constants"),
    [
        ("relu", [node("Max", "h zero", "y")], {"zero": 0.0}),
        ("relu", [node("Clip", "h zero", "y")], {"zero": 0.0}),
        ("relu", [node("PRelu", "h zero", "y")], {"zero": 0.0}),
        ("leaky_relu", [node("PRelu", "h s", "y")], {"s": 0.125}),
        ("leaky_relu", [node("Mul", "h s", "a"), node("Max", "h a", "y")], {"s": 0.3}),
        (
            "leaky_relu",
            [
                node("Greater", "h zero", "is"),
                node("Mul", "h s", "a"),
                node("Where", "is h a", "y"),
            ],
            {"zero": 0.0, "s": 0.02},
        ),
        (
            "elu",
            [
                node("Exp", "h", "e"),
                node("Sub", "e one", "m"),
                node("Mul", "m a", "n"),
                node("Less", "h zero", "is"),
                node("Where", "is n h", "y"),
            ],
            {"one": 1.0, "zero": 0.0, "a": 0.8},
        ),
        ("elu", [node("Celu", "h", "y")], {}),
        ("silu", [node("Sigmoid", "h", "s"), node("Mul", "s h", "y")], {}),
        (
            "silu",
            [
                node("Neg", "h", "n"),
                node("Exp", "n", "e"),
                node("Add", "e one", "d"),
                node("Div", "h d", "y"),
            ],
            {"one": 1.0},
        ),
        (
            "sigmoid",
            [
                node("Neg", "h", "n"),
                node("Exp", "n", "e"),
                node("Add", "one e", "d"),
                node("Div", "one d", "y"),
            ],
            {"one": 1.0},
        ),
        (
            "softplus",
            [node("Exp", "h", "e"), node("Add", "e one", "d"), node("Log", "d", "y")],
            {"one": 1.0},
        ),
        (
            "mish",
            [node("Softplus", "h", "s"), node("Tanh", "s", "t"), node("Mul", "h t", "y")],
            {},
        ),
        (
            "gelu",
            [
                node("Div", "h root", "a"),
                node("Erf", "a", "e"),
                node("Add", "e one", "c"),
                node("Mul", "h c", "d"),
                node("Mul", "d half", "y"),
            ],
            {"root": math.sqrt(2), "one": 1.0, "half": 0.5},
        ),
        (
            "gelu",
            [
                node("Mul", "h root", "a"),
                node("Erf", "a", "e"),
                node("Mul", "h half", "g"),
                node("Mul", "g e", "f"),
                node("Add", "g f", "y"),
            ],
            {"root": math.sqrt(0.5), "half": 0.5},
        ),
        (
            "softmax",
            [
                node("ReduceMax", "h", "m", axes=[1], keepdims=1),
                node("Sub", "h m", "d"),
                node("Exp", "d", "e"),
                node("ReduceSum", "e axes", "s", keepdims=1),
                node("Div", "e s", "y"),
            ],
            {"axes": np.array([1])},
        ),
        (
            "tanh",
            [
                node("Exp", "h", "e"),
                node("Neg", "h", "n"),
                node("Exp", "n", "f"),
                node("Sub", "e f", "a"),
                node("Add", "e f", "c"),
                node("Div", "a c", "y"),
            ],
            {},
        ),
    ],
)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_functions_composed_of_nodes(
    name: str, nodes: list[Any], constants: dict[str, Any], dtype: str
) -> None:
    known = {
        key: np.asarray(value, dtype if isinstance(value, float) else np.int64)
        for key, value in constants.items()
    }
    weights = {key: value.astype(dtype) for key, value in CONSTANTS.items()}
    # Another layer behind it, as in a real network.
    graph = graph_of(
        [*DENSE, *nodes, node("MatMul", "y v", "z")],
        weights | known,
        outputs=("z",),
        dtype=dtype,
    )
    model = fm.from_onnx(graph, backend="numpy")
    assert [layer.activation_function.name for layer in model.layers] == [name, "linear"]
    for key, value in constants.items():
        if key in ("s", "a") and name in ("leaky_relu", "elu"):
            parameter = model.layers[0].activation_function.parameter
            assert parameter == pytest.approx(value, rel=1e-12)
    # onnxruntime has not all of these for float64.
    X = rows(4, dtype) if dtype == "float32" else rows(4, dtype)[:, :4] / 10
    if dtype == "float32":
        taken(graph, X)
