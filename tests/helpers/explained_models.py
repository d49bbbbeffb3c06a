"""Models to be explained, one of them worked by hand."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import fastmlp as fm
from fastmlp.inspection.explanation import Explanation
from fastmlp.kernels.typing import Array

RNG = np.random.default_rng(3)
X = RNG.normal(size=(30, 4))
Y = np.digitize(X[:, 0], [-0.4, 0.4])


def everything(backend: str, **arguments: Any) -> fm.Sequential:
    """A classifier with an operation of each kind, but the ones that need other inputs."""
    layers = [
        fm.Dense(6, l1=1e-3),
        fm.BatchNorm(),
        fm.Activation("relu"),
        fm.Dropout(0.3),
        fm.Residual([fm.Dense(5, "gelu"), fm.Dropout(0.2), fm.Dense(6)]),
        fm.Branch([fm.Dense(3, "tanh")], [fm.Dense(2, "softmax"), fm.BatchNorm()]),
        fm.WideAndDeep(3, "softmax", deep=[fm.Dense(4, "elu")], wide=[0, 2]),
    ]
    arguments = {"dtype": "float64", "random_state": 3, **arguments}
    return fm.Sequential(layers, backend=backend, **arguments)


def fitted(backend: str, **arguments: Any) -> fm.Sequential:
    model = everything(backend, **arguments)
    model.fit(X, Y, epochs=2, batch_size=10, verbose=0)
    return model


def by_hand() -> fm.Sequential:
    """Two inputs, a relu, a linear output, a mean squared error: z = (3, -3), prediction 7."""
    model = fm.Sequential(
        [fm.Dense(2, "relu"), fm.Dense(1)], optimizer=fm.SGD(0.5), dtype="float64", backend="numpy"
    ).build(2)
    model.parameters["0.weight"][...] = [[1.0, -2.0], [0.5, 0.25]]
    model.parameters["0.bias"][...] = [1.0, -1.5]
    model.parameters["1.weight"][...] = [[2.0], [3.0]]
    model.parameters["1.bias"][...] = [1.0]
    return model


def one(X: Any, i: int) -> Any:
    return tuple(part[i] for part in X) if isinstance(X, tuple) else X[i]


def batch(X: Any, i: int) -> Any:
    return tuple(part[i : i + 1] for part in X) if isinstance(X, tuple) else X[i : i + 1]


def last_values(explanation: Explanation, part: str) -> dict[str, Array]:
    """What each step of a part works out; of several with one name the last."""
    steps = [step for step in explanation.steps if step.part == part]
    return {step.name: step.values[step.name] for step in steps if step.name in step.values}


def assert_is_the_model(model: fm.Sequential, X: Any, y: Any, i: int) -> None:
    """Compare a step's explanation with activations, gradients and a real update."""
    tolerance = {"rtol": 1e-9, "atol": 1e-12} if model.dtype == "float64" else {"rtol": 1e-3}
    explanation = model.explain(one(X, i), y[i])
    x, target = batch(X, i), y[i : i + 1]

    found = last_values(explanation, "forward")
    for name, value in model.activations(x, training=True).items():
        # Two names of one slot are explained under the first.
        if name in found:
            np.testing.assert_array_equal(found[name], value, err_msg=name)
    found = last_values(explanation, "backward")
    gradients = model.gradients(x, target)
    scale = max(np.abs(gradient).max() for gradient in gradients.values())
    for name, gradient in gradients.items():
        np.testing.assert_allclose(
            found[f"d_{name}"], gradient, rtol=tolerance["rtol"], atol=1e-6 * scale, err_msg=name
        )

    before = {name: value.copy() for name, value in model.parameters.items()}
    loss = model.train_step(x, target)
    told = [step for step in explanation.steps if step.part == "loss"][-1].values["loss"]
    assert float(told) == pytest.approx(loss, rel=1e-6)
    for name, value in model.parameters.items():
        step = explanation.find("update", name)
        np.testing.assert_array_equal(step.values["w before"], before[name], err_msg=name)
        np.testing.assert_array_equal(step.values["w"], value, err_msg=name)
