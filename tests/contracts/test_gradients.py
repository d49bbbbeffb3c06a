"""Gradients of whole networks: a case by hand, and differences of losses along directions."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest
from architectures import HEADS, HIDDEN, Draw, targets

import fastmlp as fm
from fastmlp.kernels.typing import Array
from fastmlp.network.layers import Layer

N_ROWS, N_FEATURES = 24, 4
STEP = 1e-6


@dataclass(frozen=True)
class Case:
    """A network whose gradients are checked."""

    layers: list[Layer]
    loss: Any = "auto"
    kind: str = "numbers"
    units: int = 2
    options: dict[str, Any] = field(default_factory=dict)


HEAD = fm.Dense(2)

LAYERS = {
    "one layer": Case([HEAD]),
    "no bias": Case([fm.Dense(5, "tanh", use_bias=False), fm.Dense(2, use_bias=False)]),
    "penalties": Case([fm.Dense(5, "tanh", l1=0.1, l2=0.2), fm.Dense(2, l2=0.3)]),
    "penalty without bias": Case([fm.Dense(5, "tanh", use_bias=False, l1=0.1), HEAD]),
    "linear, BatchNorm, activation": Case(
        [fm.Dense(5), fm.BatchNorm(), fm.Activation("tanh"), HEAD]
    ),
    "activation, BatchNorm": Case([fm.Dense(5, "silu"), fm.BatchNorm(epsilon=0.1), HEAD]),
    "BatchNorm first": Case([fm.BatchNorm(), fm.Dense(5, "gelu"), HEAD]),
    "BatchNorm twice": Case([fm.Dense(5), fm.BatchNorm(), fm.BatchNorm(), fm.Dense(2, "tanh")]),
    "BatchNorm last": Case([fm.Dense(5, "tanh"), HEAD, fm.BatchNorm()]),
    "BatchNorm of a constant column": Case(
        [fm.Dense(3, "relu"), fm.Dense(3, "relu", initializer="zeros"), fm.BatchNorm(), HEAD]
    ),
    "branch": Case(
        [
            fm.Branch([fm.Dense(3, "tanh"), fm.BatchNorm()], [fm.Dropout(0.3)], []),
            fm.Dense(4, "gelu"),
            HEAD,
        ]
    ),
    "branch, added": Case(
        [
            fm.Dense(4, "silu"),
            fm.Branch([fm.Dense(4, "tanh")], [], merge="add"),
            fm.BatchNorm(),
            HEAD,
        ]
    ),
    "dropout": Case([fm.Dense(9, "tanh"), fm.Dropout(0.4), HEAD]),
    "dropout of the input": Case([fm.Dropout(0.3), fm.Dense(5, "tanh"), fm.Dropout(0.2), HEAD]),
    "dropout, BatchNorm": Case([fm.Dense(9), fm.Dropout(0.4), fm.BatchNorm(), fm.Dense(2, "tanh")]),
    "BatchNorm, dropout, activation": Case(
        [fm.Dense(9), fm.BatchNorm(), fm.Dropout(0.4), fm.Activation("softplus"), HEAD]
    ),
    "dropout before the loss": Case([fm.Dense(5, "tanh"), HEAD, fm.Dropout(0.3)]),
    "activation first": Case([fm.Activation("sigmoid"), HEAD]),
    "activation after activation": Case(
        [fm.Dense(5, "tanh"), fm.Activation("softplus"), fm.Activation("silu"), HEAD]
    ),
    "softmax between": Case(
        [fm.Dense(6, "softmax"), fm.Dense(5), fm.BatchNorm(), fm.Activation("softmax"), HEAD]
    ),
    "residual": Case(
        [fm.Dense(5, "tanh"), fm.Residual([fm.Dense(3, "silu"), fm.Dense(5)]), fm.Dense(2, "tanh")]
    ),
    "residual first and last": Case(
        [fm.Residual([fm.Dense(4, "tanh")]), HEAD, fm.Residual([HEAD])]
    ),
    "residual of BatchNorm": Case([fm.Dense(5), fm.Residual([fm.BatchNorm(), fm.Dense(5)]), HEAD]),
    "residual of dropout": Case([fm.Dense(5), fm.Residual([fm.Dropout(0.3)]), fm.Dense(2, "tanh")]),
    "residual of an activation": Case([fm.Dense(5), fm.Residual([fm.Activation("tanh")]), HEAD]),
    "residual before BatchNorm": Case(
        [fm.Dense(5), fm.Residual([fm.Dense(5, "tanh")]), fm.BatchNorm(), fm.Dense(2, "tanh")]
    ),
    "residual with shortcut": Case(
        [
            fm.Dense(5, "tanh"),
            fm.Residual([fm.Dense(6, "tanh"), fm.Dense(3)], shortcut=[fm.Dense(3), fm.BatchNorm()]),
            HEAD,
        ]
    ),
    "nested residuals": Case(
        [
            fm.Dense(5, "tanh"),
            fm.Residual(
                [
                    fm.Residual([fm.Dense(5), fm.BatchNorm(), fm.Activation("gelu")]),
                    fm.Residual([fm.Dense(4, "silu")], shortcut=[fm.Dense(4)]),
                    fm.Dropout(0.2),
                    fm.Dense(5),
                ]
            ),
            HEAD,
        ]
    ),
    "wide and deep": Case([fm.WideAndDeep(2, deep=[fm.Dense(5, "tanh"), fm.Dense(3, "silu")])]),
    "wide and deep of columns": Case(
        [
            fm.WideAndDeep(
                2,
                "sigmoid",
                deep=[fm.Dense(5), fm.BatchNorm(), fm.Activation("tanh")],
                wide=[3, 1],
                deep_columns=[0, 3],
            )
        ],
        kind="columns",
    ),
    "wide and deep behind a layer": Case(
        [
            fm.Dense(6, "tanh"),
            fm.WideAndDeep(2, deep=[fm.Dense(5, "gelu")], wide=[0, 5], deep_columns=[4, 0, 2]),
        ]
    ),
    "sparse classes of probabilities": Case(
        [fm.Dense(5, "tanh"), fm.Dense(3, "softmax")], kind="probabilities", units=3
    ),
}

# Wide enough for several register tiles.
WIDE = Case(
    [
        fm.Dense(70),
        fm.BatchNorm(),
        fm.Activation("tanh"),
        fm.Residual([fm.Dense(40, "silu"), fm.Dropout(0.2), fm.Dense(70, l2=0.01)]),
        HEAD,
    ]
)


def activation_cases() -> dict[str, Case]:
    names: list[Any] = [*HIDDEN, fm.LeakyReLU(0.3), fm.ELU(0.6)]
    return {str(name): Case([fm.Dense(5, name), fm.Dense(3, "tanh"), HEAD]) for name in names}


def loss_cases() -> dict[str, Case]:
    cases = {}
    for output, loss, kind, units in HEADS:
        units = min(units, 4)
        case = Case([fm.Dense(5, "tanh"), fm.Dense(units, output)], loss, kind, units)
        cases[f"{output}, {loss}, {kind}"] = case
    return cases


CASES = {**LAYERS, "wide": WIDE, **activation_cases(), **loss_cases()}


def make_data(case: Case) -> tuple[Array, Array, Array]:
    rng = np.random.default_rng(21)
    X = rng.normal(size=(N_ROWS, N_FEATURES))
    weights = np.where(rng.random(N_ROWS) < 0.2, 0.0, rng.uniform(0.2, 2.0, N_ROWS))
    return X, targets(Draw(rng), case.kind, case.units, X), weights


def build(case: Case, backend: str, dtype: str = "float64") -> fm.Sequential:
    """The network with all its vectors away from 0 and 1; updates leave it as it is."""
    model = fm.Sequential(
        case.layers,
        loss=case.loss,
        optimizer=fm.SGD(0.0),
        dtype=dtype,
        backend=backend,
        random_state=6,
    ).build(N_FEATURES)
    set_buffers(model)
    rng = np.random.default_rng(2)
    for values in model.parameters.values():
        if values.ndim == 1:
            values += 0.3 * rng.normal(size=values.shape)
    return model


def set_buffers(model: fm.Sequential) -> None:
    rng = np.random.default_rng(9)
    for values in model.buffers.values():
        values[...] = rng.uniform(0.5, 1.5, size=values.shape)


def training_loss(
    model: fm.Sequential, values: dict[str, Array], batch: tuple[Array, ...], steps: int
) -> float:
    """The loss of the next batch after so many updates, at these parameters."""
    model.reset()
    for _ in range(steps):
        model.train_step(*batch)
    for name, value in values.items():
        model.parameters[name][...] = value
    return model.train_step(*batch)


def prediction_loss(
    model: fm.Sequential, values: dict[str, Array], batch: tuple[Array, ...]
) -> float:
    for name, value in values.items():
        model.parameters[name][...] = value
    return model.evaluate(*batch)["loss"]


def directions(model: fm.Sequential) -> list[dict[str, Array]]:
    """For each parameter a random direction in which it alone moves, and two of all together."""
    rng = np.random.default_rng(17)
    shapes = {name: value.shape for name, value in model.parameters.items()}
    whole = [{name: rng.normal(size=shape) for name, shape in shapes.items()} for _ in range(2)]
    return [{name: rng.normal(size=shape)} for name, shape in shapes.items()] + whole


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("name", CASES)
def test_differences_along_directions(name: str, training: bool, backend: str) -> None:
    case = CASES[name]
    batch = make_data(case)
    model = build(case, backend)
    steps = 2
    start = {key: value.copy() for key, value in model.parameters.items()}
    if training:
        training_loss(model, start, batch, steps - 1)
    gradients = model.gradients(*batch, training=training)

    def loss(values: dict[str, Array]) -> float:
        if training:
            return training_loss(model, values, batch, steps)
        return prediction_loss(model, values, batch)

    for direction in directions(model):
        ahead = {**start, **{key: start[key] + STEP * d for key, d in direction.items()}}
        behind = {**start, **{key: start[key] - STEP * d for key, d in direction.items()}}
        measured = (loss(ahead) - loss(behind)) / (2 * STEP)
        computed = sum(float((gradients[key] * d).sum()) for key, d in direction.items())
        assert computed == pytest.approx(measured, rel=1e-6, abs=2e-8), list(direction)


@pytest.mark.parametrize("name", CASES)
def test_single_precision_is_the_same_function(name: str, backend: str) -> None:
    case = CASES[name]
    batch = make_data(case)
    double = build(case, backend)
    single = build(case, backend, "float32")
    for key, value in double.parameters.items():
        single.parameters[key][...] = value
        value[...] = single.parameters[key]
    expected = double.gradients(*batch)
    # Some gradients are zero but for rounding, which only all of them together put in proportion.
    scale = max(float(np.max(np.abs(gradient))) for gradient in expected.values())
    for key, gradient in single.gradients(*batch).items():
        assert gradient.dtype == np.float32
        assert np.max(np.abs(gradient - expected[key])) <= 1e-4 * scale, key


def by_hand(backend: str, dtype: str) -> tuple[fm.Sequential, Array, Array]:
    """Two inputs, two relu units, one output; one preactivation below 0 and one of exactly 0."""
    model = fm.Sequential(
        [fm.Dense(2, "relu"), fm.Dense(1)], optimizer=fm.SGD(0.5), dtype=dtype, backend=backend
    ).build(2)
    values = {
        "0.weight": [[0.5, -1.0], [0.25, -0.5]],
        "0.bias": [0.5, 1.0],
        "1.weight": [[2.0], [3.0]],
        "1.bias": [0.5],
    }
    for name, value in values.items():
        model.parameters[name][...] = value
    return model, np.array([[1.0, 2.0], [-1.0, 0.0]]), np.array([1.5, 2.0])


# Preactivations (1.5, -1) and (0, 2), outputs 3.5 and 6.5, errors 2 and 4.5, all exact in binary.
BY_HAND = {
    "0.weight": [[4.0, -13.5], [8.0, 0.0]],
    "0.bias": [4.0, 13.5],
    "1.weight": [[3.0], [9.0]],
    "1.bias": [6.5],
}
UPDATED_BY_HAND = {
    "0.weight": [[-1.5, 5.75], [-3.75, -0.5]],
    "0.bias": [-1.5, -5.75],
    "1.weight": [[0.5], [-1.5]],
    "1.bias": [-2.75],
}


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_by_hand(backend: str, dtype: str) -> None:
    model, X, y = by_hand(backend, dtype)
    activations = model.activations(X)
    np.testing.assert_array_equal(activations["0.preactivation"], [[1.5, -1.0], [0.0, 2.0]])
    np.testing.assert_array_equal(activations["0.output"], [[1.5, 0.0], [0.0, 2.0]])
    np.testing.assert_array_equal(activations["1.output"], [[3.5], [6.5]])
    np.testing.assert_array_equal(model.predict(X), [[3.5], [6.5]])
    for training in (True, False):
        gradients = model.gradients(X, y, training=training)
        assert list(gradients) == list(BY_HAND)
        for name, gradient in gradients.items():
            np.testing.assert_array_equal(gradient, BY_HAND[name], err_msg=name)
    assert model.train_step(X, y) == (2.0**2 + 4.5**2) / 2
    for name, value in model.parameters.items():
        np.testing.assert_array_equal(value, UPDATED_BY_HAND[name], err_msg=name)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_weighted_by_hand(backend: str, dtype: str) -> None:
    """Weights 1 and 3: errors 2 and 4.5 count for 1/4 and 3/4."""
    model, X, y = by_hand(backend, dtype)
    gradients = model.gradients(X, y, [1.0, 3.0])
    np.testing.assert_array_equal(gradients["1.bias"], [2 * (0.25 * 2.0 + 0.75 * 4.5)])
    np.testing.assert_array_equal(gradients["1.weight"], [[1.5 * 1.0], [2.0 * 6.75]])
    assert model.train_step(X, y, [1.0, 3.0]) == 0.25 * 2.0**2 + 0.75 * 4.5**2


ABSORBED = {
    "in a row": ([fm.Dense(5), fm.BatchNorm(), fm.Activation("relu"), HEAD], "0.bias"),
    "in a residual": (
        [fm.Dense(4, "tanh"), fm.Residual([fm.Dense(4), fm.BatchNorm()]), HEAD],
        "1.0.bias",
    ),
    "in a shortcut": (
        [fm.Residual([fm.Dense(3)], shortcut=[fm.Dense(3), fm.BatchNorm()]), HEAD],
        "0.shortcut.0.bias",
    ),
    "in a deep part": (
        [fm.WideAndDeep(2, deep=[fm.Dense(3), fm.BatchNorm(), fm.Activation("tanh")])],
        "0.0.bias",
    ),
    "with a linear activation": (
        [fm.Dense(5), fm.Activation("linear"), fm.BatchNorm(), HEAD],
        "0.bias",
    ),
}


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", ABSORBED)
def test_bias_ahead_of_batch_norm_has_gradient_zero(name: str, dtype: str, backend: str) -> None:
    layers, bias = ABSORBED[name]
    case = Case(layers)
    X, y, weights = make_data(case)
    model = fm.Sequential(layers, dtype=dtype, backend=backend, random_state=1)
    model.fit(X, y, sample_weight=weights, epochs=3, batch_size=7, verbose=0)
    gradients = model.gradients(X, y)
    assert not gradients[bias].any()
    assert all(gradient.any() for key, gradient in gradients.items() if key != bias)
    # Adam would have made steps of rounding noise.
    assert not model.parameters[bias].any()


NOT_ABSORBED = {
    "an activation between": [fm.Dense(4, "tanh"), fm.BatchNorm(), HEAD],
    "another reader": [fm.Dense(4), fm.Residual([fm.BatchNorm(), fm.Dense(4, "tanh")]), HEAD],
    "dropout between": [fm.Dense(4), fm.Dropout(0.5), fm.BatchNorm(), fm.Dense(2, "tanh")],
}


@pytest.mark.parametrize("name", NOT_ABSORBED)
def test_other_biases_have_their_gradient(name: str, backend: str) -> None:
    case = Case(NOT_ABSORBED[name])
    X, y, _ = make_data(case)
    assert build(case, backend).gradients(X, y)["0.bias"].any()


def test_bias_ahead_of_batch_norm_moves_predictions(backend: str) -> None:
    """Running statistics do not follow the bias, so that its gradient in prediction is not 0."""
    case = Case([fm.Dense(5), fm.BatchNorm(), HEAD])
    X, y, _ = make_data(case)
    assert build(case, backend).gradients(X, y, training=False)["0.bias"].all()


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_gradients_in_prediction_leave_nothing_for_training(backend: str, dtype: str) -> None:
    """What is zero in training stays so after a pass in which it was not."""
    case = Case([fm.Dense(5), fm.BatchNorm(), fm.Activation("tanh"), HEAD])
    X, y, _ = make_data(case)
    model = fm.Sequential(case.layers, dtype=dtype, backend=backend, random_state=1).build(4)
    assert model.gradients(X, y, training=False)["0.bias"].any()
    assert not model.gradients(X, y)["0.bias"].any()
    model.gradients(X, y, training=False)
    model.fit(X, y, epochs=2, batch_size=8, verbose=0)
    assert not model.parameters["0.bias"].any()
