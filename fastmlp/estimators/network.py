"""The network behind an estimator: made of its arguments, with its weights as lists of arrays."""

from __future__ import annotations

import operator
from collections.abc import Sequence as List
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from ..declarations.losses import (
    BinaryCrossentropy,
    CategoricalCrossentropy,
    HalfSquaredError,
    Loss,
    PoissonDeviance,
)
from ..declarations.optimizers import SGD, Adam, Optimizer
from ..model.sequential import Sequential
from ..network.layers import Dense

if TYPE_CHECKING:
    from ..kernels.typing import Array

_ACTIVATIONS = {
    "identity": "linear",
    "logistic": "sigmoid",
    "tanh": "tanh",
    "relu": "relu",
    "softmax": "softmax",
    "exp": "exp",
}
"""From scikit-learn's names to ours."""


def loss_of(output: str, dtype: str) -> Loss:
    """Return the loss that goes with an output activation, as scikit-learn computes it.

    Its logarithms take no probability closer to 0 or 1 than the dtype's epsilon.
    """
    clip = float(np.finfo(dtype).eps)
    losses: dict[str, Loss] = {
        "logistic": BinaryCrossentropy(clip=clip, reduction="sum"),
        "softmax": CategoricalCrossentropy(clip=clip),
        "identity": HalfSquaredError(reduction="sum"),
        "exp": PoissonDeviance(reduction="sum"),
    }
    return losses[output]


def optimizer_of(estimator: Any) -> Optimizer:
    """Return the update rule that the arguments of an estimator name."""
    rate = float(estimator.learning_rate_init)
    if estimator.solver == "adam":
        return Adam(rate, estimator.beta_1, estimator.beta_2, estimator.epsilon, epsilon_hat=True)
    if estimator.solver == "sgd":
        # Without momentum there is nothing to look ahead by.
        nesterov = bool(estimator.nesterovs_momentum) and estimator.momentum > 0
        return SGD(rate, estimator.momentum, nesterov, rate_in_velocity=True)
    # Its loss and gradient are all that another solver asks for.
    return SGD()


def make_network(
    estimator: Any, shapes: List[tuple[int, int]], dtype: str, optimizer: Optimizer
) -> Sequential:
    """Make and build the network with weights of these shapes; all weights are 0.

    Parameters
    ----------
    estimator : BaseMLP
        Its `activation`, `alpha`, `backend`, `n_threads` and `out_activation_` are read.
    shapes : sequence of (int, int)
        Inputs and outputs of each layer.
    dtype : {"float32", "float64"}
    optimizer : Optimizer
    """
    hidden = [_ACTIVATIONS[estimator.activation]] * (len(shapes) - 1)
    layers = [
        Dense(
            units,
            activation,
            initializer="zeros",
            l2=float(estimator.alpha),
            mean_penalty=True,
        )
        for (_, units), activation in zip(
            shapes, [*hidden, _ACTIVATIONS[estimator.out_activation_]], strict=True
        )
    ]
    loss = loss_of(estimator.out_activation_, dtype)
    model = Sequential(
        layers,
        loss,
        optimizer,
        dtype,
        backend=estimator.backend,
        random_state=0,
        n_threads=estimator.n_threads,
    )
    return model.build(shapes[0][0])


def weights_of(model: Sequential) -> tuple[list[Array], list[Array]]:
    """Return views of the weights and of the biases of all layers, from the first on."""
    parameters = list(model.parameters.values())
    return parameters[0::2], parameters[1::2]


def draw_first_weights(model: Sequential, activation: str, rng: np.random.RandomState) -> None:
    """Draw weights and biases of one layer after the other, uniformly, as scikit-learn does.

    The bound is ``sqrt(6 / (n_in + n_out))`` (Glorot and Bengio 2010, equation 16), with 2 in place
    of 6 where the hidden activation is logistic.
    """
    factor = 2.0 if activation == "logistic" else 6.0
    for weight, bias in zip(*weights_of(model), strict=True):
        bound = np.sqrt(factor / sum(weight.shape))
        weight[...] = rng.uniform(-bound, bound, weight.shape)
        bias[...] = rng.uniform(-bound, bound, bias.shape)


def layer_shapes(n_features: int, hidden: List[int], n_outputs: int) -> list[tuple[int, int]]:
    """Return inputs and outputs of each layer."""
    return list(pairwise([n_features, *hidden, n_outputs]))


def pack(weights: List[Array], biases: List[Array]) -> Array:
    """Return all weights and then all biases as one vector, as quasi-Newton solvers take it."""
    return np.concatenate([np.ravel(array) for array in (*weights, *biases)])


def unpack(packed: Array, weights: List[Array], biases: List[Array]) -> None:
    """Write a packed vector into weights and biases."""
    start = 0
    for array in (*weights, *biases):
        array[...] = packed[start : start + array.size].reshape(array.shape)
        start += array.size


class Link:
    """A network, and the arrays that an estimator shows as its coefficients.

    The arrays are views of the network's parameters, so that edits of them are edits of the
    network. Whoever puts other arrays into their places is followed too: `update` copies these into
    the network.

    Attributes
    ----------
    model : Sequential
    coefs, intercepts : list of ndarray
        The views.
    """

    def __init__(self, model: Sequential) -> None:
        self.model = model
        self.coefs, self.intercepts = weights_of(model)

    def fits(self, coefs: List[Any]) -> bool:
        """Tell whether coefficients have the shapes of the network's."""
        if len(coefs) == len(self.coefs) and all(map(operator.is_, coefs, self.coefs)):
            return True
        return [np.shape(array) for array in coefs] == [array.shape for array in self.coefs]

    def update(self, coefs: List[Any], intercepts: List[Any]) -> None:
        """Copy what is no view of the network into it.

        Raises
        ------
        ValueError
            An array has another shape than the layer that it is for.
        """
        for own, given in zip((*self.coefs, *self.intercepts), (*coefs, *intercepts), strict=True):
            if own is not given:
                array = np.asarray(given)
                if array.size != own.size:
                    raise ValueError(
                        f"coefs_ and intercepts_ must keep their shapes: got {array.shape} in the "
                        f"place of {own.shape}"
                    )
                own[...] = array.reshape(own.shape)
