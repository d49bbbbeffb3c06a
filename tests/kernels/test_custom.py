"""Registered functions as kernels: alike in both backends, with all that they refer to."""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from registered import ACTIVATIONS, LOSSES, RNG, SCALE, register

import fastmlp as fm
from fastmlp.kernels import custom as kernel_custom
from fastmlp.kernels import get_backend

pytestmark = pytest.mark.usefixtures("registrations")


BACKENDS = ["numpy", "numba"]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", ACTIVATIONS)
def test_kernels_of_both_backends_agree(name: str, dtype: str) -> None:
    pytest.importorskip("numba")
    register(name)
    z = (RNG.normal(size=(40, 7)) * 3).astype(dtype)
    d_out = RNG.normal(size=z.shape).astype(dtype)
    results = []
    for backend in BACKENDS:
        kernels = get_backend(backend)
        out = kernels.activation_forward(z, name)
        d_z = kernels.activation_backward(d_out, z, out, name)
        assert out.dtype == d_z.dtype == dtype
        results.append((out, d_z))
    tolerance = 1e-13 if dtype == "float64" else 1e-5
    if ACTIVATIONS[name][1] is None and dtype == "float64":
        # The difference of neighbors, divided by their distance, magnifies rounding.
        tolerance = 1e-9
    for reference, compiled in zip(*results, strict=True):
        np.testing.assert_allclose(compiled, reference, rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", LOSSES)
def test_loss_kernels_of_both_backends_agree(name: str, dtype: str) -> None:
    pytest.importorskip("numba")
    register(name)
    prediction, y = RNG.normal(size=(2, 60, 3)).astype(dtype)
    weight = RNG.uniform(size=60).astype(dtype)
    (loss, d), (compiled_loss, compiled_d) = (
        get_backend(backend).custom_loss(prediction, y, weight, name) for backend in BACKENDS
    )
    tolerance = 1e-5 if dtype == "float32" else 1e-9
    assert compiled_loss == pytest.approx(loss, rel=tolerance)
    np.testing.assert_allclose(compiled_d, d, rtol=tolerance, atol=tolerance / 60)
    element = np.array(
        [LOSSES[name][0](*pair) for pair in zip(prediction.flat, y.flat, strict=True)]
    )
    expected = (weight * element.reshape(60, 3).mean(axis=1)).sum() / weight.sum()
    assert loss == pytest.approx(expected, rel=1e-5)


def test_values_that_a_function_refers_to_are_part_of_it() -> None:
    def scaled(factor: float) -> Callable[[float], float]:
        return lambda z: factor * z

    members = set()
    for factor in (2.0, 2.5):
        fm.register_activation("scaled", scaled(factor), lambda z, f=factor: f)
        members.add(fm.Dense(1, "scaled").activation.member)  # type: ignore[union-attr]
    assert len(members) == 2


def test_what_modules_arrays_and_inner_functions_hold_is_part_of_it() -> None:
    settings = ModuleType("settings")
    table = np.zeros(2000)

    def outer(z: float) -> float:
        def inner(t: float) -> Any:
            return settings.slope * t

        return inner(z)

    functions: list[Callable[[float], float]] = [
        lambda z: settings.slope * z,
        lambda z: z + table[1000],
        outer,
    ]
    for function in functions:
        members = set()
        for value in (1.0, 1.0, 1.0 + 1e-12):
            vars(settings)["slope"] = table[1000] = value
            members.add(kernel_custom.add({}, "f", function, None).member)
        assert len(members) == 2


def of_inner(z: float) -> float:
    def inner(t: float) -> float:
        return SCALE * t

    return inner(z)


@pytest.mark.parametrize(
    ("function", "derivative"),
    [
        (abs, lambda z: 1.0 if z > 0 else -1.0),
        (np.tanh, lambda z: 1 - np.tanh(z) ** 2),
        (of_inner, lambda z: SCALE),
        (lambda z: z ** int(2.5 + 0 * z), lambda z: 2 * z),
    ],
)
def test_forms_of_functions(function: Any, derivative: Any) -> None:
    pytest.importorskip("numba")
    fm.register_activation("form", function, derivative)
    z = RNG.normal(size=(9, 4))
    out, compiled = (get_backend(name).activation_forward(z, "form") for name in BACKENDS)
    np.testing.assert_allclose(compiled, out, rtol=1e-13)


@pytest.mark.parametrize("name", ["bent", "softsign", "calls_others", "relu_of_six"])
def test_constants_do_not_widen_the_arithmetic(name: str) -> None:
    """A float32 network is computed in float32, else a loop has half as many lanes."""
    numba = pytest.importorskip("numba")
    from fastmlp.kernels.compiled.machine.custom import activation_functions

    register(name)
    forward, backward = activation_functions(kernel_custom.ACTIVATIONS[name])
    half = np.float32(0.5)
    for alone, count in (
        (numba.njit(lambda z, parameter: forward(z, parameter)), 2),
        (numba.njit(lambda d, z, out, parameter: backward(d, z, out, parameter)), 4),
    ):
        alone(*[half] * count)
        (code,) = alone.inspect_llvm().values()
        body = code.partition("define")[2].partition("\n}")[0]
        assert "double" not in body
        assert "float" in body
