"""Predictors in integers, called as others are."""

from __future__ import annotations

import pickle
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest
from int8_networks import (
    disturbed,
    freeze,
    rows_for,
    trained,
)

import fastmlp as fm


def test_rows_one_row_and_out() -> None:
    network = freeze([fm.Dense(5, "silu"), fm.Dense(2)], 3)
    x = rows_for(3, 2500)
    quantized = network.quantize(x)
    y = quantized(x)
    assert (y.shape, y.dtype) == ((2500, 2), np.float32)
    np.testing.assert_array_equal(quantized(x[7]), y[7])
    np.testing.assert_array_equal(quantized(x.astype("f8")), y)
    np.testing.assert_array_equal(quantized(x.tolist()), y)
    out = np.empty((2500, 2), "f4")
    assert quantized(x, out=out) is out
    np.testing.assert_array_equal(out, y)
    row = np.empty(2, "f4")
    assert quantized(x[0], out=row) is row
    np.testing.assert_array_equal(row, y[0])
    assert (quantized.n_features, quantized.n_outputs, quantized.task) == (3, 2, "regression")


@pytest.mark.parametrize(
    ("x", "error", "message"),
    [
        ([[1.0, 2.0]], ValueError, "3"),
        ([1.0, 2.0], ValueError, "x has 2 columns, expected 3"),
        ([[np.nan, 0.0, 0.0]], ValueError, "NaN"),
        ([[1e39, 0.0, 0.0]], ValueError, "row 0, column 0"),
        ([["a", "b", "c"]], TypeError, "numbers"),
        (np.zeros((0, 3)), ValueError, "no row"),
    ],
)
def test_bad_rows(x: Any, error: type[Exception], message: str) -> None:
    network = freeze([fm.Dense(2)], 3)
    quantized = network.quantize(rows_for(3, 10))
    out = np.full((1, 2), 7.0, "f4")
    with pytest.raises(error, match=message):
        quantized(x, out)
    assert (out == 7.0).all()
    if np.ndim(x) == 2:
        with pytest.raises(error):
            network.quantize(x)


def test_bad_out() -> None:
    quantized = freeze([fm.Dense(2)], 3).quantize(rows_for(3, 10))
    x = rows_for(3, 4)
    for out in (np.empty((4, 3), "f4"), np.empty((4, 2)), np.empty((2, 4), "f4").T):
        with pytest.raises(ValueError, match="out must be"):
            quantized(x, out=out)
    with pytest.raises(TypeError, match="out must be an array"):
        quantized(x, out=[0.0])


def test_labels() -> None:
    x = rows_for(4, 300)
    labels = np.where(x[:, 0] > np.median(x[:, 0]), "yes", "no")
    network = trained(x, labels, [fm.Dense(8, "tanh"), fm.Dense(1, "sigmoid")], 20)
    quantized = network.quantize(x, labels)
    assert quantized.classes.tolist() == ["no", "yes"]
    same = quantized.predict_classes(x) == network.predict_classes(x)
    assert quantized.report.same_class == np.mean(same) > 0.98
    assert quantized.predict_classes(x[0]) == quantized.predict_classes(x)[0]
    with pytest.raises(ValueError, match="predict_classes needs a classifier"):
        freeze([fm.Dense(1)], 4).quantize(x).predict_classes(x)


def test_threads_share_one() -> None:
    network = freeze([fm.Dense(30, "softmax"), fm.Dense(3, "softmax")], 6)
    x = rows_for(6, 400)
    quantized = network.quantize(x)
    expected = quantized(x)
    with ThreadPoolExecutor(4) as pool:
        for y in pool.map(quantized, [x] * 20):
            np.testing.assert_array_equal(y, expected)


def test_copies_and_pickles_predict_the_same() -> None:
    quantized = freeze([fm.Dense(3, "elu")], 2).quantize(rows_for(2, 20))
    x = rows_for(2, 5)
    again = pickle.loads(pickle.dumps(quantized))
    np.testing.assert_array_equal(again(x), quantized(x))
    assert str(again.report) == str(quantized.report)


def test_inputs_stay_as_they_were() -> None:
    x = rows_for(3, 40)
    before = x.copy()
    freeze([fm.Dense(2, "tanh")], 3).quantize(x)(x)
    np.testing.assert_array_equal(x, before)


def test_float64_networks() -> None:
    network = freeze([fm.Dense(6, "mish"), fm.Dense(2)], 3, "float64")
    x = rows_for(3, 300).astype("f8")
    quantized = network.quantize(x)
    assert quantized(x).dtype == np.float32
    assert quantized.report.float_bytes == 8 * (3 * 6 + 6 + 6 * 2 + 2)
    assert disturbed(quantized(x), network(x)) < 0.02
