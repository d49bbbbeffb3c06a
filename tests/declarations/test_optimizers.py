"""Optimizers: defaults, what the kernels take, refused arguments."""

from __future__ import annotations

import inspect
from typing import Any

import numpy as np
import pytest
from optimizer_examples import EXAMPLES, KINDS

import fastmlp as fm
from fastmlp.declarations.learning_rate import Constant
from fastmlp.declarations.optimizers import (
    SGD,
    AdaGrad,
    Adam,
    AdamW,
    Ftrl,
    Nadam,
    Optimizer,
    RMSprop,
    get_optimizer,
)
from fastmlp.declarations.schedules import ExponentialDecay
from fastmlp.inspection.explain_update import evaluate
from fastmlp.kernels import numpy as reference

SIGNATURES = {
    SGD: {"learning_rate": 0.01, "momentum": 0.0, "nesterov": False},
    RMSprop: {"learning_rate": 1e-3, "rho": 0.9, "epsilon": 1e-8},
    Adam: {"learning_rate": 1e-3, "beta_1": 0.9, "beta_2": 0.999, "epsilon": 1e-8},
    AdamW: {
        "learning_rate": 1e-3,
        "beta_1": 0.9,
        "beta_2": 0.999,
        "epsilon": 1e-8,
        "weight_decay": 0.01,
    },
    AdaGrad: {"learning_rate": 0.01, "epsilon": 1e-10},
    Nadam: {"learning_rate": 2e-3, "beta_1": 0.9, "beta_2": 0.999, "epsilon": 1e-8},
    Ftrl: {"learning_rate": 0.1, "l1": 0.0, "l2": 0.0, "beta": 1.0},
}

NO_MOMENTUM = {"momentum": 0.0, "nesterov": False, "rate_in_velocity": False}
MOMENTUM = {**NO_MOMENTUM, "momentum": 0.9}
TWO_MOMENTS = {"beta_1": 0.9, "beta_2": 0.999, "epsilon": 1e-8}
ADAM = {**TWO_MOMENTS, "epsilon_hat": False}
# Arguments that have no place, beside those for clipping.
KEYWORDS: dict[Any, dict[str, object]] = {
    SGD: {"rate_in_velocity": False},
    Adam: {"epsilon_hat": False},
}
FTRL = {"l1": 0.0, "l2": 0.0, "beta": 1.0}

every_optimizer = pytest.mark.parametrize("name", EXAMPLES)


@every_optimizer
def test_kernels_take_what_is_declared(name: str) -> None:
    optimizer = EXAMPLES[name]
    expected = {"parameters", "gradients", "learning_rate"}
    expected |= {*optimizer.slot_names, *optimizer.constants}
    expected |= {"step"} if optimizer.counts_steps else set()
    expected |= {optimizer.running_product} if optimizer.running_product else set()
    kernel = getattr(reference, optimizer.kernel)
    assert set(inspect.signature(kernel).parameters) == expected
    assert set(optimizer.slots) <= set(optimizer.slot_names)


@every_optimizer
def test_the_rule_is_what_the_runners_do(name: str, backend: str) -> None:
    optimizer = EXAMPLES[name]
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(40, 5)), rng.normal(size=40)
    # A unit without input has gradients of 0.
    X[:, 2] = 0.0
    model = fm.Sequential(
        [fm.Dense(3, "tanh"), fm.Dense(1)],
        optimizer=optimizer,
        dtype="float64",
        backend=backend,
        random_state=0,
    ).build(5)
    rate = float(optimizer.schedule.rates(0, 1, {}))
    names = dict.fromkeys(optimizer.slots, 0.0)
    states: dict[str, dict[str, Any]] = {parameter: dict(names) for parameter in model.parameters}
    if optimizer.running_product:
        for state in states.values():
            state[optimizer.running_product] = 1.0
    for t in range(1, 6):
        gradients = model.gradients(X, y)
        for parameter, state in states.items():
            given = {"rate": rate, "t": t, "g": gradients[parameter], **optimizer.constants}
            given["w"] = model.parameters[parameter].copy()
            found = evaluate(optimizer.rule, {**given, **state})
            assert found.keys() >= {"w", *optimizer.slots}
            states[parameter] = {key: found[key] for key in state} | {"w": found["w"]}
        model.train_step(X, y)
        for parameter, state in states.items():
            expected = state.pop("w")
            np.testing.assert_allclose(
                model.parameters[parameter], expected, rtol=1e-9, atol=1e-13, err_msg=parameter
            )


