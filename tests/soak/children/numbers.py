"""The same fit in whatever surroundings: ``python -m tests.soak.children.numbers`` prints it."""

from __future__ import annotations

import hashlib
import sys
import warnings
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np

import fastmlp as fm

DTYPES = ("float32", "float64")


def trained(seed: int, dtype: str, n_threads: int | str = "auto") -> dict[str, Any]:
    """Parameters, predictions and losses of a fit that is shared by several threads."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(300, 40)).astype(np.float32)
    y = x[:, 0] * x[:, 1]
    layers = [fm.Dense(128, "relu"), fm.BatchNorm(), fm.Dropout(0.1), fm.Dense(64, "tanh")]
    how: dict[str, Any] = {"dtype": dtype, "n_threads": n_threads, "backend": "numba"}
    model = fm.Sequential([*layers, fm.Dense(1)], random_state=seed, **how)
    history = model.fit(x, y, epochs=3, validation_split=0.2, verbose=0)
    return {
        **model.parameters,
        **model.buffers,
        "predictions": model.predict(x),
        "rows": model.freeze()(x[:3]),
        "loss": np.array(history["loss"]),
        "val_loss": np.array(history["val_loss"]),
    }


def small(dtype: str) -> dict[str, Any]:
    """One of few kernels, which are soon compiled."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(70, 21)).astype(dtype)
    model = fm.Sequential(
        [fm.Dense(37, "tanh"), fm.Dense(1)],
        optimizer="sgd",
        random_state=0,
        dtype=dtype,
        backend="numba",
    )
    history = model.fit(x, x[:, 0] * x[:, 1], epochs=4, batch_size=16, verbose=0)
    losses = np.array(history["loss"])
    return {**model.parameters, "predictions": model.predict(x), "loss": losses}


def digest(values: dict[str, Any]) -> str:
    """Of all bits."""
    found = hashlib.sha256()
    for name, array in values.items():
        found.update(name.encode() + np.ascontiguousarray(array).tobytes())
    return found.hexdigest()


def digests(n_threads: int | str = "auto", seed: int = 0) -> list[str]:
    """Of a fit in each dtype."""
    return [digest(trained(seed, dtype, n_threads)) for dtype in DTYPES]


def at_once(threads: int) -> list[list[str]]:
    """Of fits of as many seeds, all at once."""
    with ThreadPoolExecutor(threads) as pool:
        return list(pool.map(lambda seed: digests("auto", seed), range(threads)))


def main(what: str, *arguments: str) -> None:
    """Print digests, or write arrays to a file."""
    warnings.simplefilter("error")
    if what == "small":
        dtype, path = arguments
        np.savez(path, **small(dtype))
    elif what == "threads":
        print(at_once(int(arguments[0])))
    else:
        print(digests(arguments[0] if arguments[0] == "auto" else int(arguments[0])))


if __name__ == "__main__":
    main(*sys.argv[1:])
