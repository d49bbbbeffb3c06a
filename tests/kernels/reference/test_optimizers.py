"""Optimizers by hand, and where moments or gradients are zero."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from fastmlp.kernels import numpy as reference


def test_adam() -> None:
    # m = 0.1 g and v = 0.001 g^2 after one step; corrected, g and g^2.
    parameters, gradients = np.array([1.0, 1.0]), np.array([2.0, -0.5])
    m, v = np.zeros(2), np.zeros(2)
    reference.adam_update(parameters, gradients, m, v, 1, 0.01, 0.9, 0.999, 0.5)
    np.testing.assert_allclose(m, [0.2, -0.05], rtol=1e-14)
    np.testing.assert_allclose(v, [0.004, 0.00025], rtol=1e-14)
    np.testing.assert_allclose(
        parameters, [1.0 - 0.01 * 2.0 / 2.5, 1.0 + 0.01 * 0.5 / 1.0], rtol=1e-14
    )


def test_adamw_decays_by_the_learning_rate_times_the_weight_decay() -> None:
    parameters = np.array([10.0])
    zeros = [np.zeros(1) for _ in range(3)]
    reference.adamw_update(parameters, *zeros, 1, 0.1, 0.9, 0.999, 1e-8, 0.5)
    assert parameters.item() == pytest.approx(9.5, rel=1e-15)


def test_sgd_momentum() -> None:
    # Velocities 1 and 1.5; Nesterov's steps 1.5 and 1.75.
    for nesterov, expected in [(False, -2.5), (True, -3.25)]:
        parameters, velocity = np.zeros(1), np.zeros(1)
        for _ in range(2):
            reference.sgd_update(parameters, np.ones(1), velocity, 1.0, 0.5, nesterov)
        assert parameters.item() == expected
    parameters = np.zeros(1)
    reference.sgd_update(parameters, np.ones(1), None, 0.25, 0.0, False)
    assert parameters.item() == -0.25


def test_the_rate_in_the_velocity() -> None:
    # Rates 1 and 1/4: velocities 1 and 0.75, and steps by those or, looking ahead, 1.5 and 0.625.
    for nesterov, expected in [(False, -1.75), (True, -2.125)]:
        parameters, velocity = np.zeros(1), np.zeros(1)
        for rate in (1.0, 0.25):
            reference.sgd_update(parameters, np.ones(1), velocity, rate, 0.5, nesterov, True)
        assert parameters.item() == expected


def test_epsilon_hat() -> None:
    # The root of v is 0.1 * 2 after one step, and 0.3 with epsilon; the correction is 0.1.
    parameters, m, v = np.zeros(1), np.zeros(1), np.zeros(1)
    reference.adam_update(parameters, np.array([2.0]), m, v, 1, 0.5, 0.9, 0.99, 0.1, True)
    assert parameters.item() == pytest.approx(-0.5 * 2.0 * 0.1 / 0.3, rel=1e-14)


def test_ftrl() -> None:
    # Algorithm 1 for g = 3, lr = 1/2, l1 = 1, l2 = 2, beta = 1 from p = 0: z = 3, n = 9,
    # p = -(3 - 1) / ((1 + 3) / 0.5 + 2) = -0.2. Then g = -4: sigma = (5 - 3) / 0.5 = 4,
    # z = 3 - 4 + 4 * 0.2 = -0.2, within l1.
    parameters, z, n = np.zeros(2), np.zeros(2), np.zeros(2)
    reference.ftrl_update(parameters, np.array([3.0, 0.0]), z, n, 0.5, 1.0, 2.0, 1.0)
    np.testing.assert_allclose((parameters, z, n), [[-0.2, 0.0], [3.0, 0.0], [9.0, 0.0]])
    reference.ftrl_update(parameters, np.array([-4.0, 0.0]), z, n, 0.5, 1.0, 2.0, 1.0)
    np.testing.assert_allclose(
        (parameters, z, n), [[0.0, 0.0], [-0.2, 0.0], [25.0, 0.0]], rtol=1e-14
    )


def test_ftrl_leaves_coordinates_without_a_gradient() -> None:
    parameters, z, n = np.array([0.3, 0.3]), np.zeros(2), np.zeros(2)
    reference.ftrl_update(parameters, np.array([0.0, 1.0]), z, n, 0.1, 0.5, 0.0, 1.0)
    assert parameters[0] == 0.3
    assert parameters[1] != 0.3


BOTH = pytest.mark.parametrize("dtype", [np.float32, np.float64])


def updates(moments: list[np.ndarray]) -> dict[str, tuple[Callable[..., None], tuple[Any, ...]]]:
    """Every optimizer with state: its kernel and what follows parameters and gradients."""
    first, second = moments
    mu_product = np.ones(1)
    return {
        "momentum": (reference.sgd_update, (first, 0.1, 0.9, False)),
        "nesterov": (reference.sgd_update, (first, 0.1, 0.9, True)),
        "rmsprop": (reference.rmsprop_update, (first, 0.1, 0.9, 1e-8)),
        "adagrad": (reference.adagrad_update, (first, 0.1, 1e-10)),
        "adam": (reference.adam_update, (first, second, 9, 0.1, 0.9, 0.99, 1e-8)),
        "adamw": (reference.adamw_update, (first, second, 9, 0.1, 0.9, 0.99, 1e-8, 0.01)),
        "nadam": (reference.nadam_update, (first, second, 9, mu_product, 0.1, 0.9, 0.99, 1e-8)),
        "ftrl": (reference.ftrl_update, (first, second, 0.1, 0.0, 0.0, 1.0)),
    }


OPTIMIZERS = sorted(updates([np.zeros(1), np.zeros(1)]))


@BOTH
@pytest.mark.parametrize("name", OPTIMIZERS)
def test_optimizer_writes_no_subnormal_moments(name: str, dtype: type) -> None:
    tiny = float(np.finfo(dtype).smallest_normal)
    moments = [np.full(3, 0.5 * tiny, dtype) for _ in range(2)]
    kernel, arguments = updates(moments)[name]
    gradients = np.array([0.0, 0.1 * tiny, -0.1 * tiny], dtype)
    parameters = np.zeros(3, dtype)
    kernel(parameters, gradients, *arguments)
    touched = slice(1, None) if name == "ftrl" else slice(None)
    used = moments[: 1 if name in {"momentum", "nesterov", "rmsprop", "adagrad"} else 2]
    for moment in used:
        np.testing.assert_array_equal(moment[touched], 0.0)
    assert np.isfinite(parameters).all()


@BOTH
def test_adam_moments_of_a_dead_unit_end_at_zero(dtype: type) -> None:
    parameters, m, v = np.ones(1, dtype), np.ones(1, dtype), np.full(1, 1e-30, dtype)
    smallest = np.finfo(dtype).smallest_normal
    for step in range(1, 8000):
        reference.adam_update(parameters, np.zeros(1, dtype), m, v, step, 0.0, 0.9, 0.9, 1e-8)
        assert m[0] == 0.0 or m[0] >= smallest
        assert v[0] == 0.0 or v[0] >= smallest
    assert (m[0], v[0]) == (0.0, 0.0)


@BOTH
@pytest.mark.parametrize("name", OPTIMIZERS)
def test_optimizer_of_zero_gradients(name: str, dtype: type) -> None:
    moments = [np.zeros(3, dtype), np.zeros(3, dtype)]
    kernel, arguments = updates(moments)[name]
    parameters = np.array([-1.0, 0.0, 2.0], dtype)
    before = parameters.copy()
    kernel(parameters, np.zeros(3, dtype), *arguments)
    expected = before * dtype(1.0 - 0.1 * 0.01) if name == "adamw" else before
    np.testing.assert_array_equal(parameters, expected)