@every_optimizer
def test_both_backends_learn_with_it(name: str, backend: str) -> None:
    rng = np.random.default_rng(1)
    X = rng.normal(size=(80, 4))
    y = X @ rng.normal(size=4)
    model = fm.Sequential(
        [fm.Dense(6, "tanh"), fm.Dense(1)],
        optimizer=EXAMPLES[name],
        backend=backend,
        random_state=0,
    )
    losses = model.fit(X, y, epochs=20, batch_size=8, verbose=0)["loss"]
    assert losses[-1] < losses[0]
    text = str(model.explain(X[0], y[0]))
    assert all(statement in " ".join(text.split()) for statement in EXAMPLES[name].rule)


def test_users_find_all() -> None:
    for kind in KINDS:
        assert getattr(fm, kind.__name__) is kind
        assert kind.__name__ in fm.__all__
        assert type(get_optimizer(kind.__name__)) is kind


@pytest.mark.parametrize(("cls", "expected"), SIGNATURES.items())
def test_arguments_and_defaults(cls: type[Optimizer], expected: dict[str, object]) -> None:
    parameters = inspect.signature(cls).parameters.values()
    assert {p.name: p.default for p in parameters} == {
        **expected,
        **KEYWORDS.get(cls, {}),
        "clip_value": None,
        "clip_norm": None,
    }
    positional = [p.name for p in parameters if p.kind is p.POSITIONAL_OR_KEYWORD]
    assert positional == list(expected)


@pytest.mark.parametrize(
    ("optimizer", "kernel", "slots", "constants", "touched_rows_exact"),
    [
        (SGD(), "sgd_update", (), NO_MOMENTUM, True),
        (SGD(momentum=0.9), "sgd_update", ("velocity",), MOMENTUM, False),
        (
            SGD(momentum=0.9, nesterov=True),
            "sgd_update",
            ("velocity",),
            {**MOMENTUM, "nesterov": True},
            False,
        ),
        (SGD(ExponentialDecay(0.1, 0.9)), "sgd_update", (), NO_MOMENTUM, True),
        (RMSprop(rho=0.8), "rmsprop_update", ("v",), {"rho": 0.8, "epsilon": 1e-8}, False),
        (Adam(beta_1=0.8), "adam_update", ("m", "v"), {**ADAM, "beta_1": 0.8}, False),
        (
            AdamW(beta_2=0.9),
            "adamw_update",
            ("m", "v"),
            {**TWO_MOMENTS, "beta_2": 0.9, "weight_decay": 0.01},
            False,
        ),
        (AdaGrad(), "adagrad_update", ("v",), {"epsilon": 1e-10}, True),
        (Nadam(), "nadam_update", ("m", "v"), {**TWO_MOMENTS, "momentum_decay": 0.004}, False),
        (Ftrl(0.2, 1, 2, 3), "ftrl_update", ("z", "n"), {"l1": 1.0, "l2": 2.0, "beta": 3.0}, True),
        (Ftrl(Constant(0.2)), "ftrl_update", ("z", "n"), FTRL, True),
        (Ftrl(ExponentialDecay(1, 0.9)), "ftrl_update", ("z", "n"), FTRL, False),
    ],
)
def test_what_kernels_take(
    optimizer: Optimizer,
    kernel: str,
    slots: tuple[str, ...],
    constants: dict[str, float],
    touched_rows_exact: bool,
) -> None:
    assert optimizer.kernel == kernel
    assert optimizer.slots == slots
    assert optimizer.constants == constants
    assert optimizer.touched_rows_exact is touched_rows_exact


def test_names() -> None:
    assert get_optimizer("Momentum") == SGD(momentum=0.9)
    for cls in SIGNATURES:
        optimizer = get_optimizer(cls.__name__)
        assert type(optimizer) is cls
        assert optimizer == cls()  # type: ignore[call-arg]
        assert get_optimizer(cls.__name__.lower()) == optimizer
        assert get_optimizer(optimizer) is optimizer


