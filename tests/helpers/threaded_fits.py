"""Fits that are worth several threads, and the threads that there are."""

from __future__ import annotations

import threading
from contextlib import contextmanager

import numpy as np
import pytest

import fastmlp as fm

pytest.importorskip("numba")


RNG = np.random.default_rng(0)
X = RNG.normal(size=(256, 96)).astype(np.float32)
Y = RNG.normal(size=256)


def wide(seed=0, n_threads=2, **arguments):
    """Wide enough that its steps are cut into shards for several threads."""
    layers = [fm.Dense(256, "relu"), fm.BatchNorm(), fm.Dense(256, "tanh"), fm.Dense(1)]
    arguments = {"optimizer": fm.Adam(1e-4), "backend": "numba", **arguments}
    return fm.Sequential(layers, random_state=seed, n_threads=n_threads, **arguments)


def fit(model, epochs=2, **arguments):
    return model.fit(X, Y, epochs=epochs, batch_size=64, verbose=0, **arguments)


def bits(model):
    return [value.tobytes() for value in (*model.parameters.values(), *model.buffers.values())]


# Threads that a test has left behind, so that the others do not fail with it.
_left = set()


def threads():
    return [thread for thread in threading.enumerate() if thread not in _left]


def helpers():
    return [thread for thread in threads() if thread.name.startswith("fastmlp")]


@contextmanager
def no_thread_left_behind():
    """Fail where more threads are left than there were."""
    fit(wide(), epochs=1)
    before = threads()
    yield
    left = [thread for thread in threads() if thread not in before]
    _left.update(left)
    assert not left


def large():
    """A model and rows whose prediction is worth several threads."""
    model = fm.Sequential([fm.Dense(512, "relu"), fm.Dense(512)], random_state=0, n_threads=2)
    return model.build(96), np.tile(X, (40, 1))
