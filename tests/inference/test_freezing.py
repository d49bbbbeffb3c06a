"""Frozen networks keep their weights, and tell of digits that are lost."""

from __future__ import annotations

import numpy as np
import pytest
from frozen_networks import relative, rows, trained

import fastmlp as fm


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
