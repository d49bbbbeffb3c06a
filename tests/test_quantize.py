"""Quantisation to int8: exact integers, small losses, sizes, and what is refused."""

from __future__ import annotations

import math
import pickle
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from int8_networks import ACTIVATIONS, freeze, harsh_rows, random_network, register, rows_for

import fastmlp as fm
from fastmlp.int8 import fixed_point
from fastmlp.int8.build import build
from fastmlp.int8.calibration import Ranges, float_values, input_scales, slot_scale
from fastmlp.int8.curves import tabulate
from fastmlp.int8.kernels import accumulate, finish
from fastmlp.int8.program import (
    CurveToCodes,
    CurveToFloat,
    DenseSource,
    Join,
    SoftmaxToCodes,
    ToCodes,
    ToFloat,
    offsets,
)
from fastmlp.int8.quantize import quantize
from fastmlp.int8.report import compare
from fastmlp.kernels.reference import activation_forward
from fastmlp.kernels.typing import Array


def rational(value: Any) -> Fraction:
    return Fraction(float(value))


def half_up(value: Fraction) -> int:
    return math.floor(value + Fraction(1, 2))


def clip(value: int, low: int = -128, high: int = 127) -> int:
    return min(max(value, low), high)


# Fixed-point arithmetic against exact fractions


def test_multipliers_are_factors_to_31_bits() -> None:
    factors = 10.0 ** np.random.default_rng(0).uniform(-7, 4, 200)
    for factor in factors:
        (multiplier,), shift = fixed_point.multipliers(np.array([factor]))
        assert 2**30 <= multiplier < 2**31
        assert abs(Fraction(int(multiplier), 2**shift) / rational(factor) - 1) <= Fraction(1, 2**31)
    numbers, shift = fixed_point.multipliers(factors)
    assert numbers.max() >= 2**30
    for number, factor in zip(numbers, factors, strict=True):
        assert abs(Fraction(int(number)) - rational(factor) * 2**shift) <= Fraction(1, 2)


@pytest.mark.parametrize("factor", [1e-30, 2.0**-62, 2.0**31, 1e12])
def test_multipliers_of_factors_that_are_out_of_bounds(factor: float) -> None:
    (multiplier,), shift = fixed_point.multipliers(np.array([factor]))
    assert 0 <= multiplier < 2**31
    assert 1 <= shift <= 62


def test_rescale_rounds_halves_up() -> None:
    rng = np.random.default_rng(1)
    acc = np.concatenate([rng.integers(-(2**31) + 1, 2**31, 500), [-3, -1, 1, 3, 2**31 - 1]])
    for multiplier, shift in [(2**31 - 1, 1), (2**30, 31), (2**30 + 12345, 40), (2**30, 62)]:
        got = fixed_point.rescale(acc, np.int64(multiplier), shift)
        exact = [half_up(Fraction(int(a) * multiplier, 2**shift)) for a in acc]
        assert got.tolist() == exact
    assert fixed_point.rescale(np.array([-3, -1, 1, 3]), np.int64(2**30), 31).tolist() == [
        *(-1, 0, 1, 2)
    ]


def test_encode_is_one_product_and_integers() -> None:
    rng = np.random.default_rng(2)
    x = harsh_rows(rng.normal(size=(400, 3)).astype("f4"), 400)
    inverse = np.array([2.0**8 / 0.01, 2.0**8 / 0.37, 2.0**8 * 1e-3], "f4")
    zero_point = np.array([-128, 5, 70000])
    got = fixed_point.encode(x, inverse, zero_point)
    with np.errstate(all="ignore"):
        products = x * inverse
    for i, j in np.ndindex(*x.shape):
        product = Fraction(0)
        if np.isfinite(products[i, j]):
            product = min(max(rational(products[i, j]), Fraction(-(2**30))), Fraction(2**30))
        else:
            product = Fraction(2**30) * (1 if products[i, j] > 0 else -1)
        code = half_up(Fraction(math.trunc(product), 256)) + int(zero_point[j])
        assert got[i, j] == clip(code), (x[i, j], inverse[j])


def test_interpolation_meets_nodes_and_lies_between() -> None:
    table = np.random.default_rng(3).integers(-(2**22), 2**22 + 1, 257)
    nodes = fixed_point.interpolate(256 * np.arange(256), table)
    assert nodes.tolist() == (256 * table[:-1]).tolist()
    positions = np.arange(-5, 65545)
    got = fixed_point.interpolate(positions, table)
    for position in range(0, 65536, 97):
        node, part = divmod(position, 256)
        exact = table[node] * (256 - part) + table[node + 1] * part
        assert got[position + 5] == exact
    assert (got[:5] == got[5]).all()
    assert (got[-9:] == got[-10]).all()
    assert np.abs(got).max() < 2**31


