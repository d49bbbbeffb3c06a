"""Fits that take a while, and signals that come meanwhile."""

from __future__ import annotations

import threading

import numpy as np

import fastmlp as fm
from fastmlp.kernels.typing import Array


def large(n_batches: int) -> tuple[Array, Array]:
    rng = np.random.default_rng(0)
    block = rng.normal(size=(128, 20)).astype(np.float32)
    X = np.tile(block, (n_batches, 1))
    return X, X[:, :3].sum(axis=1)


def slow_network(n_threads: int, backend: str = "numba") -> fm.Sequential:
    """A step takes some milliseconds."""
    layers = [fm.Dense(512, "relu"), fm.Dense(384), fm.BatchNorm(), fm.Dropout(0.1), fm.Dense(1)]
    return fm.Sequential(layers, random_state=2, n_threads=n_threads, backend=backend)


def helpers() -> list[str]:
    return [t.name for t in threading.enumerate() if t.name.startswith("fastmlp")]
