"""Clip: predictions within bounds, of which training knows nothing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from c_harness import compile_header
from modules import load_module

import fastmlp as fm

RNG = np.random.default_rng(0)
X = RNG.normal(size=(80, 4))
Y = np.column_stack([X[:, 0], 3 * X[:, 1]])
BOUNDS: list[tuple[Any, Any]] = [(-0.5, 0.75), ([-0.5, -1.0], [0.5, 2.0])]


def fitted(backend: str, *clip: Any, dtype: str = "float64") -> fm.Sequential:
    layers = [fm.Dense(8, "tanh"), fm.Dense(2), *clip]
    model = fm.Sequential(layers, backend=backend, dtype=dtype, random_state=1)
    model.fit(X, Y, epochs=30, batch_size=16, validation_data=(X, Y), verbose=0)
    return model


@pytest.mark.parametrize(("low", "high"), BOUNDS)
def test_training_is_as_without_it(low: Any, high: Any, backend: str) -> None:
    plain, clipped = fitted(backend), fitted(backend, fm.Clip(low, high))
    for name, expected in plain.parameters.items():
        np.testing.assert_array_equal(clipped.parameters[name], expected, err_msg=name)
    for name in ("loss", "val_loss"):
        assert clipped.history[name] == plain.history[name]
    expected = np.clip(plain.predict(X), low, high)
    assert (expected != plain.predict(X)).any()
    np.testing.assert_array_equal(clipped.predict(X), expected)
    np.testing.assert_allclose(clipped.predict(X[:1]), expected[:1], rtol=1e-12)
    # The loss is that of the values before, the metrics are those of the predictions.
    scores, before = clipped.evaluate(X, Y), plain.evaluate(X, Y)
    assert scores["loss"] == before["loss"]
    assert scores["mae"] == pytest.approx(np.abs(expected - Y).mean(), rel=1e-12)


@pytest.mark.parametrize(("low", "high"), BOUNDS)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_files(low: Any, high: Any, dtype: str, tmp_path: Path) -> None:
    onnxruntime = pytest.importorskip("onnxruntime")
    model, rows = fitted("numpy", fm.Clip(low, high), dtype=dtype), X.astype(dtype)
    predictor = model.freeze()
    expected = predictor(rows)
    np.testing.assert_allclose(expected, model.predict(rows), rtol=1e-6)
    np.testing.assert_allclose(predictor(rows[3]), predictor(rows[3:4])[0], rtol=1e-5)
    predictor.save(tmp_path / "p.safetensors")
    np.testing.assert_array_equal(
        fm.load_predictor(tmp_path / "p.safetensors", backend="numpy")(rows), expected
    )
    predictor.export_python(tmp_path / "p.py")
    found = load_module(tmp_path / "p.py").predict(rows)
    assert found.dtype == dtype
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-6)
    predictor.export_onnx(tmp_path / "p.onnx")
    session = onnxruntime.InferenceSession(str(tmp_path / "p.onnx"))
    np.testing.assert_allclose(session.run(None, {"X": rows})[0], expected, rtol=0, atol=1e-6)
    predictor.export_c(tmp_path / "p.h")
    found, codes = compile_header(tmp_path / "p.h", dtype=dtype)(rows)
    assert not codes.any()
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-6)


def test_explain_tells_what_is_clipped(backend: str) -> None:
    model = fitted(backend, fm.Clip(-0.1, [0.1, 0.2]))
    explained = model.explain(X[0], Y[0])
    step = explained.find("forward", "2.output")
    assert step.formula == "2.output = min(max(1.preactivation, -0.1 | -0.1), 0.1 | 0.2)"
    loss = explained.find("loss", "loss")
    np.testing.assert_allclose(
        loss.values["loss"], np.mean((loss.values["1.preactivation"] - Y[0]) ** 2)
    )


def test_int8_does_not_know_it() -> None:
    predictor = fitted("numpy", fm.Clip(-1.0, 1.0), dtype="float32").freeze()
    with pytest.raises(ValueError, match="int8 quantization does not know Clip"):
        predictor.quantize(X)


def test_what_is_refused() -> None:
    with pytest.raises(ValueError, match="low must not be above high, got low=2, high=1"):
        fm.Clip(2, 1)
    with pytest.raises(ValueError, match="low must not be above high, got low=3, high=2"):
        fm.Clip([0, 3], 2)
    with pytest.raises(TypeError, match="high must be a number"):
        fm.Clip(0, "y")
    with pytest.raises(ValueError, match="low must be a number or a list of them"):
        fm.Clip([], 1)
    with pytest.raises(ValueError, match="3 numbers in low for 2 outputs"):
        fm.Sequential([fm.Dense(2), fm.Clip([0, 0, 0], 1)]).build(4)
    for layers in ([fm.Clip(0, 1), fm.Dense(1)], [fm.Residual([fm.Dense(4), fm.Clip(0, 1)])]):
        with pytest.raises(ValueError, match="Clip .* must be the network's last layer"):
            fm.Sequential(layers).build(4)


def test_bounds_from_arrays() -> None:
    assert fm.Clip(Y.min(axis=0), np.float32(9)) == fm.Clip(list(Y.min(axis=0)), 9.0)
