"""Small models of each kind of output, and the check that a refused call leaves one as it was."""

from __future__ import annotations

import numpy as np
import pytest

import fastmlp as fm

ROWS = 8


def features(n_features=3):
    return np.random.default_rng(0).normal(size=(ROWS, n_features)).astype(np.float32)


def with_value(array, value, place=(1, 2)):
    changed = np.array(array, np.float64)
    changed[place] = value
    return changed


X = features()
CODES = np.arange(ROWS) % 3
LETTERS = np.array(list("abc"))[CODES]
NUMBERS = X[:, 0] - X[:, 1]
NETWORKS = {
    "letters": ([fm.Dense(3, "tanh"), fm.BatchNorm(), fm.Dense(3, "softmax")], LETTERS),
    "classes": ([fm.Dense(3, "tanh"), fm.Dense(3, "softmax")], CODES),
    "binary": ([fm.Dense(1, "sigmoid")], CODES > 0),
    "multilabel": ([fm.Dense(2, "sigmoid")], np.stack([CODES > 0, CODES > 1], 1)),
    "numbers": ([fm.Dense(3, "relu"), fm.Dropout(0.1), fm.Dense(1)], NUMBERS),
    "counts": ([fm.Dense(1, "exp")], CODES),
}


def network(kind, backend="numpy", **arguments):
    loss = "poisson" if kind == "counts" else "auto"
    arguments = {"loss": loss, "random_state": 1, "backend": backend, **arguments}
    return fm.Sequential(NETWORKS[kind][0], **arguments)


def fitted(kind, backend="numpy", **arguments):
    model = network(kind, backend, **arguments)
    model.fit(X, NETWORKS[kind][1], epochs=1, batch_size=4, verbose=0)
    return model


def everything_in(model, path):
    """Parameters, buffers, optimizer state, counters, labels, history, random numbers to come."""
    model.save(path)
    return path.read_bytes()


def assert_usable(model, kind, n_features=3):
    x = features(n_features)
    history = model.fit(x, NETWORKS[kind][1], epochs=1, batch_size=4, verbose=0)
    assert np.isfinite(history["loss"]).all()
    assert np.isfinite(model.predict(x)).all()


def assert_refused_unchanged(model, kind, call, error, message, path):
    before = everything_in(model, path)
    views = dict(model.parameters)
    with pytest.raises(error, match=message) as caught:
        call(model)
    assert type(caught.value) is error
    assert everything_in(model, path) == before
    assert all(np.shares_memory(view, model.parameters[name]) for name, view in views.items())
    assert_usable(model, kind)


BAD_SIZE = {
    "0": (0, ValueError, r"must be an integer >= 1, got 0"),
    "-1": (-1, ValueError, r"must be an integer >= 1, got -1"),
    "2.5": (2.5, TypeError, r"must be an integer, got 2\.5 \(float\)"),
    "2.0": (2.0, TypeError, r"must be an integer, got 2\.0 \(float\)"),
    "True": (True, TypeError, r"must be an integer, got True \(bool\)"),
    "text": ("3", TypeError, r"must be an integer, got '3' \(str\)"),
    "a list": ([3], TypeError, r"must be an integer, got \[3\] \(list\)"),
    "NaN": (np.float64("nan"), TypeError, r"must be an integer, got .*nan"),
}
