"""BatchNorm is folded into the weights beside it where nothing is lost."""

from __future__ import annotations

import numpy as np
import pytest
from frozen_networks import kinds, relative, rows, trained
from random_weights import TOLERANCE

import fastmlp as fm
from fastmlp.program.ops import DenseOp, ScaleOp

FOLDED = {
    "behind": ([fm.Dense(8), fm.BatchNorm(), fm.Activation("tanh"), fm.Dense(2)], 0),
    "ahead": ([fm.Dense(8, "relu"), fm.BatchNorm(), fm.Dense(2)], 0),
    "first": ([fm.BatchNorm(), fm.Dense(8, "relu", use_bias=False), fm.Dense(2)], 0),
    "two of them": ([fm.Dense(8, "relu"), fm.BatchNorm(), fm.BatchNorm(), fm.Dense(2)], 0),
    "last": ([fm.Dense(8, "relu"), fm.Dense(2, use_bias=False), fm.BatchNorm()], 0),
    "past dropout": ([fm.Dense(8, "elu"), fm.BatchNorm(), fm.Dropout(0.5), fm.Dense(2)], 0),
    "in branches": (
        [fm.BatchNorm(), fm.Branch([fm.Dense(3)], [fm.BatchNorm()], []), fm.Dense(2)],
        0,
    ),
    "of a wide part": ([fm.BatchNorm(), fm.WideAndDeep(2, deep=[fm.Dense(4, "relu")])], 0),
    "no neighbor": ([fm.Dense(4, "relu"), fm.BatchNorm(), fm.Activation("tanh")], 1),
    "in a residual": ([fm.Dense(4, "relu"), fm.BatchNorm(), fm.Residual([fm.Dense(4)])], 1),
}


@pytest.mark.parametrize("dtype", TOLERANCE)
@pytest.mark.parametrize("case", FOLDED)
def test_batch_norm_is_folded(case: str, dtype: str) -> None:
    layers, left = FOLDED[case]
    model, X = trained(layers, dtype=dtype), rows(dtype=dtype)
    predictor = model.freeze()
    assert relative(predictor(X), model.predict(X)) <= TOLERANCE[dtype]
    assert kinds(predictor).count("ScaleOp") == left
    assert not {"BatchNormOp", "DropoutOp"} & set(kinds(predictor))


def test_what_would_leave_the_dtype_is_not_folded() -> None:
    model = trained([fm.Dense(3, "relu"), fm.BatchNorm(), fm.Dense(2)])
    model.parameters["1.gamma"][:] = 1e30
    model.parameters["2.weight"][:] = 1e10
    model.parameters["0.weight"][:] = -1.0
    predictor = model.freeze()
    assert "ScaleOp" in kinds(predictor)
    assert all(np.isfinite(values).all() for values in predictor.weights.values())


def test_a_dense_operation_stays_alone() -> None:
    model = trained([fm.BatchNorm(), fm.Dense(1)])
    (op,) = model.freeze().program.ops
    assert isinstance(op, DenseOp)
    assert not any(isinstance(op, ScaleOp) for op in model.freeze().program.ops)
