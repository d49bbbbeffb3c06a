"""Freezing: from the program of a network that is trained to the shortest one that predicts.

Dropout does nothing in a prediction, and a BatchNorm is ``out = x * scale + shift`` with numbers
that no longer change; so are a trained Scale and a linear scaler of X. `folding` multiplies them
into the weights, which are only then rounded to the network's dtype.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from ..common.arrays import aligned_zeros
from ..common.dispatch import DispatchTable
from ..common.warn import warn
from ..program.column_ops import PiecewiseLinearOp
from ..program.operation import Operation, Slot, Tensor, padded
from ..program.ops import BatchNormOp, DenseOp, TrainedScaleOp
from ..program.program import InferenceProgram, inference_ops
from ..program.state import State, Weights
from .folding import Graph, Scaling
from .preparation import Preparation, prepare

if TYPE_CHECKING:
    from ..kernels.typing import Array

# What rounding may change of a scaled column, whose width is about 1, before there is a warning.
_LARGEST_ERROR = 1e-3


def freeze_program(
    state: State,
    before: Scaling | None = None,
    after: Scaling | None = None,
    feature_names: Sequence[str] | None = None,
    preparation: Preparation | None = None,
) -> Weights:
    """Make the program and the weights of predictions.

    Parameters
    ----------
    state : State
        Of the network; it is only read.
    before, after : Scaling, optional
        Of X (of two inputs X_deep), and of the output.
    feature_names : sequence of str, optional
        Those of the columns of X, for warnings.
    preparation : Preparation, optional
        Of X, in the place of `before`.
    """
    program = state.program
    ops, output = inference_ops(program)
    graph = Graph(program, list(ops), output, feature_names)
    for op in ops:
        if type(op) in FROZEN or any(tensor in program.buffers for tensor in op.tensors):
            FROZEN[type(op)](graph, op, state)
        else:
            for tensor in op.tensors:
                graph.values[tensor.name] = state.parameter(tensor).astype(np.float64)
    if before is not None:
        graph.scale_input(before)
    if after is not None:
        graph.scale_output(after)
    graph.fold()
    if preparation is not None:
        program = replace(program, input=prepare(graph, preparation))
        graph.fold()
    return lay_out(program, tuple(graph.ops), graph.output, graph.values)


def lay_out(
    program: InferenceProgram,
    ops: tuple[Operation, ...],
    output: Slot,
    values: Mapping[str, Array],
) -> Weights:
    """Place the tensors of operations, which have only names and shapes so far, in one vector."""
    tensors: dict[str, Tensor] = {}
    stop = 0
    for op in ops:
        for tensor in op.tensors:
            if tensor.name not in tensors:
                tensors[tensor.name] = replace(tensor, start=stop)
                stop += padded(tensor.size)

    parameters = aligned_zeros((stop,), program.dtype)
    for tensor in tensors.values():
        parameters[tensor.start : tensor.stop] = values[tensor.name].ravel()
    frozen = InferenceProgram(
        dtype=program.dtype,
        input=program.input,
        ops=tuple(op.with_tensors(tensors).without_plan() for op in ops),
        output=output,
        parameters=tuple(tensors.values()),
        n_parameters=stop,
        wide=program.wide,
    )
    return Weights(frozen, parameters)


def warn_of_lost_digits(
    program: InferenceProgram,
    shift: Array,
    feature_names: Sequence[str] | None = None,
    layer: str = "",
) -> None:
    """Warn of columns whose distance from 0, in what is one when scaled, leaves them few digits.

    Parameters
    ----------
    program : InferenceProgram
    shift : (width,) array
        The distance of each column.
    feature_names : sequence of str, optional
        Of X, where it is X that is scaled.
    layer : str
        The layer whose inputs are scaled; empty for the columns of X.
    """
    epsilon = float(np.finfo(program.dtype).eps)
    distances = np.abs(np.asarray(shift, np.float64))
    n_far, number = int((distances * epsilon > _LARGEST_ERROR).sum()), int(distances.argmax())
    if not n_far:
        return
    whole, example, remedy = "columns of X", f"column {number}", "take a constant off such columns"
    if layer:
        whole, example = f"inputs of layer {layer}", f"input {number}"
        remedy = "standardize X"
    elif feature_names is not None and len(feature_names) == len(shift):
        example = f"column {number}, {feature_names[number]!r},"
    if program.wide is not None:
        whole = whole.replace("X", "X_deep")
    distance = distances[number]
    warn(
        f"{n_far} of the {len(shift)} {whole} lie too far from 0, beside the scale that they are "
        f"divided by, for {program.dtype}: {example} is {distance:.3g} times its scale away from "
        "0. A predictor takes it as it is, for that division is part of its weights, and may be "
        f"wrong as if it were moved by {distance * epsilon:.2g} of its scale. Give the model "
        f"dtype='float64', or {remedy} before the training"
    )


def _freeze_batchnorm(graph: Graph, op: BatchNormOp, state: State) -> None:
    gamma, beta = state.parameter(op.gamma), state.parameter(op.beta)
    mean, var = state.buffer(op.running_mean), state.buffer(op.running_var)
    deviation = np.sqrt(var.astype(np.float64) + op.epsilon)
    scale = gamma.astype(np.float64) / deviation
    scaling = Scaling(scale, beta.astype(np.float64) - mean * scale)
    path = op.gamma.name.removesuffix(".gamma")
    if op.x == state.program.input:
        warn_of_lost_digits(state.program, mean / deviation, graph.feature_names)
    else:
        warn_of_lost_digits(state.program, mean / deviation, layer=f"{path} (BatchNorm)")
    graph.change(op, graph.scale_op(path, op.x, op.out, scaling))


def _freeze_piecewise(graph: Graph, op: PiecewiseLinearOp, state: State) -> None:
    graph.values[op.edges.name] = state.buffer(op.edges).astype(np.float64)


def _freeze_dense(graph: Graph, op: DenseOp, state: State) -> None:
    for tensor in op.tensors:
        graph.values[tensor.name] = state.parameter(tensor).astype(np.float64)
    graph.values[op.weight.name] = graph.values[op.weight.name] * op.factor
    graph.change(op, op.without_plan())


def _freeze_trained_scale(graph: Graph, op: TrainedScaleOp, state: State) -> None:
    scale = state.parameter(op.scale).astype(np.float64)
    path = op.scale.name.removesuffix(".scale")
    scaling = Scaling(scale, np.zeros_like(scale))
    graph.change(op, graph.scale_op(path, op.x, op.out, scaling))


FROZEN: DispatchTable[Callable[[Graph, Any, State], None]] = DispatchTable(
    "FROZEN",
    __name__,
    {
        BatchNormOp: _freeze_batchnorm,
        DenseOp: _freeze_dense,
        PiecewiseLinearOp: _freeze_piecewise,
        TrainedScaleOp: _freeze_trained_scale,
    },
)
"""By kind of operation: gives the values of its tensors, replaces one that has buffers, or makes
parameters of these."""
