"""Networks trained elsewhere: their layers and the values of their tensors become a model.

A reader of a foreign format writes what it finds as *parts*, in the order in which data flow:

* a `Step`, a layer of fastmlp with its tensors, best made by `dense`, `batch_norm`, `activation`;
* a `Scale`, ``x * scale + shift``: folded into the Dense beside it, where there is one;
* a `Join`, paths from the same input that are added or put side by side.

`assembly.take` makes the model of a list of parts. A format that is a graph is first written as
nodes, which `graph.parts_of_graph` turns into parts. A reader that has layers and named tensors
already calls `assembly.sequential`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from ..declarations.activations import Activation as ActivationFunction
from ..network.layers import Activation, BatchNorm, Dense, Layer

if TYPE_CHECKING:
    from ..kernels.typing import Array


@dataclass(frozen=True)
class Step:
    """A layer and its tensors, by their names within it: ``"weight"``, or nested ``"0.weight"``."""

    layer: Layer
    tensors: Mapping[str, Array] = field(default_factory=dict)


@dataclass(frozen=True)
class Scale:
    """``x * scale + shift``: numbers, or one for each column."""

    scale: Array
    shift: Array


@dataclass(frozen=True)
class Join:
    """Paths from one input to a sum (``merge="add"``) or side by side (``"concat"``).

    A path without parts passes the input on. `label` names the join in errors.
    """

    label: str
    merge: str
    paths: Sequence[Sequence[Part]]


Part: TypeAlias = Step | Scale | Join


def dense(weight: Array, bias: Array | None) -> Step:
    """A Dense layer of a weight ``(n_in, n_out)`` and a bias ``(n_out,)``."""
    tensors = {"weight": weight} if bias is None else {"weight": weight, "bias": bias}
    return Step(Dense(weight.shape[1], use_bias=bias is not None), tensors)


def activation(function: str | ActivationFunction) -> Step:
    """An activation function; it becomes that of a linear Dense before it."""
    return Step(Activation(function))


def batch_norm(
    mean: Array,
    variance: Array,
    gamma: Array | None,
    beta: Array | None,
    momentum: float,
    epsilon: float,
) -> Step:
    """A BatchNorm layer with these running statistics; None stands for ones and zeros."""
    tensors = {
        "gamma": np.ones(mean.shape) if gamma is None else gamma,
        "beta": np.zeros(mean.shape) if beta is None else beta,
        "running_mean": mean,
        "running_var": variance,
    }
    return Step(BatchNorm(momentum, epsilon), tensors)


def standardization(mean: Array, deviation: Array) -> Step:
    """``(x - mean) / deviation`` as a BatchNorm that has these statistics.

    Folded into a Dense, large means would cost digits; this subtracts first.
    """
    layer = BatchNorm()
    gamma = np.sqrt(np.square(deviation) + layer.epsilon) / deviation
    return batch_norm(mean, np.square(deviation), gamma, None, layer.momentum, layer.epsilon)


def cannot_take(label: str, why: str, known: Iterable[str]) -> ValueError:
    """Make the error for a part of a network that fastmlp has nothing for.

    Parameters
    ----------
    label : str
        Name and type of the part, as its source has them.
    why : str
        Appended to "cannot be taken"; may be empty.
    known : iterable of str
        What can be taken.
    """
    reason = f": {why}" if why else ""
    return ValueError(f"{label} cannot be taken{reason}; what can be: {', '.join(known)}")


def dtype_of(arrays: Iterable[Array]) -> str:
    """float64 where one of the arrays has more than single precision."""
    return "float64" if any(array.dtype.itemsize > 4 for array in arrays) else "float32"


def arithmetic(kind: str, constant: Array, place: int) -> Scale:
    """Return the scale and shift that an operation with a constant is.

    Parameters
    ----------
    kind : {"add", "subtract", "multiply", "divide"}
    constant : array
        One number, or one for each column.
    place : {0, 1}
        Whether x is the first operand or the second.

    Raises
    ------
    ValueError
        The constant has more than one row, or is divided by x.
    """
    if constant.ndim > 2 or (constant.ndim == 2 and len(constant) > 1):
        raise ValueError(f"its constant has the shape {constant.shape}")
    value = constant.astype(np.float64)
    one, zero = np.array(1.0), np.array(0.0)
    if kind == "add":
        return Scale(one, value)
    if kind == "subtract":
        return Scale(one, -value) if place == 0 else Scale(-one, value)
    if kind == "multiply":
        return Scale(value, zero)
    if place == 1:
        raise ValueError("a constant can be divided by, but not divided")
    return Scale(1 / value, zero)
