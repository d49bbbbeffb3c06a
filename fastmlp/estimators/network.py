"""The network behind an estimator: made of its arguments, with its weights as lists of arrays."""

from __future__ import annotations

import operator
import warnings
from collections.abc import Sequence as List
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from ..declarations.activations import Activation, get_activation
from ..model.sequential import Sequential
from ..network.layers import Activation as ActivationLayer
from ..network.layers import BatchNorm, Dense, Dropout, Layer, Residual
from .arguments import dropout_rates, hidden_activations
from .objective import loss_of

if TYPE_CHECKING:
    from ..declarations.optimizers import Optimizer
    from ..kernels.typing import Array

    Shapes = List[tuple[int, int]]

_OUTPUTS = {"identity": "linear", "logistic": "sigmoid", "softmax": "softmax", "exp": "exp"}
"""From scikit-learn's names to ours."""


def layers_of(estimator: Any, shapes: Shapes) -> list[Layer]:
    """Return the layers that the arguments of an estimator describe; all weights are 0.

    Of a hidden layer: the product, a BatchNorm, the activation, around these the sum with the
    layer's input where that is as wide, and a Dropout.
    """
    hidden = shapes[:-1]
    activations = hidden_activations(estimator.activation, len(hidden))
    rates = dropout_rates(estimator.dropout, len(hidden))
    layers: list[Layer] = []
    for (n_in, units), activation, rate in zip(hidden, activations, rates, strict=True):
        block = _hidden(estimator, units, activation)
        if estimator.residual and n_in == units:
            block = [Residual(block)]
        layers += block
        if rate > 0:
            layers.append(Dropout(rate))
    output = get_activation(_OUTPUTS[estimator.out_activation_])
    return [*layers, _dense(estimator, shapes[-1][1], output)]


def _hidden(estimator: Any, units: int, activation: Activation) -> list[Layer]:
    if not estimator.batch_norm:
        return [_dense(estimator, units, activation)]
    return [
        _dense(estimator, units, get_activation("linear")),
        BatchNorm(),
        ActivationLayer(activation),
    ]


def _dense(estimator: Any, units: int, activation: Activation) -> Dense:
    alpha = float(estimator.alpha)
    return Dense(units, activation, initializer="zeros", l2=alpha, mean_penalty=True)


def make_network(
    estimator: Any, shapes: Shapes, dtype: str, optimizer: Optimizer, seed: int = 0
) -> Sequential:
    """Make and build the network with weights of these shapes; all weights are 0.

    Parameters
    ----------
    estimator : BaseMLP
        Its arguments and `out_activation_` are read.
    shapes : sequence of (int, int)
        Inputs and outputs of each layer.
    dtype : {"float32", "float64"}
    optimizer : Optimizer
    seed : int
        Of dropout.
    """
    model = Sequential(
        layers_of(estimator, shapes),
        loss_of(estimator, dtype),
        optimizer,
        dtype,
        backend=estimator.backend,
        random_state=seed,
        n_threads=estimator.n_threads,
    )
    return model.build(shapes[0][0])


def weights_of(model: Sequential) -> tuple[list[Array], list[Array]]:
    """Return views of the weights and of the biases of all dense layers, from the first on."""
    parameters = model.parameters.items()
    weights, biases = (
        [array for name, array in parameters if name.endswith(ending)]
        for ending in (".weight", ".bias")
    )
    return weights, biases


def kinds_of(model: Sequential) -> list[tuple[str, tuple[int, ...]]]:
    """Return kind and shape of each parameter; where layers stand in the list does not count."""
    return [(name.rsplit(".", 1)[-1], array.shape) for name, array in model.parameters.items()]


def first_weights(
    estimator: Any, shapes: Shapes, rng: np.random.RandomState
) -> tuple[list[Array], list[Array]]:
    """Draw weights and biases of one layer after the other, uniformly, as scikit-learn does.

    The bound is ``sqrt(6 / (n_in + n_out))`` (Glorot and Bengio 2010, equation 16), with 2 in place
    of 6 where the activation is logistic; an output layer counts as the hidden layer before it.
    """
    hidden = hidden_activations(estimator.activation, len(shapes) - 1)
    last = hidden[-1:] or hidden_activations(_one(estimator.activation), 1)
    names = [activation.name for activation in (*hidden, *last)]
    weights, biases = [], []
    for shape, name in zip(shapes, names, strict=True):
        bound = np.sqrt((2.0 if name == "sigmoid" else 6.0) / sum(shape))
        weights.append(rng.uniform(-bound, bound, shape))
        biases.append(rng.uniform(-bound, bound, shape[1]))
    return weights, biases


def _one(activation: Any) -> Any:
    """Return the activation of all layers, "identity" where each has its own."""
    return activation if isinstance(activation, str | Activation) else "identity"


def layer_shapes(n_features: int, hidden: List[int], n_outputs: int) -> list[tuple[int, int]]:
    """Return inputs and outputs of each layer."""
    return list(pairwise([n_features, *hidden, n_outputs]))


def compare_widths(coefs: List[Any], hidden: List[int]) -> None:
    """Say that a network which goes on keeps its hidden layers, whatever sizes are asked for.

    Raises
    ------
    ValueError
        It would have more of them, or fewer.
    """
    widths = [int(np.shape(array)[1]) for array in coefs[:-1]]
    if len(widths) != len(hidden):
        raise ValueError(
            f"warm_start and partial_fit go on with the {len(widths)} hidden layers there are, but "
            f"the arguments now ask for {len(hidden)}; set them back, or fit anew with "
            "warm_start=False"
        )
    if widths != list(hidden):
        warnings.warn(
            f"warm_start and partial_fit go on with hidden layers of {widths} units, not of "
            f"{list(hidden)} as the arguments now say; for these fit anew with warm_start=False",
            stacklevel=2,
        )


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