def test_powers_of_two_of_a_softmax() -> None:
    below = np.concatenate([np.arange(0, 40 * 65536, 997), [0, 31 * 65536, 32 * 65536, 2**29]])
    powers = fixed_point.softmax_powers(-below.astype("f4")[None])[0]
    exact = np.exp2(31 - below.astype("f4") / 65536.0)
    assert (np.abs(powers - exact) <= 2e-5 * exact + 1).all()
    assert powers[-4] == 2**31
    assert powers[-2:].tolist() == [0, 0]


def test_shares() -> None:
    powers = np.array([[2**31, 2**31, 0, 2**30], [1, 0, 0, 0]])
    assert fixed_point.shares(powers)[0].tolist() == np.array([0.4, 0.4, 0, 0.2], "f4").tolist()
    exact = [half_up(Fraction(255 * p, 2**31 * 2 + 2**30)) - 128 for p in powers[0].tolist()]
    assert fixed_point.share_codes(powers)[0].tolist() == exact
    assert fixed_point.share_codes(powers)[1].tolist() == [127, -128, -128, -128]


# Tables and ranges


@pytest.mark.parametrize(("low", "high"), [(-8.0, 8.0), (-0.3, 9.0), (2.0, 5.0), (3.0, 3.0)])
def test_a_curve_is_the_function_at_its_nodes(low: float, high: float) -> None:
    values, factor, offset = tabulate(np.tanh, low, high, 0.0)
    z = np.clip((256 * np.arange(257) - offset) / factor, low, high)
    np.testing.assert_allclose(values, np.tanh(z), atol=1e-4)
    if low < 0 < high:
        assert offset % 256 == 0
        assert values[offset // 256] == 0.0


def test_a_curve_is_cut_where_it_stays_constant() -> None:
    values, factor, offset = tabulate(np.tanh, -50.0, 50.0, 1e-3)
    assert 3 < offset / factor < 5
    np.testing.assert_allclose(values[[0, -1]], [-1, 1], atol=1.1e-3)


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


# The simulator against plain Python integers


def naive(quantized: Any, row: Array) -> list[float]:
    """One row in Python's integers; fails where a sum leaves int32."""
    program = quantized.integers
    entry = program.encode.out
    x = fixed_point.encode(row[None], program.encode.inverse, entry.zero_point)[0]
    codes = {entry: [int(code) for code in x]}

    def rescaled(acc: int, rule: Any, j: int) -> int:
        return half_up(Fraction(acc * int(rule.multiplier[j]), 2**rule.shift))

    def curve(rule: Any, acc: int, j: int) -> int:
        node, part = divmod(clip(rescaled(acc, rule, j) + rule.offset, 0, 65535), 256)
        return int(rule.table[node]) * (256 - part) + int(rule.table[node + 1]) * part

    for step in program.steps:
        if isinstance(step, Join):
            columns = [code for part in step.inputs for code in codes[part]]
            codes[step.out] = [columns[j] for j in step.columns] if step.columns else columns
            continue
        source, rule, out = step.source, step.finish, []
        for j in range(len(source.bias)):
            acc = 0
            if isinstance(source, DenseSource):
                for weight, code in zip(source.weight[j], codes[source.x], strict=True):
                    acc += int(weight) * code
                    assert abs(acc) < 2**31
            else:
                for factor, slot in zip(source.factors, source.inputs, strict=True):
                    acc += int(factor[j]) * codes[slot][j]
                    assert abs(acc) < 2**31
            acc += int(source.bias[j])
            assert abs(acc) < 2**31
            if isinstance(rule, ToCodes):
                out.append(clip(rescaled(acc, rule, j) + rule.zero_point))
            elif isinstance(rule, CurveToCodes):
                out.append(clip(half_up(Fraction(curve(rule, acc, j), 65536)) - 128))
            elif isinstance(rule, CurveToFloat):
                out.append(float(np.float32(curve(rule, acc, j)) * np.float32(rule.scale)))
            elif isinstance(rule, ToFloat):
                acc = max(acc, 0) if rule.relu else acc
                out.append(float(np.float32(acc) * rule.scale[j]))
            else:
                out.append(float(np.float32(acc) * rule.scale[j]))
        if not isinstance(rule, ToCodes | CurveToCodes | CurveToFloat | ToFloat):
            whole = [math.trunc(clip(Fraction(z), -(2**29), 2**29)) for z in out]
            powers = []
            for z in whole:
                halvings, rest = divmod(max(whole) - z, 65536)
                node, part = divmod(rest, 1024)
                table = fixed_point.POWERS
                power = int(table[node]) * (1024 - part) + int(table[node + 1]) * part
                powers.append(power >> halvings)
            total = sum(powers)
            if isinstance(rule, SoftmaxToCodes):
                out = [half_up(Fraction(255 * power, total)) - 128 for power in powers]
            else:
                out = [float(np.float32(power) / np.float32(total)) for power in powers]
        if step.out is None:
            y = out
        else:
            codes[step.out] = out
    return y


@pytest.mark.filterwarnings("ignore:.* of .* calibration rows lie:UserWarning")
@pytest.mark.parametrize("seed", range(30))
def test_the_simulator_is_exact_and_stays_within_int32(seed: int) -> None:
    register()
    network = freeze(*random_network(seed), seed=seed)
    x = rows_for(network.n_features, 100, seed)
    quantized = network.quantize(x)
    rows = np.concatenate([x[:3], harsh_rows(x, 5, seed)])
    y = quantized(rows)
    for row, expected in zip(rows, y, strict=True):
        assert naive(quantized, row) == expected.tolist()


@pytest.mark.filterwarnings("ignore:.* of .* calibration rows lie:UserWarning")
@pytest.mark.parametrize("seed", range(30))
def test_slots_that_are_needed_share_no_bytes(seed: int) -> None:
    register()
    network = freeze(*random_network(seed), seed=seed)
    program = network.quantize(rows_for(network.n_features, 50)).integers
    places, n_bytes = offsets(program)
    memory = np.zeros(n_bytes, object)

    def fill(codes: Any) -> None:
        memory[places[codes] : places[codes] + codes.width] = codes

    fill(program.encode.out)
    for step in program.steps:
        if step.out is not None:
            fill(step.out)
        for codes in step.inputs:
            begin = places[codes]
            assert all(found is codes for found in memory[begin : begin + codes.width])


def test_no_accumulator_can_leave_int32() -> None:
    """Large biases, many inputs, weights of all sizes: the bound is that of the worst codes."""
    layers = [fm.Dense(40, "relu"), fm.Dense(3)]
    model = fm.Sequential(layers, dtype="float64", backend="numpy", random_state=0).build(3000)
    rng = np.random.default_rng(0)
    model.parameters["0.weight"][...] = 10.0 ** rng.uniform(-12, 6, (3000, 40))
    model.parameters["0.bias"][...] = 10.0 ** rng.uniform(-10, 20, 40)
    model.parameters["1.weight"][0] = 0.0
    quantized = model.freeze().quantize(rng.normal(size=(20, 3000)))
    for step in quantized.integers.steps:
        worst = 128 * np.abs(step.source.weight.astype(np.int64)).sum(axis=1)
        assert (worst + np.abs(step.source.bias) < 2**31).all()


# Losses


def disturbed(outputs: Array, expected: Array) -> float:
    return float(np.abs(outputs - expected).mean() / expected.std())


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_every_activation_loses_little(name: str) -> None:
    register()
    network = freeze([fm.Dense(30, name), fm.Dense(30, "tanh"), fm.Dense(8, name)], 12)
    x = rows_for(12, 2000)
    quantized = network.quantize(x[:1000])
    expected = network(x[1000:])
    assert disturbed(quantized(x[1000:]), expected) < 0.03


@pytest.mark.parametrize("seed", range(10))
def test_residuals_and_branches_lose_little(seed: int) -> None:
    layers = [
        fm.BatchNorm(),
        fm.Dense(20, "relu"),
        fm.BatchNorm(),
        fm.Residual([fm.Dense(20, "gelu"), fm.Dense(20)]),
        fm.Activation("tanh"),
        fm.Branch([fm.Dense(6)], []),
        fm.Dense(3),
    ]
    network = freeze(layers, 10, seed=seed)
    x = rows_for(10, 2000, seed)
    assert disturbed(network.quantize(x[:1000])(x[1000:]), network(x[1000:])) < 0.03


def trained(x: Array, y: Any, layers: list[Any], epochs: int, backend: str = "numpy") -> Any:
    model = fm.Sequential(layers, backend=backend, random_state=0)
    model.fit(x, y, epochs=epochs, verbose=0)
    return model.freeze()


@pytest.mark.parametrize("name", ["relu", "tanh", "sigmoid", "gelu"])
def test_digits(name: str) -> None:
    datasets = pytest.importorskip("sklearn.datasets")
    x, y = datasets.load_digits(return_X_y=True)
    order = np.random.default_rng(0).permutation(len(x))
    training, test = order[:1200], order[1200:]
    layers = [fm.Dense(64), fm.BatchNorm(), fm.Activation(name), fm.Dense(32, name)]
    network = trained(x[training], y[training], [*layers, fm.Dense(10, "softmax")], 20)
    quantized = network.quantize(x[training])
    before = np.mean(network.predict_classes(x[test]) == y[test])
    after = np.mean(quantized.predict_classes(x[test]) == y[test])
    assert before > 0.94
    assert after >= before - 0.005
    assert quantized.report.weight_bytes * 4 < quantized.report.float_bytes


@pytest.mark.slow
def test_mnist(sklearn_data: Path) -> None:
    datasets = pytest.importorskip("sklearn.datasets")
    pytest.importorskip("pandas")
    data = datasets.fetch_openml(
        "mnist_784", version=1, as_frame=False, data_home=str(sklearn_data)
    )
    x, y = data.data.astype(np.float32) / 255, data.target
    layers = [fm.Dense(128, "relu"), fm.Dense(64, "relu"), fm.Dense(10, "softmax")]
    network = trained(x[:30000], y[:30000], layers, 3, "auto")
    quantized = network.quantize(x[:1000])
    before = np.mean(network.predict_classes(x[60000:]) == y[60000:])
    after = np.mean(quantized.predict_classes(x[60000:]) == y[60000:])
    assert before > 0.93
    assert after >= before - 0.005
    assert quantized.report.ratio < 0.26


def test_raw_features_with_a_scaler_folded_in() -> None:
    preprocessing = pytest.importorskip("sklearn.preprocessing")
    rng = np.random.default_rng(0)
    x = rng.normal(size=(1000, 5)) * [1e-4, 1.0, 30.0, 5e5, 2.0] + [0.0, 3.0, 1990.0, 1e6, 0.0]
    scaler = preprocessing.StandardScaler().fit(x)
    standard = scaler.transform(x)
    y = np.sin(standard[:, 0]) + standard[:, 2] * standard[:, 3]
    model = fm.Sequential([fm.Dense(32, "tanh"), fm.Dense(1)], backend="numpy", random_state=0)
    model.fit(standard, y, epochs=30, verbose=0)
    network = model.freeze(scaler=scaler)
    assert disturbed(network.quantize(x)(x), network(x)) < 0.02


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
    simple = replace_integers(quantized, plain)
    loss = np.abs(quantized(x[usual]) - expected).mean()
    assert loss < 0.7 * np.abs(simple(x[usual]) - expected).mean()


def replace_integers(quantized: Any, integers: Any) -> Any:
    other = pickle.loads(pickle.dumps(quantized))
    other.integers = integers
    return other


def test_rounding_does_not_shift_outputs() -> None:
    """The bias takes up what weights and codes lose on average."""
    network = freeze([fm.Dense(6, "relu"), fm.Dense(5)], 40)
    x = rows_for(40, 1000)
    shift = (network.quantize(x)(x).astype("f8") - network(x)).mean(axis=0)
    spread = np.abs(network.quantize(x)(x) - network(x)).mean(axis=0)
    assert (np.abs(shift) < 0.02 * spread).all()


@pytest.mark.parametrize("name", ["sigmoid", "tanh", "softplus", "gelu"])
def test_codes_of_a_curve_are_those_of_the_function(name: str) -> None:
    model = fm.Sequential([fm.Dense(1, name), fm.Dense(1)], backend="numpy").build(1)
    model.parameters["0.weight"][...] = 1.0
    integers = model.freeze().quantize(np.linspace(-8.0, 8.0, 500)[:, None]).integers
    step = integers.steps[0]
    acc = accumulate(step.source, {integers.encode.out: np.arange(-128, 128)[:, None]})
    exact = activation_forward(acc * step.source.scale, name)
    codes = np.clip(exact / step.out.scale + step.out.zero_point, -128, 127)
    assert np.abs(finish(step.finish, acc) - codes).max() < 0.75


def test_an_output_reaches_a_little_beyond_the_calibrated_range() -> None:
    model = fm.Sequential([fm.Dense(1, "softplus")], backend="numpy").build(2)
    model.parameters["0.weight"][...] = 1.0
    x = np.linspace(-1.0, 1.0, 201)
    # Their sums go from -1 to 1, although those of the columns could go from -2 to 2.
    quantized = model.freeze().quantize(np.array([(a, b) for a in x for b in x if abs(a + b) <= 1]))
    found = quantized([[0.6, 0.6], [-0.6, -0.6]])[:, 0]
    np.testing.assert_allclose(found, np.log1p(np.exp([1.2, -1.2])), atol=0.02)


def test_sigmoid_of_zero_is_a_half() -> None:
    """Rows on the boundary are in the second class, as in float."""
    model = fm.Sequential([fm.Dense(1, "sigmoid")], backend="numpy", random_state=0).build(2)
    model.parameters["0.weight"][...] = [[1.0], [-1.0]]
    quantized = model.freeze().quantize([[-1.0, -1.0], [1.0, 1.0], [1.0, -1.0], [-1.0, 1.0]])
    assert quantized([0.5, 0.5]).tolist() == [0.5]


def test_constant_features_and_dead_units() -> None:
    layers = [fm.Dense(4, "relu"), fm.Dense(3, "tanh"), fm.Dense(2)]
    model = fm.Sequential(layers, backend="numpy", random_state=0).build(3)
    model.parameters["0.bias"][...] = -1e6
    model.parameters["1.weight"][...] = 0.0
    x = np.array([[5.0, 0.0, -3.0]] * 4)
    network = model.freeze()
    np.testing.assert_allclose(network.quantize(x)(x), network(x), atol=1e-6)
    other = freeze([fm.Dense(4, "tanh"), fm.Dense(2)], 3)
    np.testing.assert_allclose(other.quantize(x[:1])(x), other(x), atol=0.02)


def test_a_column_of_one_value_does_not_drown_the_others() -> None:
    rng = np.random.default_rng(0)
    x = np.column_stack([rng.uniform(0, 20_000, 400), rng.normal(size=400), np.zeros(400)])
    trained = fm.Sequential([fm.Dense(8, "relu"), fm.Dense(1)], backend="numpy", random_state=0)
    trained.build(3)
    trained.parameters["0.weight"][0] /= 20_000
    network = trained.freeze()
    expected = network(x)
    assert abs(network.quantize(x)(x) - expected).max() < 0.05 * np.ptp(expected)


# The predictor


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
        ([1.0, 2.0], ValueError, "x has 2 numbers, but a row of this network has 3"),
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


# The report


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


# Refusals


def test_wide_and_deep_is_refused_by_name() -> None:
    layers = [fm.WideAndDeep(1, deep=[fm.Dense(3, "relu")])]
    for n_features, x in ((4, rows_for(4, 5)), ((4, 2), (rows_for(4, 5), rows_for(2, 5)))):
        model = fm.Sequential(layers, backend="numpy", random_state=0).build(n_features)
        with pytest.raises(ValueError, match="WideAndDeep"):
            model.freeze().quantize(x)


def test_embedding_is_refused_by_name() -> None:
    layers = [fm.Embedding(3, 2, column=0), fm.Dense(1)]
    model = fm.Sequential(layers, backend="numpy", random_state=0).build(2)
    with pytest.raises(ValueError, match="Embedding"):
        model.freeze().quantize([[1.0, 0.5]])


def test_values_that_overflow_are_refused() -> None:
    network = freeze([fm.Dense(3, "exp"), fm.Dense(2)], 2, "float64")
    with pytest.raises(ValueError, match="beyond the range of float32"):
        network.quantize([[1e5, 1e5], [-1e5, -1e5], [1e5, -1e5]])
    model = fm.Sequential([fm.Dense(2)], dtype="float64", backend="numpy").build(1)
    model.parameters["0.weight"][...] = 1e300
    with pytest.raises(ValueError, match="more than float32 can hold"):
        model.freeze().quantize([[0.0], [1e-290]])


def test_float64_networks() -> None:
    network = freeze([fm.Dense(6, "mish"), fm.Dense(2)], 3, "float64")
    x = rows_for(3, 300).astype("f8")
    quantized = network.quantize(x)
    assert quantized(x).dtype == np.float32
    assert quantized.report.float_bytes == 8 * (3 * 6 + 6 + 6 * 2 + 2)
    assert disturbed(quantized(x), network(x)) < 0.02


def test_slots_are_compared_by_value() -> None:
    """Programs read from files have equal slots, not the same ones."""
    network = freeze([fm.Dense(6, "tanh"), fm.Dense(2, "softmax")], 3)
    x = rows_for(3, 50)
    expected = network.quantize(x)(x)
    program = network.program
    copied = pickle.loads(pickle.dumps(program.output))
    assert copied is not program.output
    network.program = replace(program, output=copied)
    np.testing.assert_array_equal(quantize(network, x)(x), expected)
