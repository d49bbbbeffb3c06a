"""Scores of the rows that are held out, as scikit-learn defines them.

Its own functions check and sort what they are given, which takes as long as an epoch on a small
table.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from ..kernels.typing import Array


def accuracy(outputs: Array, y: Array, weight: Array | None) -> float:
    """Return the weighted share of rows that are right.

    Parameters
    ----------
    outputs : ndarray, shape (n, k)
        Probabilities: of the second class, of each class, or of each label.
    y : ndarray
        Class indices (n,), or 0 and 1 (n, k); a row of labels is right where all of it is.
    weight : ndarray, shape (n,), optional
    """
    if y.ndim == 1:
        right = outputs.argmax(axis=1) == y
    else:
        right = ((outputs > 0.5) == (y > 0.5)).all(axis=1)
    return float(np.average(right, weights=weight))


def r2(outputs: Array, y: Array, weight: Array | None) -> float:
    """Return the mean over outputs of ``1 - sum w (y - p)^2 / sum w (y - mean)^2``.

    A constant output that is met counts as 1, one that is not as 0. NaN where an output is not
    finite.

    Parameters
    ----------
    outputs, y : ndarrays, shape (n, k)
    weight : ndarray, shape (n,), optional
    """
    if not np.isfinite(outputs).all():
        return np.nan
    factor = 1.0 if weight is None else weight[:, np.newaxis]
    residual = (factor * (y - outputs) ** 2).sum(axis=0, dtype=np.float64)
    around_mean = y - np.average(y, axis=0, weights=weight)
    total = (factor * around_mean**2).sum(axis=0, dtype=np.float64)
    scores = np.where(residual == 0.0, 1.0, 0.0)
    varies = total != 0.0
    scores[varies] = 1.0 - residual[varies] / total[varies]
    return float(scores.mean())
