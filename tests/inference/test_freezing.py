"""What freezing makes of a network: BatchNorm and scalers are folded where nothing is lost."""

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
    "no neighbour": ([fm.Dense(4, "relu"), fm.BatchNorm(), fm.Activation("tanh")], 1),
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


def test_weights_cannot_be_changed_and_the_model_can() -> None:
    model, X = trained([fm.Dense(4, "relu"), fm.Dense(1)]), rows()
    predictor = model.freeze()
    before = predictor(X)
    for values in predictor.weights.values():
        with pytest.raises(ValueError, match=r"read-only"):
            values[...] = 0.0
    model.fit(X, X[:, 0], epochs=1, verbose=0)
    assert np.array_equal(predictor(X), before)
    assert not np.array_equal(model.predict(X), before)


def test_a_dense_operation_stays_alone() -> None:
    model = trained([fm.BatchNorm(), fm.Dense(1)])
    (op,) = model.freeze().program.ops
    assert isinstance(op, DenseOp)
    assert not any(isinstance(op, ScaleOp) for op in model.freeze().program.ops)


def test_columns_far_from_zero_are_warned_of() -> None:
    preprocessing = pytest.importorskip("sklearn.preprocessing")
    X = rows(dtype="float64")
    X[:, 2] = 20240101.0
    scaler = preprocessing.StandardScaler().fit(X)
    layers = [fm.Dense(8, "relu"), fm.Dense(2)]
    with pytest.warns(
        UserWarning, match=r"1 of the 5 columns of X .* column 2 is 2\.02e\+07 .* dtype='float64'"
    ):
        trained(layers).freeze(scaler)
    double = trained(layers, dtype="float64")
    # The outputs are differences of products with 20240101.
    assert relative(double.freeze(scaler)(X), double.predict(scaler.transform(X))) <= 1e-8

    model = trained([fm.BatchNorm(), fm.Dense(2)])
    model.buffers["0.running_mean"][3], model.buffers["0.running_var"][3] = 500.0, 0.0
    with pytest.warns(UserWarning, match=r"1 of the 5 columns of X .* column 3 is 1\.58e\+05 "):
        model.freeze()
