"""Declared formulas are what the kernels compute, and declared derivatives are those of formulas.

Both go over all declarations, so that a new one is tested as soon as it is declared.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import fastmlp as fm
from fastmlp.declarations.activations import ACTIVATIONS, TRAITS, Activation, get_activation
from fastmlp.declarations.custom import CustomActivation, CustomLoss
from fastmlp.declarations.formulas import as_operand, names_in, with_numbers
from fastmlp.declarations.losses import LOSSES, Loss
from fastmlp.kernels import numpy as reference

OWN = [each for each in ACTIVATIONS.values() if not isinstance(each, CustomActivation)]
SPECS = [*OWN, fm.LeakyReLU(0.3), fm.ELU(0.6)]
ELEMENTWISE = [each for each in SPECS if not each.is_rowwise]
ROWWISE = [each for each in SPECS if each.is_rowwise]

OWN_LOSSES = [
    *{loss.name: loss for loss in LOSSES.values() if not isinstance(loss, CustomLoss)}.values(),
    *(fm.Huber(0.4), fm.Quantile(0.8)),
    *(fm.BinaryCrossentropy(0.1), fm.CategoricalCrossentropy(0.2)),
]

POINTS = np.linspace(-4.0, 4.0, 33) + 0.0137
STEP = 1e-6


def known(module: Any) -> dict[str, Any]:
    """What formulas may call: of numbers also other activations, by their formulas."""
    if module is np:
        return {**vars(np), "sum": np.sum}
    others = {each.name: of_one(each) for each in OWN}
    return {**others, **vars(math), "sign": lambda x: (x > 0) - (x < 0)}


def of_one(activation: Activation) -> Callable[[float], float]:
    return lambda z: float(eval(activation.formulas()[0], known(math), {"z": z}))


def slope_of_one(activation: Activation, z: float) -> float:
    values = {"z": z, "a": of_one(activation)(z)}
    return float(eval(activation.formulas()[1], known(math), values))


def ids(each: Any) -> str:
    return f"{each.name} {each.parameter}" if each.parameter else each.name


@pytest.mark.parametrize("activation", ELEMENTWISE, ids=ids)
def test_elementwise_activations(activation: Activation) -> None:
    z = POINTS[np.newaxis, :]
    out = reference.activation_forward(z, activation.kernel)
    slope = reference.activation_backward(np.ones_like(z), z, out, activation.kernel)
    function = of_one(activation)
    np.testing.assert_allclose([function(x) for x in POINTS], out[0], rtol=1e-11)
    declared = [slope_of_one(activation, x) for x in POINTS]
    np.testing.assert_allclose(declared, slope[0], rtol=1e-11)
    differences = [(function(x + STEP) - function(x - STEP)) / (2 * STEP) for x in POINTS]
    np.testing.assert_allclose(declared, differences, rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize("activation", ROWWISE, ids=ids)
def test_rowwise_activations(activation: Activation) -> None:
    rng = np.random.default_rng(0)
    formula, gradient = activation.formulas()
    for _ in range(5):
        z, d = rng.normal(size=(2, 1, 6))
        out = reference.activation_forward(z, activation.kernel)
        found = eval(formula, known(np), {"z": z})
        np.testing.assert_allclose(found, out, rtol=1e-12)
        d_z = reference.activation_backward(d, z, out, activation.kernel)
        found = eval(gradient, known(np), {"z": z, "a": out, "d": d})
        np.testing.assert_allclose(found, d_z, rtol=1e-10)


@pytest.mark.parametrize("name", TRAITS)
def test_traits_of_activations(name: str) -> None:
    """What is declared beside the formulas is so."""
    activation, traits = get_activation(name), TRAITS[name]
    z = np.linspace(-300.0, 300.0, 4001).reshape(-1, 1).repeat(2, axis=1)
    z[:, 1] = z[::-1, 0]
    out = reference.activation_forward(z, activation.kernel)
    assert traits.is_identity == bool((out == z).all())
    assert traits.is_rectifier == bool((out == np.maximum(z, 0.0)).all())
    alone = reference.activation_forward(z[:, :1], activation.kernel)
    assert activation.is_rowwise == bool((alone != out[:, :1]).any())
    if traits.limits is not None:
        assert traits.limits == pytest.approx((out[0, 0], out[-1, 0]), abs=0.01)
    assert fm.Dense(3, activation=name).activation_function == activation


def arguments_of(loss: Loss) -> tuple[Any, ...]:
    """What a kernel takes, the output and the target, of a few rows."""
    rng = np.random.default_rng(1)
    target = rng.uniform(0.05, 0.95, (4, 3))
    if loss.is_rowwise:
        target /= target.sum(axis=1, keepdims=True)
    if not loss.on_logits:
        output = rng.uniform(0.05, 2.0, (4, 3))
        return output, output, target
    [output_kind] = loss.outputs
    [last] = [each for each in OWN if each.traits.output is output_kind]
    logits = rng.normal(size=(4, 3))
    return logits, reference.activation_forward(logits, last.kernel), target


@pytest.mark.parametrize("loss", OWN_LOSSES, ids=ids)
def test_losses(loss: Loss) -> None:
    read, output, target = arguments_of(loss)
    found, gradient = getattr(reference, loss.kernel)(read, target, None, *loss.arguments)
    formula, slope = (compile(text, "formula", "eval") for text in loss.formulas())
    smoothed = loss.smoothed(target)
    if loss.is_rowwise:
        names = [{"p": p, "t": t} for p, t in zip(output, smoothed, strict=True)]
        rows, slopes = ([eval(code, known(np), n) for n in names] for code in (formula, slope))
        assert found == pytest.approx(np.mean(rows), rel=1e-12)
        np.testing.assert_allclose(gradient, np.array(slopes) / len(rows), rtol=1e-10)
        return
    pairs = [
        {"p": float(p), "t": float(t)} for p, t in zip(output.flat, smoothed.flat, strict=True)
    ]
    values, slopes = ([eval(code, known(math), n) for n in pairs] for code in (formula, slope))
    assert found == pytest.approx(np.mean(values), rel=1e-12)
    np.testing.assert_allclose(gradient.ravel(), np.array(slopes) / len(pairs), rtol=1e-10)


@pytest.mark.parametrize("loss", OWN_LOSSES, ids=ids)
def test_slopes_of_losses_are_derivatives_of_the_kernels(loss: Loss) -> None:
    read, _, target = arguments_of(loss)
    kernel = getattr(reference, loss.kernel)
    _, gradient = kernel(read, target, None, *loss.arguments)
    for place in np.ndindex(read.shape):
        step = np.zeros_like(read)
        step[place] = STEP
        above, _ = kernel(read + step, target, None, *loss.arguments)
        below, _ = kernel(read - step, target, None, *loss.arguments)
        assert (above - below) / (2 * STEP) == pytest.approx(gradient[place], rel=1e-5, abs=1e-9)


def test_numbers_in_formulas() -> None:
    assert with_numbers("{slope} * z", {"slope": 0.123456789, "name": "x"}, 3) == "0.123 * z"
    assert fm.LeakyReLU(0.25).formulas(6) == ("z if z > 0 else 0.25 * z", "1 if z > 0 else 0.25")
    assert get_activation("selu").formulas(6)[1].startswith("1.0507 if z > 0 else 1.0507 * 1.67326")
    assert fm.Quantile(0.9).formulas(4)[1] == "-0.9 if t > p else 1 - 0.9 if t < p else 0"


@pytest.mark.parametrize(
    ("text", "operand"),
    [
        ("2 * (p - t)", "2 * (p - t)"),
        ("p - t", "(p - t)"),
        ("-p", "(-p)"),
        ("1 if p > t else 0", "(1 if p > t else 0)"),
        ("sign(p - t)", "sign(p - t)"),
        ("p**2", "p**2"),
    ],
)
def test_operands(text: str, operand: str) -> None:
    assert as_operand(text) == operand
    assert names_in(text) <= {"p", "t", "sign"}


def test_activations_of_users_own_have_no_formulas() -> None:
    class Bent(Activation):
        name = "bent"

    assert Bent().formulas() == ("", "")
    assert not Bent().is_rowwise
