"""What a training step costs beside a model of it: ``python -m benchmarks.cost_model``.

The network has three equal hidden layers of width w, 16 inputs and one output; relu, mean squared
error, Adam, a batch of n = 256 rows, float32, one thread. With P parameters the model of a step is

    products + 28 P / update + 4 n (2 w_0 + sum over layers of c w_i) / activations

products : seconds
    The step's matrix products, measured alone: two for the first layer, three for each other.
28 P : bytes
    Adam reads the parameter, its gradient and two moments, and writes all but the gradient.
c : numbers of four bytes
    Of each element of a hidden layer, c = 6: relu reads and writes it, its derivative reads the
    output and reads and writes the gradient, and the sum for the bias reads that. Of the output,
    c = 3: the loss reads it and writes its gradient, which the bias reads. The input, w_0, is
    copied into the batch.
update, activations : bytes a second
    Measured by ``a += 0.5 * b`` over arrays that hold as much: 16 P bytes for the update, what the
    step keeps of its batch for the activations.

The parts are measured in turns with the step, in the same rounds. Nothing is fitted. Products are
those by fastmlp's own kernels; those by SciPy's BLAS stand beside them.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from math import sqrt
from statistics import median

import numpy as np
from threadpoolctl import threadpool_limits

from fastmlp.peers.machine import blas_of_scipy
from fastmlp.peers.networks import Array, Case, first_parameters, make_data
from fastmlp.peers.with_fastmlp import Peer

from .products import Products
from .shared.own_products import OwnProducts
from .shared.rounds import conditions, interleaved, ratios, say, spread, table

_BATCH = 256
_INPUTS, _HIDDEN, _OUTPUTS = 16, 3, 1
_PARAMETERS = tuple(round(10 ** (4 + k / 2)) for k in range(7))
_UPDATE_BYTES, _UPDATE_ARRAYS = 28, 4
_TARGET = 0.15
# Batches of an epoch: what an epoch costs besides its steps is to be small beside them.
_MOST_BATCHES, _MOST_WORK = 64, 2e7
_SECONDS = 0.08


def network(parameters: int) -> Case:
    """The network with about so many parameters; its width is a multiple of 4."""
    # 2 w**2 + (inputs + outputs + 3) w + outputs = parameters
    linear = _INPUTS + _OUTPUTS + _HIDDEN
    width = (sqrt(linear**2 + 8 * (parameters - _OUTPUTS)) - linear) / 4
    width = max(4, 4 * round(width / 4))
    widths = (_INPUTS, *[width] * _HIDDEN, _OUTPUTS)
    rows = _BATCH * max(2, min(_MOST_BATCHES, int(_MOST_WORK / parameters)))
    return Case(f"w = {width}", widths, "relu", "linear", batch=_BATCH, rows=rows)


def count_parameters(case: Case) -> int:
    """Weights and biases."""
    return sum((inputs + 1) * units for inputs, units in pairwise(case.widths))


def product_operations(case: Case) -> int:
    """Multiplications and additions of the products of a step."""
    pairs = list(pairwise(case.widths))
    return 2 * case.batch * sum((3 if k else 2) * a * b for k, (a, b) in enumerate(pairs))


def activation_bytes(case: Case) -> int:
    """Bytes that are read or written of what belongs to the batch, outside the products."""
    inputs, *hidden, outputs = case.widths
    return 4 * case.batch * (2 * inputs + 6 * sum(hidden) + 3 * outputs)


def kept_bytes(case: Case) -> int:
    """Bytes that hold the batch: the input, the outputs of the layers and their gradients."""
    return 4 * case.batch * (case.widths[0] + 2 * sum(case.widths[1:]))


class Traffic:
    """``a += 0.5 * b`` over two arrays that together hold so many bytes."""

    def __init__(self, held: int) -> None:
        self._a = np.ones(max(1, held // 8), dtype=np.float32)
        self._b = np.zeros_like(self._a)
        self.bytes = 3 * self._a.nbytes

    def run(self, repeats: int) -> None:
        """Do it so many times."""
        _traffic_loop()(self._a, self._b, repeats)


@cache
def _traffic_loop() -> Callable[[Array, Array, int], None]:
    import numba

    def loop(a: Array, b: Array, repeats: int) -> None:
        half = np.float32(0.5)
        for _ in range(repeats):
            for i in range(a.size):
                a[i] += half * b[i]

    compiled: Callable[[Array, Array, int], None] = numba.njit(loop)
    return compiled


@dataclass(frozen=True)
class Costs:
    """Seconds of a step, and of the parts that the model adds up, by rounds."""

    case: Case
    step: list[float]
    products: list[float]
    blas: list[float]
    update: list[float]
    activations: list[float]

    @property
    def model(self) -> list[float]:
        """The model's seconds."""
        parts = zip(self.products, self.update, self.activations, strict=True)
        return [sum(part) for part in parts]

    def cells(self) -> list[str]:
        """Of the table."""
        parameters, operations = count_parameters(self.case), product_operations(self.case)
        step, products, blas = (median(part) for part in (self.step, self.products, self.blas))
        off = abs(median(ratios(self.step, self.model)) - 1)
        return [
            f"{parameters:,}",
            str(self.case.widths[1]),
            f"{1e6 * step:,.1f}",
            f"{1e9 * step / parameters:.2f}",
            *(
                f"{1e6 * seconds:,.1f} ({operations / seconds / 1e9:.0f})"
                for seconds in (products, blas)
            ),
            f"{1e6 * median(self.update):,.1f}",
            f"{1e6 * median(self.activations):,.1f}",
            f"{1e6 * median(self.model):,.1f}",
            spread(ratios(self.step, self.model)) + (" **off**" if off > _TARGET else ""),
        ]


