"""Formulas that exporters write where an activation has no row of its own."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from c_harness import compile_header

import fastmlp as fm
from fastmlp.declarations.activations import TRAITS, Activation, Traits, get_activation
from fastmlp.export.c.activations import template
from fastmlp.export.formula import UnwrittenError, parsed
from fastmlp.export.python.activations import functions_of
from fastmlp.kernels.reference import activations as rules
from fastmlp.kernels.typing import Array


class MadeUp(Activation):
    """An activation of which there is nothing but its formula."""

    name = "made_up"

    def __init__(self, number: float | None = None) -> None:
        if number is not None:
            self.slope = number

    @property
    def parameter(self) -> float | None:
        return getattr(self, "slope", None)


FORMULAS: dict[str, Any] = {
    "z / (1 + abs(z))": lambda z: z / (1 + np.abs(z)),
    "z * min(max(z + 3, 0), 6) / 6": lambda z: z * np.clip(z + 3, 0, 6) / 6,
    "z if z >= 0 else exp(z) - 1 + 0 * z": lambda z: np.where(z >= 0, z, np.exp(z) - 1),
    "max(-1, min(1, z))": lambda z: np.clip(z, -1, 1),
    "z * sigmoid(2 * z)": lambda z: z / (1 + np.exp(-2 * z)),
    "silu(2 * z) + silu(z)": lambda z: 2 * z / (1 + np.exp(-2 * z)) + z / (1 + np.exp(-z)),
    "2 * 0.5 * tanh(z) - z": lambda z: np.tanh(z) - z,
    "sqrt(abs(z)) + z**2": lambda z: np.sqrt(np.abs(z)) + z**2,
}
# C has no square root, and no powers.
IN_C = [formula for formula in FORMULAS if "sqrt" not in formula]


def declare(monkeypatch: pytest.MonkeyPatch, formula: str, function: Any, **traits: Any) -> None:
    """Make an activation known by its formula and, to the NumPy kernels, as a function."""

    def forward(z: Array, *parameter: float) -> Array:
        out: Array = function(z, *parameter).astype(z.dtype)
        return out

    rule = rules.ActivationRule(forward, forward)
    monkeypatch.setitem(rules.ACTIVATIONS, "made_up", rule)
    monkeypatch.setitem(TRAITS, "made_up", Traits(formula, **traits))


def predictor_of(activation: Activation, dtype: str = "float64") -> Any:
    layers = [fm.Dense(3, use_bias=False), fm.Activation(activation), fm.Dense(3, use_bias=False)]
    model = fm.Sequential(layers, backend="numpy", dtype=dtype).build(3)
    for weight in model.parameters.values():
        weight[...] = np.eye(3)
    return model.freeze()


X = np.random.default_rng(0).normal(0.0, 3.0, (50, 3))


@pytest.mark.parametrize("formula", IN_C)
@pytest.mark.parametrize("math", ["math.h", "inline"])
def test_in_c(monkeypatch: Any, formula: str, math: str, tmp_path: Path) -> None:
    declare(monkeypatch, formula, FORMULAS[formula])
    predictor = predictor_of(MadeUp())
    predictor.export_c(tmp_path / "model.h", math=math)
    outputs, _ = compile_header(tmp_path / "model.h", dtype="float64")(X)
    np.testing.assert_allclose(outputs, FORMULAS[formula](X), rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("formula", FORMULAS)
def test_in_python(monkeypatch: Any, formula: str, tmp_path: Path) -> None:
    declare(monkeypatch, formula, FORMULAS[formula])
    predictor_of(MadeUp()).export_python(tmp_path / "model.py")
    module: dict[str, Any] = {"__name__": "model"}
    exec((tmp_path / "model.py").read_text(), module)
    np.testing.assert_allclose(module["predict"](X), FORMULAS[formula](X), rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("formula", FORMULAS)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_in_onnx(monkeypatch: Any, formula: str, dtype: str, tmp_path: Path) -> None:
    onnx = pytest.importorskip("onnx")
    evaluator = pytest.importorskip("onnx.reference").ReferenceEvaluator
    declare(monkeypatch, formula, FORMULAS[formula])
    predictor_of(MadeUp(), dtype).export_onnx(tmp_path / "model.onnx")
    onnx.checker.check_model(onnx.load(tmp_path / "model.onnx"), full_check=True)
    [found] = evaluator(str(tmp_path / "model.onnx")).run(None, {"X": X.astype(dtype)})
    tolerance = 1e-12 if dtype == "float64" else 1e-5
    np.testing.assert_allclose(found, FORMULAS[formula](X), rtol=tolerance, atol=tolerance)


def test_a_parameter_stays_one(monkeypatch: Any, tmp_path: Path) -> None:
    """Of two numbers there is one function in C and in Python, which takes the number."""

    def bent(z: Array, slope: float = 0.5) -> Array:
        return np.where(z > 0, z, slope * z)

    declare(monkeypatch, "z if z > 0 else {slope} * {one} * z", bent, constants={"one": 1.0})
    layers = [fm.Activation(MadeUp(0.5)), fm.Dense(3, use_bias=False), fm.Activation(MadeUp(-2.0))]
    model = fm.Sequential(layers, backend="numpy", dtype="float64").build(3)
    model.parameters["1.weight"][...] = np.eye(3)
    predictor = model.freeze()
    expected = bent(bent(X, 0.5), -2.0)
    predictor.export_c(tmp_path / "model.h")
    outputs, _ = compile_header(tmp_path / "model.h", dtype="float64")(X)
    np.testing.assert_allclose(outputs, expected, rtol=1e-14)
    predictor.export_python(tmp_path / "model.py")
    module: dict[str, Any] = {"__name__": "model"}
    exec((tmp_path / "model.py").read_text(), module)
    np.testing.assert_allclose(module["predict"](X), expected, rtol=1e-14)


def test_nan_comes_out_of_bounds_in_c(monkeypatch: Any) -> None:
    """No comparison with NaN is true, so what is chosen then must be the computed number."""
    for formula in ("max(0, z)", "max(z, 0)", "min(z, 6)"):
        declare(monkeypatch, formula, lambda z: z)
        text = template(MadeUp())
        assert text.split("P_choose(")[1].split(")")[0].endswith(", z[j]"), formula


@pytest.mark.parametrize(
    "formula", ["", "zeta(z)", "z if z > 0 and z < 1 else 0", "z if 0 < z < 1 else 0", "z[0]"]
)
@pytest.mark.parametrize("method", ["export_c", "export_python", "export_onnx"])
def test_what_cannot_be_written(
    monkeypatch: Any, formula: str, method: str, tmp_path: Path
) -> None:
    if method == "export_onnx":
        pytest.importorskip("onnx")
    declare(monkeypatch, formula, lambda z: z)
    message = "has no row for it, .*and none follows from its formula"
    with pytest.raises(ValueError, match=message):
        getattr(predictor_of(MadeUp()), method)(tmp_path / "model")


def test_formulas_of_whole_rows_are_not_written() -> None:
    with pytest.raises(UnwrittenError, match="no formula of one element"):
        parsed(get_activation("softmax"))


def test_calls_and_products_of_numbers_are_written_out() -> None:
    assert ast.unparse(parsed(get_activation("silu"))) == "z / (1 + exp(-z))"
    assert ast.unparse(parsed(get_activation("leaky_relu"))) == "z if z > 0 else parameter * z"
    assert "1.7580993408473766 * expm1(z)" in ast.unparse(parsed(get_activation("selu")))


def test_functions_of_numpy_are_called_as_they_are() -> None:
    [function] = functions_of([get_activation("tanh")])
    assert (function.call, function.source) == ("np.tanh", "")
