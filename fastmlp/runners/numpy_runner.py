"""The NumPy runner: the specification of what running a program means.

One function forward and one backward for each kind of operation, in terms of the reference
kernels; the loops over a program are a few lines. The compiled runner does the same.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeAlias, cast

import numpy as np

from ..common.dispatch import DispatchTable
from ..data.batches import Batches
from ..data.rows import FeaturePair, SparseRows, as_dtype, deep_part
from ..kernels import reference as kernels
from ..program.ops import (
    ActivationOp,
    AddOp,
    BatchNormOp,
    ConcatOp,
    DenseOp,
    DropoutOp,
    EmbeddingOp,
    Operation,
    ScaleOp,
    SelectOp,
    Slot,
    Write,
)
from ..program.program import Group, Program
from ..program.state import State, Weights

if TYPE_CHECKING:
    from ..data.rows import Features
    from ..kernels.typing import Array

# Rows that a prediction is made of at a time: activations stay in the cache.
_BLOCK_ROWS = 1024


class Pass:
    """One batch on its way through a program: the values of slots and their gradients.

    Of `Weights` there are only predictions.
    """

    def __init__(
        self, weights: State | Weights, training: bool, update_statistics: bool = True
    ) -> None:
        self.weights = weights
        self.training = training
        self.update_statistics = update_statistics
        self.values: dict[Slot, Array] = {}
        self.sparse: dict[Slot, SparseRows] = {}
        self.gradients: dict[Slot, Array] = {}
        self.saved_for_backward: dict[Slot, dict[str, Array]] = {}

    @property
    def state(self) -> State:
        """What training reads and changes."""
        return cast(State, self.weights)

    def feed(self, x: Features) -> None:
        """Set the network's inputs."""
        program = self.weights.program
        x = as_dtype(x, program.dtype)
        self.values[program.input] = deep_part(x)
        if program.wide is not None and isinstance(x, FeaturePair):
            if isinstance(x.wide, SparseRows):
                self.sparse[program.wide] = x.wide
            else:
                self.values[program.wide] = x.wide

    def accumulate_gradient(self, slot: Slot, write: Write, gradient: Array) -> None:
        """Set or add to the gradient of a slot."""
        if write is Write.SET:
            self.gradients[slot] = gradient
        elif write is Write.ADD:
            self.gradients[slot] = self.gradients[slot] + gradient


def _dense_forward(op: DenseOp, run: Pass) -> None:
    weight = run.weights.parameter(op.weight)
    if op.x in run.sparse:
        x = run.sparse[op.x]
        run.values[op.out] = kernels.sparse_forward(x.data, x.indices, x.indptr, weight)
        return
    bias = None if op.bias is None else run.weights.parameter(op.bias)
    run.values[op.out], _ = kernels.dense_forward(run.values[op.x], weight, bias, "linear")


def _dense_backward(op: DenseOp, run: Pass) -> None:
    if op.x in run.sparse:
        rows, n_in = run.sparse[op.x], op.weight.shape[0]
        run.state.gradient(op.weight)[...] = kernels.sparse_backward(
            run.gradients[op.out], rows.data, rows.indices, rows.indptr, n_in
        )
        return
    d_out, x, weight = run.gradients[op.out], run.values[op.x], run.state.parameter(op.weight)
    out = run.values[op.out]
    d_x, d_weight, d_bias = kernels.dense_backward(d_out, x, weight, out, out, "linear")
    run.state.gradient(op.weight)[...] = d_weight
    if op.bias is not None:
        is_zero = op.zero_bias_gradient and run.training
        run.state.gradient(op.bias)[...] = 0.0 if is_zero else d_bias
    run.accumulate_gradient(op.x, op.d_x, d_x)


def _activation_forward(op: ActivationOp, run: Pass) -> None:
    run.values[op.out] = kernels.activation_forward(run.values[op.x], op.activation.kernel)


