"""Exported C gives the reference's numbers, under two compilers, in C and C++, in bounds."""

from __future__ import annotations

import ctypes
import dataclasses
import os
import re
import subprocess
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from c_harness import compile_c, compile_header, need, run_sanitized
from random_weights import TOLERANCE, randomize

import fastmlp as fm
from fastmlp.export.c import math as c_math
from fastmlp.export.c import source as c_source
from fastmlp.export.c.memory import Place, plan
from fastmlp.kernels.typing import Array
from fastmlp.program.program import AddOp, DenseOp, EmbeddingOp, InferenceProgram, Slot, Tensor

ACTIVATIONS = (
    *("relu", "leaky_relu", "tanh", "sigmoid", "softmax", "elu", "selu"),
    *("gelu", "silu", "mish", "softplus", "exp"),
)
OK, NULL, NOT_FINITE, CATEGORY = range(4)


def predictor(layers: list[Any], n_features: Any, dtype: str = "float32", seed: int = 0) -> Any:
    """A network with random weights, biases and statistics, frozen; it predicts with NumPy."""
    model = fm.Sequential(layers, dtype=dtype, backend="numpy", random_state=seed)
    model.build(n_features)
    randomize(model, np.random.default_rng(seed), 0.5)
    return model.freeze()


def classifier(dtype: str) -> Any:
    return predictor(
        [fm.Dense(64, "relu"), fm.Dense(32, "relu"), fm.Dense(3, "softmax")], 20, dtype
    )


def every_activation(dtype: str) -> Any:
    branches: list[list[Any]] = [[fm.Activation(name)] for name in ACTIVATIONS]
    branches += [[fm.Activation(fm.LeakyReLU(-0.3))], [fm.Activation(fm.ELU(2.5))], []]
    model = fm.Sequential(
        [fm.Dense(4, use_bias=False), fm.Branch(*branches)], dtype=dtype, backend="numpy"
    ).build(4)
    model.parameters["0.weight"][...] = np.eye(4)
    return model.freeze()


def mixed(dtype: str) -> Any:
    """Each operation: embeddings, columns, sums, parts side by side, scales, no bias."""
    deep = [
        fm.Embedding(5, 3, column=1),
        fm.Embedding(4, 2, column=4),
        fm.Residual([fm.Dense(8, "leaky_relu"), fm.BatchNorm(), fm.Dense(10, "elu")]),
        fm.BatchNorm(),
        fm.Branch([fm.Dense(3, "tanh")], [fm.BatchNorm(), fm.Activation("gelu")]),
        fm.Dense(7, "softmax", use_bias=False),
    ]
    network = [fm.WideAndDeep(2, "sigmoid", deep=deep, wide=[0, 5, 2, 6])]
    # Embeddings read columns of the input, of which five more stay as they are.
    return predictor(network, 7, dtype)


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


def rows_for(frozen: Any, n: int, seed: int = 1) -> Array:
    """Random rows of one array, with codes where embeddings read them."""
    rng = np.random.default_rng(seed)
    rows = rng.normal(0.0, 2.0, (n, c_source.total_features(frozen.n_features)))
    start = frozen.n_features[0] if isinstance(frozen.n_features, tuple) else 0
    for column, count in frozen.training_state.categories.items():
        rows[:, start + column] = rng.integers(0, count, n)
    return rows.astype(frozen.dtype)


def reference(frozen: Any, rows: Array) -> Array:
    if isinstance(frozen.n_features, tuple):
        n_wide = frozen.n_features[0]
        rows = (rows[:, :n_wide], rows[:, n_wide:])  # type: ignore[assignment]
    with np.errstate(all="ignore"):
        outputs: Array = frozen(rows)
    return outputs


def assert_equal(outputs: Array, expected: Array, dtype: str) -> None:
    """To the contract's tolerance, and NaN and infinity in the same places."""
    for special in (np.isnan, np.isposinf, np.isneginf):
        np.testing.assert_array_equal(special(outputs), special(expected))
    finite = np.isfinite(expected)
    scale = np.abs(expected[finite]).max()
    assert np.abs(outputs[finite] - expected[finite]).max() <= TOLERANCE[dtype] * scale


def export(frozen: Any, folder: Path, math: str = "math.h", prefix: str = "model") -> Path:
    path = folder / f"{prefix}.h"
    frozen.export_c(path, prefix=prefix, math=math)
    return path


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


