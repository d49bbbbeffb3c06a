"""Categories that training has not seen are refused by every form of a predictor."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from c_harness import compile_header, run_sanitized
from c_networks import CATEGORY, NOT_FINITE, OK
from modules import load_module
from prepared_tables import network

import fastmlp as fm
from fastmlp.kernels.typing import Array

pytest.importorskip("sklearn", reason="scikit-learn is not installed")

from sklearn.compose import ColumnTransformer
from sklearn.preprocessing import OneHotEncoder, StandardScaler

ROWS = np.array([[0.5, 3.0, 0.0], [1.5, 8.0, 1.0], [-2.0, 3.0, 2.0], [0.1, 4.5, 0.0]])


def predictor_of(dtype: str) -> Any:
    """One that knows 3, 4.5 and 8 in column 1, and takes anything in column 2."""
    parts = [
        ("known", OneHotEncoder(), [1]),
        ("any", OneHotEncoder(handle_unknown="ignore"), [2]),
        ("n", StandardScaler(), [0]),
    ]
    return network(7, dtype).freeze(ColumnTransformer(parts).fit(ROWS))


def with_strange(dtype: str) -> Array:
    """Good rows, one that is not finite, three of unknown categories and one that is ignored."""
    rows = np.tile(ROWS[0], (6, 1))
    rows[1, 2], rows[2:5, 1], rows[5, 2] = np.nan, [4.0, -3.0, 3.0001], 17.0
    return rows.astype(dtype)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_c(dtype: str, tmp_path: Path) -> None:
    predictor, rows = predictor_of(dtype), with_strange(dtype)
    header = tmp_path / "model.h"
    predictor.export_c(header)
    expected = [OK, NOT_FINITE, CATEGORY, CATEGORY, CATEGORY, OK]
    outputs, codes = compile_header(header, dtype=dtype)(rows)
    assert codes.tolist() == expected
    assert np.isnan(outputs[1:5]).all(), "y stays as it was"
    good = [0, 5]
    np.testing.assert_allclose(outputs[good], predictor(rows[good]), rtol=1e-5)
    assert run_sanitized(header, rows, dtype=dtype)[1].tolist() == expected
    assert "a category is none of training" in header.read_text()


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_python(dtype: str, tmp_path: Path) -> None:
    predictor, rows = predictor_of(dtype), with_strange(dtype)
    predictor.export_python(tmp_path / "net.py")
    module = load_module(tmp_path / "net.py")
    np.testing.assert_allclose(module.predict(rows[[0, 5]]), predictor(rows[[0, 5]]), rtol=1e-5)
    for one in (rows[2], rows[2:3], rows[[0, 2]]):
        with pytest.raises(ValueError, match="column 1 has the category 4, which is none of"):
            module.predict(one)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("optimized", [False, True])
def test_onnx(dtype: str, optimized: bool, tmp_path: Path) -> None:
    pytest.importorskip("onnxruntime")
    from onnx_graphs import run

    predictor, rows = predictor_of(dtype), with_strange(dtype)
    predictor.export_onnx(tmp_path / "model.onnx")
    found = run(tmp_path / "model.onnx", rows[[0, 5]], optimized=optimized)["probabilities"]
    np.testing.assert_allclose(found, predictor(rows[[0, 5]]), rtol=1e-5)
    with pytest.raises(Exception, match="out of"):
        run(tmp_path / "model.onnx", rows[[0, 2]], optimized=optimized)


@pytest.mark.parametrize("backend", ["numpy", "numba"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_predictors_and_files(dtype: str, backend: str, tmp_path: Path) -> None:
    rows = with_strange(dtype)
    predictor_of(dtype).save(tmp_path / "p.safetensors")
    loaded = fm.load_predictor(tmp_path / "p.safetensors", backend=backend)
    for row in rows[2:5]:
        with pytest.raises(ValueError, match=r"category .* column 1, where training had 3, 4.5, 8"):
            loaded(row)
    assert np.isfinite(loaded(rows[[0, 5]])).all()
    # As float64 it is none, in float32 it is.
    close = np.array([0.5, 3.0 + 1e-9, 0.0])
    if dtype == "float32":
        assert np.isfinite(loaded(close)).all()
    else:
        with pytest.raises(ValueError, match="category 3 in row 0"):
            loaded(close)


def test_int8_says_what_it_does_not_know() -> None:
    with pytest.raises(ValueError, match="int8 quantization does not know OneHot"):
        predictor_of("float32").quantize(ROWS)
