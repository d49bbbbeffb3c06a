"""What a network is held against: constant answers, and linear models fitted on the same rows.

They are solved here, in NumPy, for importing a library that has them takes longer than to fit them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ..common.error_state import own_error_state

if TYPE_CHECKING:
    from ..kernels.typing import Array

# A mean log loss within this of the lowest is close enough to be held against.
_OUTER, _INNER, _CLOSE = 30, 40, 1e-4
_HALVINGS = 20
# Of very many rows, columns and classes the solution is not worth its time: multiply-adds after
# which what has been found is taken, but so many steps at least. It predicts unseen rows no worse.
_WORK, _FEWEST_OUTER, _FEWEST_INNER = 4e9, 4, 5


def frequencies(codes: Array, n_classes: int, weight: Array | None = None) -> Array:
    """The share of each class, ``(n_classes,)``; none is 0, as if each had been seen once more.

    Parameters
    ----------
    codes : ndarray of int, shape (n,)
        The number of each row's class.
    n_classes : int
    weight : ndarray, shape (n,), optional
        How often each row counts.
    """
    counts = np.bincount(codes, weight, minlength=n_classes) + 1.0
    shares: Array = counts / counts.sum()
    return shares


@dataclass(frozen=True)
class Linear:
    """``X weight + bias``: numbers, or what the softmax of is the probabilities of classes.

    Attributes
    ----------
    weight : ndarray, shape (n_features, n_classes) or (n_features, 1)
    bias : ndarray, shape (n_classes,) or (1,)
    n_classes : int
        0 for numbers.
    """

    weight: Array
    bias: Array
    n_classes: int

    def outputs(self, X: Array) -> Array:
        """Probabilities ``(n, n_classes)``, or numbers ``(n, 1)``."""
        scores: Array = X.astype(np.float64) @ self.weight + self.bias
        return _softmax(scores) if self.n_classes else scores


def fit_linear(
    X: Array, y: Array, n_classes: int, penalty: float = 1.0, weight: Array | None = None
) -> Linear:
    """Fit classes by `logistic`, or numbers, where `n_classes` is 0, by `ridge`."""
    if n_classes:
        return logistic(X, y, n_classes, penalty, weight)
    return ridge(X, y, penalty, weight)


@own_error_state
def ridge(X: Array, y: Array, penalty: float = 1.0, weight: Array | None = None) -> Linear:
    """Fit numbers by a ridge regression.

    It minimizes ``sum (y - b - X w)^2 + penalty |w|^2``, by the normal equations of centered
    columns (Hoerl & Kennard 1970, "Ridge Regression"). A row of weight 2 counts as two.

    Parameters
    ----------
    X : ndarray, shape (n, n_features)
        Scaled columns.
    y : ndarray, shape (n,)
    penalty : float
    weight : ndarray, shape (n,), optional
    """
    X = X.astype(np.float64)
    if weight is None:
        mean, center = X.mean(axis=0), y.mean(dtype=np.float64)
    else:
        weight = weight.astype(np.float64)
        mean, center = np.average(X, axis=0, weights=weight), np.average(y, weights=weight)
    around = X - mean
    counted = around if weight is None else around * weight[:, None]
    gram = counted.T @ around
    gram += penalty * np.eye(len(gram))
    moments = counted.T @ (y - center)
    try:
        slopes = np.linalg.solve(gram, moments)
    except np.linalg.LinAlgError:
        # Numbers so large that the penalty is lost beside them.
        slopes = np.linalg.lstsq(gram, moments, rcond=None)[0]
    return Linear(slopes[:, None], np.array([center - mean @ slopes]), 0)


@own_error_state
def logistic(
    X: Array, codes: Array, n_classes: int, penalty: float = 1.0, weight: Array | None = None
) -> Linear:
    """Fit classes by a multinomial logistic regression.

    It minimizes ``-sum_i log p_i + penalty / 2 |W|^2``, ``p = softmax(b + X W)``, by Newton's
    steps, each solved by conjugate gradients (Nocedal & Wright 2006, "Numerical Optimization",
    algorithm 7.1), for the second derivatives of many columns and classes do not fit in memory.

    Parameters
    ----------
    X : ndarray, shape (n, n_features)
        Scaled columns.
    codes : ndarray of int, shape (n,)
    n_classes : int
    penalty : float
    weight : ndarray, shape (n,), optional
        A row of weight 2 counts as two.
    """
    times = np.ones((len(X), 1)) if weight is None else weight.astype(np.float64)[:, None]
    X = np.hstack([X.astype(np.float64), np.ones((len(X), 1))])
    # Of two classes, whose columns of W are opposite, the difference is what counts.
    penalties = np.full((X.shape[1], 1), penalty * (2 if n_classes == 2 else 1))
    penalties[-1] = 1e-6
    right = np.zeros((len(X), n_classes))
    right[np.arange(len(X)), codes] = 1.0

    def loss(slopes: Array) -> tuple[float, Array]:
        probabilities = _softmax(X @ slopes)
        of_right = probabilities[np.arange(len(X)), codes]
        penalized = float((penalties * slopes**2).sum()) / 2
        logs = np.log(np.maximum(of_right, 1e-300))
        return penalized - float((times[:, 0] * logs).sum()), probabilities

    slopes = np.zeros((X.shape[1], n_classes))
    value, probabilities = loss(slopes)
    outer, inner = _steps(X.size * n_classes)
    for _ in range(outer):
        gradient = X.T @ (times * (probabilities - right)) + penalties * slopes
        step = _newton_step(X, probabilities, times, penalties, gradient, inner)
        # Half of it is what a quadratic loss would lose by this step.
        if (gradient * step).sum() / 2 <= _CLOSE * times.sum():
            break
        size = 1.0
        for _ in range(_HALVINGS):
            tried = slopes - size * step
            found, its_probabilities = loss(tried)
            if found < value:
                break
            size /= 2
        else:
            break
        slopes, value, probabilities = tried, found, its_probabilities
    return Linear(slopes[:-1], slopes[-1], n_classes)


def _steps(work: int) -> tuple[int, int]:
    """How many steps, and steps of conjugate gradients within each, where one takes so much."""
    steps = _WORK / work
    inner = int(np.clip(steps / _FEWEST_OUTER, _FEWEST_INNER, _INNER))
    return int(np.clip(steps / inner, _FEWEST_OUTER, _OUTER)), inner


def _newton_step(
    X: Array, p: Array, times: Array, penalties: Array, gradient: Array, inner: int
) -> Array:
    """Solve H step = gradient; ``H V = X^T w (p (X V) - p sum(p (X V))) + penalties V``."""

    def times_hessian(direction: Array) -> Array:
        moved = p * (X @ direction)
        moved -= p * moved.sum(axis=1, keepdims=True)
        image: Array = X.T @ (times * moved) + penalties * direction
        return image

    # Columns of X have about one size; those of classes differ by how often they occur.
    diagonal = (X**2).T @ (times * (p * (1 - p))) + penalties
    step, residual = np.zeros_like(gradient), gradient.copy()
    scaled = residual / diagonal
    direction, energy = scaled.copy(), float((residual * scaled).sum())
    enough = 0.01 * energy
    for _ in range(inner):
        image = times_hessian(direction)
        size = energy / float((direction * image).sum())
        step += size * direction
        residual -= size * image
        scaled = residual / diagonal
        before, energy = energy, float((residual * scaled).sum())
        if energy <= enough:
            break
        direction = scaled + energy / before * direction
    return step


def _softmax(z: Array) -> Array:
    powers = np.exp(z - z.max(axis=1, keepdims=True))
    shares: Array = powers / powers.sum(axis=1, keepdims=True)
    return shares
