"""Costs of a prediction: bytes of weights, code and memory, multiply-adds, time."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import median
from time import perf_counter
from typing import TYPE_CHECKING, Any

import numpy as np

from ..program.ops import ActivationOp, DenseOp, EmbeddingOp, OneHotOp, SelectOp
from ..program.program import activations as activations_of
from .c.activations import template
from .c.math import needed_functions, used_functions
from .c.memory import plan

if TYPE_CHECKING:
    from ..declarations.activations import Activation
    from ..inference.predictor import Predictor
    from ..program.program import InferenceProgram

# Bytes of Thumb-2 code for a Cortex-M4 with a floating-point unit, in float32 and in float64 (where
# each operation is a call): fitted by least squares to what gcc 12.2 -Os makes of headers with
# ``math="inline"``.
_CODE = {
    "network": (140, 250),
    "several dense layers": (100, 170),  # a function of its own, which is inlined for one layer
    "inputs in no groups of four": (80, 90),
    "operation": (30, 30),
    "embedded column": (80, 110),
    "one-hot": (60, 60),
    "one-hot column": (20, 20),
    "activation": (40, 50),  # of each kind the first
    "choose": (40, 90),  # alone; where other functions choose, it is counted with them
    "whole rows": (80, 100),  # of an activation that is not elementwise
    "reduce": (110, 410),
    "exp": (150, 220),
    "expm1": (250, 370),
    "tanh": (80, 170),
    "erfc": (260, 710),
    "log1p": (200, 510),
}


@dataclass(frozen=True)
class Costs:
    """The needs of a network that predicts one row.

    Attributes
    ----------
    n_weights : int
        Of all kinds: weights, biases, scales, embeddings.
    weight_bytes : int
        Their size in the network's dtype.
    int8_bytes : int
        The weights of dense layers in one byte each.
    multiply_adds : int
        In the dense layers.
    flash_bytes : int
        Constants of the exported C, and its code, which is an estimate (`code_bytes`).
    ram_bytes : int
        ``x``, ``y`` and ``scratch`` of the exported C.
    """

    n_weights: int
    weight_bytes: int
    int8_bytes: int
    multiply_adds: int
    flash_bytes: int
    ram_bytes: int

    @classmethod
    def of(cls, predictor: Predictor) -> Costs:
        """Count."""
        program = predictor.program
        item = np.dtype(predictor.dtype).itemsize
        n_weights = sum(weight.size for weight in predictor.weights.values())
        # Equal column numbers stand in the C once.
        columns = {
            op.columns if isinstance(op, SelectOp) else op.passthrough
            for op in program.ops
            if isinstance(op, (SelectOp, EmbeddingOp, OneHotOp))
        }
        constants = n_weights * item + 4 * sum(map(len, columns))
        n_values = plan(program)[1] + program.output.width + program.input.width
        if program.wide is not None:
            n_values += program.wide.width
        return cls(
            n_weights=n_weights,
            weight_bytes=n_weights * item,
            int8_bytes=multiply_adds(program),
            multiply_adds=multiply_adds(program),
            flash_bytes=constants + code_bytes(program),
            ram_bytes=n_values * item,
        )


def multiply_adds(program: InferenceProgram) -> int:
    """Multiply-adds of one row in the dense layers."""
    return sum(op.multiply_adds for op in program.ops)


def code_bytes(program: InferenceProgram) -> int:
    """Estimate the code of the exported C with ``math="inline"`` on a Cortex-M4, in bytes.

    Mostly within a tenth; further off where layers have a single unit, whose loops the compiler
    unrolls or drops. The compiler's own library is not counted: float64 arithmetic in it takes
    some 2 kB.
    """
    dense = [op for op in program.ops if isinstance(op, DenseOp)]
    activations = {activation.name: activation for activation in activations_of(program)}
    counts = {
        "network": 1,
        "several dense layers": int(len(dense) > 1),
        "inputs in no groups of four": int(any(op.x.width % 4 for op in dense)),
        "operation": sum(not isinstance(op, ActivationOp) for op in program.ops),
        "embedded column": sum(len(op.codes) for op in program.ops),
        "one-hot": int(any(isinstance(op, OneHotOp) for op in program.ops)),
        "one-hot column": sum(len(op.columns) for op in program.ops if isinstance(op, OneHotOp)),
        "activation": len(activations),
    }
    for activation in activations.values():
        counts |= dict.fromkeys(_parts(activation), 1)
    column = ("float32", "float64").index(program.dtype)
    return sum(count * _CODE[part][column] for part, count in counts.items())


def _parts(activation: Activation) -> set[str]:
    """List the rows of `_CODE` that an activation in C needs."""
    try:
        used = used_functions(template(activation))
    except ValueError:
        # There is no C for it.
        return set()
    parts = needed_functions(used) or used
    return (parts & _CODE.keys()) | ({"whole rows"} if activation.is_rowwise else set())


def seconds_of_a_row(predictor: Predictor, calls: int = 200, limit: float = 0.1) -> float:
    """The median time of a prediction of one row on this machine.

    Parameters
    ----------
    predictor : Predictor
    calls : int
        Predictions that are timed at most.
    limit : float
        Seconds after which no further one begins.
    """
    # Zeros are codes of embeddings too.
    program = predictor.program
    x: Any = np.zeros(program.input.width, predictor.dtype)
    if program.wide is not None:
        x = (np.zeros(program.wide.width, predictor.dtype), x)
    predictor(x)
    times: list[float] = []
    begin = perf_counter()
    while len(times) < calls and perf_counter() - begin < limit:
        start = perf_counter()
        predictor(x)
        times.append(perf_counter() - start)
    return median(times)
