"""Training: a step of each case, what its products take of it, and what slows it down."""

from __future__ import annotations

from functools import cache
from statistics import median
from typing import Any

import numpy as np

from benchmarks.shared.clock import count_repeats, slow_clock
from benchmarks.shared.networks import STEPS, TRAINING, Training, skip_impossible, training
from fastmlp.peers.networks import CASES

_SAMPLE_SECONDS = 0.2


@cache
def _work(network: str, backend: str, threads: int) -> tuple[Training, int]:
    """A training, warm and checked, and how many epochs make a sample."""
    skip_impossible(backend, threads)
    made = training(network, backend, threads)
    return made, count_repeats(made.run, _SAMPLE_SECONDS)


class Step:
    """A fit by its steps."""

    params = (TRAINING, ["numba", "numpy"], [1, 2])
    param_names = ("network", "backend", "threads")
    number = 1
    repeat = (3, 5, 2.0)
    timeout = 300

    def setup(self, network: str, backend: str, threads: int) -> None:
        self.training, self.epochs = _work(network, backend, threads)
        self.timer = slow_clock(self.epochs * self.training.steps)

    def time_step(self, network: str, backend: str, threads: int) -> None:
        self.training.run(self.epochs)


class ShareOfProducts:
    """What a step's matrix products take of it, on one thread."""

    params = (TRAINING,)
    param_names = ("network",)
    timeout = 300
    unit = "of the step"

    def track_products(self, network: str) -> float:
        # It reads internals that an older fastmlp lacks; the other benchmarks do without.
        from benchmarks import products

        return median(products.measure(CASES[network], rounds=5, rows=16_000).shares)


class DeadUnits:
    """The last thousand of 3000 steps beside the first, with a third of the units dead.

    The moments of their weights decay into numbers that are slow to compute with, unless those are
    set to zero.
    """

    params = (["S", "M"], ["numba", "numpy"])
    param_names = ("network", "backend")
    timeout = 300
    unit = "times"

    def track_last_by_first_thousand(self, network: str, backend: str) -> float:
        made = training(network, backend, 1)
        kill_units(made.model)
        epochs = STEPS // made.steps
        seconds: list[Any] = []
        for _ in range(3):
            seconds += made.run(epochs)["seconds"]
        # A dead unit that revived would make this meaningless.
        assert dead_share(made.model, made.x) >= 0.3
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
