"""Both libraries' estimators in the same place, and what comes out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from sklearn import neural_network

import fastmlp as fm

RNG = np.random.default_rng(0)
X = RNG.normal(size=(120, 5))
CLASSES = np.digitize(X[:, 0] + 0.3 * RNG.normal(size=120), [-0.5, 0.5])
NUMBERS = X @ [1.0, 2.0, 0.0, 0.0, 1.0] + 0.1 * RNG.normal(size=120)

ARGUMENTS = {
    "hidden_layer_sizes": (6,),
    "max_iter": 15,
    "random_state": 0,
    "learning_rate_init": 0.02,
}


def classifier(library: Any, **arguments: Any) -> Any:
    return library.MLPClassifier(**{**ARGUMENTS, **arguments})


def regressor(library: Any, **arguments: Any) -> Any:
    return library.MLPRegressor(**{**ARGUMENTS, **arguments})


def assert_same(result: Callable[[Any], Any], rtol: float = 1e-9) -> Any:
    """Compare what a function makes of each library, and return what it makes of ours.

    Texts and whole numbers are the same, other numbers nearly.
    """
    theirs, ours = result(neural_network), result(fm)
    expected, found = np.asarray(theirs), np.asarray(ours)
    assert (found.shape, found.dtype) == (expected.shape, expected.dtype)
    if expected.dtype.kind == "f":
        np.testing.assert_allclose(found, expected, rtol, 1e-9)
    else:
        np.testing.assert_array_equal(found, expected)
    return ours
