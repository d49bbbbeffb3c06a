"""The loss of a batch, its gradients, and the loss and accuracy that are reported, with NumPy."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from ..kernels.reference import losses
from ..kernels.reference.activations import activation_forward
from ..kernels.reference.gradients import add_penalty
from ..program.ops import ActivationOp, ClipOp
from ..program.program import Program
from ..program.state import State
from .reference_ops import backward, clip, forward
from .reference_pass import Pass

if TYPE_CHECKING:
    from ..data.rows import Features
    from ..kernels.typing import Array


def head_loss(
    state: State, head_input: Array, y: Array, weight: Array | None
) -> tuple[float, Array]:
    """Return the loss of a batch and the gradient of the slot that the head reads."""
    loss = state.program.head.loss
    kernel = getattr(losses, loss.kernel)
    value: float
    d_head: Array
    value, d_head = kernel(head_input, y, weight, *loss.arguments)
    factor = loss.factor(head_input.shape[1])
    if factor != 1.0:
        value *= factor
        d_head *= d_head.dtype.type(factor)
    return value, d_head


class BatchLoss(NamedTuple):
    """What a batch leaves beside its gradients.

    Attributes
    ----------
    loss : float
        As reported, penalties included.
    penalty : float
        The penalties alone.
    head_input : ndarray
        What the loss read.
    """

    loss: float
    penalty: float
    head_input: Array


def weight_sum(n_rows: int, weight: Array | None) -> float:
    """Return the sum of a batch's sample weights, its rows where there are none."""
    return float(n_rows) if weight is None else float(weight.sum(dtype=np.float64))


def loss_and_gradients(
    state: State, x: Features, y: Array, weight: Array | None, training: bool, update: bool
) -> BatchLoss:
    """Run a batch forward and backward.

    Gradients, those of the penalties included, are left in the state; `update` says whether
    running statistics move.
    """
    program = state.program
    run = Pass(state, training, update)
    run.feed(x)
    forward(program.ops, run)
    head_input = run.values[program.head.slot]
    loss, run.gradients[program.head.slot] = head_loss(state, head_input, y, weight)
    backward(program.ops, run)
    added, total = 0.0, weight_sum(len(x), weight)
    for penalty in program.penalties:
        w, d_w = state.parameter(penalty.weight), state.gradient(penalty.weight)
        term = add_penalty(w, d_w, *penalty.factors(total))
        loss, added = loss + term, added + term
    return BatchLoss(loss, added, head_input)


def count_correct(state: State, head_input: Array, y: Array) -> float:
    """Count the rows of a batch that the network has right, before its update."""
    threshold = state.program.head.threshold
    if threshold is not None:
        return float(((head_input >= threshold) == (y >= 0.5)).mean(axis=1).sum())
    if state.program.head.loss.kernel != "softmax_cross_entropy":
        return 0.0
    labels = y if y.ndim == 1 else y.argmax(axis=1)
    return float((head_input.argmax(axis=1) == labels).sum())


def output_from_head(program: Program, head_input: Array) -> Array:
    """Return the network's output for the input of its head."""
    output = head_input
    for op in program.output_ops:
        if isinstance(op, ActivationOp):
            output = activation_forward(output, op.activation.kernel)
        elif isinstance(op, ClipOp):
            output = clip(op, output)
    return output


def reported_loss(
    state: State, parts: Iterable[tuple[Array, Array, Array | None]]
) -> tuple[float, float]:
    """Return the loss of rows, penalties included, and the number of those that are right.

    `parts` are the head's input, y and weights of some rows each.
    """
    losses, shares, correct = [], [], 0.0
    for head_input, y, weight in parts:
        with np.errstate(all="ignore"):
            losses.append(head_loss(state, head_input, y, weight)[0])
        shares.append(weight_sum(len(y), weight))
        correct += count_correct(state, head_input, y)
    # As shares of 1: a single part keeps its loss to the last bit.
    weights = sum(shares)
    total = weights or 1.0
    loss = sum(loss * (share / total) for loss, share in zip(losses, shares, strict=True))
    for penalty in state.program.penalties:
        w = state.parameter(penalty.weight)
        loss += add_penalty(w, np.zeros_like(w), *penalty.factors(weights))
    return loss, correct
