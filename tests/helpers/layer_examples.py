"""A network for each layer that is declared: what tests of all layers and operations iterate over.

A layer whose arguments all have defaults is found by itself, any other needs a row in `ARGUMENTS`.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from typing import Any

import numpy as np

import fastmlp as fm
from fastmlp.inference.predictor import Predictor, freeze
from fastmlp.inference.preparation import Column, Level, Preparation
from fastmlp.kernels.typing import Array
from fastmlp.network import embeddings
from fastmlp.network import layers as declared
from fastmlp.network.layers import Layer

ARGUMENTS: dict[type[Layer], tuple[Any, ...]] = {
    fm.Activation: ("silu",),
    fm.Branch: ([fm.Dense(4, "tanh")], [], [fm.Dense(3, "softmax")]),
    fm.Clip: (0.25, 0.5),
    fm.Dense: (7, "gelu"),
    fm.Dropout: (0.3,),
    fm.Embedding: (4, 3, 1),
    fm.ParametricActivation: ("mish",),
    fm.PiecewiseLinearEmbedding: (3, None, [[-1.0, -0.2, 0.5, 1.5]] * 6),
    fm.Residual: ([fm.Dense(6, "tanh")],),
    fm.WideAndDeep: (6, "tanh", [fm.Dense(5, "elu")], [0, 3], [1, 2, 4]),
}

LAYERS: list[type[Layer]] = [
    getattr(module, name) for module in (declared, embeddings) for name in module.__all__
]

N_FEATURES = 6
X = np.random.default_rng(0).normal(size=(60, N_FEATURES))
# Codes of an embedding.
X[:, 1] = np.arange(60) % 4
Y = np.arange(60) % 3


def example(kind: type[Layer]) -> Layer:
    """A layer of this kind for inputs of `N_FEATURES` columns."""
    if kind in ARGUMENTS:
        return kind(*ARGUMENTS[kind])
    parameters = inspect.signature(kind).parameters.values()
    needed = [p.name for p in parameters if p.default is p.empty and p.kind is not p.VAR_POSITIONAL]
    if needed:
        names = ", ".join(needed)
        raise TypeError(f"{kind.__name__} needs {names}: add a row to ARGUMENTS in {__name__}.py")
    return kind()


def network(kind: type[Layer], backend: str, **arguments: Any) -> fm.Sequential:
    """A classifier in which a layer of this kind comes first, as an embedding must, and again."""
    width = int(arguments.pop("width", N_FEATURES))
    if kind is fm.Clip:
        # It is the last layer, of which training knows nothing.
        layers = [fm.Dense(width, "tanh"), fm.Dense(3, "softmax"), fm.Clip(0.25, (0.4, 0.5, 0.6))]
        arguments = {"dtype": "float64", "random_state": 1, **arguments}
        return fm.Sequential(layers, backend=backend, **arguments)
    layers = [example(kind), fm.Dense(width, "tanh")]
    if kind is not fm.Embedding and width == N_FEATURES:
        layers += [example(kind), fm.Activation("relu"), fm.Dense(5, "silu")]
    layers.append(fm.Dense(3, "softmax"))
    arguments = {"dtype": "float64", "random_state": 1, **arguments}
    return fm.Sequential(layers, backend=backend, **arguments)


def trained(kind: type[Layer], backend: str, **arguments: Any) -> fm.Sequential:
    """The network after a few epochs."""
    model = network(kind, backend, **arguments)
    model.fit(X, Y, epochs=4, batch_size=16, verbose=0)
    return model


def frozen_forms(kind: type[Layer]) -> Iterator[Predictor]:
    """The network after a few epochs, frozen: alone, and behind a column that tells categories."""
    model = trained(kind, "numpy")
    yield model.freeze()
    columns = [Column({(place, Level.NUMBER): 1.0}) for place in range(N_FEATURES)]
    columns[0] = Column({(0, 2.0): 1.0, (0, 5.0): 1.0} if kind is fm.Dense else {(0, 2.0): 1.0})
    preparation = Preparation(
        tuple((place, Level.NUMBER) for place in range(N_FEATURES)),
        tuple(columns),
        {0: (1.0, 2.0, 5.0)},
    )
    training = model.training_state
    yield freeze(training.state, training.encoder(), "numpy", 1, preparation=preparation)


def tensors_of(model: fm.Sequential) -> dict[str, Array]:
    """All that a model has learned."""
    return {**model.parameters, **model.buffers}
