"""Every name of a declaration that users are promised, once, in both backends."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from promised import REQUIRED, assert_takes, defaults, model_of, names, target, trained

import fastmlp as fm
from fastmlp.declarations.activations import get_activation
from fastmlp.declarations.losses import get_loss

BACKENDS = ("numpy", "numba")
ROWS = 30
ACTIVATIONS = (
    *("relu", "leaky_relu", "tanh", "sigmoid", "softmax", "linear", "elu", "selu", "gelu"),
    *("silu", "mish", "softplus", "exp"),
)
LOSSES = ("mse", "mae", "huber", "quantile", "poisson", "bce", "cce")
FULL_NAMES = {"bce": "binary_crossentropy", "cce": "categorical_crossentropy"}


@names(*ACTIVATIONS)
def test_activations(name: str, backend: str, X: np.ndarray, y: np.ndarray) -> None:
    for spelled in (name, name.upper()):
        trained([fm.Dense(5, spelled), fm.Dense(1)], X, y, backend)
        trained([fm.Dense(5), fm.Activation(spelled), fm.Dense(1)], X, y, backend)


def test_slopes_can_be_set(backend: str) -> None:
    assert_takes(fm.LeakyReLU, slope=0.01)
    assert_takes(fm.ELU, alpha=1.0)
    for activation, below in ((fm.LeakyReLU(0.3), -0.3), (fm.ELU(0.5), 0.5 * math.expm1(-1))):
        model = model_of([fm.Dense(1, activation)], backend).build(1)
        model.parameters["0.weight"][...] = 1.0
        np.testing.assert_allclose(model.predict([[-1.0], [2.0]])[:, 0], [below, 2.0], rtol=1e-12)


def is_pair(activation: str, loss: str) -> bool:
    """The pairs of the contract, written down once more."""
    allowed = {
        "softmax": {"cce"},
        "sigmoid": {"bce", "mse", "mae", "huber"},
        "exp": {"poisson", "mse"},
        "softplus": {"poisson", "mse"},
    }
    return loss in allowed.get(activation, {"mse", "mae", "huber", "quantile"})


@names(*LOSSES)
def test_losses_with_every_output(name: str, backend: str, X: np.ndarray) -> None:
    for activation in ACTIVATIONS:
        layers = [fm.Dense(3 if activation == "softmax" else 1, activation)]
        y = target(activation, name, X)
        if is_pair(activation, name):
            trained(layers, X, y, backend, loss=name)
            trained(layers, X, y, backend, loss=FULL_NAMES.get(name, name).upper())
        else:
            with pytest.raises(ValueError, match="the pairs that do"):
                model_of(layers, backend, loss=name).fit(X, y, verbose=0)


def test_the_pairs_are_declared() -> None:
    for activation in ACTIVATIONS:
        for loss in LOSSES:
            declared = get_loss(loss).goes_with(get_activation(activation))
            assert declared == is_pair(activation, loss), (activation, loss)


LOSS_OBJECTS: dict[str, tuple[dict[str, Any], dict[str, Any], str]] = {
    "Huber": ({"delta": 1.0}, {"delta": 0.5}, "linear"),
    "Quantile": ({"q": 0.5}, {"q": 0.9}, "linear"),
    "CategoricalCrossentropy": ({"label_smoothing": 0.0}, {"label_smoothing": 0.1}, "softmax"),
    "BinaryCrossentropy": ({"label_smoothing": 0.0}, {"label_smoothing": 0.1}, "sigmoid"),
}


@names(*LOSS_OBJECTS)
def test_loss_objects(name: str, backend: str, X: np.ndarray) -> None:
    expected, other, activation = LOSS_OBJECTS[name]
    kind = getattr(fm, name)
    assert_takes(kind, **expected)
    layers = [fm.Dense(3 if activation == "softmax" else 1, activation)]
    y = target(activation, "", X)
    losses = [
        trained(layers, X, y, backend, loss=loss).history["loss"]
        for loss in (kind(), kind(**other))
    ]
    assert losses[0] != losses[1]


@pytest.mark.parametrize(
    ("activation", "loss"),
    [("softmax", "cce"), ("sigmoid", "bce"), ("linear", "mse"), ("exp", "mse")],
)
def test_the_loss_is_chosen_from_the_output(
    activation: str, loss: str, backend: str, X: np.ndarray
) -> None:
    layers = [fm.Dense(3 if activation == "softmax" else 1, activation)]
    y = target(activation, loss, X)
    chosen = trained(layers, X, y, backend).history["loss"]
    assert chosen == trained(layers, X, y, backend, loss=loss).history["loss"]


@names("register_activation")
def test_own_activations(name: str, backend: str, X: np.ndarray, y: np.ndarray) -> None:
    assert_takes(fm.register_activation, name=REQUIRED, forward=REQUIRED, derivative=None)
    fm.register_activation(
        "contract_bump",
        lambda z: z * fm.math.exp(-z * z),
        lambda z: (1 - 2 * z * z) * fm.math.exp(-z * z),
    )
    trained([fm.Dense(5, "contract_bump"), fm.Dense(1)], X, y, backend)
    with pytest.warns(UserWarning, match="numerical"):
        fm.register_activation("contract_cube", lambda z: z**3)
    trained([fm.Dense(5, "contract_cube"), fm.Dense(1)], X, y, backend)


@names("register_loss")
def test_own_losses(name: str, backend: str, X: np.ndarray, y: np.ndarray) -> None:
    assert_takes(fm.register_loss, name=REQUIRED, forward=REQUIRED, derivative=None)
    fm.register_loss("contract_fourth", lambda p, y: (p - y) ** 4, lambda p, y: 4 * (p - y) ** 3)
    trained([fm.Dense(1)], X, y, backend, loss="contract_fourth")


FACTORS = {"learning_rate_factor": 1.0, "weight_decay_factor": 1.0}
LAYERS: dict[str, tuple[list[Any], dict[str, Any]]] = {
    "Dense": (
        [fm.Dense(3, "tanh", "he", False, 0.1, 0.2), fm.Dense(1)],
        {
            "units": REQUIRED,
            "activation": "linear",
            "initializer": "auto",
            "use_bias": True,
            "l1": 0.0,
            "l2": 0.0,
            **FACTORS,
            "mean_penalty": False,
            "bias_initializer": "zeros",
            "parametrization": "standard",
            "bias_learning_rate_factor": 1.0,
            "bias_weight_decay_factor": 1.0,
        },
    ),
    "BatchNorm": ([fm.BatchNorm(), fm.Dense(1)], {"momentum": 0.1, "epsilon": 1e-5, **FACTORS}),
    "Clip": ([fm.Dense(1), fm.Clip(-1.0, 2.0)], {"low": REQUIRED, "high": REQUIRED}),
    "Scale": ([fm.Scale(0.5), fm.Dense(1)], {"initializer": 1.0, **FACTORS}),
    "ParametricActivation": (
        [fm.Dense(3), fm.ParametricActivation("selu"), fm.Dense(1)],
        {"name": REQUIRED, **FACTORS},
    ),
    "Dropout": ([fm.Dropout(0.5), fm.Dense(1)], {"rate": REQUIRED}),
    "Activation": ([fm.Activation("tanh"), fm.Dense(1)], {"name": REQUIRED}),
    "Residual": (
        [
            fm.Residual([fm.Dense(4, "relu")]),
            fm.Residual([fm.Dense(2)], [fm.Dense(2)]),
            fm.Dense(1),
        ],
        {"layers": REQUIRED, "shortcut": None},
    ),
    "Branch": (
        [
            fm.Branch([fm.Dense(3)], [], [fm.Dense(2, "tanh")], merge="concat"),
            fm.Branch([fm.Dense(3)], [fm.Dense(3)], merge="add"),
            fm.Dense(1),
        ],
        {"paths": REQUIRED, "merge": "concat"},
    ),
    "Embedding": (
        [fm.Embedding(3, 2, 1), fm.Embedding(5, 1, 3), fm.Dense(1)],
        {"n_categories": REQUIRED, "dim": REQUIRED, "column": REQUIRED, **FACTORS},
    ),
    "WideAndDeep": (
        [fm.WideAndDeep(1, deep=[fm.Dense(3, "relu")], wide=[0, 2], deep_columns=[1, 2])],
        {
            "units": REQUIRED,
            "activation": "linear",
            "deep": (),
            "wide": None,
            "deep_columns": None,
            "wide_optimizer": None,
        },
    ),
}


@names(*LAYERS)
def test_layers(name: str, backend: str, X: np.ndarray, y: np.ndarray, tmp_path: Path) -> None:
    layers, expected = LAYERS[name]
    found = defaults(getattr(fm, name))
    assert list(found) == list(expected)
    if name != "WideAndDeep":
        assert found == expected
    else:
        assert {**found, "deep": ()} == expected
    if name == "Embedding":
        X = np.floor(np.abs(X)) % 3
    model = trained(layers, X, y, backend)
    assert model.predict(X).shape == (ROWS, 1)
    model.save(tmp_path / "model.safetensors")
    loaded = fm.load(tmp_path / "model.safetensors")
    np.testing.assert_allclose(loaded.predict(X), model.predict(X), rtol=1e-9)


@pytest.mark.parametrize("layers", LAYERS)
def test_backends_agree(layers: str, X: np.ndarray, y: np.ndarray) -> None:
    pytest.importorskip("numba")
    if layers == "Embedding":
        X = np.floor(np.abs(X)) % 3
    results = [trained(LAYERS[layers][0], X, y, backend).predict(X) for backend in BACKENDS]
    np.testing.assert_allclose(results[0], results[1], rtol=1e-9, atol=1e-9)


def test_wide_and_deep_takes_two_inputs(backend: str, X: np.ndarray, y: np.ndarray) -> None:
    sparse = pytest.importorskip("scipy.sparse")
    wide = (X > 1).astype(float)
    layer = fm.WideAndDeep(1, deep=[fm.Dense(3, "relu")], wide_optimizer=fm.Ftrl(l1=0.1))
    dense = trained([layer], (wide, X), y, backend).predict((wide, X))
    stored = sparse.csr_matrix(wide)
    np.testing.assert_allclose(
        trained([layer], (stored, X), y, backend).predict((stored, X)), dense, rtol=1e-9
    )
    model = model_of([layer], backend).build((4, 4))
    assert {"0.weight", "0.wide_weight", "0.bias", "0.0.weight", "0.0.bias"} == set(
        model.parameters
    )


INITIALIZERS: dict[str, Callable[[int, int], float]] = {
    "he": lambda n_in, n_out: math.sqrt(2 / n_in),
    "he_uniform": lambda n_in, n_out: math.sqrt(2 / n_in),
    "glorot": lambda n_in, n_out: math.sqrt(2 / (n_in + n_out)),
    "xavier": lambda n_in, n_out: math.sqrt(2 / (n_in + n_out)),
    "glorot_normal": lambda n_in, n_out: math.sqrt(2 / (n_in + n_out)),
    "lecun_normal": lambda n_in, n_out: math.sqrt(1 / n_in),
    "random": lambda n_in, n_out: 0.01,
    "zeros": lambda n_in, n_out: 0.0,
}


@names(*INITIALIZERS)
def test_initializers(name: str, backend: str) -> None:
    model = model_of([fm.Dense(200, initializer=name), fm.Dense(1)], backend).build(80)
    deviation = model.parameters["0.weight"].std()
    assert deviation == pytest.approx(INITIALIZERS[name](80, 200), rel=0.03)
    assert not model.parameters["0.bias"].any()


AUTO = {
    **dict.fromkeys(("relu", "leaky_relu", "elu", "gelu", "silu", "mish", "softplus"), "he"),
    "selu": "lecun_normal",
    **dict.fromkeys(("tanh", "sigmoid", "softmax", "linear", "exp"), "glorot"),
}


@names(*AUTO)
def test_auto_initializers(name: str) -> None:
    expected = INITIALIZERS[AUTO[name]](80, 200)
    for layers in (
        [fm.Dense(200, name)],
        [fm.Dense(200), fm.Activation(name)],
        [fm.Dense(200), fm.BatchNorm(), fm.Activation(name)],
    ):
        model = model_of([*layers, fm.Dense(1)], "numpy").build(80)
        assert model.parameters["0.weight"].std() == pytest.approx(expected, rel=0.03)


OPTIMIZERS: dict[str, dict[str, Any]] = {
    "SGD": {"learning_rate": 0.01, "momentum": 0.0, "nesterov": False},
    "RMSprop": {"learning_rate": 1e-3, "rho": 0.9},
    "Adam": {"learning_rate": 1e-3, "beta_1": 0.9, "beta_2": 0.999, "epsilon": 1e-8},
    "AdamW": {
        "learning_rate": 1e-3,
        "beta_1": 0.9,
        "beta_2": 0.999,
        "epsilon": 1e-8,
        "weight_decay": 0.01,
    },
    "AdaGrad": {"learning_rate": 0.01},
    "Nadam": {"learning_rate": 2e-3},
    "Ftrl": {"learning_rate": 0.1, "l1": 0.0, "l2": 0.0, "beta": 1.0},
}


@names(*OPTIMIZERS)
def test_optimizers(name: str, backend: str, X: np.ndarray, y: np.ndarray) -> None:
    kind = getattr(fm, name)
    assert_takes(kind, **OPTIMIZERS[name])
    assert {"clip_value": None, "clip_norm": None}.items() <= defaults(kind).items()
    by_name = trained([fm.Dense(1)], X, y, backend, optimizer=name.lower())
    by_object = trained([fm.Dense(1)], X, y, backend, optimizer=kind())
    clipped = trained(
        [fm.Dense(1)], X, y, backend, optimizer=kind(0.01, clip_value=0.01, clip_norm=0.005)
    )
    weights = [m.parameters["0.weight"] for m in (by_name, by_object, clipped)]
    np.testing.assert_array_equal(weights[0], weights[1])
    assert not np.array_equal(weights[1], weights[2])


def test_momentum_is_a_name(backend: str, X: np.ndarray, y: np.ndarray) -> None:
    by_name = trained([fm.Dense(1)], X, y, backend, optimizer="momentum")
    by_object = trained([fm.Dense(1)], X, y, backend, optimizer=fm.SGD(momentum=0.9))
    np.testing.assert_array_equal(by_name.parameters["0.weight"], by_object.parameters["0.weight"])


SCHEDULES: dict[str, tuple[dict[str, Any], tuple[Any, ...], list[float] | None]] = {
    "ExponentialDecay": (
        {"initial": REQUIRED, "rate": REQUIRED},
        (0.1, 0.5),
        [0.1, 0.05, 0.025, 0.0125],
    ),
    "InverseTimeDecay": (
        {"initial": REQUIRED, "rate": REQUIRED},
        (0.1, 1.0),
        [0.1, 0.05, 0.1 / 3, 0.025],
    ),
    "StepDecay": (
        {"initial": REQUIRED, "rate": REQUIRED, "every": REQUIRED},
        (0.1, 0.5, 2),
        [0.1, 0.1, 0.05, 0.05],
    ),
    "CosineDecay": (
        {"initial": REQUIRED, "epochs": REQUIRED, "final": 0.0},
        (0.1, 4),
        [0.1 * (1 + math.cos(math.pi * epoch / 4)) / 2 for epoch in range(4)],
    ),
    "OneCycle": ({"maximum": REQUIRED, "epochs": REQUIRED}, (0.1, 4), None),
    "ReduceOnPlateau": (
        {"initial": REQUIRED, "factor": 0.1, "patience": 10, "minimum": 0.0, "monitor": "loss"},
        (0.1,),
        [0.1] * 4,
    ),
}


@names(*SCHEDULES)
def test_schedules(name: str, backend: str, X: np.ndarray, y: np.ndarray) -> None:
    expected, arguments, rates = SCHEDULES[name]
    assert_takes(getattr(fm, name), **expected)
    optimizer = fm.SGD(getattr(fm, name)(*arguments))
    model = trained([fm.Dense(1)], X, y, backend, epochs=4, optimizer=optimizer)
    found = model.history["learning_rate"]
    assert len(found) == 4
    if rates is not None:
        assert found == pytest.approx(rates)
    else:
        assert max(found) <= 0.1
        assert found[-1] < found[0]
