"""Prediction, by backend, threads and number of rows."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import numpy as np

from benchmarks.shared.clock import count_repeats, slow_clock
from benchmarks.shared.networks import new_model, skip_impossible
from fastmlp.peers.networks import CASES, first_parameters, make_data, prediction_error

_SAMPLE_SECONDS = 0.05


@cache
def _work(network: str, backend: str, threads: int, rows: int) -> tuple[Callable[[int], None], int]:
    """A loop of predictions, warm and checked, and how many of them make a sample."""
    skip_impossible(backend, threads)
    case = CASES[network]
    x = np.resize(make_data(case, min(rows, 10_000))[0], (rows, case.widths[0]))
    model = new_model(case, backend, threads)
    error = prediction_error(case, first_parameters(case), x, model.predict(x))
    assert error < 1e-4, f"{network} is {error:.1e} from NumPy in float64"

    def predictions(number: int) -> None:
        for _ in range(number):
            model.predict(x)

    return predictions, count_repeats(predictions, _SAMPLE_SECONDS)


class Prediction:
    """``model.predict`` of all rows."""

    params = (["P", "M"], ["numba", "numpy"], [1, 2], [1, 64, 100_000])
    param_names = ("network", "backend", "threads", "rows")
    number = 1
    rounds = 1
    repeat = (5, 10, 1.0)
    timeout = 300

    def setup(self, network: str, backend: str, threads: int, rows: int) -> None:
        self.predictions, self.repeats = _work(network, backend, threads, rows)
        self.timer = slow_clock(self.repeats)

    def time_predict(self, network: str, backend: str, threads: int, rows: int) -> None:
        self.predictions(self.repeats)
