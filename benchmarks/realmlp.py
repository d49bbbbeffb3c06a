"""A step of RealMLP's network beside its products: ``python -m benchmarks.realmlp``.

The network is that of 16 columns of numbers: a `Scale`, three layers of 256 units in the NTK
parametrization, each with a `ParametricActivation` and dropout, and an output; AdamW with factors
of its learning rate, batch 256, float32, one thread. Later rows leave something out, so that the
difference is what it costs. The products are those of `benchmarks.products`, by SciPy's BLAS, and
take turns with the steps.
"""

from __future__ import annotations

import argparse
import os
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits

import fastmlp as fm
from fastmlp.peers.networks import Case

from .products import Products
from .shared.rounds import conditions, interleaved, ratios, spread, table

_CASE = Case("realmlp", (16, 256, 256, 256, 1), "relu", "linear", batch=256, rows=16 * 256)
_PRODUCTS = "products alone"


def _layers(activation: str, parametric: bool, dropout: bool) -> list[Any]:
    dense: dict[str, Any] = {"parametrization": "ntk", "bias_learning_rate_factor": 0.1}
    layers: list[Any] = [fm.Scale(learning_rate_factor=6.0)]
    for _ in range(3):
        layers.append(fm.Dense(256, **dense))
        if parametric:
            layers.append(fm.ParametricActivation(activation, learning_rate_factor=0.1))
        else:
            layers.append(fm.Activation(activation))
        layers += [fm.Dropout(0.15)] * dropout
    return [*layers, fm.Dense(1, **dense)]


NETWORKS = {
    "selu": ("selu", True, True),
    "mish": ("mish", True, True),
    "selu, no dropout": ("selu", True, False),
    "selu, no dropout, activation alone": ("selu", False, False),
    "relu, no dropout, activation alone": ("relu", False, False),
}


def measure(rounds: int) -> dict[str, list[float]]:
    """Seconds of a step of each network, and of its products, by rounds."""
    rng = np.random.default_rng(23)
    x = rng.standard_normal((_CASE.rows, 16), dtype=np.float32)
    y = x[:, 0] * x[:, 1]
    products = Products(_CASE, _CASE.batch)
    timed: dict[str, Any] = {_PRODUCTS: products.run}
    for name, arguments in NETWORKS.items():
        model = fm.Sequential(
            _layers(*arguments), optimizer=fm.AdamW(1e-3, beta_2=0.95), random_state=0, n_threads=1
        )

        def run(count: int, model: Any = model) -> None:
            model.fit(x, y, epochs=count, batch_size=_CASE.batch, verbose=0)

        timed[name] = run
    found = interleaved(timed, rounds)
    steps = _CASE.steps(len(x))
    return {
        name: [each / (1 if name == _PRODUCTS else steps) for each in seconds]
        for name, seconds in found.items()
    }


def main(argv: list[str] | None = None) -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.realmlp", description="A step of RealMLP's network."
    )
    parser.add_argument("--rounds", type=int, default=9, metavar="N")
    arguments = parser.parse_args(argv)
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, [max(os.sched_getaffinity(0))])
    print(conditions())
    with threadpool_limits(1, user_api="blas"):
        found = measure(arguments.rounds)
    rows = [
        [name, f"{1e6 * float(np.median(seconds)):.0f}", spread(ratios(seconds, found[_PRODUCTS]))]
        for name, seconds in found.items()
    ]
    print(table(["network", "step, us", "by the products' time"], rows))


if __name__ == "__main__":
    main()