def extreme_numbers(dtype: str) -> Array:
    """Around each bound of the functions, the ends of the format, and everything between."""
    with np.errstate(all="ignore"):
        special = np.array(
            [
                *(0.0, 1e30, 1e4, 1e-8, 1e-40, 1e-45, 1e-300, 5e-324, 1e300, 3e38, 1e-3, 20.0),
                *(87.3, 88.7, 88.8, 89.0, 103.0, 103.9, 104.1, 709.7, 710.0, 745.0, 745.2, 746.1),
            ]
        ).astype(dtype)
    special = special[np.isfinite(special)]
    rng = np.random.default_rng(2)
    spread = 10.0 ** rng.uniform(-30, 2.9, 3000)
    even = np.linspace(0.0, 30.0, 3001)
    half = np.concatenate([special, spread, even, rng.uniform(0.0, 800.0, 500)])
    return np.concatenate([half, -half]).astype(dtype)


@pytest.mark.parametrize("math", ["math.h", "inline"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_extreme_inputs(tmp_path: Path, dtype: str, math: str) -> None:
    frozen = every_activation(dtype)
    numbers = extreme_numbers(dtype)
    rng = np.random.default_rng(3)
    rows = np.stack([rng.permutation(numbers) for _ in range(4)], axis=1)
    expected = reference(frozen, rows)
    compiled = compile_header(export(frozen, tmp_path, math), dtype=dtype, flags=("-O3",))
    outputs, codes = compiled(rows)
    assert (codes == OK).all()
    assert_equal(outputs, expected, dtype)
    # Element by element too: huge outputs must not hide what happens to small ones.
    finite = np.isfinite(expected)
    error = np.abs(outputs[finite] - expected[finite])
    limit = 8 * np.finfo(dtype).eps * np.maximum(np.abs(expected[finite]), 1.0)
    assert (error <= limit).all()
    # elu and tanh keep all digits of the smallest numbers, and their signs.
    for name in ("elu", "tanh"):
        start = 4 * ACTIVATIONS.index(name)
        columns = slice(start, start + 4)
        tiny = np.abs(rows) < 1e-20
        np.testing.assert_array_equal(outputs[:, columns][tiny], rows[tiny])


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


@pytest.mark.parametrize("compiler", ["gcc", "clang", "g++", "clang++"])
def test_two_headers_in_one_file_warn_of_nothing_unused(tmp_path: Path, compiler: str) -> None:
    first = export(labelled(), tmp_path, "math.h", "first")
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
    frozen = labelled()
    rows = rows_for(frozen, 50)
    options = {} if quantize is None else {"quantize": quantize, "calibration": rows}
    frozen.export_c(tmp_path / "n.h", prefix=prefix, **options)
    outputs, codes = compile_header(tmp_path / "n.h", prefix=prefix)(rows)
    assert not codes.any()
    assert np.abs(outputs - frozen(rows)).max() < 0.05


def labelled(names: tuple[str, ...] | None = None, labels: list[Any] | None = None) -> Any:
    model = fm.Sequential([fm.Dense(4, "relu"), fm.Dense(3, "softmax")], random_state=0)
    rng = np.random.default_rng(0)
    labels = ["low", "middle", "top"] if labels is None else labels
    model.fit(rng.normal(size=(30, 2)), np.array(labels * 10), epochs=1, verbose=0)
    frozen = model.freeze()
    frozen.feature_names = names
    return frozen


ATTACKS = (
    "*/ int x; /*",
    "ends with a backslash \\",
    "quotes \" and ' and a new\nline",
    "trigraph ??/",
    "Größe in µm \u202e 名前",
    "tab\tbell\a\x7f%s\\n",
    "//",
    "",
)


@pytest.mark.parametrize("compiler", ["gcc", "clang++"])
def test_text_of_users_stays_text(tmp_path: Path, compiler: str) -> None:
    model = fm.Sequential([fm.Dense(len(ATTACKS), "softmax")]).build(len(ATTACKS))
    rows = np.eye(len(ATTACKS), dtype=np.float32)
    model.fit(rows, np.array(ATTACKS), epochs=1, verbose=0)
    frozen = model.freeze()
    frozen.feature_names = ATTACKS
    header = export(frozen, tmp_path)
    assert header.read_text().isascii()
    compiled = compile_header(header, compiler=compiler)
    outputs, _ = compiled(rows)
    labels = [compiled.label(j) for j in range(len(ATTACKS))]
    assert labels == frozen.classes.tolist()
    found = [labels[j] for j in compiled.classes(outputs)]
    assert found == frozen.predict_classes(rows).tolist()


def test_what_the_header_says(tmp_path: Path) -> None:
    text = export(labelled(("width (cm)", "height")), tmp_path).read_text()
    about = text[: text.index("#ifndef")]
    for line in (
        f"written by fastmlp {fm.__version__}",
        "dense 2 -> 4, relu\n *   dense 4 -> 3, softmax",
        f"{(2 * 4 + 4 + 4 * 3 + 3) * 4} bytes",
        "16 bytes",
        "20 multiply-adds",
        'x[0]  "width (cm)"',
        'x[1]  "height"',
        'y[2]  "top"',
    ):
        assert line in about
    assert max(map(len, text.splitlines())) <= 100
    assert 'model_labels[MODEL_N_LABELS] = {\n    "low",\n    "middle",\n    "top",\n}' in text


def test_classes(tmp_path: Path) -> None:
    """Labels of a pair of classes, of equal outputs the first, and numbers as text."""
    model = fm.Sequential([fm.Dense(1, "sigmoid")], backend="numpy")
    x = np.linspace(-1.0, 1.0, 40).reshape(-1, 1)
    model.fit(x, np.where(x[:, 0] > 0, 7, -3), epochs=2, batch_size=4, verbose=0)
    frozen = model.freeze()
    compiled = compile_header(export(frozen, tmp_path))
    assert [compiled.label(j) for j in range(2)] == ["-3", "7"]
    outputs, _ = compiled(x)
    labels = np.array([-3, 7])[compiled.classes(outputs)]
    np.testing.assert_array_equal(labels, frozen.predict_classes(x))
    assert compiled.classes(np.array([[0.5], [np.nextafter(np.float32(0.5), 0)]])).tolist() == [
        1,
        0,
    ]

    many = compile_header(export(labelled(), tmp_path, prefix="many"), prefix="many")
    ties = np.array([[0.2, 0.4, 0.4], [0.5, 0.5, 0.0], [0.1, 0.1, 0.8]])
    assert many.classes(ties).tolist() == [1, 0, 2]


def test_rows_that_are_refused(tmp_path: Path) -> None:
    frozen = mixed("float32")
    compiled = compile_header(export(frozen, tmp_path))
    rows = rows_for(frozen, 9)
    rows[0, 0], rows[1, 6], rows[2, 3] = np.nan, np.inf, -np.inf
    rows[3:8, 1] = [-1.0, 5.0, 1.5, 1e30, -0.5]
    outputs, codes = compiled(rows)
    assert codes.tolist() == [NOT_FINITE] * 3 + [CATEGORY] * 5 + [OK]
    assert np.isnan(outputs[:8]).all()
    assert np.isfinite(outputs[8]).all()
    x, y = rows[8].copy(), np.zeros(2, np.float32)
    scratch = np.zeros(compiled.n_scratch, np.float32)
    assert compiled.predict_pointers(x, y, scratch) == OK
    for missing in range(3):
        given = [None if i == missing else array for i, array in enumerate((x, y, scratch))]
        assert compiled.predict_pointers(*given) == NULL


def test_nothing_global_changes_and_nothing_is_allocated(tmp_path: Path) -> None:
    need("nm")
    header = export(labelled(), tmp_path, "inline")
    source = tmp_path / "alone.c"
    source.write_text(
        f'#include "{header}"\nint run(const float *, float *, float *);\n'
        "int run(const float *x, float *y, float *s)\n{\n"
        "    return model_predict(x, y, s) ? -1 : model_labels[model_predict_class(y)][0];\n}\n"
    )
    compile_c("gcc", source, "-O1", "-fno-pic", "-c", "-o", str(tmp_path / "alone.o"))
    done = subprocess.run(
        ["nm", str(tmp_path / "alone.o")], capture_output=True, text=True, check=True
    )
    symbols = [line.split()[-2:] for line in done.stdout.splitlines()]
    assert ["T", "run"] in symbols
    # T and t are code, R and r constants; a compiler may write a loop as a call of memcpy.
    others = [name for kind, name in symbols if kind not in "TtRr"]
    assert set(others) <= {"memcpy", "memset", "memmove"}


def test_threads(tmp_path: Path) -> None:
    frozen = classifier("float32")
    compiled = compile_header(export(frozen, tmp_path))
    rows = [rows_for(frozen, 2000, seed) for seed in range(4)]
    expected = [compiled(part)[0] for part in rows]
    found: list[Array] = [np.empty(0)] * 4

    def work(i: int) -> None:
        found[i] = compiled(rows[i])[0]

    threads = [threading.Thread(target=work, args=(i,)) for i in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for outputs, alone in zip(found, expected, strict=True):
        np.testing.assert_array_equal(outputs, alone)


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


def test_scratch_is_shared_by_values_that_are_not_needed_together() -> None:
    assert plan(classifier("float32").program)[1] == 64 + 32
    deep = predictor([fm.Dense(50, "tanh") for _ in range(6)], 8)
    assert plan(deep.program)[1] == 100
    single = predictor([fm.Dense(50, "tanh")], 8)
    assert plan(single.program)[1] == 1
    residual = [fm.Dense(16), fm.Residual([fm.Dense(16, "relu"), fm.Dense(16)]), fm.Dense(2)]
    assert plan(predictor(residual, 8).program)[1] == 48


def test_output_is_kept_where_operations_read_it() -> None:
    program = predictor([fm.Dense(4, "tanh"), fm.Dense(4, "relu")], 3).program
    first = program.ops[0].out
    places, _ = plan(dataclasses.replace(program, output=first))
    assert places[first] == Place("y", 0)
    assert [slot for slot, place in places.items() if place == places[first]] == [first]


def test_nothing_is_in_y_before_the_last_code_is_checked() -> None:
    x, looked_up, hidden, out = (Slot(index, "", 2) for index in range(4))
    dense = DenseOp(x, hidden, Tensor("w", (2, 2), 0), None)
    embedding = EmbeddingOp(x, looked_up, (), (0,), (Tensor("t", (3, 2), 16),))
    ops = (dense, embedding, AddOp(hidden, looked_up, out))
    program = InferenceProgram(
        dtype="float32", input=x, ops=ops, output=out, parameters=(), n_parameters=0
    )
    places, _ = plan(program)
    assert places[hidden].base == "scratch"
    assert plan(dataclasses.replace(program, ops=(embedding, dense, ops[2])))[0][out].base == "y"


def test_inline_functions_are_the_kernels_own() -> None:
    math = pytest.importorskip("fastmlp.kernels.compiled.machine.math")
    for c_type, kernel in (("float", math._FLOAT32), ("double", math._FLOAT64)):
        ours, _ = c_math._FORMATS[c_type]
        for name in vars(ours):
            assert getattr(ours, name) == getattr(kernel, name), name


@pytest.mark.parametrize("prefix", ["iris", "Net2", "a_b_1"])
def test_prefix(tmp_path: Path, prefix: str) -> None:
    text = export(labelled(), tmp_path, "inline", prefix).read_text()
    assert f"static inline int {prefix}_predict(const float *x, float *y, float *scratch)" in text
    assert f"#define {prefix.upper()}_N_FEATURES 2" in text
    assert not re.search(r"\b(model|P|M)_|\bMODEL_", text)


@pytest.mark.parametrize(
    "prefix", ["", "2x", "a-b", "größe", "int", "class", "_x", "a__b", "a_", "a b"]
)
def test_bad_prefix(tmp_path: Path, prefix: str) -> None:
    with pytest.raises(ValueError, match=r"prefix must .*, got|prefix must .*; got"):
        labelled().export_c(tmp_path / "m.h", prefix=prefix)
    assert not list(tmp_path.iterdir())


def test_bad_arguments(tmp_path: Path) -> None:
    frozen, path = labelled(), tmp_path / "m.h"
    with pytest.raises(TypeError, match=r"prefix must be a string, got 3 \(int\)"):
        frozen.export_c(path, prefix=3)
    with pytest.raises(ValueError, match="math must be one of 'math.h', 'inline', got 'libm'"):
        frozen.export_c(path, math="libm")
    with pytest.raises(TypeError, match=r"math must be a string, got None"):
        frozen.export_c(path, math=None)
    with pytest.raises(ValueError, match="quantize must be None or 'int8', got 'int4'"):
        frozen.export_c(path, quantize="int4", calibration=np.zeros((4, 2)))
    with pytest.raises(ValueError, match="pass calibration=X"):
        frozen.export_c(path, quantize="int8")
    with pytest.raises(ValueError, match="add quantize='int8'"):
        frozen.export_c(path, calibration=np.zeros((4, 2)))
    with pytest.raises(FileNotFoundError, match="there is no folder .*missing"):
        frozen.export_c(tmp_path / "missing" / "m.h")
    with pytest.raises(ValueError, match="NUL"):
        labelled(labels=["a\0b", "c", "d"]).export_c(path)
    fm.register_activation(
        "c_softsign", lambda z: z / (1 + abs(z)), lambda z: 1 / (1 + abs(z)) ** 2
    )
    with pytest.raises(ValueError, match="'c_softsign' is a registered Python function"):
        predictor([fm.Dense(2, "c_softsign"), fm.Dense(1)], 2).export_c(path)
    assert not list(tmp_path.iterdir())


def test_a_failed_export_leaves_the_file_that_was_there(tmp_path: Path) -> None:
    path = tmp_path / "m.h"
    path.write_text("before")
    model = fm.Sequential([fm.Dense(1)]).build(2)
    model.parameters["0.weight"][0] = np.inf
    with pytest.raises(ValueError, match="model_0_weight hold NaN or infinity"):
        model.freeze().export_c(path)
    assert path.read_text() == "before"
    assert os.listdir(tmp_path) == ["m.h"]
