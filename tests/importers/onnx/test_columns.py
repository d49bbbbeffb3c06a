"""Columns that are picked, and codes that are embedded."""

from __future__ import annotations

import numpy as np
from onnx_graphs import graph_of, node
from onnx_layers import CONSTANTS, RNG, SQUARE, rows, taken
from taken_checks import kinds

import fastmlp as fm


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
