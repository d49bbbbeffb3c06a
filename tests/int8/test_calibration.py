"""Ranges of numbers, from rows of calibration."""

from __future__ import annotations

import numpy as np
import pytest
from int8_networks import (
    freeze,
)

import fastmlp as fm
from fastmlp.int8.build import build
from fastmlp.int8.calibration import Ranges, float_values, input_scales, slot_scale
from fastmlp.int8.predictor import QuantizedPredictor


def test_features_of_one_kind_share_a_scale() -> None:
    x = np.random.default_rng(0).uniform(0, 1, (100, 4)) * [1.0, 0.9, 0.8, 0.01]
    x[0] = [1.0, 0.9, 0.8, 0.01]
    scale, zero_point = input_scales(x, Ranges(0.0, shared=True))
    assert len(set(scale.tolist())) == 1
    assert set(zero_point.tolist()) == {-128}
    scale, zero_point = input_scales(x, Ranges(0.0, shared=False))
    assert scale[0] == scale[1] == scale[2]
    np.testing.assert_allclose(scale[3], scale[0] / 64)


def test_features_of_different_units_keep_their_digits() -> None:
    x = np.array([[1990.0, 0.001, -5e6, 7.0], [2020.0, 0.003, 5e6, 7.0]])
    scale, zero_point = input_scales(x, Ranges(0.0, shared=False))
    codes = np.rint(x / scale) + zero_point
    assert (np.abs(codes[:, :3]) <= 128).all()
    assert (np.ptp(codes[:, :3], axis=0) > 60).all()


def test_zero_points_of_columns_far_from_zero_leave_room_for_sums() -> None:
    x = np.array([[1e9, 0.0], [1e9 + 64.0, 1.0]])
    _, zero_point = input_scales(x, Ranges(0.0, shared=False))
    assert 2**21 < np.abs(zero_point).max() <= 2**22 + 256


def test_ranges_of_slots() -> None:
    assert slot_scale(np.array([[0.0, 2.55]]), Ranges(0.0, True)) == (pytest.approx(0.01), -128)
    scale, zero_point = slot_scale(np.array([[-1.0, 1.55]]), Ranges(0.0, True))
    assert (scale, zero_point) == (pytest.approx(0.01), -28)
    assert slot_scale(np.zeros((3, 2)), Ranges(0.0, True))[1] == -128
    values = np.append(np.linspace(0, 1, 9999), 1000.0)
    assert slot_scale(values, Ranges(1e-3, True))[0] < 1 / 254


def test_outliers_do_not_cost_the_other_rows() -> None:
    rng = np.random.default_rng(0)
    x = rng.standard_t(1.5, size=(4000, 4))
    network = freeze([fm.Dense(32, "relu"), fm.Dense(1)], 4)
    program, weights = network.program, network.weights
    values = float_values(program, weights, x)
    plain = build(program, weights, values, Ranges(0.0, True))
    quantized = network.quantize(x)
    usual = np.abs(x).max(axis=1) < 5
    expected = network(x[usual])
    simple = QuantizedPredictor(network, plain, quantized.report)
    loss = np.abs(quantized(x[usual]) - expected).mean()
    assert loss < 0.7 * np.abs(simple(x[usual]) - expected).mean()


def test_an_output_reaches_a_little_beyond_the_calibrated_range() -> None:
    model = fm.Sequential([fm.Dense(1, "softplus")], backend="numpy").build(2)
    model.parameters["0.weight"][...] = 1.0
    x = np.linspace(-1.0, 1.0, 201)
    # Their sums go from -1 to 1, although those of the columns could go from -2 to 2.
    quantized = model.freeze().quantize(np.array([(a, b) for a in x for b in x if abs(a + b) <= 1]))
    found = quantized([[0.6, 0.6], [-0.6, -0.6]])[:, 0]
    np.testing.assert_allclose(found, np.log1p(np.exp([1.2, -1.2])), atol=0.02)


def test_a_column_of_one_value_does_not_drown_the_others() -> None:
    rng = np.random.default_rng(0)
    x = np.column_stack([rng.uniform(0, 20_000, 400), rng.normal(size=400), np.zeros(400)])
    trained = fm.Sequential([fm.Dense(8, "relu"), fm.Dense(1)], backend="numpy", random_state=0)
    trained.build(3)
    trained.parameters["0.weight"][0] /= 20_000
    network = trained.freeze()
    expected = network(x)
    assert abs(network.quantize(x)(x) - expected).max() < 0.05 * np.ptp(expected)
