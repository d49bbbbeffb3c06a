"""What the suite trains: the cases of `fastmlp.peers`, on as many rows as a cache holds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from fastmlp.peers.machine import available_cores
from fastmlp.peers.networks import CASES, Array, Case, first_parameters, make_data
from fastmlp.peers.with_fastmlp import make_model, write

STEPS = 1000
# Rows of an epoch: those of the widest network fit into a core's share of the last cache.
MOST_ROWS = 16_000
# Steps that are compared before anything is timed.
_CHECKED_STEPS = 3

TRAINING = [name for name, case in CASES.items() if not case.predicts]


@dataclass(frozen=True)
class Training:
    """A model on data of full batches, some epochs of which make a thousand steps."""

    model: Any
    x: Array
    y: Array
    batch: int

    @property
    def steps(self) -> int:
        """Steps of an epoch; a divisor of a thousand."""
        return len(self.x) // self.batch

    def run(self, epochs: int) -> Any:
        """Train and return the history."""
        return self.model.fit(self.x, self.y, epochs=epochs, batch_size=self.batch, verbose=0)


def new_model(case: Case, backend: str, threads: int | str) -> Any:
    """A model with the case's first parameters."""
    model = make_model(case, backend, threads)
    write(case, model, first_parameters(case))
    return model


def training(name: str, backend: str, threads: int | str) -> Training:
    """The training of a case, warm.

    Raises
    ------
    AssertionError
        The first steps differ from those of the NumPy backend.
    """
    case = CASES[name]
    most = min(case.rows, MOST_ROWS) // case.batch
    batches = max(n for n in range(1, STEPS // 2 + 1) if STEPS % n == 0 and n <= most)
    x, y = make_data(case, batches * case.batch)
    if backend != "numpy":
        check_training(case, backend, threads, x, y)
    warm = Training(new_model(case, backend, threads), x, y, case.batch)
    warm.run(1)
    return warm


def check_training(case: Case, backend: str, threads: int | str, x: Array, y: Array) -> None:
    """Hold the parameters after a few steps against those of the NumPy backend."""
    rows = _CHECKED_STEPS * case.batch
    trained = []
    for model in (new_model(case, "numpy", 1), new_model(case, backend, threads)):
        model.fit(x[:rows], y[:rows], epochs=1, batch_size=case.batch, verbose=0)
        trained.append({**model.parameters, **model.buffers})
    for name, expected in trained[0].items():
        # Each step of Adam moves a parameter by up to 1e-3.
        np.testing.assert_allclose(trained[1][name], expected, rtol=1e-3, atol=1e-4, err_msg=name)


def skip_impossible(backend: str, threads: int) -> None:
    """Skip a benchmark that cannot be done here, as asv wants it."""
    if available_cores() < threads:
        raise NotImplementedError(f"{threads} threads need as many cores")
    if backend == "numpy" and threads > 1:
        raise NotImplementedError("the NumPy backend has one thread")