def _activation_backward(op: ActivationOp, run: Pass) -> None:
    z, out, kernel = run.values[op.x], run.values[op.out], op.activation.kernel
    run.accumulate_gradient(
        op.x, op.d_x, kernels.activation_backward(run.gradients[op.out], z, out, kernel)
    )


def _batchnorm_forward(op: BatchNormOp, run: Pass) -> None:
    state = run.state
    momentum = op.momentum if run.update_statistics else 0.0
    run.values[op.out], x_hat, inv_std = kernels.batchnorm_forward(
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
        d_x, d_gamma, d_beta = kernels.batchnorm_backward(
            run.gradients[op.out], x_hat, inv_std, gamma
        )
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
        run.values[op.out], mask = kernels.dropout_forward(
            run.values[op.x], op.rate, state.seed, state.step, op.number
        )
        run.saved_for_backward[op.out] = {"mask": mask}


def _dropout_backward(op: DropoutOp, run: Pass) -> None:
    d_out = run.gradients[op.out]
    if run.training:
        d_out = kernels.dropout_backward(d_out, run.saved_for_backward[op.out]["mask"])
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
        kernels.embedding_forward(np.ascontiguousarray(x[:, column]), run.weights.parameter(table))
        for column, table in zip(op.columns, op.tables, strict=True)
    ]
    run.values[op.out] = np.concatenate([x[:, op.kept], *vectors], axis=1)


def _embedding_backward(op: EmbeddingOp, run: Pass) -> None:
    x, d_out, start = run.values[op.x], run.gradients[op.out], len(op.kept)
    for column, table in zip(op.columns, op.tables, strict=True):
        n_categories, dim = table.shape
        codes = np.ascontiguousarray(x[:, column])
        d = np.ascontiguousarray(d_out[:, start : start + dim])
        run.state.gradient(table)[...] = kernels.embedding_backward(d, codes, n_categories)
        start += dim


def _scale_forward(op: ScaleOp, run: Pass) -> None:
    scale, shift = run.weights.parameter(op.scale), run.weights.parameter(op.shift)
    run.values[op.out] = run.values[op.x] * scale + shift


def _no_backward(op: ScaleOp, run: Pass) -> None:
    raise TypeError(f"{type(op).__name__} stands in programs for prediction alone")


Forward: TypeAlias = Callable[[Any, Pass], None]
Backward: TypeAlias = Callable[[Any, Pass], None]

REFERENCE: DispatchTable[tuple[Forward, Backward]] = DispatchTable(
    "REFERENCE",
    __name__,
    {
        DenseOp: (_dense_forward, _dense_backward),
        ActivationOp: (_activation_forward, _activation_backward),
        BatchNormOp: (_batchnorm_forward, _batchnorm_backward),
        DropoutOp: (_dropout_forward, _dropout_backward),
        AddOp: (_add_forward, _add_backward),
        SelectOp: (_select_forward, _select_backward),
        ConcatOp: (_concat_forward, _concat_backward),
        EmbeddingOp: (_embedding_forward, _embedding_backward),
        ScaleOp: (_scale_forward, _no_backward),
    },
)
"""What each kind of operation computes, forward and backward."""


def forward(ops: tuple[Operation, ...], run: Pass) -> None:
    """Run operations in their order."""
    for op in ops:
        REFERENCE[type(op)][0](op, run)


def predict(
    weights: State | Weights, ops: tuple[Operation, ...], output: Slot, x: Features
) -> Array:
    """The values of a slot for all rows, block by block."""
    blocks = []
    with np.errstate(all="ignore"):
        for start in range(0, len(x), _BLOCK_ROWS):
            run = Pass(weights, training=False)
            run.feed(x[start : start + _BLOCK_ROWS])
            forward(ops, run)
            blocks.append(run.values[output])
    return blocks[0] if len(blocks) == 1 else np.concatenate(blocks)


def backward(ops: tuple[Operation, ...], run: Pass) -> None:
    """Run the gradients of operations in the opposite order."""
    for op in reversed(ops):
        if op.out in run.gradients:
            REFERENCE[type(op)][1](op, run)


