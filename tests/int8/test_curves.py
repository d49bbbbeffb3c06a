"""Activation functions as tables of integers."""

from __future__ import annotations

import numpy as np
import pytest

import fastmlp as fm
from fastmlp.int8.curves import tabulate
from fastmlp.int8.kernels import accumulate, finish
from fastmlp.kernels.reference.activations import activation_forward


@pytest.mark.parametrize(("low", "high"), [(-8.0, 8.0), (-0.3, 9.0), (2.0, 5.0), (3.0, 3.0)])
def test_a_curve_is_the_function_at_its_nodes(low: float, high: float) -> None:
    values, factor, offset = tabulate(np.tanh, low, high, 0.0)
    z = np.clip((256 * np.arange(257) - offset) / factor, low, high)
    np.testing.assert_allclose(values, np.tanh(z), atol=1e-4)
    if low < 0 < high:
        assert offset % 256 == 0
        assert values[offset // 256] == 0.0


def test_a_curve_is_cut_where_it_stays_constant() -> None:
    values, factor, offset = tabulate(np.tanh, -50.0, 50.0, 1e-3)
    assert 3 < offset / factor < 5
    np.testing.assert_allclose(values[[0, -1]], [-1, 1], atol=1.1e-3)


@pytest.mark.parametrize("name", ["sigmoid", "tanh", "softplus", "gelu"])
def test_codes_of_a_curve_are_those_of_the_function(name: str) -> None:
    model = fm.Sequential([fm.Dense(1, name), fm.Dense(1)], backend="numpy").build(1)
    model.parameters["0.weight"][...] = 1.0
    integers = model.freeze().quantize(np.linspace(-8.0, 8.0, 500)[:, None]).integers
    step = integers.steps[0]
    acc = accumulate(step.source, {integers.encode.out: np.arange(-128, 128)[:, None]})
    exact = activation_forward(acc * step.source.scale, name)
    codes = np.clip(exact / step.out.scale + step.out.zero_point, -128, 127)
    assert np.abs(finish(step.finish, acc) - codes).max() < 0.75
