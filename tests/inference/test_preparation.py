"""Preparations as data: columns as sums over sources, and what predictors refuse."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
from layer_examples import LAYERS, N_FEATURES, X, frozen_forms, trained

import fastmlp as fm
from fastmlp.inference.predictor import Predictor, freeze
from fastmlp.inference.preparation import Column, Level, Preparation
from fastmlp.kernels.typing import Array
from fastmlp.network.layers import Layer

NUMBER = Level.NUMBER


def predictor_of(columns: list[Column], backend: str = "numpy", **more: object) -> Predictor:
    """A network of two inputs behind a preparation of three."""
    model = fm.Sequential([fm.Dense(2)], dtype="float64", backend="numpy").build(len(columns))
    model.parameters["0.weight"][...] = np.eye(2)
    inputs = tuple((place, NUMBER) for place in range(3))
    preparation = Preparation(inputs, tuple(columns), **more)  # type: ignore[arg-type]
    training = model.training_state
    return freeze(training.state, training.encoder(), backend, 1, preparation=preparation)


@pytest.mark.parametrize("backend", ["numpy", "numba"])
def test_by_hand(backend: str) -> None:
    # 2 x_2 - 1 where x_0 is 5, else 2 x_2; and 3 - 0.5 x_1.
    columns = [Column({(2, NUMBER): 2.0, (0, 5.0): -1.0}), Column({(1, NUMBER): -0.5}, 3.0)]
    predictor = predictor_of(columns, backend)
    rows = np.array([[5.0, 2.0, 10.0], [4.0, 0.0, 1.0]])
    np.testing.assert_array_equal(predictor(rows), [[19.0, 2.0], [2.0, 3.0]])
    assert [type(op).__name__ for op in predictor.program.ops][:2] == ["OneHotOp", "DenseOp"]


@pytest.mark.parametrize("backend", ["numpy", "numba"])
def test_strict_columns_hold_their_levels_alone(backend: str) -> None:
    columns = [Column({(0, 1.0): 1.0}), Column({(1, NUMBER): 1.0})]
    predictor = predictor_of(columns, backend, strict={0: (1.0, 4.0)}, names=("kind", "a", "b"))
    assert predictor([1.0, 7.0, 0.0]).tolist() == [1.0, 7.0]
    assert predictor([4.0, 7.0, 0.0]).tolist() == [0.0, 7.0]
    out = np.full((2, 2), 9.0)
    for row in ([2, 7, 0], [2.0, 7.0, 0.0], np.float32([2, 7, 0])):
        with pytest.raises(ValueError, match="category 2 in row 0, column 0, where training had 1"):
            predictor(row)
    with pytest.raises(ValueError, match="category 3 in row 1"):
        predictor([[1.0, 0.0, 0.0], [3.0, 0.0, 0.0]], out=out)
    assert (out == 9.0).all()
    copy = pickle.loads(pickle.dumps(predictor))
    with pytest.raises(ValueError, match="category 2"):
        copy([2.0, 7.0, 0.0])


def test_columns_scaled_and_what_they_are() -> None:
    column = Column({(1, NUMBER): 2.0}, 3.0).scaled(10.0, -1.0)
    assert column.number == (1, 20.0, 29.0)
    assert Column({(1, 4.0): 2.0}).number is None
    assert Column().number is None
    preparation = Preparation(((0, NUMBER), (1, NUMBER)), (column,), names=("a", "b"))
    assert preparation.scaling() is None
    assert preparation.distances().tolist() == [0.0, 29.0]
    assert preparation.name_of(1) == "column 1 ('b')"
    whole = Preparation(((0, NUMBER),), (Column({(0, NUMBER): 2.0}, 1.0),)).scaling()
    assert whole is not None
    assert (whole.scale.tolist(), whole.shift.tolist()) == ([2.0], [1.0])


def test_what_would_leave_the_dtype_is_not_folded() -> None:
    model = fm.Sequential([fm.Dense(1)], dtype="float32", backend="numpy").build(2)
    model.parameters["0.weight"][...] = 1e30
    columns = (Column({(1, NUMBER): 1e20}), Column({(0, NUMBER): 1.0}))
    preparation = Preparation(((0, NUMBER), (1, NUMBER)), columns)
    training = model.training_state
    predictor = freeze(training.state, training.encoder(), "numpy", 1, preparation=preparation)
    kinds = [type(op).__name__ for op in predictor.program.ops]
    assert kinds == ["SelectOp", "ScaleOp", "DenseOp", "ActivationOp"][: len(kinds)]
    assert predictor([0.0, 1e-20]).tolist() == pytest.approx([1e30])


@pytest.mark.parametrize("kind", LAYERS, ids=lambda kind: kind.__name__)
def test_every_layer_reads_what_it_read_before(kind: type[Layer]) -> None:
    alone, behind = frozen_forms(kind)
    rows = X.copy()
    rows[:, 0] = np.tile([1.0, 2.0, 5.0], 20)
    prepared: Array = rows.copy()
    found = [2.0, 5.0] if kind is fm.Dense else [2.0]
    prepared[:, 0] = np.isin(rows[:, 0], found)
    np.testing.assert_allclose(behind(rows), alone(prepared), atol=1e-12)
    assert behind.n_features == N_FEATURES
    assert trained(kind, "numpy").freeze().n_features == N_FEATURES
