"""The C code of int8 networks gives the simulator's bits, however it is compiled."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from c_harness import compile_header, run_sanitized
from int8_networks import ACTIVATIONS, freeze, harsh_rows, random_network, register, rows_for

import fastmlp as fm
from fastmlp.kernels.typing import Array

# In its GNU modes GCC merges products and sums across statements, as clang does with "fast".
FUSED = ("-O3", "-march=native", "-ffp-contract=fast")
BUILDS = (
    ("gcc", ("-O0",)),
    ("gcc", (*FUSED, "-std=gnu11")),
    ("clang", FUSED),
)


def bits(values: Array) -> Array:
    return np.ascontiguousarray(values, "f4").view(np.int32)


def check(network: Any, folder: Path, n: int = 3000, builds: Any = BUILDS, seed: int = 0) -> None:
    """Quantize, export, and compare all builds on ordinary and on harsh rows."""
    calibration = rows_for(network.n_features, 500, seed)
    quantized = network.quantize(calibration)
    header = folder / "model.h"
    quantized.export_c(header)
    x = np.concatenate([calibration, harsh_rows(calibration, n, seed)])
    expected = quantized(x)
    for compiler, flags in builds:
        compiled = compile_header(header, compiler=compiler, flags=flags, math=False)
        y, codes = compiled(x)
        assert (codes == 0).all()
        np.testing.assert_array_equal(bits(y), bits(expected), err_msg=f"{compiler} {flags}")


@pytest.mark.filterwarnings("ignore:.* of .* calibration rows lie:UserWarning")
@pytest.mark.parametrize("seed", range(12))
def test_random_networks(tmp_path: Path, seed: int) -> None:
    register()
    check(freeze(*random_network(seed), seed=seed), tmp_path, seed=seed)


@pytest.mark.filterwarnings("ignore:.* of .* calibration rows lie:UserWarning")
@pytest.mark.parametrize("name", [name for name in ACTIVATIONS if name != "linear"])
def test_activations(tmp_path: Path, name: str) -> None:
    """Hidden, on codes of its own, and at the output."""
    register()
    layers = [fm.Dense(9, name), fm.Activation(name), fm.Dense(5, "tanh"), fm.Dense(7, name)]
    check(freeze(layers, 6), tmp_path, builds=BUILDS[1:2])


@pytest.mark.parametrize("n_outputs", [1, 2, 33, 64])
def test_wide_and_narrow(tmp_path: Path, n_outputs: int) -> None:
    layers = [fm.Dense(1, "tanh"), fm.Dense(70, "relu"), fm.Dense(n_outputs, "sigmoid")]
    check(freeze(layers, 3), tmp_path, builds=BUILDS[2:])


def test_float64_networks_have_float_headers(tmp_path: Path) -> None:
    network = freeze([fm.Dense(5, "elu"), fm.Dense(3, "softmax")], 4, "float64")
    check(network, tmp_path, builds=BUILDS[:1])
    head = "int model_predict(const float *x, float *y, float *scratch)"
    assert head in (tmp_path / "model.h").read_text()


def test_an_output_of_joined_columns(tmp_path: Path) -> None:
    layers = [fm.Dense(5, "relu"), fm.Branch([], [fm.Dense(3)]), fm.Activation("tanh")]
    check(freeze([*layers, fm.Branch([], [fm.Dense(2, "softmax")])], 4), tmp_path)


@pytest.mark.parametrize("compiler", ["gcc", "clang"])
def test_sanitizers(tmp_path: Path, compiler: str) -> None:
    register()
    layers = [
        fm.BatchNorm(),
        fm.Dense(20, "softmax"),
        fm.Residual([fm.Dense(20, "int8_bump"), fm.Dense(20)]),
        fm.Activation("relu"),
        fm.Branch([fm.Dense(5, "gelu")], []),
        fm.Dense(6, "softmax"),
    ]
    x = rows_for(11, 300)
    quantized = freeze(layers, 11).quantize(x)
    quantized.export_c(tmp_path / "model.h")
    harsh = np.concatenate([x, harsh_rows(x, 500)])
    y, codes = run_sanitized(tmp_path / "model.h", harsh, compiler=compiler, math=False)
    assert (codes == 0).all()
    np.testing.assert_array_equal(bits(y), bits(quantized(harsh)))


@pytest.mark.parametrize("compiler", ["g++", "clang++"])
def test_cplusplus_prefix_and_errors(tmp_path: Path, compiler: str) -> None:
    network = freeze([fm.Dense(8, "tanh"), fm.Dense(1, "sigmoid")], 3)
    x = rows_for(3, 50)
    network.export_c(tmp_path / "n.h", "net", quantize="int8", calibration=x)
    compiled = compile_header(tmp_path / "n.h", prefix="net", compiler=compiler, math=False)
    wrong = x[:3].copy()
    wrong[0, 1], wrong[1, 0], wrong[2, 2] = np.nan, np.inf, -np.inf
    y, codes = compiled(wrong)
    assert codes.tolist() == [2, 2, 2]
    assert np.isnan(y).all()
    y, codes = compiled(x)
    np.testing.assert_array_equal(bits(y), bits(network.quantize(x)(x)))
    row, scratch = np.zeros(3, "f4"), np.zeros(compiled.n_scratch, "f4")
    assert compiled.predict_pointers(None, y[0], scratch) == 1
    assert compiled.predict_pointers(row, None, scratch) == 1
    assert compiled.predict_pointers(row, y[0], None) == 1


def test_what_the_header_says(tmp_path: Path) -> None:
    x = rows_for(4, 200)
    labels = np.array(["cat", "dog", "cow"])[np.arange(200) % 3]
    model = fm.Sequential([fm.Dense(6, "relu"), fm.Dense(3, "softmax")], backend="numpy")
    model.fit(x, labels, epochs=1, verbose=0)
    quantized = model.freeze().quantize(x, labels)
    quantized.export_c(tmp_path / "model.h")
    text = (tmp_path / "model.h").read_text()
    assert re.findall(r"#include <(.*)>", text) == ["stdint.h"]
    assert "malloc" not in text
    assert f"{quantized.report.weight_bytes} bytes" in text
    compiled = compile_header(tmp_path / "model.h", math=False)
    y, _ = compiled(x)
    names = [compiled.label(j) for j in compiled.classes(y).tolist()]
    assert names == quantized.predict_classes(x).tolist()


def test_sizes_are_those_of_the_arrays(tmp_path: Path) -> None:
    layers = [fm.Dense(12, "tanh"), fm.Residual([fm.Dense(12)]), fm.Dense(2, "softmax")]
    quantized = freeze(layers, 9).quantize(rows_for(9, 100))
    quantized.export_c(tmp_path / "model.h")
    arrays = re.findall(
        r"static const (\w+) \w+\[(\d+)\]", (tmp_path / "model.h").read_text().split("*/", 1)[1]
    )
    width = {"int8_t": 1, "uint16_t": 2, "int32_t": 4, "uint32_t": 4, "float": 4}
    total = sum(width[kind] * int(n) for kind, n in arrays)
    assert quantized.report.int8_bytes == total
    weights = [int(n) for kind, n in arrays if kind == "int8_t"]
    assert weights == [12 * 9, 12 * 12, 2 * 12]
    assert quantized.report.weight_bytes == sum(weights)


def test_bad_arguments_write_nothing(tmp_path: Path) -> None:
    quantized = freeze([fm.Dense(2)], 3).quantize(rows_for(3, 10))
    with pytest.raises(ValueError, match="prefix"):
        quantized.export_c(tmp_path / "model.h", "two words")
    with pytest.raises(FileNotFoundError):
        quantized.export_c(tmp_path / "none" / "model.h")
    assert not list(tmp_path.iterdir())