def measure(case: Case, rounds: int) -> Costs:
    """Time a step and its parts in turns, on one thread."""
    x, y = make_data(case)
    peer = Peer(case, x, y, first_parameters(case), "fit", 1)
    update = Traffic(4 * _UPDATE_ARRAYS * count_parameters(case))
    activations = Traffic(kept_bytes(case))
    timed = {
        "step": peer.fit,
        "products": OwnProducts(case, case.batch).run,
        "blas": Products(case, case.batch).run,
        "update": update.run,
        "activations": activations.run,
    }
    found = interleaved(timed, rounds, _SECONDS)
    steps = case.steps(len(x))
    moved = _UPDATE_BYTES * count_parameters(case) / update.bytes
    touched = activation_bytes(case) / activations.bytes
    return Costs(
        case,
        [seconds / steps for seconds in found["step"]],
        found["products"],
        found["blas"],
        [moved * seconds for seconds in found["update"]],
        [touched * seconds for seconds in found["activations"]],
    )


def main(argv: list[str] | None = None) -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.cost_model",
        description="Time of a training step beside a model of measured parts, on one thread.",
    )
    parser.add_argument(
        "--parameters", nargs="+", type=int, default=_PARAMETERS, metavar="P", help="about so many"
    )
    parser.add_argument("--rounds", type=int, default=9, metavar="N")
    arguments = parser.parse_args(argv)
    if min(arguments.rounds, *arguments.parameters) < 1:
        parser.error("--parameters and --rounds take numbers from 1 on")
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, [max(os.sched_getaffinity(0))])
    print(conditions())
    print(f"SciPy's BLAS: {blas_of_scipy()}", end="\n\n")
    rows = []
    with threadpool_limits(1, user_api="blas"):
        for parameters in arguments.parameters:
            case = network(parameters)
            say(f"{count_parameters(case):,} parameters: {case}")
            rows.append(measure(case, arguments.rounds).cells())
    head = ["parameters", "width", "step, us", "ns a parameter", "products, us (GFLOP/s)"]
    head += ["products by BLAS, us (GFLOP/s)", "update, us", "activations, us", "model, us"]
    print(table([*head, "step by model (quartiles)"], rows), end="\n\n")
    print(conditions())


if __name__ == "__main__":
    main()
