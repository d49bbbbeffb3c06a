"""What an update does to parameters: penalties, clipping, moments that vanish."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from plain_models import copies, data, network
from states import contents

import fastmlp as fm
from fastmlp.kernels.typing import Array


def step_of(model: fm.Sequential, X: Array, y: Array) -> dict[str, Array]:
    """How a step moves the parameters."""
    before = copies(model.parameters)
    model.train_step(X, y)
    return {name: before[name] - value for name, value in model.parameters.items()}


def clipped(gradients: dict[str, Array], value: float | None, norm: float | None) -> Any:
    if value is not None:
        gradients = {name: np.clip(g, -value, value) for name, g in gradients.items()}
    if norm is not None:
        length = math.sqrt(sum(np.square(g).sum() for g in gradients.values()))
        gradients = {name: g * min(1.0, norm / length) for name, g in gradients.items()}
    return gradients


@pytest.mark.parametrize(
    ("value", "norm"), [(None, 0.05), (0.02, None), (0.02, 0.05), (0.02, 10.0), (10.0, 0.05)]
)
def test_clipping(backend: str, value: float | None, norm: float | None) -> None:
    """Penalties enter first, then values are clipped, then the norm over all parameters."""
    X, y = data()
    layers = [fm.Dense(6, "tanh", l1=0.05), fm.BatchNorm(), fm.Dense(1, l2=0.5)]
    optimizer = fm.SGD(1.0, clip_value=value, clip_norm=norm)
    model = network(backend, layers, optimizer=optimizer).build(4)
    gradients = model.gradients(X, y)
    expected = clipped(gradients, value, norm)
    assert any((expected[name] != gradients[name]).any() for name in gradients)
    for name, moved in step_of(model, X, y).items():
        np.testing.assert_allclose(moved, expected[name], rtol=1e-10, atol=1e-15, err_msg=name)


def test_small_gradients_are_not_scaled_up(backend: str) -> None:
    X, y = data()
    model = network(backend, optimizer=fm.SGD(1.0, clip_norm=1e3, clip_value=1e3)).build(4)
    gradients = model.gradients(X, y)
    for name, moved in step_of(model, X, y).items():
        np.testing.assert_allclose(moved, gradients[name], rtol=1e-10, atol=1e-15)


def test_the_norm_is_over_parameters_of_all_optimizers(backend: str) -> None:
    X, y = data()
    own = fm.SGD(0.5, clip_norm=0.1)
    layers = [fm.WideAndDeep(1, deep=[fm.Dense(5, "tanh")], wide_optimizer=own)]
    model = network(backend, layers, optimizer=fm.SGD(1.0, clip_norm=0.05)).build(4)
    gradients = model.gradients(X, y)
    length = math.sqrt(sum(np.square(g).sum() for g in gradients.values()))
    assert length > 0.1
    for name, moved in step_of(model, X, y).items():
        wide = name == "0.wide_weight"
        expected = gradients[name] * (0.5 * 0.1 if wide else 0.05) / length
        np.testing.assert_allclose(moved, expected, rtol=1e-10, atol=1e-15)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(
    "optimizer",
    [
        fm.SGD(0.01, momentum=0.1),
        fm.SGD(0.01, momentum=0.1, nesterov=True),
        fm.RMSprop(rho=0.1),
        fm.Adam(beta_1=0.1, beta_2=0.1),
        fm.AdamW(beta_1=0.1, beta_2=0.1),
        fm.Nadam(beta_1=0.1, beta_2=0.1),
    ],
    ids=lambda optimizer: type(optimizer).__name__,
)
def test_moments_never_become_subnormal(backend: str, optimizer: Any, dtype: str) -> None:
    """A moment that only decays passes through the subnormal numbers unless it is set to 0."""
    X, y = data(2)
    model = network(backend, [fm.Dense(1)], optimizer=optimizer, dtype=dtype)
    model.train_step(X, y)
    X[:, 0] = 0.0
    smallest = np.finfo(dtype).smallest_normal
    for _ in range(12):
        model.fit(X, y, epochs=30, batch_size=None, verbose=0)
        for name, moment in contents(model)[0].items():
            if name.startswith("optimizer.") and name != "optimizer.products":
                size = np.abs(moment)
                assert not ((size > 0) & (size < smallest)).any(), name
    decayed = [
        moment[0]
        for name, moment in contents(model)[0].items()
        if name.startswith("optimizer.") and name.endswith("weight")
    ]
    assert decayed
    assert not np.any(decayed)
