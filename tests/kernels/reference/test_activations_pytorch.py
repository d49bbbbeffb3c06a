"""Activations are PyTorch's, in float64."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from pytorch import F, torch

from fastmlp.kernels import numpy as reference
from fastmlp.kernels.reference.activations import ACTIVATIONS

TOLERANCE = {"rtol": 1e-12, "atol": 1e-14}
# Whose arguments are not those of a function of one argument and our name.
SPECIAL: dict[Any, Callable[[Any], Any]] = {
    "leaky_relu": lambda z: F.leaky_relu(z, 0.01),
    ("leaky_relu", 0.3): lambda z: F.leaky_relu(z, 0.3),
    "softmax": lambda z: F.softmax(z, dim=1),
    "linear": lambda z: z * 1.0,
    ("elu", 0.6): lambda z: F.elu(z, 0.6),
    "softplus": lambda z: F.softplus(z, threshold=1e3),
}
HOMES = {name: F if hasattr(F, name) else torch for name in ACTIVATIONS}
ACTIVATION_CASES: dict[Any, Callable[[Any], Any]] = {
    **{name: getattr(home, name) for name, home in HOMES.items() if hasattr(home, name)},
    **SPECIAL,
}


def test_the_activations_of_pytorch_have_cases() -> None:
    names = {case if isinstance(case, str) else case[0] for case in ACTIVATION_CASES}
    assert len(names) >= 13
    assert names <= set(ACTIVATIONS)


@pytest.mark.parametrize("activation", ACTIVATION_CASES)
def test_activation(activation: str | tuple[str, float]) -> None:
    rng = np.random.default_rng(1)
    z = np.concatenate([rng.standard_normal((20, 7)), 15.0 * rng.uniform(-1, 1, (20, 7))])
    z[0] = 0.0
    d_out = rng.standard_normal(z.shape)
    t = torch.tensor(z, requires_grad=True)
    expected = ACTIVATION_CASES[activation](t)
    expected.backward(torch.tensor(d_out))
    out = reference.activation_forward(z, activation)
    d_z = reference.activation_backward(d_out, z, out, activation)
    np.testing.assert_allclose(out, expected.detach().numpy(), **TOLERANCE)
    np.testing.assert_allclose(d_z, t.grad.numpy(), **TOLERANCE)