def test_values_become_plain_floats() -> None:
    optimizer = Adam(1, clip_value=2, clip_norm=3)
    for value in (optimizer.learning_rate, optimizer.clip_value, optimizer.clip_norm):
        assert type(value) is float
    assert optimizer == Adam(1.0, clip_value=2.0, clip_norm=3.0)
    assert Adam(0.0).learning_rate == 0.0
    schedule = ExponentialDecay(0.1, 0.9)
    assert Adam(schedule).learning_rate is schedule


BETA = r"must be a finite number in \[0, 1\), got "


@pytest.mark.parametrize(
    ("cls", "arguments", "message"),
    [
        (SGD, {"learning_rate": -0.1}, "learning_rate must be a finite number >= 0, got -0.1"),
        (SGD, {"learning_rate": float("nan")}, "learning_rate must be a finite number >= 0"),
        (SGD, {"momentum": 1.5}, r"momentum must be a finite number in \[0, 1\], got 1.5"),
        (SGD, {"nesterov": True}, "nesterov=True needs a momentum above 0"),
        (Adam, {"learning_rate": -1}, "learning_rate must be a finite number >= 0, got -1"),
        (RMSprop, {"rho": 1.0}, f"rho {BETA}1.0"),
        (RMSprop, {"epsilon": 0}, "epsilon must be a finite number > 0, got 0"),
        (Adam, {"beta_1": 1.0}, f"beta_1 {BETA}1.0"),
        (Adam, {"beta_2": -0.1}, f"beta_2 {BETA}-0.1"),
        (AdamW, {"weight_decay": -1}, "weight_decay must be a finite number >= 0, got -1"),
        (AdamW, {"beta_1": 1.0}, f"beta_1 {BETA}1.0"),
        (Nadam, {"epsilon": -1}, "epsilon must be a finite number > 0, got -1"),
        (AdaGrad, {"epsilon": 0}, "epsilon must be a finite number > 0, got 0"),
        (Ftrl, {"learning_rate": 0}, "learning_rate of Ftrl must be a number > 0, got 0"),
        (Ftrl, {"learning_rate": Constant(0)}, "learning_rate of Ftrl must be a number > 0"),
        (Ftrl, {"l1": -1}, "l1 must be a finite number >= 0, got -1"),
        (Ftrl, {"l2": -1}, "l2 must be a finite number >= 0, got -1"),
        (Ftrl, {"beta": -1}, "beta must be a finite number >= 0, got -1"),
        *((cls, {"clip_value": 0}, "clip_value must be a finite number > 0") for cls in SIGNATURES),
        *((cls, {"clip_norm": -1}, "clip_norm must be a finite number > 0") for cls in SIGNATURES),
    ],
)
def test_refused_values(cls: Any, arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        cls(**arguments)


@pytest.mark.parametrize("cls", SIGNATURES)
def test_refused_types(cls: Any) -> None:
    with pytest.raises(TypeError, match=r"learning_rate must be a number or a schedule, got 'x'"):
        cls("x")
    with pytest.raises(TypeError, match="learning_rate must be a number or a schedule, got True"):
        cls(True)
    with pytest.raises(TypeError, match="learning_rate must be a number or a schedule, got <class"):
        cls(ExponentialDecay)
    with pytest.raises(TypeError, match="unexpected keyword argument 'lr'"):
        cls(lr=0.1)
    with pytest.raises(TypeError, match="clip_norm must be a number, got '1'"):
        cls(clip_norm="1")


def test_refused_names() -> None:
    with pytest.raises(ValueError, match="unknown optimizer 'adm'; did you mean 'adam'"):
        get_optimizer("adm")
    not_an_optimizer: Any
    for not_an_optimizer in (None, 0.1, Adam):
        with pytest.raises(TypeError, match="optimizer must be a name, got "):
            get_optimizer(not_an_optimizer)
    nesterov: Any = 1
    with pytest.raises(TypeError, match=r"nesterov must be True or False, got 1 \(int\)"):
        SGD(momentum=0.9, nesterov=nesterov)
