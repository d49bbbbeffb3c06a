"""Names, literals and the frame of a header, for any compiler."""

from __future__ import annotations

import ctypes
import re
from pathlib import Path

import numpy as np
import pytest
from c_harness import compile_c, compile_header
from c_networks import assert_equal, every_activation, export, labeled, reference, rows_for

from fastmlp.export.c import source as c_source


@pytest.mark.parametrize("compiler", ["gcc", "clang", "g++", "clang++"])
def test_two_headers_in_one_file_warn_of_nothing_unused(tmp_path: Path, compiler: str) -> None:
    first = export(labeled(), tmp_path, "math.h", "first")
    second = export(every_activation("float32"), tmp_path, "inline", "second_net")
    source = tmp_path / ("both.cpp" if compiler.endswith("++") else "both.c")
    # Each twice: the guards work.
    source.write_text(f'#include "{first}"\n#include "{second}"\n' * 2 + "int nothing;\n")
    compile_c(compiler, source, "-c", "-o", str(tmp_path / "both.o"))


def test_other_compilers_copy_bits_byte_by_byte(tmp_path: Path) -> None:
    frozen = every_activation("float64")
    header = export(frozen, tmp_path, "inline")
    rows = rows_for(frozen, 300)
    outputs, _ = compile_header(header, dtype="float64", flags=("-O1", "-U__GNUC__"))(rows)
    assert_equal(outputs, reference(frozen, rows), "float64")


@pytest.mark.parametrize("prefix", ["P_net", "M_net"])
@pytest.mark.parametrize("quantize", [None, "int8"])
def test_prefixes_like_those_of_the_templates(
    tmp_path: Path, prefix: str, quantize: str | None
) -> None:
    frozen = labeled()
    rows = rows_for(frozen, 50)
    options = {} if quantize is None else {"quantize": quantize, "calibration": rows}
    frozen.export_c(tmp_path / "n.h", prefix=prefix, **options)
    outputs, codes = compile_header(tmp_path / "n.h", prefix=prefix)(rows)
    assert not codes.any()
    assert np.abs(outputs - frozen(rows)).max() < 0.05


@pytest.mark.parametrize(("dtype", "compiler"), [("float32", "gcc"), ("float64", "clang")])
def test_weights_are_exact(tmp_path: Path, dtype: str, compiler: str) -> None:
    bits = np.dtype(dtype).itemsize
    rng = np.random.default_rng(5)
    values = rng.integers(0, 256, 800 * bits, np.uint8).view(dtype)
    info = np.finfo(dtype)
    ends = [info.max, info.min, info.tiny, info.smallest_subnormal, -0.0, 0.0, 1.0, -1e22]
    values = np.concatenate([values[np.isfinite(values)], np.array(ends, dtype)])
    lines = c_source.array("float" if bits == 4 else "double", "weights", values)
    source = tmp_path / "weights.c"
    c_type = "float" if bits == 4 else "double"
    source.write_text(
        "\n".join(lines) + f"\nconst {c_type} *get(void);\nconst {c_type} *get(void)\n"
        "{\n    return weights;\n}\n"
    )
    assert max(map(len, lines)) <= 100
    shared = tmp_path / "weights.so"
    compile_c(compiler, source, "-shared", "-fPIC", "-o", str(shared))
    get = ctypes.CDLL(str(shared)).get
    get.restype = ctypes.POINTER(ctypes.c_float if bits == 4 else ctypes.c_double)
    read = np.ctypeslib.as_array(get(), (len(values),))
    unsigned = f"u{bits}"
    np.testing.assert_array_equal(read.view(unsigned), values.view(unsigned))


@pytest.mark.parametrize("prefix", ["iris", "Net2", "a_b_1"])
def test_prefix(tmp_path: Path, prefix: str) -> None:
    text = export(labeled(), tmp_path, "inline", prefix).read_text()
    assert f"static inline int {prefix}_predict(const float *x, float *y, float *scratch)" in text
    assert f"#define {prefix.upper()}_N_FEATURES 2" in text
    assert not re.search(r"\b(model|P|M)_|\bMODEL_", text)


@pytest.mark.parametrize(
    "prefix", ["", "2x", "a-b", "größe", "int", "class", "_x", "a__b", "a_", "a b"]
)
def test_bad_prefix(tmp_path: Path, prefix: str) -> None:
    with pytest.raises(ValueError, match=r"prefix must .*, got|prefix must .*; got"):
        labeled().export_c(tmp_path / "m.h", prefix=prefix)
    assert not list(tmp_path.iterdir())
