"""The compiled products of a dense layer: any shape and row length, nothing outside."""

from __future__ import annotations

import ctypes
import itertools
import mmap
import os
import subprocess
import sys
from typing import Any

import numpy as np
import pytest

pytest.importorskip("numba")

from llvmlite import binding

from fastmlp.kernels.compiled.machine.call import call
from fastmlp.kernels.compiled.ops import dense

Array = np.ndarray
BOTH = pytest.mark.parametrize("dtype", [np.dtype("float32"), np.dtype("float64")], ids=str)
# Around a half, one, two and four vectors of 2 to 16 lanes.
SIZES = (1, 2, 3, 4, 5, 7, 8, 9, 13, 15, 16, 17, 24, 31, 32, 33, 40, 48, 61, 64, 65, 70)
STARTS = ("zeros", "bias", "accumulate")
FORBIDDEN = 0
PAGE = mmap.PAGESIZE


class Walled:
    """Arrays that end, or begin, where memory may not be touched."""

    def __init__(self) -> None:
        self._maps: list[mmap.mmap] = []
        self._protect = ctypes.CDLL(None, use_errno=True).mprotect

    def array(self, like: Array, at_end: bool) -> Array:
        size = -(-like.nbytes // PAGE) * PAGE
        memory = mmap.mmap(-1, size + 2 * PAGE)
        self._maps.append(memory)
        everything = np.frombuffer(memory, dtype=np.uint8)
        for wall in (0, size + PAGE):
            address = ctypes.c_void_p(everything.ctypes.data + wall)
            if self._protect(address, ctypes.c_size_t(PAGE), FORBIDDEN) != 0:
                raise OSError(ctypes.get_errno(), "mprotect")
        first = PAGE + (size - like.nbytes if at_end else 0)
        made = everything[first : first + like.nbytes].view(like.dtype).reshape(like.shape)
        made[...] = like
        return made


def spaced(values: Array, gap: int) -> Array:
    """A matrix with `gap` NaN behind each row."""
    wide = np.full((len(values), values.shape[1] + gap), np.nan, values.dtype)
    wide[:, : values.shape[1]] = values
    return wide[:, : values.shape[1]]


def gaps_of(matrix: Array) -> Array:
    return matrix.base[:, matrix.shape[1] :]


def ld(matrix: Array) -> int:
    return matrix.strides[0] // matrix.itemsize


class Layer:
    """Operands of a layer's three products, drawn anew for each shape."""

    def __init__(self, rows: int, inputs: int, columns: int, dtype: np.dtype, gap: int = 0) -> None:
        random = np.random.default_rng([rows, inputs, columns])

        def draw(*shape: int) -> Array:
            return spaced(random.standard_normal(shape).astype(dtype), gap)

        self.x, self.d_z, self.z = draw(rows, inputs), draw(rows, columns), draw(rows, columns)
        self.weight, self.d_weight = draw(inputs, columns), draw(inputs, columns)
        self.d_x, self.bias, self.d_bias = draw(rows, inputs), draw(1, columns), draw(1, columns)
        self.rows, self.inputs, self.columns, self.dtype = rows, inputs, columns, dtype

    def forward(self, start: str = "bias", part: slice = slice(None)) -> None:
        z = self.z[:, part]
        call(
            dense.dense_forward,
            self.dtype,
            self.rows,
            x=self.x,
            ld_x=ld(self.x),
            weight=self.weight[:, part],
            ld_weight=ld(self.weight),
            bias=self.bias[:, part] if start == "bias" else None,
            z=z,
            ld_z=ld(self.z),
            inputs=self.inputs,
            columns=z.shape[1],
            accumulate=int(start == "accumulate"),
        )

    def backward_weight(self, part: slice = slice(None), bias: bool = True) -> None:
        d_z = self.d_z[:, part]
        call(
            dense.dense_backward_weight,
            self.dtype,
            self.rows,
            x=self.x,
            ld_x=ld(self.x),
            d_z=d_z,
            ld_z=ld(self.d_z),
            d_weight=self.d_weight[:, part],
            ld_weight=ld(self.d_weight),
            d_bias=self.d_bias[:, part] if bias else None,
            inputs=self.inputs,
            columns=d_z.shape[1],
        )

    def backward_input(self, accumulate: bool = False, part: slice = slice(None)) -> None:
        d_x = self.d_x[:, part]
        call(
            dense.dense_backward_input,
            self.dtype,
            self.rows,
            d_z=self.d_z,
            ld_z=ld(self.d_z),
            weight=self.weight[part],
            ld_weight=ld(self.weight),
            d_x=d_x,
            ld_x=ld(self.d_x),
            inputs=d_x.shape[1],
            columns=self.columns,
            accumulate=int(accumulate),
        )


def assert_product(actual: Array, a: Array, b: Array, start: Array | float = 0.0) -> None:
    """Each element is as exact as a sum of that many rounded terms can be."""
    a, b, start = (np.asarray(value, dtype=np.longdouble) for value in (a, b, start))
    expected, magnitude = start + a @ b, np.abs(start) + np.abs(a) @ np.abs(b)
    bound = (a.shape[1] + 1) * np.finfo(actual.dtype).eps / 2
    assert (np.abs(actual - expected) <= bound * magnitude).all()


def check(layer: Layer, start: str) -> None:
    z, d_x = layer.z.copy(), layer.d_x.copy()
    layer.forward(start)
    starts = {"zeros": 0.0, "bias": layer.bias, "accumulate": z}
    assert_product(layer.z, layer.x, layer.weight, starts[start])
    layer.backward_weight(bias=start != "zeros")
    assert_product(layer.d_weight, layer.x.T, layer.d_z)
    if start != "zeros":
        assert_product(layer.d_bias, np.ones((1, layer.rows)), layer.d_z)
    accumulate = start == "accumulate"
    layer.backward_input(accumulate)
    assert_product(layer.d_x, layer.d_z, layer.weight.T, d_x if accumulate else 0.0)


def shapes(count: int) -> list[tuple[int, int, int]]:
    """Every size at each place at least once, and other shapes of them."""
    random = np.random.default_rng(0)
    chosen = [(m, n, k) for size in SIZES for m, n, k in [(size, 5, 3), (6, size, 9), (4, 7, size)]]
    chosen += [tuple(random.choice(SIZES, 3).tolist()) for _ in range(count)]
    return chosen


@BOTH
@pytest.mark.parametrize("gap", [0, 3])
def test_shapes(gap: int, dtype: np.dtype) -> None:
    for number, shape in enumerate(shapes(240)):
        layer = Layer(*shape, dtype, gap)
        check(layer, STARTS[number % 3])
        for written in (layer.z, layer.d_weight, layer.d_x, layer.d_bias):
            assert np.isnan(gaps_of(written)).all(), shape


@BOTH
@pytest.mark.parametrize(
    "shape",
    # Several blocks of terms; of those of few columns, one that does not fill a vector.
    [(10, 700, 40), (300, 20, 40), (20, 30, 300), (9, 4609, 3), (40, 520, 530), (3, 1, 257)],
    ids=str,
)
def test_long_sums(shape: tuple[int, int, int], dtype: np.dtype) -> None:
    for start in STARTS:
        check(Layer(*shape, dtype), start)


@BOTH
def test_weights_beyond_the_cache(dtype: np.dtype) -> None:
    layer = Layer(70, 600, 610, dtype)
    for start in STARTS:
        check(layer, start)


def meeting() -> list[tuple[int, int, int]]:
    """Rows, inputs and columns around the blocks that are copied, 8 vectors of 2 to 16 lanes."""
    shapes = [(40, size, 9) for size in (31, 32, 33, 127, 128, 129, 255, 257)]
    shapes += [(33, 140, size) for size in (1, 2, 31, 32, 33, 63, 64, 65, 127, 128, 129)]
    # Several blocks of terms; rows of B that meet too; fewer rows and terms than are worth it.
    return [*shapes, (300, 70, 140), (520, 300, 300), (31, 140, 140), (32, 64, 64), (1, 140, 9)]


def _gap(width: int, dtype: np.dtype) -> int:
    """What makes rows of so many numbers 4096 bytes long."""
    return 4096 // dtype.itemsize - width


@BOTH
def test_rows_of_4096_bytes(dtype: np.dtype) -> None:
    for number, (rows, inputs, columns) in enumerate(meeting()):
        for width in {inputs, columns}:
            layer = Layer(rows, inputs, columns, dtype, gap=_gap(width, dtype))
            check(layer, STARTS[number % 3])
            for written in (layer.z, layer.d_weight, layer.d_x, layer.d_bias):
                assert np.isnan(gaps_of(written)).all(), (rows, inputs, columns)


# Vectors of B across lines of the cache, and a transposed A that is copied for its size.
ACROSS = [(64, 84, 100), (65, 300, 52), (63, 90, 17), (200, 784, 100), (130, 1100, 33)]


@BOTH
def test_rows_across_lines(dtype: np.dtype) -> None:
    for number, shape in enumerate(ACROSS):
        layer = Layer(*shape, dtype, gap=number % 2)
        check(layer, STARTS[number % 3])
        for written in (layer.z, layer.d_weight, layer.d_x, layer.d_bias):
            assert np.isnan(gaps_of(written)).all(), shape


@BOTH
def test_where_rows_begin_changes_no_bit(dtype: np.dtype) -> None:
    for rows, inputs, columns in ACROSS:
        whole, aligned = (Layer(rows, inputs, columns, dtype, gap) for gap in (0, -columns % 64))
        for name in ("x", "weight", "bias", "d_z"):
            getattr(aligned, name)[...] = getattr(whole, name)
        for layer in (whole, aligned):
            layer.forward()
            layer.backward_weight()
        np.testing.assert_array_equal(aligned.z, whole.z)
        np.testing.assert_array_equal(aligned.d_weight, whole.d_weight)


@BOTH
@pytest.mark.parametrize(
    "shape", [(33, 1024, 300), (40, 1030, 1024), (33, 520, 1030), (257, 1024, 1)], ids=str
)
def test_wide(shape: tuple[int, int, int], dtype: np.dtype) -> None:
    check(Layer(*shape, dtype), "accumulate")


@BOTH
def test_cutting_wide_ones_changes_no_bit(dtype: np.dtype) -> None:
    rows, inputs, columns = 270, 1024, 300
    whole, cut = Layer(rows, inputs, columns, dtype), Layer(rows, inputs, columns, dtype)
    whole.forward()
    whole.backward_weight()
    whole.backward_input()
    for first, last in itertools.pairwise((0, 5, 70, 130, 194, 300)):
        cut.forward(part=slice(first, last))
        cut.backward_weight(slice(first, last))
    for first, last in itertools.pairwise((0, 1, 64, 500, 1024)):
        cut.backward_input(part=slice(first, last))
    np.testing.assert_array_equal(cut.z, whole.z)
    np.testing.assert_array_equal(cut.d_weight, whole.d_weight)
    np.testing.assert_array_equal(cut.d_x, whole.d_x)


@BOTH
@pytest.mark.parametrize(
    ("columns", "bounds"),
    [
        (7, (0, 1, 4, 7)),
        (8, (0, 5, 8)),
        (40, (0, 3, 8, 16, 40)),
        (100, (0, 16, 64, 100)),
        (130, (0, 96, 128, 130)),
    ],
)
def test_cutting_changes_no_bit(columns: int, bounds: tuple[int, ...], dtype: np.dtype) -> None:
    for rows, inputs in ((21, 9), (64, 70), (1, 33), (5, 300), (33, 1)):
        whole, cut = Layer(rows, inputs, columns, dtype), Layer(rows, inputs, columns, dtype)
        turned, cut_turned = (Layer(rows, columns, inputs, dtype) for _ in range(2))
        whole.forward()
        whole.backward_weight()
        turned.backward_input()
        for first, last in itertools.pairwise(bounds):
            part = slice(first, last)
            cut.forward(part=part)
            cut.backward_weight(part)
            cut_turned.backward_input(part=part)
        np.testing.assert_array_equal(cut.z, whole.z)
        np.testing.assert_array_equal(cut.d_weight, whole.d_weight)
        np.testing.assert_array_equal(cut.d_bias, whole.d_bias)
        np.testing.assert_array_equal(cut_turned.d_x, turned.d_x)


@BOTH
@pytest.mark.parametrize("columns", [1, 3, 16, 70])
def test_a_row_is_the_same_in_any_batch(columns: int, dtype: np.dtype) -> None:
    for inputs in (5, 64, 300):
        whole = Layer(29, inputs, columns, dtype)
        whole.forward()
        for first, last in ((0, 1), (3, 4), (5, 12), (20, 29)):
            part = Layer(last - first, inputs, columns, dtype)
            part.weight, part.bias = whole.weight, whole.bias
            part.x = whole.x[first:last]
            part.forward()
            np.testing.assert_array_equal(part.z, whole.z[first:last])


@pytest.mark.skipif(os.name == "nt", reason="needs mprotect")
@BOTH
@pytest.mark.parametrize("at_end", [True, False])
def test_nothing_outside_is_touched(at_end: bool, dtype: np.dtype) -> None:
    names = ("x", "weight", "bias", "z", "d_z", "d_weight", "d_bias", "d_x")
    random = np.random.default_rng(1)
    shapes = [tuple(random.choice(SIZES, 3).tolist()) for _ in range(60)]
    # Copied in blocks, or asked for ahead.
    shapes += [(33, 1024, 9), (40, 512, 33), (33, 3072, 140), (300, 70, 1030), *ACROSS]
    for number, shape in enumerate(shapes):
        walls = Walled()
        layer = Layer(*shape, dtype)
        for name in names:
            setattr(layer, name, walls.array(getattr(layer, name), at_end))
        check(layer, STARTS[number % 3])


def test_not_a_number_stays_in_its_row_and_column() -> None:
    for shape in ((9, 40, 3), (9, 5, 3), (20, 33, 40)):
        layer = Layer(*shape, np.dtype("float32"))
        layer.x[2, 0] = np.inf
        layer.weight[:, 1] = np.nan
        layer.forward()
        expected = np.zeros(layer.z.shape, dtype=bool)
        expected[2], expected[:, 1] = True, True
        np.testing.assert_array_equal(~np.isfinite(layer.z), expected)


def _machines() -> list[Any]:
    """Narrower vectors than this machine's: a compiler that knows less of it."""
    flags = binding.get_host_cpu_features()
    machines = [pytest.param("", id="narrowest")]
    if flags.get("avx512f") and flags.get("fma"):
        machines.append(pytest.param("+avx,+avx2,+fma", id="avx2"))
    return machines


_ON_ANOTHER_MACHINE = """
import sys
sys.path.insert(0, {folder!r})
import numpy as np, test_gemm
for dtype in (np.dtype("float32"), np.dtype("float64")):
    for number, shape in enumerate(test_gemm.shapes(40)):
        test_gemm.check(test_gemm.Layer(*shape, dtype, number % 2), test_gemm.STARTS[number % 3])
    test_gemm.test_rows_of_4096_bytes(dtype)
    test_gemm.test_rows_across_lines(dtype)
    test_gemm.test_cutting_changes_no_bit(40, (0, 3, 8, 16, 40), dtype)
    test_gemm.test_cutting_wide_ones_changes_no_bit(dtype)
    test_gemm.test_a_row_is_the_same_in_any_batch(3, dtype)
"""


@pytest.mark.parametrize("features", _machines())
def test_other_vectors(features: str) -> None:
    code = _ON_ANOTHER_MACHINE.format(folder=os.path.dirname(__file__))
    environment = {**os.environ, "NUMBA_CPU_NAME": "generic", "NUMBA_CPU_FEATURES": features}
    environment["PYTHONPATH"] = os.pathsep.join(path for path in sys.path if path)
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
