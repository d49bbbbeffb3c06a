"""Exported C gives the reference's numbers, under two compilers, in C and C++, in bounds."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from c_harness import compile_header, run_sanitized
from c_networks import (
    ACTIVATIONS,
    CATEGORY,
    NOT_FINITE,
    OK,
    assert_equal,
    classifier,
    every_activation,
    export,
    extreme_numbers,
    mixed,
    predictor,
    reference,
    rows_for,
)

import fastmlp as fm


def two_inputs(dtype: str) -> Any:
    deep = [fm.Embedding(3, 2, column=0), fm.Dense(5, "silu"), fm.Dense(5, "mish")]
    return predictor([fm.WideAndDeep(1, "sigmoid", deep=deep)], (9, 4), dtype)


def odd_widths(dtype: str) -> Any:
    layers = [fm.Dense(width, "relu") for width in (1, 2, 3, 5, 17, 33)]
    return predictor([*layers, fm.Dense(64, "linear")], 1, dtype)


def only_scaled(dtype: str) -> Any:
    layers = [fm.BatchNorm(), fm.Activation("tanh"), fm.BatchNorm(), fm.Activation("sigmoid")]
    return predictor(layers, 6, dtype)


NETWORKS = {
    function.__name__: function
    for function in (classifier, every_activation, mixed, two_inputs, odd_widths, only_scaled)
}


@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.parametrize(
    ("dtype", "math", "compiler"),
    [
        ("float32", "math.h", "gcc"),
        ("float32", "inline", "clang"),
        ("float64", "math.h", "clang"),
        ("float64", "inline", "gcc"),
    ],
)
def test_equals_the_reference(
    tmp_path: Path, name: str, dtype: str, math: str, compiler: str
) -> None:
    frozen = NETWORKS[name](dtype)
    header = export(frozen, tmp_path, math)
    compiled = compile_header(header, dtype=dtype, compiler=compiler, math=math == "math.h")
    rows = rows_for(frozen, 3000)
    outputs, codes = compiled(rows)
    assert (codes == OK).all()
    assert_equal(outputs, reference(frozen, rows), dtype)


@pytest.mark.parametrize("math", ["math.h", "inline"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_infinity_and_nan_on_the_way(tmp_path: Path, dtype: str, math: str) -> None:
    branches: list[list[Any]] = [[fm.Activation(name)] for name in ACTIVATIONS]
    model = fm.Sequential(
        [
            fm.Dense(2, use_bias=False),
            fm.Branch(
                *([fm.Dense(3, use_bias=False), *branch] for branch in branches), merge="concat"
            ),
        ],
        dtype=dtype,
        backend="numpy",
    ).build(1)
    large = float(np.sqrt(np.finfo(dtype).max)) * 2
    model.parameters["0.weight"][...] = large
    for name, weight in model.parameters.items():
        if name != "0.weight":
            weight[...] = [[1.0, -1.0, 1.0], [1.0, -1.0, -1.0]]
    frozen = model.freeze()
    compiled = compile_header(export(frozen, tmp_path, math), dtype=dtype)
    # Preactivations are infinite, minus infinite and NaN.
    rows = np.array([[large], [-large]], dtype)
    expected = reference(frozen, rows)
    assert np.isnan(expected).any()
    np.testing.assert_allclose(compiled(rows)[0], expected, rtol=1e-6)


@pytest.mark.parametrize("compiler", ["gcc", "clang"])
@pytest.mark.parametrize(("name", "math"), [("mixed", "math.h"), ("every_activation", "inline")])
def test_sanitizers(tmp_path: Path, name: str, math: str, compiler: str) -> None:
    dtype = "float32" if name == "mixed" else "float64"
    frozen = NETWORKS[name](dtype)
    rows = rows_for(frozen, 1500)
    if name == "every_activation":
        numbers = extreme_numbers(dtype)
        rows = np.concatenate([rows, numbers[: len(numbers) // 4 * 4].reshape(-1, 4)])
    bad = rows[:4].copy()
    bad[0, 1], bad[1, 1], bad[2, 0], bad[3, 1] = np.nan, np.inf, -np.inf, -1e30
    rows = np.concatenate([rows, bad])
    outputs, codes = run_sanitized(
        export(frozen, tmp_path, math), rows, dtype=dtype, compiler=compiler
    )
    last = CATEGORY if name == "mixed" else OK
    assert codes[-4:].tolist() == [NOT_FINITE, NOT_FINITE, NOT_FINITE, last]
    assert (codes[:-4] == OK).all()
    assert_equal(outputs[:-4], reference(frozen, rows[:-4]), dtype)


@pytest.mark.parametrize("compiler", ["g++", "clang++"])
@pytest.mark.parametrize(("name", "math"), [("mixed", "inline"), ("every_activation", "math.h")])
def test_cpp(tmp_path: Path, name: str, math: str, compiler: str) -> None:
    frozen = NETWORKS[name]("float32")
    rows = rows_for(frozen, 500)
    outputs, _ = compile_header(export(frozen, tmp_path, math), compiler=compiler)(rows)
    assert_equal(outputs, reference(frozen, rows), "float32")
