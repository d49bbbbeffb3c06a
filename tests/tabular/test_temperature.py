"""The factor of logits that makes probabilities as sure as they may be."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import minimize_scalar

import fastmlp as fm
from fastmlp.tabular.temperature import best_factor, scale_logits, scaled

RNG = np.random.default_rng(0)


def softmax(z: np.ndarray) -> np.ndarray:
    powers = np.exp(z - z.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)


def drawn(k: int, truth: float) -> tuple[np.ndarray, np.ndarray]:
    """Probabilities that are right once their logits are multiplied by `truth`."""
    logits = 2 * RNG.normal(size=(600, k))
    right = softmax(truth * logits)
    y = (RNG.random((600, 1)) > right.cumsum(axis=1)).sum(axis=1)
    return softmax(logits), np.minimum(y, k - 1)


def loss(p: np.ndarray, y: np.ndarray, weight: np.ndarray | None = None) -> float:
    return float(np.average(-np.log(p[np.arange(len(y)), y]), weights=weight))


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("truth", [0.4, 1.0, 2.5])
@pytest.mark.parametrize("k", [2, 3, 10])
def test_it_has_the_lowest_loss(k: int, truth: float, weighted: bool) -> None:
    p, y = drawn(k, truth)
    weight = RNG.random(600) if weighted else None
    expected = minimize_scalar(
        lambda factor: loss(scaled(p, factor), y, weight), bounds=(0.25, 4), method="bounded"
    ).x
    for first in (0.25, 1.0, 4.0):
        assert best_factor(p, y, weight, first) == pytest.approx(expected, rel=5e-3)
    if k == 2:
        assert best_factor(p[:, 1:], y, weight) == pytest.approx(expected, rel=5e-3)
        np.testing.assert_allclose(scaled(p[:, 1:], 2.0), scaled(p, 2.0)[:, 1:])


def test_it_stays_within_bounds() -> None:
    p, _ = drawn(3, 1.0)
    assert best_factor(p, p.argmax(axis=1)) == 4.0
    assert best_factor(p, p.argmin(axis=1)) == 0.25
    # Probabilities that are all alike say nothing of it.
    assert 0.25 <= best_factor(np.full((5, 3), 1 / 3), np.arange(5) % 3) <= 4.0
    sure = np.array([[1.0], [0.0]], "f4")
    assert np.isfinite(scaled(sure, 4.0)).all()
    assert best_factor(sure, np.array([1, 0])) > 0


@pytest.mark.parametrize("k", [2, 3])
def test_a_network_says_what_its_scaled_outputs_are(k: int) -> None:
    X, y = RNG.normal(size=(80, 3)), np.arange(80) % k
    last = fm.Dense(1, "sigmoid") if k == 2 else fm.Dense(k, "softmax")
    model = fm.Sequential([fm.Dense(6, "tanh"), last], random_state=0)
    model.fit(X, y, epochs=3, verbose=0)
    expected = scaled(model.predict(X), 1.7)
    scale_logits(model, 1.7)
    np.testing.assert_allclose(model.predict(X), expected, rtol=1e-4)
