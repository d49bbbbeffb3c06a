"""Dense in the parametrization of the neural tangent kernel."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import fastmlp as fm

RNG = np.random.default_rng(0)
X = RNG.normal(size=(70, 9))
Y = X[:, 0] * X[:, 1]
NTK = {"parametrization": "ntk"}


def model_of(*layers: Any, backend: str = "numpy", dtype: str = "float64") -> fm.Sequential:
    return fm.Sequential(list(layers), backend=backend, dtype=dtype, random_state=1)


def test_by_hand(backend: str) -> None:
    model = model_of(fm.Dense(1, **NTK), backend=backend).build(4)
    model.parameters["0.weight"][...] = [[2.0], [4.0], [6.0], [8.0]]
    model.parameters["0.bias"][...] = 0.5
    x = [[1.0, 1.0, 0.0, -1.0]]
    np.testing.assert_allclose(model.predict(x), [[(2.0 + 4.0 - 8.0) / 2 + 0.5]])
    gradients = model.gradients(x, [-1.5])
    # The residual is 1; its gradient 2.
    np.testing.assert_allclose(gradients["0.weight"].ravel(), [1.0, 1.0, 0.0, -1.0])
    np.testing.assert_allclose(gradients["0.bias"], [2.0])


def test_the_numbers_of_pytorch(backend: str) -> None:
    torch = pytest.importorskip("torch")
    layers = [fm.Dense(8, "tanh", **NTK), fm.Dense(5, "silu", **NTK), fm.Dense(1, **NTK)]
    model = model_of(*layers, backend=backend).build(9)
    p = {n: torch.tensor(v.copy(), requires_grad=True) for n, v in model.parameters.items()}
    h, y = torch.tensor(X), torch.tensor(Y)
    functions = [torch.tanh, torch.nn.functional.silu, lambda z: z]
    for number, (n_in, function) in enumerate(zip((9, 8, 5), functions, strict=True)):
        h = function(h @ p[f"{number}.weight"] / n_in**0.5 + p[f"{number}.bias"])
    ((h[:, 0] - y) ** 2).mean().backward()
    np.testing.assert_allclose(model.predict(X), h.detach().numpy(), rtol=1e-10)
    for name, gradient in model.gradients(X, Y).items():
        np.testing.assert_allclose(gradient, p[name].grad.numpy(), rtol=1e-9, err_msg=name)


@pytest.mark.parametrize("rows", [1, 5, 64])
@pytest.mark.parametrize("units", [1, 3, 20, 300])
def test_backends_agree_in_every_shape(rows: int, units: int) -> None:
    """Products of few columns, of one row and of many terms have ways of their own."""
    pytest.importorskip("numba")
    x = np.random.default_rng(1).normal(size=(rows, 600))
    layers = [fm.Dense(units, **NTK), fm.Dense(2, **NTK)]
    models = [model_of(*layers, backend=backend).build(600) for backend in ("numpy", "numba")]
    y = np.ones((rows, 2))
    np.testing.assert_allclose(models[1].predict(x), models[0].predict(x), rtol=1e-9, atol=1e-12)
    expected = models[0].gradients(x, y)
    for name, gradient in models[1].gradients(x, y).items():
        np.testing.assert_allclose(gradient, expected[name], rtol=1e-9, atol=1e-12, err_msg=name)


def test_differences(backend: str) -> None:
    layers = [fm.Dense(6, "tanh", **NTK), fm.Residual([fm.Dense(6, **NTK)]), fm.Dense(1, **NTK)]
    checked = fm.check_gradients(model_of(*layers, backend=backend).build(9), X, Y)
    assert checked.ok, str(checked)


def test_sparse_rows(backend: str) -> None:
    sparse = pytest.importorskip("scipy.sparse")
    rows = X * (np.abs(X) > 1.0)
    models = []
    for x in (rows, sparse.csr_array(rows)):
        model = model_of(fm.WideAndDeep(1, deep=[fm.Dense(3, "tanh", **NTK)]), backend=backend)
        pair = (x, X)
        model.fit(pair, Y, epochs=2, batch_size=16, verbose=0)
        models.append(model.predict(pair))
    np.testing.assert_allclose(models[1], models[0], rtol=1e-9, atol=1e-12)


def test_first_weights() -> None:
    model = model_of(
        fm.Dense(300, "relu", **NTK), fm.Dense(100, "relu", "he", **NTK), fm.Dense(1, **NTK)
    ).build(80)
    assert model.parameters["0.weight"].std() == pytest.approx(1.0, rel=0.03)
    # The initializer is that of what multiplies x.
    assert model.parameters["1.weight"].std() == pytest.approx(np.sqrt(2.0), rel=0.03)
    assert not model.parameters["0.bias"].any()


def test_frozen_weights_hold_the_factor(backend: str) -> None:
    model = model_of(fm.Dense(6, "relu", **NTK), fm.Dense(2, **NTK), backend=backend).build(9)
    predictor = model.freeze()
    np.testing.assert_allclose(
        predictor.weights["0.weight"], model.parameters["0.weight"] / 3.0, rtol=1e-12
    )
    np.testing.assert_allclose(predictor(X), model.predict(X), rtol=1e-10)
    np.testing.assert_allclose(predictor(X[0]), model.predict(X[:1])[0], rtol=1e-10)


def test_explain_names_the_factor() -> None:
    model = model_of(fm.Dense(2, **NTK), fm.Dense(1)).build(9)
    explained = model.explain(X[0], Y[0])
    assert "@ 0.weight / sqrt(9) + 0.bias" in explained.find("forward", "0.preactivation").formula
    step = explained.find("backward", "d_0.weight")
    assert step.formula.endswith("/ sqrt(9)")


def test_other_parametrizations_are_refused() -> None:
    with pytest.raises(ValueError, match="unknown parametrization 'mup'; known: standard, ntk"):
        fm.Dense(3, parametrization="mup")
