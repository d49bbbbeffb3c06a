"""`check_gradients`: passes what is right, finds what is wrong, and changes nothing."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest
from architectures import HEADS, Run, random_run
from states import contents

import fastmlp as fm
from fastmlp.inspection.gradient_check import GradientCheck, ParameterCheck
from fastmlp.kernels.reference import activations as reference
from fastmlp.kernels.reference import losses as reference_losses

RNG = np.random.default_rng(11)
X = RNG.normal(size=(24, 4))
Y = np.digitize(X[:, 0], [-0.4, 0.4])


def everything(backend: str, dtype: str = "float32") -> fm.Sequential:
    layers = [
        fm.Dense(12, l1=1e-3),
        fm.BatchNorm(),
        fm.Activation("relu"),
        fm.Dropout(0.3),
        fm.Residual([fm.Dense(5, "gelu"), fm.Dropout(0.2), fm.Dense(12)]),
        fm.Dense(3, "softmax", l2=1e-3),
    ]
    return fm.Sequential(layers, backend=backend, dtype=dtype, random_state=3)


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_dropout_batch_norm_and_penalties_pass(backend: str, dtype: str, training: bool) -> None:
    model = everything(backend, dtype)
    model.fit(X, Y, epochs=2, batch_size=8, verbose=0)
    weights = np.linspace(0.0, 2.0, len(X))
    check = fm.check_gradients(model, X, Y, weights, training=training)
    assert check.ok, str(check)
    assert [row.name for row in check.parameters] == list(model.parameters)
    sizes = {name: min(value.size, 100) for name, value in model.parameters.items()}
    for row in check.parameters:
        assert row.n_checked + row.n_kinks == sizes[row.name]
        assert row.max_relative_error <= 1e-5
    # Every parameter but the biases that a BatchNorm takes away has been seen with a gradient.
    assert sum(row.n_checked for row in check.parameters) > 0.95 * sum(sizes.values())


@pytest.mark.parametrize("number", range(len(HEADS)))
def test_random_networks_pass(number: int) -> None:
    """Each output, loss and activation in turn."""
    run: Run = random_run(number)
    X: Any = tuple(p[:20] for p in run.X) if isinstance(run.X, tuple) else run.X[:20]
    model = run.model("numpy", "float32")
    model.fit(run.X, run.y, verbose=0, **{**run.fit, "epochs": 1})
    check = fm.check_gradients(model, X, run.y[:20], max_elements=12)
    assert check.ok, str(check)


def test_embeddings_pass() -> None:
    codes = np.column_stack([X[:, 0], np.arange(24) % 3])
    model = fm.Sequential([fm.Embedding(4, 2, 1), fm.Dense(3, "softmax")], backend="numpy").build(2)
    check = fm.check_gradients(model, codes, Y)
    assert check.ok, str(check)


@pytest.mark.parametrize("factor", [1.001, -1.0, 0.0])
def test_a_wrong_derivative_is_found(monkeypatch: pytest.MonkeyPatch, factor: float) -> None:
    """What lies before the wrong activation is wrong, what comes after it is right."""
    rule = reference.ACTIVATIONS["tanh"]
    wrong = rule._replace(backward=lambda d, z, out: factor * rule.backward(d, z, out))
    monkeypatch.setitem(reference.ACTIVATIONS, "tanh", wrong)
    layers = [fm.Dense(4, "tanh"), fm.Dense(3, "softmax")]
    model = fm.Sequential(layers, backend="numpy", random_state=0).build(4)
    check = fm.check_gradients(model, X, Y)
    assert not check.ok
    errors = {row.name: row.max_relative_error for row in check.parameters}
    assert min(errors["0.weight"], errors["0.bias"]) > 5e-4
    assert max(errors["1.weight"], errors["1.bias"]) < 1e-5
    lines = {line.split()[0]: line.split()[-1] for line in str(check).splitlines()}
    assert lines["0.weight"] == "WRONG"
    assert lines["1.weight"] == "ok"
    assert lines["NOT"] == "pass"


def test_a_gradient_without_its_penalty_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    model = everything("numpy").build(4)
    right = fm.Sequential.gradients

    def without(self: Any, *arguments: Any) -> Any:
        gradients = right(self, *arguments)
        gradients["5.weight"] = gradients["5.weight"] - 1e-3 * self.parameters["5.weight"]
        return gradients

    monkeypatch.setattr(fm.Sequential, "gradients", without)
    check = fm.check_gradients(model, X, Y)
    assert [row.name for row in check.parameters if not row.max_relative_error <= 1e-5] == [
        "5.weight"
    ]


def test_kinks_are_left_out_and_counted() -> None:
    """All first preactivations are 0: no bias of a relu has a derivative there."""
    layers = [fm.Dense(3, "relu", "zeros", l1=0.1), fm.Dense(1)]
    model = fm.Sequential(layers, backend="numpy", random_state=0).build(4)
    check = fm.check_gradients(model, X, Y)
    first = {row.name: row for row in check.parameters}
    assert (first["0.weight"].n_checked, first["0.weight"].n_kinks) == (0, 12)
    assert (first["0.bias"].n_checked, first["0.bias"].n_kinks) == (0, 3)
    assert np.isnan(first["0.bias"].max_relative_error)
    assert first["1.bias"].n_checked == 1
    assert check.ok
    assert "not checked" in str(check)


@pytest.mark.parametrize("distance", [3e-6, 3e-7])
def test_a_kink_close_by_is_no_error(distance: float) -> None:
    model = fm.Sequential([fm.Dense(1, "relu")], loss="mse", backend="numpy").build(1)
    model.parameters["0.weight"][...] = 1.0
    check = fm.check_gradients(model, [[distance]], [3.0])
    rows = {row.name: row for row in check.parameters}
    assert check.ok
    assert rows["0.bias"].n_checked == 1


def test_a_jump_in_a_smooth_place_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only a change of slope is taken for a kink, not a wrong slope."""
    loss = reference_losses.mean_squared_error

    def wrong(*arguments: Any, **named: Any) -> Any:
        value, slope = loss(*arguments, **named)
        return value, slope + 0.01

    monkeypatch.setattr(reference_losses, "mean_squared_error", wrong)
    model = fm.Sequential([fm.Dense(2)], backend="numpy", random_state=0).build(4)
    check = fm.check_gradients(model, X, X[:, :2])
    assert not check.ok
    assert all(row.n_kinks == 0 for row in check.parameters)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_gradients_that_are_not_finite_are_wrong(
    monkeypatch: pytest.MonkeyPatch, value: float
) -> None:
    right = fm.Sequential.gradients

    def broken(self: Any, *arguments: Any) -> Any:
        gradients = right(self, *arguments)
        gradients["0.bias"][0] = value
        return gradients

    monkeypatch.setattr(fm.Sequential, "gradients", broken)
    check = fm.check_gradients(everything("numpy").build(4), X, Y)
    assert not check.ok
    assert {row.name: row.max_relative_error for row in check.parameters}["0.bias"] == np.inf


