"""What a network for a table is held against, as networks too: constant answers, linear models."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ..model.sequential import Sequential
from ..tables.baselines import Linear, fit_linear, frequencies
from .losses import LOSSES
from .network import output_layer

if TYPE_CHECKING:
    from ..kernels.typing import Array
    from .plan import Recipe

# From the largest to the smallest linear model; the columns are scaled.
PENALTIES: tuple[float, ...] = (1.0, 10.0, 100.0)
# More rows than these change a linear model little, and no penalty is needed.
_MOST_ROWS = 20_000

__all__ = ["Baseline", "baselines"]


@dataclass(frozen=True)
class Baseline:
    """What is kept where no network is better.

    Attributes
    ----------
    name : str
        ``"constant"``, the class frequencies or the mean, or ``"linear"``.
    linear : Linear
        Its weights; 0 for a constant.
    """

    name: str
    linear: Linear

    def network(self, recipe: Recipe, seed: int) -> Sequential:
        """The same as a network of one layer."""
        linear, n_classes = self.linear, self.linear.n_classes
        loss = "binary_crossentropy" if n_classes == 2 else "categorical_crossentropy"
        model = Sequential(
            [output_layer(n_classes)],
            loss=loss if n_classes else LOSSES[recipe.loss],
            dtype=recipe.dtype,
            backend=recipe.backend,
            random_state=seed,
            n_threads=recipe.n_threads,
        ).build(len(linear.weight))
        of_columns, of_output = linear.weight, linear.bias
        if n_classes == 2:
            # One sigmoid unit for the second class.
            of_columns = of_columns[:, 1:] - of_columns[:, :1]
            of_output = of_output[1:] - of_output[:1]
        weight, bias = model.parameters.values()
        weight[...], bias[...] = of_columns, of_output
        return model


def baselines(
    X: Array, y: Array, n_classes: int, rows: Array, weight: Array | None = None
) -> Iterator[Baseline]:
    """The constant answer, then linear models with larger and larger penalties.

    Parameters
    ----------
    X : ndarray, shape (n, n_features)
    y : ndarray, shape (n,)
        The number of each row's class, or a number.
    n_classes : int
        0 for a regression.
    rows : ndarray of int
        Those that are learned from.
    weight : ndarray, shape (n,), optional
        How often each row counts.
    """
    width = X.shape[1]
    y, weight = y[rows], None if weight is None else weight[rows]
    if n_classes:
        bias = np.log(frequencies(y, n_classes, weight))
    elif weight is None:
        bias = np.array([y.mean(dtype=np.float64)])
    else:
        bias = np.array([np.average(y.astype(np.float64), weights=weight)])
    yield Baseline("constant", Linear(np.zeros((width, len(bias))), bias, n_classes))
    penalties = PENALTIES
    if len(rows) > _MOST_ROWS:
        few = np.random.default_rng(0).choice(len(rows), _MOST_ROWS, replace=False)
        rows, y, penalties = rows[few], y[few], PENALTIES[:1]
        weight = None if weight is None else weight[few]
    X = X[rows]
    for penalty in penalties:
        yield Baseline("linear", fit_linear(X, y, n_classes, penalty, weight))