def head_loss(state: State, slot: Array, y: Array, weight: Array | None) -> tuple[float, Array]:
    """Loss of a batch and the gradient of the slot that the head reads."""
    loss = state.program.head.loss
    kernel = getattr(kernels, loss.kernel)
    result: tuple[float, Array] = kernel(slot, y, weight, *loss.arguments)
    return result


def loss_and_gradients(
    state: State, x: Features, y: Array, weight: Array | None, training: bool, update: bool
) -> tuple[float, Array]:
    """Forward and backward pass of a batch: the reported loss, and what the head read.

    Gradients, those of the penalties included, are left in the state; `update` says whether
    running statistics move.
    """
    program = state.program
    run = Pass(state, training, update)
    run.feed(x)
    forward(program.ops, run)
    read = run.values[program.head.slot]
    loss, run.gradients[program.head.slot] = head_loss(state, read, y, weight)
    backward(program.ops, run)
    for penalty in program.penalties:
        w, d_w = state.parameter(penalty.weight), state.gradient(penalty.weight)
        loss += kernels.add_penalty(w, d_w, penalty.l1, penalty.l2)
    return loss, read


def clip(state: State) -> None:
    """Clip gradients by value, then by the norm over all parameters, group by group."""
    program = state.program
    for group in program.groups:
        limit = program.optimizers[group.optimizer].clip_value
        if limit is not None:
            kernels.clip_by_value(state.gradients[group.start : group.stop], limit)
    norm = float(np.sqrt(np.sum(np.square(state.gradients, dtype=np.float64))))
    for group in program.groups:
        limit = program.optimizers[group.optimizer].clip_norm
        if limit is not None and norm > limit:
            state.gradients[group.start : group.stop] *= limit / norm


def update_group(state: State, number: int, group: Group, rate: float) -> None:
    """Move a group's parameters by its optimizer."""
    optimizer = state.program.optimizers[group.optimizer]
    part = slice(group.start, group.stop)
    kept: list[Any] = [state.moments[i, part] for i in range(len(optimizer.slots))]
    p, g, step, constants = (
        state.parameters[part],
        state.gradients[part],
        state.step + 1,
        optimizer.constants,
    )
    if optimizer.kernel == "sgd_update":
        velocity = kept[0] if kept else None
        kernels.sgd_update(p, g, velocity, rate, constants[0], bool(constants[1]))
    elif optimizer.kernel == "nadam_update":
        product = state.products[number : number + 1]
        m, v = kept
        kernels.nadam_update(p, g, m, v, step, product, rate, *constants)
    elif optimizer.kernel in ("adam_update", "adamw_update"):
        getattr(kernels, optimizer.kernel)(p, g, *kept, step, rate, *constants)
    else:
        getattr(kernels, optimizer.kernel)(p, g, *kept, rate, *constants)


def count_correct(state: State, read: Array, y: Array) -> float:
    """How many rows of a batch the network has right, before its update."""
    threshold = state.program.head.threshold
    if threshold is not None:
        return float(((read >= threshold) == (y >= 0.5)).mean(axis=1).sum())
    if state.program.head.loss.kernel != "softmax_cross_entropy":
        return 0.0
    labels = y if y.ndim == 1 else y.argmax(axis=1)
    return float((read.argmax(axis=1) == labels).sum())


def output_from_head(program: Program, read: Array) -> Array:
    """The network's output from what its loss reads."""
    for op in program.output_ops:
        if isinstance(op, ActivationOp):
            read = kernels.activation_forward(read, op.activation.kernel)
    return read


