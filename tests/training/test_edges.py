"""Edges of bins: found once, in the rows of the first fit."""

from __future__ import annotations

import numpy as np

import fastmlp as fm
from fastmlp.training.edges import fit_edges


def test_rows_are_asked_for_once() -> None:
    layer = fm.PiecewiseLinearEmbedding(2, columns=[1])
    model = fm.Sequential([layer, fm.Dense(1)], backend="numpy").build(3)
    rows, asked = np.arange(15.0).reshape(5, 3), []

    def give() -> np.ndarray:
        asked.append(1)
        return rows

    for _ in range(2):
        fit_edges(model.training_state, give)
    assert len(asked) == 1
    np.testing.assert_array_equal(model.buffers["0.edges"], [[1.0, 7.0, 13.0]])


def test_given_edges_ask_for_nothing() -> None:
    layer = fm.PiecewiseLinearEmbedding(1, edges=[[0.0, 0.0]])
    model = fm.Sequential([layer, fm.Dense(1)], backend="numpy").build(1)
    fit_edges(model.training_state, lambda: 1 / 0)  # type: ignore[arg-type, return-value]
    np.testing.assert_array_equal(model.buffers["0.edges"], [[0.0, 0.0]])
