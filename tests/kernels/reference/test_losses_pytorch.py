"""Losses are PyTorch's, in float64."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from pytorch import F, torch

from fastmlp.kernels import numpy as reference

TOLERANCE = {"rtol": 1e-12, "atol": 1e-14}


def weighted_mean(element_loss: Any, weight: np.ndarray | None) -> Any:
    """Mean over rows, weighted, of the mean over outputs, if there are several."""
    rows = element_loss.mean(dim=1) if element_loss.ndim == 2 else element_loss
    if weight is None:
        return rows.mean()
    w = torch.tensor(weight)
    return (rows * w).sum() / w.sum()


def assert_loss(
    result: tuple[float, np.ndarray], expected: Any, t: Any, weight: np.ndarray | None
) -> None:
    expected = weighted_mean(expected, weight)
    expected.backward()
    loss, gradient = result
    assert type(loss) is float
    assert loss == pytest.approx(expected.item(), rel=1e-13)
    np.testing.assert_allclose(gradient, t.grad.numpy(), **TOLERANCE)


WEIGHTS = [None, np.array([0.5, 0.0, 2.0, 1.0, 3.0, 0.1, 1.0, 1.0])]


@pytest.mark.parametrize("weight", WEIGHTS, ids=["unweighted", "weighted"])
@pytest.mark.parametrize("smoothing", [0.0, 0.1])
@pytest.mark.parametrize("labels", [True, False])
def test_softmax_cross_entropy(labels: bool, smoothing: float, weight: np.ndarray | None) -> None:
    rng = np.random.default_rng(2)
    logits = 3.0 * rng.standard_normal((8, 5))
    y = rng.integers(0, 5, 8) if labels else rng.dirichlet(np.ones(5), 8)
    t = torch.tensor(logits, requires_grad=True)
    expected = F.cross_entropy(t, torch.tensor(y), reduction="none", label_smoothing=smoothing)
    result = reference.softmax_cross_entropy(logits, y, weight, smoothing)
    assert_loss(result, expected, t, weight)


@pytest.mark.parametrize("weight", WEIGHTS, ids=["unweighted", "weighted"])
@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_sigmoid_cross_entropy(smoothing: float, weight: np.ndarray | None) -> None:
    rng = np.random.default_rng(3)
    logits, y = 3.0 * rng.standard_normal((8, 3)), rng.integers(0, 2, (8, 3)).astype(float)
    t = torch.tensor(logits, requires_grad=True)
    target = torch.tensor((1.0 - smoothing) * y + smoothing / 2)
    expected = F.binary_cross_entropy_with_logits(t, target, reduction="none")
    result = reference.sigmoid_cross_entropy(logits, y, weight, smoothing)
    assert_loss(result, expected, t, weight)


RESIDUAL_LOSSES: list[tuple[str, tuple[float, ...], Callable[[Any, Any], Any]]] = [
    ("mean_squared_error", (), lambda p, y: F.mse_loss(p, y, reduction="none")),
    ("mean_absolute_error", (), lambda p, y: F.l1_loss(p, y, reduction="none")),
    ("huber_loss", (), lambda p, y: F.huber_loss(p, y, reduction="none")),
    ("huber_loss", (0.4,), lambda p, y: F.huber_loss(p, y, reduction="none", delta=0.4)),
    ("quantile_loss", (), lambda p, y: torch.maximum(0.5 * (y - p), -0.5 * (y - p))),
    ("quantile_loss", (0.9,), lambda p, y: torch.maximum(0.9 * (y - p), -0.1 * (y - p))),
    (
        "poisson_loss",
        (),
        lambda p, y: F.poisson_nll_loss(p, y, log_input=False, eps=0.0, reduction="none"),
    ),
]


@pytest.mark.parametrize("weight", WEIGHTS, ids=["unweighted", "weighted"])
@pytest.mark.parametrize(("name", "extra", "peer"), RESIDUAL_LOSSES)
def test_residual_loss(
    name: str,
    extra: tuple[float, ...],
    peer: Callable[[Any, Any], Any],
    weight: np.ndarray | None,
) -> None:
    rng = np.random.default_rng(4)
    prediction, y = 2.0 * rng.random((8, 3)) + 0.01, 2.0 * rng.random((8, 3))
    if name != "quantile_loss":
        y[0] = prediction[0]
    t = torch.tensor(prediction, requires_grad=True)
    result = getattr(reference, name)(prediction, y, weight, *extra)
    assert_loss(result, peer(t, torch.tensor(y)), t, weight)