def reported_loss(
    state: State, parts: Iterable[tuple[Array, Array, Array | None]]
) -> tuple[float, float]:
    """Loss of rows, penalties included, and how many of them are right.

    `parts` are what the loss reads, y and weights of some rows each.
    """
    losses, shares, correct = [], [], 0.0
    for read, y, weight in parts:
        with np.errstate(all="ignore"):
            losses.append(head_loss(state, read, y, weight)[0])
        shares.append(float(len(y)) if weight is None else weight.sum(dtype=np.float64))
        correct += count_correct(state, read, y)
    # As shares of 1: a single part keeps its loss to the last bit.
    total = sum(shares) or 1.0
    loss = sum(loss * (share / total) for loss, share in zip(losses, shares, strict=True))
    for penalty in state.program.penalties:
        w = state.parameter(penalty.weight)
        loss += kernels.add_penalty(w, np.zeros_like(w), penalty.l1, penalty.l2)
    return loss, correct


class NumpyRunner:
    """Runs a program with the reference kernels.

    Both runners have these methods; nothing outside them knows which one it works with.
    """

    def __init__(self, state: State) -> None:
        self.state = state

    def session(self, batches: Batches, rates: list[float | Array]) -> NumpySession:
        """Make ready to train on these rows; `rates` tells what learning rates will look like."""
        return NumpySession(self.state, batches)

    def gradients(self, x: Features, y: Array, weight: Array | None, training: bool) -> Array:
        """The flat gradient of a batch; nothing is changed."""
        state = self.state.with_own_gradients()
        with np.errstate(all="ignore"):
            loss_and_gradients(state, x, y, weight, training, False)
        return state.gradients

    def predict(self, x: Features, head: bool = False) -> Array:
        """The network's output for all rows; with `head`, what the loss reads."""
        program = self.state.program
        ops = program.ops if head else program.ops + program.output_ops
        return predict(self.state, ops, program.head.slot if head else program.output, x)


@contextmanager
def uninterrupted() -> Iterator[None]:
    """Let Ctrl-C wait until the end of a step, so that it never finds half an update."""
    if (
        threading.current_thread() is not threading.main_thread()
        or signal.getsignal(signal.SIGINT) is not signal.default_int_handler
    ):
        yield
        return
    interrupts: list[int] = []
    signal.signal(signal.SIGINT, lambda number, frame: interrupts.append(number))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    if interrupts:
        raise KeyboardInterrupt


class NumpySession:
    """One fit in progress."""

    def __init__(self, state: State, batches: Batches) -> None:
        self._state = state
        self._batches = batches
        self.start_epoch([])

    def start_epoch(self, rates: list[float | Array]) -> None:
        """Begin an epoch with the learning rate of each optimizer."""
        self._rates = rates
        self.loss_sum = self.correct_sum = 0.0
        self.rows_sum = 0

    def run(self, first: int) -> int:
        """Train on one or more batches from `first` on and return the number of the next.

        Raises
        ------
        FloatingPointError
            The loss of the batch is not finite; its number is the first argument.
        """
        state, program = self._state, self._state.program
        x, y, weight = self._batches.take(first, program.dtype)
        if weight is not None and not weight.sum():
            return first + 1
        with np.errstate(all="ignore"), uninterrupted():
            loss, read = loss_and_gradients(state, x, y, weight, training=True, update=True)
            if not np.isfinite(loss):
                raise FloatingPointError(first)
            clip(state)
            for number, group in enumerate(program.groups):
                rate = self._rates[group.optimizer]
                rate = float(rate[first]) if isinstance(rate, np.ndarray) else float(rate)
                update_group(state, number, group, rate)
            state.step += 1
        self.loss_sum += loss * len(x)
        self.correct_sum += count_correct(state, read, y)
        self.rows_sum += len(x)
        return first + 1

    def close(self) -> None:
        """Release what the session holds."""


def activations(state: State, x: Features, training: bool) -> dict[str, Array]:
    """The recorded slots of a forward pass by name."""
    program = state.program
    run = Pass(state, training, update_statistics=False)
    run.feed(x)
    with np.errstate(all="ignore"):
        forward(program.ops + program.output_ops, run)
    return {name: run.values[slot].copy() for name, slot in program.records}
