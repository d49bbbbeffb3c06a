"""The matrix products of a step by fastmlp's own kernels, and nothing else of the step.

A network of linear layers without biases is lowered, and of its tasks only those of the dense
layers are run, by the runner that runs a whole step.
"""

from __future__ import annotations

import threading
from collections.abc import Callable

import numpy as np

import fastmlp as fm
from fastmlp.declarations.losses import MSE
from fastmlp.kernels.compiled.machine.runner import ADDRESS, BARRIER
from fastmlp.kernels.compiled.ops.dense import (
    dense_backward_input,
    dense_backward_weight,
    dense_forward,
)
from fastmlp.network.build import build_program
from fastmlp.peers.networks import Array, Case
from fastmlp.program.state import State
from fastmlp.runners.compiled.buffer_plan import for_training
from fastmlp.runners.compiled.executable import Executable
from fastmlp.runners.compiled.lowering import Lowering, reads_z
from fastmlp.runners.compiled.lowering_ops import lower_backward, lower_forward

# The kinds of products of a step, and the ops that do them.
PRODUCTS = {
    "forward": dense_forward,
    "d_x": dense_backward_input,
    "d_weight": dense_backward_weight,
}


def linear_lowering(widths: tuple[int, ...], rows: int, cut: bool = False) -> Lowering:
    """The lowering, without a task yet, of linear layers without biases."""
    layers = [fm.Dense(units, use_bias=False) for units in widths[1:]]
    program = build_program(layers, widths[0], MSE(), fm.Adam(), "float32").program
    plan = for_training(program, reads_z)
    return Lowering(State(program, seed=0), plan, program.ops, rows, training=cut)


class OwnProducts:
    """The products of a training step, or of a prediction; checked against NumPy.

    Parameters
    ----------
    case : Case
    rows : int
        Rows of the step, or of a block of a prediction.
    cut : bool
        Whether products are cut into shards, as those of a training step are.
    """

    def __init__(self, case: Case, rows: int, cut: bool = False) -> None:
        lowering = linear_lowering(case.widths, rows, cut)
        program, plan = lowering.program, lowering.plan
        lower_forward(program.ops, lowering)
        if not case.predicts:
            lower_backward(program.ops, lowering)
        self._state, self._rows = lowering.state, rows
        rng = np.random.default_rng(22)
        for tensor in program.parameters:
            # Values neither grow nor shrink from layer to layer.
            weight = rng.standard_normal(tensor.shape) / np.sqrt(tensor.shape[0])
            self._state.parameter(tensor)[...] = weight
        self._x = lowering.arrays[plan.values[program.input]]
        self._x[...] = rng.standard_normal(self._x.shape)
        self._out = lowering.arrays[plan.values[program.output]]
        self._executable = Executable(lowering)
        self._check(not case.predicts)

    def keep_only(self, product: str) -> None:
        """From now on do those of one kind, a key of `PRODUCTS`."""
        table = self._executable.table
        op = PRODUCTS[product].address("float32")
        # For a single worker a barrier is nothing to be done.
        table[table[:, ADDRESS] != op] = BARRIER

    def run(self, repeats: int) -> None:
        """Do them all so many times, without the interpreter's lock."""
        self._executable.run_as(0, 0, repeats, self._rows, self._rows * repeats)

    def _check(self, backward: bool) -> None:
        self.run(1)
        tensors = self._state.program.parameters
        weights = [self._state.parameter(tensor).astype(np.float64) for tensor in tensors]
        inputs = [self._x.astype(np.float64)]
        for weight in weights:
            inputs.append(inputs[-1] @ weight)
        # The gradient that the loss would leave has the place of the outputs.
        d = inputs[-1]
        _assert_close(self._out, d)
        if not backward:
            return
        for tensor, weight, x in zip(tensors[::-1], weights[::-1], inputs[-2::-1], strict=True):
            _assert_close(self._state.gradient(tensor), x.T @ d)
            d = d @ weight.T


def _assert_close(found: Array, expected: Array) -> None:
    np.testing.assert_allclose(found, expected, rtol=1e-3, atol=1e-4 * np.abs(expected).max())


def loops(case: Case, number: int) -> Callable[[int], None]:
    """Independent loops over a case's products, each on a thread of its own.

    What is returned does all products `count` times in each loop, and ends with the last loop.
    """
    products = [OwnProducts(case, case.batch) for _ in range(number)]

    def run(count: int) -> None:
        helpers = [threading.Thread(target=p.run, args=(count,)) for p in products[1:]]
        for helper in helpers:
            helper.start()
        products[0].run(count)
        for helper in helpers:
            helper.join()

    return run
