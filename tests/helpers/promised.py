"""Promised names: tests of each, and models to try them on.

What a name does in detail is tested elsewhere; here a name that is missing, renamed, or takes
other arguments is found.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

import fastmlp as fm

# Promised, but not there yet: the tests of these names must fail.
NOT_YET: frozenset[str] = frozenset()


def names(*listed: str) -> Any:
    """Run a test for each name."""
    late = pytest.mark.xfail(strict=True, reason="not there yet")
    params = [pytest.param(name, marks=[late] if name in NOT_YET else []) for name in listed]
    return pytest.mark.parametrize("name", params)


def model_of(layers: list[Any], backend: str, **arguments: Any) -> fm.Sequential:
    settings = {"random_state": 0, "dtype": "float64", "n_threads": 1} | arguments
    return fm.Sequential(layers, backend=backend, **settings)


def trained(
    layers: list[Any], X: Any, y: Any, backend: str, epochs: int = 2, **arguments: Any
) -> fm.Sequential:
    """A model after two epochs, whose losses are finite."""
    model = model_of(layers, backend, **arguments)
    history = model.fit(X, y, epochs=epochs, batch_size=10, verbose=0)
    assert len(history["loss"]) == epochs
    assert np.isfinite(history["loss"]).all()
    return model


def defaults(function: Callable[..., Any]) -> dict[str, Any]:
    """Arguments by name, with their defaults; the class itself where there is none."""
    parameters = inspect.signature(function).parameters
    return {name: parameter.default for name, parameter in parameters.items() if name != "self"}


REQUIRED = inspect.Parameter.empty


def assert_takes(function: Callable[..., Any], **expected: Any) -> None:
    """`function` takes these arguments, in this order, with these defaults; perhaps more behind."""
    found = defaults(function)
    assert list(found)[: len(expected)] == list(expected)
    assert {name: found[name] for name in expected} == expected


def target(activation: str, loss: str, X: np.ndarray) -> np.ndarray:
    """What a network with this output and this loss can be trained on."""
    labels: np.ndarray = (X[:, 0] > 0).astype(int)
    if activation == "softmax":
        return labels + (X[:, 1] > 0)
    if activation == "sigmoid":
        return labels
    return np.abs(X[:, 0]) if activation in ("exp", "softplus") else X[:, 0]


def calls(k: Any, rng: np.random.Generator) -> Iterator[tuple[Any, int]]:
    """A call of each fixed kernel, and how many results it gives."""
    x, weight, bias = rng.normal(size=(5, 4)), rng.normal(size=(4, 3)), rng.normal(size=3)
    out, z = k.dense_forward(x, weight, bias, "tanh")
    yield (out, z), 2
    yield k.dense_backward(out, x, weight, z, out, "tanh"), 3
    ones, zeros = np.ones(4), np.zeros(4)
    _, x_hat, inv_std = k.batchnorm_forward(
        x, ones, zeros, zeros.copy(), ones.copy(), 0.1, 1e-5, True
    )
    yield k.batchnorm_backward(x, x_hat, inv_std, ones), 3
    yield k.dropout_forward(x, 0.5, 1, 2, 3), 2
    y = np.eye(4)[rng.integers(0, 4, 5)]
    for name in ("softmax_cross_entropy", "sigmoid_cross_entropy", "mean_squared_error"):
        yield getattr(k, name)(x, y), 2
    flat = [np.ones(6) for _ in range(4)]
    k.adam_update(*flat, 1, 1e-3, 0.9, 0.999, 1e-8)
    assert (flat[0] < 1).all()
