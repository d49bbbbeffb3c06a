"""What turns gradients into an update, in words and numbers: clipping and optimizers."""

from __future__ import annotations

import numpy as np
import pytest
from explained_models import X, Y, fitted

import fastmlp as fm


@pytest.mark.parametrize("nesterov", [False, True])
def test_formulas_of_momentum_give_the_numbers(nesterov: bool) -> None:
    model = fitted("numpy", optimizer=fm.SGD(0.1, momentum=0.8, nesterov=nesterov))
    v = model.explain(X[1], Y[1]).find("update", "0.weight").values
    np.testing.assert_allclose(v["velocity"], 0.8 * v["velocity before"] + v["g"], rtol=1e-12)
    step = v["g"] + 0.8 * v["velocity"] if nesterov else v["velocity"]
    np.testing.assert_allclose(v["w"], v["w before"] - 0.1 * step, rtol=1e-12)


@pytest.mark.parametrize("decay", [0.0, 0.3])
def test_formulas_of_adam_give_the_numbers(decay: float) -> None:
    model = fitted(
        "numpy", optimizer=fm.AdamW(0.01, weight_decay=decay) if decay else fm.Adam(0.01)
    )
    explanation = model.explain(X[1], Y[1])
    assert explanation.find("update", "AdamW" if decay else "Adam").values["t"] == 7
    v = explanation.find("update", "0.weight").values
    np.testing.assert_allclose(v["m"], 0.9 * v["m before"] + 0.1 * v["g"], rtol=1e-12)
    np.testing.assert_allclose(v["v"], 0.999 * v["v before"] + 0.001 * v["g"] ** 2, rtol=1e-12)
    moved = 0.01 * v["m_hat"] / (np.sqrt(v["v_hat"]) + 1e-8)
    np.testing.assert_allclose(v["w"], v["w before"] * (1 - 0.01 * decay) - moved, rtol=1e-12)


def test_formulas_of_ftrl_give_the_numbers() -> None:
    model = fitted("numpy", optimizer=fm.Ftrl(0.3, l1=1e-4, l2=0.1))
    v = model.explain(X[1], Y[1]).find("update", "6.weight").values
    g, root = v["g"], np.sqrt(v["n before"] + v["g"] ** 2)
    sigma = (root - np.sqrt(v["n before"])) / 0.3
    z = v["z before"] + g - sigma * v["w before"]
    np.testing.assert_allclose(v["z"], z, rtol=1e-9, atol=1e-14)
    w = -(z - np.sign(z) * 1e-4) / ((1.0 + root) / 0.3 + 0.1)
    np.testing.assert_allclose(v["w"], np.where(np.abs(z) <= 1e-4, 0.0, w), rtol=1e-9, atol=1e-14)


def test_clipping_is_told() -> None:
    model = fitted("numpy", optimizer=fm.SGD(1.0, clip_value=0.05, clip_norm=0.1))
    raw = model.gradients(X[:1], Y[:1])
    explanation = model.explain(X[0], Y[0])
    by_value = {name: np.clip(g, -0.05, 0.05) for name, g in raw.items()}
    beyond = sum(int((np.abs(g) > 0.05).sum()) for g in raw.values())
    norm = np.sqrt(sum((g**2).sum() for g in by_value.values()))
    step = explanation.find("update", "clip_value")
    assert beyond > 0
    assert step.values["elements that were beyond"] == beyond
    step = explanation.find("update", "clip_norm")
    assert float(step.values["norm"]) == pytest.approx(norm, rel=1e-12)
    assert float(step.values["factor"]) == pytest.approx(min(1.0, 0.1 / norm), rel=1e-12)
    for name, clipped in by_value.items():
        values = explanation.find("update", name).values
        np.testing.assert_allclose(values["g"], clipped * min(1.0, 0.1 / norm), rtol=1e-12)
