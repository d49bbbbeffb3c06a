"""Each kind of operation, forward and backward: the specification, in NumPy.

One function forward and one backward for each kind, in terms of the reference kernels. The compiled
runner does the same.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from ..common.dispatch import DispatchTable
from ..kernels.reference.activations import activation_backward, activation_forward
from ..kernels.reference.batchnorm import batchnorm_backward, batchnorm_forward
from ..kernels.reference.clip import clip_columns
from ..kernels.reference.dense import dense_backward, dense_forward
from ..kernels.reference.dropout import dropout_backward, dropout_forward
from ..kernels.reference.embedding import embedding_backward, embedding_forward
from ..kernels.reference.parametric import parametric_backward, parametric_forward
from ..kernels.reference.periodic import periodic_backward, periodic_forward
from ..kernels.reference.piecewise_linear import (
    piecewise_linear_backward,
    piecewise_linear_forward,
)
from ..kernels.reference.scale import scale_backward, scale_forward
from ..kernels.reference.sparse import sparse_backward, sparse_forward
from ..program.operation import Operation, Write
from ..program.ops import (
    ActivationOp,
    AddOp,
    BatchNormOp,
    ClipOp,
    ConcatOp,
    DenseOp,
    DropoutOp,
    EmbeddingOp,
    OneHotOp,
    ParametricOp,
    PeriodicOp,
    PiecewiseLinearOp,
    ScaleOp,
    SelectOp,
    TrainedScaleOp,
)
from .reference_pass import Pass

if TYPE_CHECKING:
    from ..kernels.typing import Array


def _dense_forward(op: DenseOp, run: Pass) -> None:
    weight = run.weights.parameter(op.weight)
    bias = None if op.bias is None else run.weights.parameter(op.bias)
    if op.x in run.sparse:
        x = run.sparse[op.x]
        z = sparse_forward(x.data, x.indices, x.indptr, weight, factor=op.factor)
        run.values[op.out] = z if bias is None else z + bias
        return
    run.values[op.out], _ = dense_forward(
        run.values[op.x], weight, bias, "linear", factor=op.factor
    )


def _dense_backward(op: DenseOp, run: Pass) -> None:
    if op.x in run.sparse:
        rows, n_in = run.sparse[op.x], op.weight.shape[0]
        d_out = run.gradients[op.out]
        run.state.gradient(op.weight)[...] = sparse_backward(
            d_out, rows.data, rows.indices, rows.indptr, n_in, factor=op.factor
        )
        if op.bias is not None:
            is_zero = op.zero_bias_gradient and run.training
            run.state.gradient(op.bias)[...] = 0.0 if is_zero else d_out.sum(axis=0)
        return
    d_out, x, weight = run.gradients[op.out], run.values[op.x], run.state.parameter(op.weight)
    out = run.values[op.out]
    d_x, d_weight, d_bias = dense_backward(d_out, x, weight, out, out, "linear", factor=op.factor)
    run.state.gradient(op.weight)[...] = d_weight
    if op.bias is not None:
        is_zero = op.zero_bias_gradient and run.training
        run.state.gradient(op.bias)[...] = 0.0 if is_zero else d_bias
    run.accumulate_gradient(op.x, op.d_x, d_x)


def _activation_forward(op: ActivationOp, run: Pass) -> None:
    run.values[op.out] = activation_forward(run.values[op.x], op.activation.kernel)


def _activation_backward(op: ActivationOp, run: Pass) -> None:
    z, out, kernel = run.values[op.x], run.values[op.out], op.activation.kernel
    run.accumulate_gradient(
        op.x, op.d_x, activation_backward(run.gradients[op.out], z, out, kernel)
    )


def _parametric_forward(op: ParametricOp, run: Pass) -> None:
    z, weight = run.values[op.x], run.weights.parameter(op.weight)
    run.values[op.out] = parametric_forward(z, weight, op.activation.kernel)


def _parametric_backward(op: ParametricOp, run: Pass) -> None:
    z, weight, d_out = run.values[op.x], run.state.parameter(op.weight), run.gradients[op.out]
    d_z, d_weight = parametric_backward(d_out, z, weight, op.activation.kernel)
    run.state.gradient(op.weight)[...] = d_weight
    run.accumulate_gradient(op.x, op.d_x, d_z)


def _trained_scale_forward(op: TrainedScaleOp, run: Pass) -> None:
    run.values[op.out] = scale_forward(run.values[op.x], run.weights.parameter(op.scale))


def _trained_scale_backward(op: TrainedScaleOp, run: Pass) -> None:
    x, scale = run.values[op.x], run.state.parameter(op.scale)
    d_x, run.state.gradient(op.scale)[...] = scale_backward(run.gradients[op.out], x, scale)
    run.accumulate_gradient(op.x, op.d_x, d_x)


def _batchnorm_forward(op: BatchNormOp, run: Pass) -> None:
    state = run.state
    momentum = op.momentum if run.update_statistics else 0.0
    run.values[op.out], x_hat, inv_std = batchnorm_forward(
        run.values[op.x],
        state.parameter(op.gamma),
        state.parameter(op.beta),
        state.buffer(op.running_mean),
        state.buffer(op.running_var),
        momentum,
        op.epsilon,
        run.training,
    )
    run.saved_for_backward[op.out] = {"x_hat": x_hat, "inv_std": inv_std}


def _batchnorm_backward(op: BatchNormOp, run: Pass) -> None:
    saved = run.saved_for_backward[op.out]
    x_hat, inv_std = saved["x_hat"], saved["inv_std"]
    gamma = run.state.parameter(op.gamma)
    if run.training:
        d_x, d_gamma, d_beta = batchnorm_backward(run.gradients[op.out], x_hat, inv_std, gamma)
    else:
        d_out = run.gradients[op.out]
        d_x, d_gamma, d_beta = d_out * gamma * inv_std, (d_out * x_hat).sum(0), d_out.sum(0)
    run.state.gradient(op.gamma)[...] = d_gamma
    run.state.gradient(op.beta)[...] = d_beta
    run.accumulate_gradient(op.x, op.d_x, d_x)


def _dropout_forward(op: DropoutOp, run: Pass) -> None:
    run.values[op.out] = run.values[op.x]
    if run.training:
        state = run.state
        rate = float(state.dropout_rates[op.number])
        run.values[op.out], mask = dropout_forward(
            run.values[op.x], rate, state.seed, state.step, op.number
        )
        run.saved_for_backward[op.out] = {"mask": mask}


def _dropout_backward(op: DropoutOp, run: Pass) -> None:
    d_out = run.gradients[op.out]
    if run.training:
        d_out = dropout_backward(d_out, run.saved_for_backward[op.out]["mask"])
    run.accumulate_gradient(op.x, op.d_x, d_out)


def _add_forward(op: AddOp, run: Pass) -> None:
    run.values[op.out] = run.values[op.x] + run.values[op.y]


def _add_backward(op: AddOp, run: Pass) -> None:
    run.accumulate_gradient(op.y, op.d_y, run.gradients[op.out])
    run.accumulate_gradient(op.x, op.d_x, run.gradients[op.out])


def _select_forward(op: SelectOp, run: Pass) -> None:
    run.values[op.out] = np.ascontiguousarray(run.values[op.x][:, op.columns])


def _select_backward(op: SelectOp, run: Pass) -> None:
    d_x = np.zeros_like(run.values[op.x])
    d_x[:, op.columns] = run.gradients[op.out]
    run.accumulate_gradient(op.x, op.d_x, d_x)


def _concat_forward(op: ConcatOp, run: Pass) -> None:
    run.values[op.out] = np.concatenate([run.values[part] for part in op.parts], axis=1)


def _concat_backward(op: ConcatOp, run: Pass) -> None:
    d_out, stop = run.gradients[op.out], op.out.width
    for part, write in zip(reversed(op.parts), reversed(op.d_parts), strict=True):
        run.accumulate_gradient(
            part, write, np.ascontiguousarray(d_out[:, stop - part.width : stop])
        )
        stop -= part.width


def _embedding_forward(op: EmbeddingOp, run: Pass) -> None:
    x = run.values[op.x]
    vectors = [
        embedding_forward(np.ascontiguousarray(x[:, column]), run.weights.parameter(table))
        for column, table in zip(op.columns, op.tables, strict=True)
    ]
    run.values[op.out] = np.concatenate([x[:, op.passthrough], *vectors], axis=1)


def _embedding_backward(op: EmbeddingOp, run: Pass) -> None:
    x, d_out, start = run.values[op.x], run.gradients[op.out], len(op.passthrough)
    for column, table in zip(op.columns, op.tables, strict=True):
        n_categories, dim = table.shape
        codes = np.ascontiguousarray(x[:, column])
        d = np.ascontiguousarray(d_out[:, start : start + dim])
        run.state.gradient(table)[...] = embedding_backward(d, codes, n_categories)
        start += dim


def _periodic_forward(op: PeriodicOp, run: Pass) -> None:
    frequency, phase, weight, bias = map(run.weights.parameter, op.tensors)
    run.values[op.out] = periodic_forward(run.values[op.x], frequency, phase, weight, bias)


def _periodic_backward(op: PeriodicOp, run: Pass) -> None:
    frequency, phase, weight, _ = map(run.state.parameter, op.tensors)
    d_x, *found = periodic_backward(
        run.gradients[op.out], run.values[op.x], frequency, phase, weight
    )
    for tensor, gradient in zip(op.tensors, found, strict=True):
        run.state.gradient(tensor)[...] = gradient
    run.accumulate_gradient(op.x, op.d_x, d_x)


def _piecewise_forward(op: PiecewiseLinearOp, run: Pass) -> None:
    run.values[op.out] = piecewise_linear_forward(run.values[op.x], run.fixed(op.edges))


def _piecewise_backward(op: PiecewiseLinearOp, run: Pass) -> None:
    x, d_out = run.values[op.x], run.gradients[op.out]
    run.accumulate_gradient(op.x, op.d_x, piecewise_linear_backward(d_out, x, run.fixed(op.edges)))


def _scale_forward(op: ScaleOp, run: Pass) -> None:
    scale, shift = run.weights.parameter(op.scale), run.weights.parameter(op.shift)
    run.values[op.out] = run.values[op.x] * scale + shift


def clip(op: ClipOp, x: Array) -> Array:
    """Hold values within the bounds of an operation."""
    return clip_columns(x, np.array(op.low, x.dtype), np.array(op.high, x.dtype))


def _clip_forward(op: ClipOp, run: Pass) -> None:
    run.values[op.out] = clip(op, run.values[op.x])


def _clip_backward(op: ClipOp, run: Pass) -> None:
    # It is the last operation of a prediction: nobody else reads x.
    x, d_out = run.values[op.x], run.gradients[op.out]
    run.accumulate_gradient(op.x, Write.SET, np.where(clip(op, x) == x, d_out, 0))


def _one_hot_forward(op: OneHotOp, run: Pass) -> None:
    x = run.values[op.x]
    equal = [
        x[:, column, np.newaxis] == run.weights.parameter(levels)
        for column, levels in zip(op.columns, op.levels, strict=True)
    ]
    parts = [x[:, op.passthrough], *(part.astype(x.dtype) for part in equal)]
    run.values[op.out] = np.concatenate(parts, axis=1)


def _no_backward(op: ScaleOp | OneHotOp, run: Pass) -> None:
    raise TypeError(f"{type(op).__name__} stands in programs for prediction alone")


Forward: TypeAlias = Callable[[Any, Pass], None]
Backward: TypeAlias = Callable[[Any, Pass], None]

REFERENCE: DispatchTable[tuple[Forward, Backward]] = DispatchTable(
    "REFERENCE",
    __name__,
    {
        DenseOp: (_dense_forward, _dense_backward),
        ActivationOp: (_activation_forward, _activation_backward),
        ParametricOp: (_parametric_forward, _parametric_backward),
        TrainedScaleOp: (_trained_scale_forward, _trained_scale_backward),
        BatchNormOp: (_batchnorm_forward, _batchnorm_backward),
        DropoutOp: (_dropout_forward, _dropout_backward),
        AddOp: (_add_forward, _add_backward),
        SelectOp: (_select_forward, _select_backward),
        ConcatOp: (_concat_forward, _concat_backward),
        EmbeddingOp: (_embedding_forward, _embedding_backward),
        PeriodicOp: (_periodic_forward, _periodic_backward),
        PiecewiseLinearOp: (_piecewise_forward, _piecewise_backward),
        ScaleOp: (_scale_forward, _no_backward),
        ClipOp: (_clip_forward, _clip_backward),
        OneHotOp: (_one_hot_forward, _no_backward),
    },
)
"""The functions of each kind of operation, forward and backward."""


def forward(ops: tuple[Operation, ...], run: Pass) -> None:
    """Run operations in their order."""
    for op in ops:
        REFERENCE[type(op)][0](op, run)


def backward(ops: tuple[Operation, ...], run: Pass) -> None:
    """Run the gradients of operations in the opposite order."""
    for op in reversed(ops):
        if op.out in run.gradients:
            REFERENCE[type(op)][1](op, run)
