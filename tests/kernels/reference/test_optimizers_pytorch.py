"""Optimizers are PyTorch's, in float64."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from pytorch import torch

import fastmlp
from fastmlp.kernels import numpy as reference


class Updates:
    """One update after another: the state of an optimizer, as its kernel takes it."""

    def __init__(self, size: int) -> None:
        self.step = 0
        self.first, self.second = np.zeros(size), np.zeros(size)
        self.mu_product = np.ones(1)

    def sgd(self, p: np.ndarray, g: np.ndarray) -> None:
        reference.sgd_update(p, g, None, 0.1, 0.0, False)

    def momentum(self, p: np.ndarray, g: np.ndarray) -> None:
        reference.sgd_update(p, g, self.first, 0.1, 0.9, False)

    def nesterov(self, p: np.ndarray, g: np.ndarray) -> None:
        reference.sgd_update(p, g, self.first, 0.1, 0.9, True)

    def rmsprop(self, p: np.ndarray, g: np.ndarray) -> None:
        reference.rmsprop_update(p, g, self.first, 0.01, 0.9, 1e-8)

    def adagrad(self, p: np.ndarray, g: np.ndarray) -> None:
        reference.adagrad_update(p, g, self.first, 0.1, 1e-10)

    def adam(self, p: np.ndarray, g: np.ndarray) -> None:
        self.step += 1
        constants = (self.step, 0.01, 0.9, 0.999, 1e-8)
        reference.adam_update(p, g, self.first, self.second, *constants)

    def adamw(self, p: np.ndarray, g: np.ndarray) -> None:
        self.step += 1
        constants = (self.step, 0.01, 0.8, 0.99, 1e-6, 0.05)
        reference.adamw_update(p, g, self.first, self.second, *constants)

    def nadam(self, p: np.ndarray, g: np.ndarray) -> None:
        self.step += 1
        constants = (self.step, self.mu_product, 0.002, 0.9, 0.999, 1e-8)
        reference.nadam_update(p, g, self.first, self.second, *constants)


OPTIMIZERS: dict[str, Callable[[Any], Any]] = {
    "sgd": lambda p: torch.optim.SGD(p, lr=0.1),
    "momentum": lambda p: torch.optim.SGD(p, lr=0.1, momentum=0.9),
    "nesterov": lambda p: torch.optim.SGD(p, lr=0.1, momentum=0.9, nesterov=True),
    "rmsprop": lambda p: torch.optim.RMSprop(p, lr=0.01, alpha=0.9, eps=1e-8),
    "adagrad": lambda p: torch.optim.Adagrad(p, lr=0.1, eps=1e-10),
    "adam": lambda p: torch.optim.Adam(p, lr=0.01),
    "adamw": lambda p: torch.optim.AdamW(
        p, lr=0.01, betas=(0.8, 0.99), eps=1e-6, weight_decay=0.05
    ),
    "nadam": lambda p: torch.optim.NAdam(p, lr=0.002),
}


@pytest.fixture
def double_precision_scalars() -> Iterator[None]:
    """Have torch.optim keep its own scalars, NAdam's product of momenta, in float64."""
    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(before)


@pytest.mark.parametrize("name", OPTIMIZERS)
@pytest.mark.usefixtures("double_precision_scalars")
def test_optimizer(name: str) -> None:
    rng = np.random.default_rng(7)
    size = 40
    parameters = rng.standard_normal(size)
    t = torch.nn.Parameter(torch.tensor(parameters))
    peer = OPTIMIZERS[name]([t])
    updates = Updates(size)
    scale = 10.0 ** rng.uniform(-6, 2, size)
    for step in range(50):
        gradients = scale * rng.standard_normal(size)
        gradients[step % size] = 0.0
        t.grad = torch.tensor(gradients)
        peer.step()
        assert getattr(updates, name)(parameters, gradients) is None
        np.testing.assert_allclose(parameters, t.detach().numpy(), rtol=1e-11, atol=1e-13)


def test_optimizer_float32() -> None:
    rng = np.random.default_rng(8)
    parameters = rng.standard_normal(40).astype(np.float32)
    m, v = np.zeros_like(parameters), np.zeros_like(parameters)
    t = torch.nn.Parameter(torch.tensor(parameters))
    peer = torch.optim.Adam([t], lr=0.01)
    for step in range(1, 51):
        gradients = rng.standard_normal(40).astype(np.float32)
        t.grad = torch.tensor(gradients)
        peer.step()
        reference.adam_update(parameters, gradients, m, v, step, 0.01, 0.9, 0.999, 1e-8)
    assert parameters.dtype == np.float32
    np.testing.assert_allclose(parameters, t.detach().numpy(), rtol=2e-5, atol=1e-6)


@pytest.mark.parametrize("name", fastmlp.kernels.available_backends())
def test_a_short_memory_of_squares_on_a_long_run_in_float32(name: str) -> None:
    """``beta_2 = 0.95``: from the first steps to far beyond those where corrections vanish."""
    kernels = fastmlp.kernels.get_backend(name)
    rng, constants = np.random.default_rng(0), (0.01, 0.9, 0.95, 1e-8)
    p = torch.zeros(30, dtype=torch.float64, requires_grad=True)
    optimizer = torch.optim.Adam([p], lr=0.01, betas=(0.9, 0.95), eps=1e-8)
    found, m, v = (np.zeros(30, np.float32) for _ in range(3))
    for step in range(1, 3001):
        g = (rng.normal(size=30) * 10.0 ** rng.integers(-4, 2)).astype(np.float32)
        p.grad = torch.tensor(g, dtype=torch.float64)
        optimizer.step()
        kernels.adam_update(found, g, m, v, step, *constants)
        if step in (1, 2, 10, 3000):
            np.testing.assert_allclose(found, p.detach().numpy(), rtol=0, atol=2e-5)
    before = found.copy()
    kernels.adam_update(found, g, m, v, 10**9, *constants)
    expected = 0.01 * m.astype(np.float64) / (np.sqrt(v.astype(np.float64)) + 1e-8)
    np.testing.assert_allclose(before - found, expected, rtol=0, atol=1e-6)
