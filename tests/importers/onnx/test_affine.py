"""Sums and products by constants: scalers, and what is left out."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from onnx_graphs import error, graph_of, node, run
from onnx_layers import CONSTANTS, DENSE, rows, taken
from taken_checks import kinds

import fastmlp as fm


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
