"""What a prediction costs: bytes of weights, code and memory, multiply-adds, time."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import median
from time import perf_counter
from typing import TYPE_CHECKING, Any

import numpy as np

from ..program import ActivationOp, DenseOp, EmbeddingOp, SelectOp
from .c_memory import plan

if TYPE_CHECKING:
    from ..predictor import Predictor
    from ..program import InferenceProgram

# Bytes of Thumb-2 code for a Cortex-M4 with a floating-point unit, as gcc 12.2 -Os makes it of a
# header with ``math="inline"``: what each network has, then loops and elementary functions.
_CODE = 360
_CODE_OF_OP = 20
_CODE_OF_KIND = 60
_CODE_OF_LOOP = 60
_CODE_OF_FUNCTION = {"reduce": 90, "exp": 170, "expm1": 240, "tanh": 170, "erfc": 290, "log1p": 240}
_FUNCTIONS = {
    "tanh": ("reduce", "tanh"),
    "gelu": ("reduce", "exp", "erfc"),
    "softplus": ("reduce", "exp", "log1p"),
    **dict.fromkeys(("elu", "selu"), ("reduce", "expm1")),
    **dict.fromkeys(("sigmoid", "softmax", "silu", "mish", "exp"), ("reduce", "exp")),
}
# Without instructions for float64 each operation is a call, and polynomials are longer.
_FLOAT64_CODE = 1.2
_FLOAT64_FUNCTIONS = 2.3


@dataclass(frozen=True)
class Costs:
    """What a network needs to predict one row.

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
        Constants of the exported C, and its code, which is an estimate.
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
        columns = sum(
            len(op.columns if isinstance(op, SelectOp) else op.kept)
            for op in program.ops
            if isinstance(op, (SelectOp, EmbeddingOp))
        )
        n_values = plan(program)[1] + program.output.width + program.input.width
        if program.wide is not None:
            n_values += program.wide.width
        return cls(
            n_weights=n_weights,
            weight_bytes=n_weights * item,
            int8_bytes=sum(op.weight.size for op in program.ops if isinstance(op, DenseOp)),
            multiply_adds=multiply_adds(program),
            flash_bytes=n_weights * item + columns * 4 + _code_bytes(program),
            ram_bytes=n_values * item,
        )


def multiply_adds(program: InferenceProgram) -> int:
    """Multiply-adds of one row in the dense layers."""
    return sum(op.weight.size for op in program.ops if isinstance(op, DenseOp))


def _code_bytes(program: InferenceProgram) -> int:
    activations = {op.activation.name for op in program.ops if isinstance(op, ActivationOp)}
    kinds = {type(op) for op in program.ops} - {ActivationOp, DenseOp}
    size = _CODE + _CODE_OF_OP * len(program.ops) + _CODE_OF_KIND * len(kinds)
    size += _CODE_OF_LOOP * len(activations - {"linear"})
    functions = {part for name in activations for part in _FUNCTIONS.get(name, ())}
    elementary = sum(_CODE_OF_FUNCTION[part] for part in functions)
    if program.dtype == "float64":
        return round(size * _FLOAT64_CODE + elementary * _FLOAT64_FUNCTIONS)
    return size + elementary


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
