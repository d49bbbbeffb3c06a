"""The networks that are measured: sizes, data, first weights, and what they compute, in NumPy."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]

LEARNING_RATE = 1e-3
BETA_1, BETA_2, EPSILON = 0.9, 0.999, 1e-8
BATCH_NORM_MOMENTUM, BATCH_NORM_EPSILON = 0.1, 1e-5

# Rows that a loss is compared on.
_CHECKED_ROWS = 4096


@dataclass(frozen=True)
class Case:
    """A network and its training, by Adam (1e-3, 0.9, 0.999, 1e-8) in float32.

    A hidden layer is ``dropout(activation(batch_norm(x @ weight + bias)))``. With batch
    normalization it has no bias, which beta stands in for. In a residual network each hidden layer
    that is as wide as its input adds it: ``x + activation(x @ weight + bias)``.

    Attributes
    ----------
    name : str
    widths : tuple of int
        Of the input, the hidden layers and the output.
    activation : {"relu", "silu"}
        Of the hidden layers.
    output : {"sigmoid", "softmax", "linear"}
        It goes with binary cross-entropy, categorical cross-entropy and mean squared error.
    batch : int
        Rows of an update; the last of an epoch may have fewer.
    rows : int
        Rows of an epoch, or of a prediction.
    batch_norm : bool
        Momentum 0.1 (the share of the batch), epsilon 1e-5.
    dropout : float
    residual : bool
    predicts : bool
        Whether prediction is measured, not training.
    """

    name: str
    widths: tuple[int, ...]
    activation: str
    output: str
    batch: int
    rows: int
    batch_norm: bool = False
    dropout: float = 0.0
    residual: bool = False
    predicts: bool = False

    @property
    def depth(self) -> int:
        """Number of dense layers."""
        return len(self.widths) - 1

    @property
    def is_small(self) -> bool:
        """Whether a step has so little arithmetic that what surrounds it is most of its time."""
        products = sum(a * b for a, b in zip(self.widths, self.widths[1:], strict=False))
        return self.batch * products < 1e6

    def is_hidden(self, layer: int) -> bool:
        """Whether a dense layer is not the last."""
        return layer < self.depth - 1

    def has_bias(self, layer: int) -> bool:
        """Whether a dense layer has one."""
        return not (self.batch_norm and self.is_hidden(layer))

    def adds_input(self, layer: int) -> bool:
        """Whether a dense layer is a residual block."""
        return (
            self.residual and self.is_hidden(layer) and self.widths[layer] == self.widths[layer + 1]
        )

    def steps(self, rows: int) -> int:
        """Updates of an epoch over so many rows."""
        return math.ceil(rows / self.batch)

    @property
    def title(self) -> str:
        """What tells it from the others, in a few words."""
        parts = ["-".join(map(str, self.widths)), *["BatchNorm"] * self.batch_norm]
        parts += ["dropout"] * (self.dropout > 0) + ["residual"] * self.residual
        parts.append("prediction" if self.predicts else f"batch {self.batch}")
        return ", ".join(parts)

    def __str__(self) -> str:
        parts = ["-".join(map(str, self.widths)), self.activation]
        parts += ["BatchNorm"] * self.batch_norm
        parts += [f"dropout {self.dropout}"] * (self.dropout > 0)
        parts += ["residual"] * self.residual
        parts += [self.output]
        parts += [f"predict {self.rows:,} rows"] if self.predicts else [f"batch {self.batch}"]
        return ", ".join(parts)


CASES = {
    case.name: case
    for case in (
        Case("B1", (2, 8, 8, 1), "relu", "sigmoid", batch=1, rows=800),
        Case("T", (2, 8, 8, 1), "relu", "sigmoid", batch=32, rows=800),
        Case("S", (8, 64, 64, 1), "relu", "linear", batch=128, rows=20_640),
        Case("M", (784, 128, 64, 10), "relu", "softmax", batch=64, rows=60_000),
        Case(
            *("MB", (784, 128, 64, 10), "relu", "softmax"),
            batch=64,
            rows=60_000,
            batch_norm=True,
            dropout=0.2,
        ),
        Case("L", (54, 256, 256, 7), "relu", "softmax", batch=256, rows=93_000),
        Case(
            *("R", (20, 256, 256, 256, 1), "silu", "linear"),
            batch=256,
            rows=50_000,
            residual=True,
        ),
        Case(
            *("P", (54, 256, 256, 7), "relu", "softmax"),
            batch=256,
            rows=1_000_000,
            predicts=True,
        ),
    )
}


def get_case(name: str) -> Case:
    """The case of this name.

    Raises
    ------
    ValueError
        There is none.
    """
    if name not in CASES:
        raise ValueError(f"unknown case {name!r}; known: {', '.join(CASES)}")
    return CASES[name]


def make_data(case: Case, rows: int | None = None) -> tuple[Array, Array]:
    """Rows that a network of this shape can learn; the same ones each time.

    Parameters
    ----------
    case : Case
    rows : int, optional
        Fewer than the case has; the first of them.

    Returns
    -------
    x : ndarray of float32, shape (n, widths[0])
        Independent columns of mean 0 and variance 1.
    y : ndarray, shape (n,)
        Classes (int64), or numbers (float32) of mean about 0 and variance about 1, by a random
        network with one hidden layer, with noise.
    """
    rng = np.random.default_rng([20, *case.widths])
    n_inputs, n_outputs = case.widths[0], case.widths[-1]
    hidden = rng.standard_normal((n_inputs, 16), dtype=np.float32) * (2 / math.sqrt(n_inputs))
    output = rng.standard_normal((16, n_outputs), dtype=np.float32) / 2
    x = rng.standard_normal((min(rows or case.rows, case.rows), n_inputs), dtype=np.float32)
    scores = np.tanh(x @ hidden) @ output
    scores += 0.1 * rng.standard_normal(scores.shape, dtype=np.float32)
    if case.output == "softmax":
        return x, scores.argmax(axis=1)
    if case.output == "sigmoid":
        return x, (scores[:, 0] > 0).astype(np.int64)
    return x, scores[:, 0]


@dataclass
class Layer:
    """The parameters of one dense layer and of what follows it.

    Attributes
    ----------
    weight : ndarray, shape (inputs, outputs)
    bias : ndarray, shape (outputs,)
        None where batch normalization follows.
    norm : tuple of ndarray
        gamma, beta, the running mean and the running variance; None where there is a bias.
    """

    weight: Array
    bias: Array | None = None
    norm: tuple[Array, Array, Array, Array] | None = None

    @property
    def trained(self) -> tuple[Array, ...]:
        """What the optimizer updates."""
        if self.norm is not None:
            return (self.weight, *self.norm[:2])
        return (self.weight,) if self.bias is None else (self.weight, self.bias)

    @property
    def running(self) -> tuple[Array, ...]:
        """Running statistics."""
        return () if self.norm is None else self.norm[2:]

    @classmethod
    def of(cls, trained: Iterable[Array], running: Iterable[Array] = ()) -> Layer:
        """A layer of what `trained` and `running` return."""
        weight, *rest = trained
        if len(rest) == 1:
            return cls(weight, rest[0])
        gamma, beta = rest
        mean, variance = running
        return cls(weight, None, (gamma, beta, mean, variance))


def first_parameters(case: Case) -> list[Layer]:
    """Weights N(0, 2 / inputs), in the last layer N(0, 1 / inputs); the same ones each time."""
    rng = np.random.default_rng([21, *case.widths])
    layers = []
    for number in range(case.depth):
        shape = case.widths[number : number + 2]
        variance = (2 if case.is_hidden(number) else 1) / shape[0]
        weight = rng.standard_normal(shape, dtype=np.float32) * np.float32(math.sqrt(variance))
        zeros, ones = np.zeros(shape[1], dtype=np.float32), np.ones(shape[1], dtype=np.float32)
        if case.has_bias(number):
            layers.append(Layer(weight, zeros))
        else:
            layers.append(Layer(weight, None, (ones, zeros, zeros.copy(), ones.copy())))
    return layers


def forward(case: Case, layers: list[Layer], x: Array) -> Array:
    """What the last layer gives before its activation, in float64, as in prediction."""
    h = x.astype(np.float64)
    for number, layer in enumerate(layers):
        z = h @ layer.weight
        if layer.bias is not None:
            z += layer.bias
        if layer.norm is not None:
            gamma, beta, mean, variance = layer.norm
            z = gamma * (z - mean) / np.sqrt(variance + BATCH_NORM_EPSILON) + beta
        if case.is_hidden(number):
            z = np.maximum(z, 0.0) if case.activation == "relu" else z / (1.0 + np.exp(-z))
        h = h + z if case.adds_input(number) else z
    return h


def loss(case: Case, layers: list[Layer], x: Array, y: Array) -> float:
    """The loss on the first rows, in float64, without dropout."""
    y = y[:_CHECKED_ROWS]
    read = forward(case, layers, x[:_CHECKED_ROWS])
    if case.output == "softmax":
        shifted = read - read.max(axis=1, keepdims=True)
        log_sums = np.log(np.exp(shifted).sum(axis=1))
        return float((log_sums - shifted[np.arange(len(y)), y]).mean())
    if case.output == "sigmoid":
        return float((np.logaddexp(0.0, read[:, 0]) - read[:, 0] * y).mean())
    return float(((read[:, 0] - y) ** 2).mean())


def prediction_error(case: Case, layers: list[Layer], x: Array, predicted: Array) -> float:
    """The largest difference between softmax outputs and those of `forward`, on the first rows."""
    read = forward(case, layers, x[:_CHECKED_ROWS])
    exponentials = np.exp(read - read.max(axis=1, keepdims=True))
    expected = exponentials / exponentials.sum(axis=1, keepdims=True)
    return float(np.abs(predicted[:_CHECKED_ROWS] - expected).max())
