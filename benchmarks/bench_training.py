"""Training: a thousand steps, so that seconds are milliseconds a step."""

from __future__ import annotations

from statistics import median
from typing import Any

import numpy as np

from . import products
from .networks import SMALL, STEPS, TRAINING, new_model, skip_without_cores, training
from .peers.networks import CASES, make_data


class Training:
    """Compiled, by network and number of threads."""

    params = (TRAINING, [1, 2])
    param_names = ("network", "threads")
    timeout = 300

    def setup(self, network: str, threads: int) -> None:
        skip_without_cores(threads)
        self.training = training(network, "numba", threads)

    def time_thousand_steps(self, network: str, threads: int) -> None:
        self.training.run()


class TrainingReference:
    """In NumPy, for which only small networks are meant."""

    params = (SMALL,)
    param_names = ("network",)
    timeout = 300

    def setup(self, network: str) -> None:
        self.training = training(network, "numpy", 1)

    def time_thousand_steps(self, network: str) -> None:
        self.training.run()


class Fit:
    """What a fit costs besides its steps: one batch of one epoch."""

    params = (TRAINING, [1, 2])
    param_names = ("network", "threads")

    def setup(self, network: str, threads: int) -> None:
        skip_without_cores(threads)
        case = CASES[network]
        self.x, self.y = make_data(case, case.batch)
        self.model = new_model(case, "numba", threads)
        self.time_one_step(network, threads)

    def time_one_step(self, network: str, threads: int) -> None:
        self.model.fit(self.x, self.y, epochs=1, batch_size=len(self.x), verbose=0)


class TrainingShares:
    """What a step is made of, on one thread."""

    params = (TRAINING,)
    param_names = ("network",)
    timeout = 300
    unit = "share"

    def track_products(self, network: str) -> float:
        return median(products.measure(CASES[network], rounds=5, rows=16_000).shares)


class TrainingDeadUnits:
    """The last thousand of 3000 steps beside the first, with a third of the units dead.

    The moments of their weights decay into numbers that are slow to compute with, unless those are
    set to zero.
    """

    params = (["S", "M"], ["numba", "numpy"])
    param_names = ("network", "backend")
    timeout = 300
    unit = "times"

    def track_last_by_first_thousand(self, network: str, backend: str) -> float:
        run = training(network, backend, 1)
        kill_units(run.model)
        seconds: list[Any] = []
        for _ in range(3):
            seconds += run.run()["seconds"]
        # A dead unit that revived would make this meaningless.
        assert dead_share(run.model, run.x) >= 0.3
        epochs = len(seconds) // 3
        assert epochs * len(run.x) == STEPS * run.batch
        # Slow arithmetic slows every epoch; other processes spare the fastest.
        ratio: float = min(seconds[-epochs:]) / min(seconds[:epochs])
        return ratio


def kill_units(model: Any) -> None:
    """Let every third unit of each hidden layer be negative for all rows, from here on."""
    for bias in hidden_biases(model):
        bias[::3] = -1e6


def hidden_biases(model: Any) -> list[Any]:
    """The biases of all layers but the last."""
    return [view for name, view in model.parameters.items() if name.endswith(".bias")][:-1]


def dead_share(model: Any, x: Any) -> float:
    """The share of the first hidden layer's units that are 0 for all rows."""
    outputs = model.activations(x)["0.output"]
    return float(np.mean(np.all(outputs == 0, axis=0)))
