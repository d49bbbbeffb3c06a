"""The network for a table: hidden layers beside the columns themselves, read by one output layer.

    [Branch([Dense(64, "relu"), Dense(32, "relu")], [Activation("linear")]), Dense(k)]

With weights of 0 for the hidden units it is a linear model, which is where the training begins.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ..network.layers import Activation, Branch, Dense
from ..tables.baselines import Linear, fit_linear, frequencies

if TYPE_CHECKING:
    from ..kernels.typing import Array
    from ..model.sequential import Sequential

# From the largest to the smallest linear model; the columns are scaled.
PENALTIES: tuple[float, ...] = (1.0, 10.0, 100.0)
# Where the training begins, more rows than these change little, and no penalty is needed.
_MOST_ROWS = 20_000


@dataclass(frozen=True)
class Start:
    """Where a training may begin.

    Attributes
    ----------
    name : str
        ``"constant"``, the class frequencies or the mean, or ``"linear"``.
    linear : Linear
        Its weights; 0 for a constant.
    """

    name: str
    linear: Linear


def layers(n_classes: int, hidden: Sequence[int], activation: str) -> list[Any]:
    """The layers for some classes, or for numbers where there are none."""
    output: Any = Dense(1)
    if n_classes:
        output = Dense(1, "sigmoid") if n_classes == 2 else Dense(n_classes, "softmax")
    if not hidden:
        return [output]
    beside = [Activation("linear")]
    return [Branch([Dense(units, activation) for units in hidden], beside), output]


def starts(X: Array, y: Array, n_classes: int, weight: Array | None = None) -> Iterator[Start]:
    """The constant answer, then linear models with larger and larger penalties.

    Parameters
    ----------
    X : ndarray, shape (n, n_features)
    y : ndarray, shape (n,)
        The number of each row's class, or a number.
    n_classes : int
        0 for a regression.
    weight : ndarray, shape (n,), optional
        How often each row counts.
    """
    width = X.shape[1]
    if n_classes:
        bias = np.log(frequencies(y, n_classes, weight))
    elif weight is None:
        bias = np.array([y.mean(dtype=np.float64)])
    else:
        bias = np.array([np.average(y.astype(np.float64), weights=weight)])
    yield Start("constant", Linear(np.zeros((width, len(bias))), bias, n_classes))
    penalties = PENALTIES
    if len(X) > _MOST_ROWS:
        rows = np.random.default_rng(0).choice(len(X), _MOST_ROWS, replace=False)
        X, y, penalties = X[rows], y[rows], PENALTIES[:1]
        weight = None if weight is None else weight[rows]
    for penalty in penalties:
        yield Start("linear", fit_linear(X, y, n_classes, penalty, weight))


def begin_at(model: Sequential, linear: Linear) -> None:
    """Write a linear model into the output layer; the hidden units say nothing yet."""
    weight, bias = list(model.parameters.values())[-2:]
    of_columns, of_output = linear.weight, linear.bias
    if linear.n_classes == 2:
        # One sigmoid unit for the second class.
        of_columns = of_columns[:, 1:] - of_columns[:, :1]
        of_output = of_output[1:] - of_output[:1]
    weight[...] = 0.0
    weight[-len(of_columns) :] = of_columns
    bias[...] = of_output