def test_nothing_to_check_is_not_ok() -> None:
    assert not GradientCheck((ParameterCheck("0.weight", np.nan, np.nan, 0, 4),), 1e-5).ok


def test_nothing_changes(backend: str) -> None:
    model, plain = everything(backend), everything(backend)
    for each in (model, plain):
        each.fit(X, Y, epochs=2, batch_size=8, verbose=0)
    before = contents(model)
    fm.check_gradients(model, X, Y, max_elements=3)
    np.testing.assert_equal(contents(model), before)
    for each in (model, plain):
        each.fit(X, Y, epochs=2, batch_size=8, verbose=0)
    np.testing.assert_equal(contents(model), contents(plain))


def test_elements_are_drawn_or_all_checked() -> None:
    layers = [fm.Dense(60, "tanh"), fm.Dense(3, "softmax")]
    model = fm.Sequential(layers, backend="numpy", random_state=0).build(4)
    some = fm.check_gradients(model, X, Y, max_elements=7)
    assert [row.n_checked for row in some.parameters] == [7, 7, 7, 3]
    assert some == fm.check_gradients(model, X, Y, max_elements=7)
    every = fm.check_gradients(model, X, Y, max_elements=None)
    assert [row.n_checked for row in every.parameters] == [240, 60, 180, 3]


def test_the_table() -> None:
    check = GradientCheck(
        (
            ParameterCheck("0.weight", 1.5e-9, 2e-8, 100, 2),
            ParameterCheck("0.bias", 0.5, 1.0, 3, 0),
        ),
        1e-5,
    )
    assert str(check).splitlines() == [
        "parameter  max abs error  max rel error  checked  kinks",
        "-" * 62,
        "0.weight        1.50e-09       2.00e-08      100      2  ok",
        "0.bias          5.00e-01       1.00e+00        3      0  WRONG",
        "NOT OK: relative errors up to 1e-05 pass",
    ]
    assert dataclasses.replace(check, tolerance=2.0).ok


def test_refusals() -> None:
    model = everything("numpy")
    with pytest.raises(ValueError, match="no parameters yet"):
        fm.check_gradients(model, X, Y)
    model.build(4)
    for wrong, words in (
        ({"tolerance": 0.0}, "tolerance must be a finite number > 0"),
        ({"max_elements": 0}, "max_elements must be an integer >= 1"),
    ):
        with pytest.raises(ValueError, match=words):
            fm.check_gradients(model, X, Y, **wrong)
    with pytest.raises(TypeError, match="training must be True or False"):
        fm.check_gradients(model, X, Y, training=1)
    with pytest.raises(ValueError, match="24 rows, but y has 23"):
        fm.check_gradients(model, X, Y[:-1])
