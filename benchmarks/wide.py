"""A step with a sparse wide part: ``python -m benchmarks.wide``.

The network is 32-64-32-1 with relu, Adam, on one thread; the wide part adds a million hashed
columns or fewer, twenty entries in each row. What a step takes is told beside that of the deep part
alone. The number of columns should hardly matter where an optimizer leaves untouched weights alone
(FTRL, AdaGrad); Adam moves every weight in every step.

The first steps are held against the NumPy backend before anything is timed. What is compared is
timed in turns; numbers are medians.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from statistics import median
from typing import Any

import numpy as np
from scipy.sparse import csr_matrix

import fastmlp as fm

from .shared.rounds import conditions, interleaved, table

COLUMNS = (2**12, 2**16, 2**20)
OPTIMIZERS = {"FTRL": fm.Ftrl(0.1, l1=0.1), "AdaGrad": fm.AdaGrad(0.05), "Adam": fm.Adam()}
_ENTRIES = 20


class Training:
    """A fit that goes on; `columns` of 0 is the deep part alone."""

    def __init__(
        self, columns: int, optimizer: Any, batch: int, rows: int, backend: str = "numba"
    ) -> None:
        rng = np.random.default_rng(0)
        self._y = rng.integers(2, size=rows)
        deep = rng.standard_normal((rows, 32), np.float32)
        hidden = [fm.Dense(64, activation="relu"), fm.Dense(32, activation="relu")]
        self._X: Any = deep
        layers: list[Any] = [*hidden, fm.Dense(1, activation="sigmoid")]
        if columns:
            indices = rng.integers(columns, size=(rows, _ENTRIES), dtype=np.int32)
            indptr = np.arange(0, indices.size + 1, _ENTRIES)
            ones = np.ones(indices.size, np.float32)
            self._X = (csr_matrix((ones, indices.ravel(), indptr), shape=(rows, columns)), deep)
            layers = [fm.WideAndDeep(1, "sigmoid", deep=hidden, wide_optimizer=optimizer)]
        self._batch = batch
        self.steps = -(-rows // batch)
        self.model = fm.Sequential(layers, random_state=0, backend=backend, n_threads=1)

    def run(self, epochs: int) -> None:
        """Train for so many epochs."""
        self.model.fit(self._X, self._y, epochs=epochs, batch_size=self._batch, verbose=0)


def check(batch: int) -> None:
    """The compiled steps are those of the NumPy backend."""
    for optimizer in OPTIMIZERS.values():
        for columns in (2**8, 2**16):
            two = [
                Training(columns, optimizer, batch, 4 * batch, backend)
                for backend in ("numpy", "numba")
            ]
            for training in two:
                training.run(1)
            expected, actual = (training.model.parameters for training in two)
            for name, value in expected.items():
                np.testing.assert_allclose(actual[name], value, rtol=1e-3, atol=1e-4)


def measure(batch: int, rows: int, rounds: int) -> Iterator[list[str]]:
    """The rows of the table for one size of batch."""
    trainings = {"": Training(0, None, batch, rows)}
    for columns in COLUMNS:
        for name, optimizer in OPTIMIZERS.items():
            trainings[f"{columns:,} {name}"] = Training(columns, optimizer, batch, rows)
    timed: dict[str, Callable[[int], None]] = {name: t.run for name, t in trainings.items()}
    found = {
        name: 1e6 * median(seconds) / trainings[name].steps
        for name, seconds in interleaved(timed, rounds).items()
    }
    for columns in COLUMNS:
        own = [f"{found[f'{columns:,} {name}']:.3g}" for name in OPTIMIZERS]
        yield [str(batch), f"{columns:,}", f"{found['']:.3g}", *own]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=50_000)
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    print(conditions())
    check(32)
    cells = [row for batch in (32, 256) for row in measure(batch, arguments.rows, arguments.rounds)]
    print(table(["batch", "columns", "deep alone, us", *OPTIMIZERS], cells))


if __name__ == "__main__":
    main()
