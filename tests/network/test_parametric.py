"""Scale and ParametricActivation: by hand, beside PyTorch, frozen and written into files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from c_harness import compile_header
from modules import load_module
from random_weights import randomize

import fastmlp as fm

RNG = np.random.default_rng(0)
X = RNG.normal(size=(90, 5))
Y = X[:, 0] * X[:, 1]
MIXED = ("relu", "selu", "mish", "tanh", "gelu", fm.LeakyReLU(0.3), fm.ELU(0.5))


def model_of(*layers: Any, backend: str = "numpy", dtype: str = "float64") -> fm.Sequential:
    model = fm.Sequential(list(layers), backend=backend, dtype=dtype, random_state=1).build(5)
    randomize(model, np.random.default_rng(2), 0.5)
    return model


def test_scale_by_hand(backend: str) -> None:
    model = fm.Sequential([fm.Scale(2.0), fm.Dense(1)], backend=backend, dtype="float64").build(2)
    np.testing.assert_array_equal(model.parameters["0.scale"], [2.0, 2.0])
    model.parameters["0.scale"][...] = [3.0, -1.0]
    model.parameters["1.weight"][...] = [[1.0], [10.0]]
    np.testing.assert_allclose(model.predict([[1.0, 2.0]]), [[3.0 - 20.0]])
    # The residual of this row is 1, so that the gradient of the output is 2.
    gradients = model.gradients([[1.0, 2.0]], [-18.0])
    np.testing.assert_allclose(gradients["0.scale"], [2.0 * 1.0 * 1.0, 2.0 * 10.0 * 2.0])


def test_mix_by_hand(backend: str) -> None:
    layers = [fm.ParametricActivation("relu"), fm.Dense(1)]
    model = fm.Sequential(layers, backend=backend, dtype="float64").build(2)
    np.testing.assert_array_equal(model.parameters["0.weight"], [1.0, 1.0])
    model.parameters["0.weight"][...] = [0.25, 0.5]
    model.parameters["1.weight"][...] = [[1.0], [1.0]]
    x = [[-4.0, 6.0]]
    np.testing.assert_allclose(model.predict(x), [[-4.0 + 0.25 * 4.0 + 6.0]])
    np.testing.assert_allclose(model.gradients(x, [2.0])["0.weight"], [2.0 * 4.0, 0.0])


@pytest.mark.parametrize("activation", ["selu", "mish"])
def test_the_numbers_of_pytorch(activation: str, backend: str) -> None:
    torch = pytest.importorskip("torch")
    layers = [fm.Scale(), fm.Dense(8), fm.ParametricActivation(activation), fm.Dense(1)]
    model = model_of(*layers, backend=backend)
    p = {n: torch.tensor(v.copy(), requires_grad=True) for n, v in model.parameters.items()}
    x, y = torch.tensor(X), torch.tensor(Y)
    z = (x * p["0.scale"]) @ p["1.weight"] + p["1.bias"]
    f = getattr(torch.nn.functional, activation)(z)
    out = (z + (f - z) * p["2.weight"]) @ p["3.weight"] + p["3.bias"]
    ((out[:, 0] - y) ** 2).mean().backward()
    np.testing.assert_allclose(model.predict(X), out.detach().numpy(), rtol=1e-10)
    for name, gradient in model.gradients(X, Y).items():
        np.testing.assert_allclose(gradient, p[name].grad.numpy(), rtol=1e-9, err_msg=name)


def test_functions_of_users_are_mixed(backend: str) -> None:
    fm.register_activation("mixed", lambda z: z / (1 + abs(z)), lambda z: 1 / (1 + abs(z)) ** 2)
    model = model_of(fm.Dense(6), fm.ParametricActivation("mixed"), fm.Dense(1), backend=backend)
    assert fm.check_gradients(model, X, Y).ok
    np.testing.assert_allclose(model.freeze()(X), model.predict(X), rtol=1e-10)


def test_several_readers_of_one_input(backend: str) -> None:
    paths = [[fm.Scale()], [fm.ParametricActivation("selu")], []]
    model = model_of(fm.Dense(4), fm.Branch(*paths), fm.Dense(1), backend=backend)
    assert fm.check_gradients(model, X, Y).ok


def test_a_first_guess_looks_at_the_function() -> None:
    model = fm.Sequential([fm.Dense(400), fm.ParametricActivation("relu"), fm.Dense(1)]).build(200)
    assert model.parameters["0.weight"].std() == pytest.approx(0.1, rel=0.05)


def test_at_the_end_it_is_a_regression() -> None:
    model = fm.Sequential([fm.Dense(1), fm.ParametricActivation("sigmoid")], backend="numpy")
    assert model.loss.name == "mse"


def test_a_frozen_scale_is_in_the_weights() -> None:
    model = model_of(fm.Scale(), fm.Dense(4, "tanh"), fm.Scale(), fm.Dropout(0.2), fm.Dense(2))
    predictor = model.freeze()
    kinds = [type(op).__name__ for op in predictor.program.ops]
    assert kinds == ["DenseOp", "ActivationOp", "DenseOp"]
    np.testing.assert_allclose(predictor(X), model.predict(X), rtol=1e-12)


def frozen(dtype: str, activation: Any) -> Any:
    return model_of(
        fm.Scale(),
        fm.Dense(6, parametrization="ntk"),
        fm.ParametricActivation(activation),
        fm.Dense(5),
        fm.ParametricActivation("relu"),
        fm.Dense(2),
        dtype=dtype,
    ).freeze()


@pytest.mark.parametrize("activation", MIXED, ids=str)
@pytest.mark.parametrize(("dtype", "tolerance"), [("float32", 1e-5), ("float64", 1e-12)])
def test_files(activation: Any, dtype: str, tolerance: float, tmp_path: Path) -> None:
    predictor, rows = frozen(dtype, activation), X.astype(dtype)
    expected = predictor(rows)
    limit = tolerance * np.abs(expected).max()
    predictor.save(tmp_path / "p.safetensors")
    loaded = fm.load_predictor(tmp_path / "p.safetensors", backend="numpy")
    np.testing.assert_array_equal(loaded(rows), expected)
    predictor.export_python(tmp_path / "p.py")
    found = load_module(tmp_path / "p.py").predict(rows)
    np.testing.assert_allclose(found, expected, rtol=0, atol=limit)


@pytest.mark.parametrize("activation", MIXED, ids=str)
@pytest.mark.parametrize(("dtype", "tolerance"), [("float32", 1e-5), ("float64", 1e-12)])
def test_onnx(activation: Any, dtype: str, tolerance: float, tmp_path: Path) -> None:
    onnxruntime = pytest.importorskip("onnxruntime")
    predictor, rows = frozen(dtype, activation), X.astype(dtype)
    predictor.export_onnx(tmp_path / "p.onnx")
    session = onnxruntime.InferenceSession(str(tmp_path / "p.onnx"))
    (found,) = session.run(None, {"X": rows})
    expected = predictor(rows)
    np.testing.assert_allclose(found, expected, rtol=0, atol=tolerance * np.abs(expected).max())


@pytest.mark.parametrize("activation", MIXED, ids=str)
@pytest.mark.parametrize(("dtype", "tolerance"), [("float32", 1e-5), ("float64", 1e-12)])
def test_c(activation: Any, dtype: str, tolerance: float, tmp_path: Path) -> None:
    predictor, rows = frozen(dtype, activation), X.astype(dtype)
    predictor.export_c(tmp_path / "p.h", math="inline")
    compiled = compile_header(tmp_path / "p.h", dtype=dtype)
    found, codes = compiled(rows)
    expected = predictor(rows)
    assert not np.any(codes)
    np.testing.assert_allclose(found, expected, rtol=0, atol=tolerance * np.abs(expected).max())


def test_int8() -> None:
    model = fm.Sequential(
        [fm.Scale(), fm.Dense(16), fm.ParametricActivation("selu"), fm.Dense(1)],
        backend="numpy",
        random_state=0,
        optimizer=fm.Adam(0.01),
    )
    rows = RNG.normal(size=(2000, 5)).astype("float32")
    model.fit(rows, np.tanh(rows[:, 0]) + rows[:, 1], epochs=10, verbose=0)
    model.parameters["2.weight"][:8] = 0.3
    predictor = model.freeze()
    quantized = predictor.quantize(rows)
    error = np.abs(quantized(rows) - predictor(rows)).mean()
    assert error < 0.02 * predictor(rows).std()


def test_whole_rows_are_refused() -> None:
    with pytest.raises(ValueError, match="softmax, which works on whole rows; use Activation"):
        fm.ParametricActivation("softmax")
    with pytest.raises(TypeError, match="initializer must be a number"):
        fm.Scale("he")
