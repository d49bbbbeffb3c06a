"""A program in integers: exact, within int32, its slots in as few bytes as are needed."""

from __future__ import annotations

import math
import pickle
from dataclasses import replace
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from int8_networks import (
    clip,
    freeze,
    half_up,
    harsh_rows,
    random_network,
    register,
    rows_for,
)

import fastmlp as fm
from fastmlp.int8 import fixed_point
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
from fastmlp.kernels.typing import Array


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
@pytest.mark.filterwarnings("ignore:int8 outputs differ:UserWarning")
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
@pytest.mark.filterwarnings("ignore:int8 outputs differ:UserWarning")
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
