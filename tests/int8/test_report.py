"""What is reported of a quantized network beside the float one."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from int8_networks import (
    rows_for,
    trained,
)

import fastmlp as fm
from fastmlp.int8.report import compare


def test_report_of_classes() -> None:
    x = rows_for(4, 200)
    y = (x[:, :2] > np.median(x[:, :2], axis=0)).sum(axis=1)
    network = trained(x, y, [fm.Dense(16, "relu"), fm.Dense(3, "softmax")], 30)
    report = network.quantize(x, y).report
    quantized = network.quantize(x)
    assert report.float_accuracy == np.mean(network.predict_classes(x) == y)
    assert report.int8_accuracy == np.mean(quantized.predict_classes(x) == y)
    assert report.float_bytes == 4 * (4 * 16 + 16 + 16 * 3 + 3)
    assert report.weight_bytes == 4 * 16 + 16 * 3
    assert report.ratio == report.int8_bytes / report.float_bytes
    difference = np.abs(network(x) - quantized(x))
    assert report.largest_error == pytest.approx(difference.max(), rel=1e-6)
    text = str(report)
    for part in ("200 rows", "same class", "accuracy", "points", f"{report.int8_bytes:,} bytes"):
        assert part in text
    without = quantized.report
    assert without.int8_accuracy is None
    assert "accuracy" not in str(without)
    one_hot = np.eye(3)[y]
    assert network.quantize(x, one_hot).report == report


def test_report_of_numbers_and_of_several_labels() -> None:
    x = rows_for(3, 150)
    y = x @ np.array([1.0, -2.0, 0.5])
    network = trained(x, y, [fm.Dense(8, "tanh"), fm.Dense(1)], 10)
    report = network.quantize(x, y).report
    assert report.same_class is None
    assert report.float_rmse == pytest.approx(
        math.sqrt(np.mean((network(x)[:, 0] - y) ** 2)), rel=1e-5
    )
    assert "RMSE" in str(report)
    columns = (x > 0).astype(int)
    several = trained(x, columns, [fm.Dense(3, "sigmoid")], 10)
    report = several.quantize(x, columns).report
    assert report.float_accuracy == np.mean((several(x) >= 0.5) == columns)
    half = np.array([[0.5, 0.4, 0.6]])
    sizes: Any = dict.fromkeys(("float_bytes", "weight_bytes", "int8_bytes"), 1)
    sizes |= {"places": np.arange(1), "n_left_out": 0, "warnings": ()}
    report = compare(several.targets, half, half, np.array([[1.0, 0.0, 1.0]]), **sizes)
    assert report.float_accuracy == report.int8_accuracy == 1.0


@pytest.mark.parametrize("y", [[0, 1], np.zeros((5, 2)), ["a"] * 5])
def test_bad_y(y: Any) -> None:
    x = rows_for(3, 5)
    network = trained(x, [0, 1, 0, 1, 0], [fm.Dense(1, "sigmoid")], 1)
    with pytest.raises(ValueError, match=r"y|label"):
        network.quantize(x, y)
