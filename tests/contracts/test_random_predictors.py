"""Random networks on thousands of rows: every form of a network says the same."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from c_harness import compile_header
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from modules import load_module
from random_predictors import Network, networks
from random_weights import TOLERANCE

import fastmlp as fm
from fastmlp.kernels.typing import Array

ROWS = 1500


# The same networks in every run: a failure is seen by all.
def random(examples: int) -> Any:
    return settings(
        max_examples=examples,
        deadline=None,
        derandomize=True,
        database=None,
        suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    )


dtypes = st.sampled_from(["float32", "float64"])
_numbers = itertools.count()


class Judge:
    """What a network says of its rows, and which rows can be judged.

    Ordinary rows are compared with the largest output of all of them, extreme ones each with its
    own. Only those rows count on which the outputs of the exact network, in float64, are finite and
    do not move by a twentieth of the tolerance when all its numbers and the row are changed by as
    much as rounding would.
    """

    def __init__(self, network: Network, dtype: str) -> None:
        self.dtype = dtype
        self.model = network.model(dtype)
        self.X = network.rows(ROWS, dtype)
        self.expected = self.model.predict(self.X)
        ordinary = np.abs(self.expected[:ROWS]).max()
        self.scale = np.abs(self.expected).max(axis=1, keepdims=True)
        self.scale[:ROWS] = ordinary
        # Of what is next to nothing, such as silu(-90), nobody needs all digits.
        self.scale = np.maximum(self.scale, ordinary / 1000)
        finite = np.isfinite(self.expected).all(axis=1)
        self.judged = finite & (self.sensitivity(network) <= TOLERANCE[dtype] / 20)

    def sensitivity(self, network: Network) -> Array:
        """By how much rounding may change each row's outputs; NaN where they are not finite."""
        eps = float(np.finfo(self.dtype).eps)
        # In float64 rounding itself moves what is measured, so that more is changed there.
        change = max(eps, 1e-9)
        rng = np.random.default_rng(0)
        model = network.model("float64")
        X = self.X if isinstance(self.X, tuple) else (self.X,)
        X = tuple(x.astype("float64") for x in X)
        with np.errstate(all="ignore"):
            exact = model.predict(X if len(X) == 2 else X[0])
            worst = np.zeros(len(exact))
            for _ in range(5):
                moved = network.model("float64")
                for values in (*moved.parameters.values(), *moved.buffers.values()):
                    values *= 1 + change * rng.uniform(-2, 2, values.shape)
                parts = []
                for number, x in enumerate(X):
                    factors = 1 + change * rng.uniform(-2, 2, x.shape)
                    if network.codes is not None and number == len(X) - 1:
                        factors[:, 0] = 1.0
                    parts.append(x * factors)
                other = moved.predict(tuple(parts) if len(X) == 2 else parts[0])
                worst = np.maximum(worst, np.abs(other - exact).max(axis=1))
            sensitivity: Array = worst * (eps / change) / self.scale[:, 0]
        return sensitivity

    def check(self, found: Array, form: str) -> None:
        """The outputs are those of the model."""
        assert found.shape == self.expected.shape, form
        with np.errstate(all="ignore"):
            error = (np.abs(found - self.expected) / self.scale)[self.judged]
        assert not np.isnan(error).any(), form
        assert error.max(initial=0.0) <= TOLERANCE[self.dtype], (form, error.max())


def python_file(predictor: Any, path: Path, weights: str) -> Any:
    predictor.export_python(path, weights=weights)
    return load_module(path)


@random(120)
@given(network=networks(), dtype=dtypes)
def test_predictors_and_files(network: Network, dtype: str, tmp_path: Path) -> None:
    pytest.importorskip("numba")
    judge = Judge(network, dtype)
    predictor = judge.model.freeze()
    judge.check(predictor(judge.X), "predictor")
    predictor.save(tmp_path / "p.safetensors")
    judge.model.save(tmp_path / "m.safetensors")
    for backend in ("numpy", "numba"):
        loaded = fm.load_predictor(tmp_path / "p.safetensors", backend)
        judge.check(loaded(judge.X), f"loaded predictor, {backend}")
        judge.check(one_by_one(loaded, judge), f"row by row, {backend}")
    judge.check(fm.load_predictor(tmp_path / "m.safetensors")(judge.X), "loaded model")
    for weights in ("inside", "beside"):
        module = python_file(predictor, tmp_path / "exported.py", weights)
        judge.check(module.predict(judge.X), f"Python file, weights {weights}")


def one_by_one(predictor: Any, judge: Judge) -> Array:
    """Some rows alone, the others together."""
    found = predictor(judge.X)
    for i in (*range(40), *range(ROWS, ROWS + 40)):
        pair = isinstance(judge.X, tuple)
        found[i] = predictor(tuple(x[i] for x in judge.X) if pair else judge.X[i])
    return found


@pytest.mark.parametrize("compiler", ["gcc", "clang"])
@random(60)
@given(network=networks(), dtype=dtypes, math=st.sampled_from(["math.h", "inline"]))
def test_c(compiler: str, network: Network, dtype: str, math: str, tmp_path: Path) -> None:
    pytest.importorskip("numba")
    judge = Judge(network, dtype)
    path = tmp_path / f"network{next(_numbers)}.h"
    judge.model.freeze().export_c(path, math=math)
    flags = ("-O3", "-march=native")
    compiled = compile_header(
        path, dtype=dtype, compiler=compiler, flags=flags, math=math == "math.h"
    )
    X = np.hstack(judge.X) if isinstance(judge.X, tuple) else judge.X
    found, codes = compiled(X)
    assert not codes.any()
    judge.check(found, f"C, {compiler}, {math}")


@random(60)
@given(network=networks(), dtype=dtypes)
def test_onnx(network: Network, dtype: str, tmp_path: Path) -> None:
    pytest.importorskip("numba")
    pytest.importorskip("onnx")
    onnxruntime = pytest.importorskip("onnxruntime")
    judge = Judge(network, dtype)
    judge.model.freeze().export_onnx(tmp_path / "network.onnx")
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(
        tmp_path / "network.onnx", options, providers=["CPUExecutionProvider"]
    )
    X = judge.X if isinstance(judge.X, tuple) else (judge.X,)
    names = [each.name for each in session.get_inputs()]
    found = session.run(None, dict(zip(names, X, strict=True)))
    judge.check(found[0], "onnxruntime")


def test_most_rows_are_judged() -> None:
    pytest.importorskip("numba")
    shares: list[tuple[float, float]] = []

    @random(60)
    @given(network=networks(), dtype=dtypes)
    def collect(network: Network, dtype: str) -> None:
        judged = Judge(network, dtype).judged
        shares.append((judged[:ROWS].mean(), judged[ROWS:].mean()))

    collect()
    ordinary, extreme = np.mean(shares, axis=0)
    assert ordinary > 0.95
    assert extreme > 0.5
