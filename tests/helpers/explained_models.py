"""Models to be explained, one of them worked by hand."""

from __future__ import annotations

from typing import Any

import numpy as np

import fastmlp as fm

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
