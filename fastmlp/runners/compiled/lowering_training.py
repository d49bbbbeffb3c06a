"""How a training step is encoded: rows in, loss, penalties, clipping, optimizers."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

from ...data.rows import Layout
from ...kernels.compiled.machine.runner import CHECK_LOSS, CHECK_WEIGHTS
from ...kernels.compiled.ops.gradients import (
    add_penalty,
    clip_by_norm,
    clip_by_value,
    report_loss,
    sum_of_squares,
)
from ...kernels.compiled.ops.losses import loss_op
from ...kernels.compiled.ops.optimizers import UPDATES
from ...kernels.compiled.ops.rows import sum_weights
from ...program.program import Group
from . import shards as cuts
from .lowering import Encoder, Memory, address
from .lowering_ops import encode_backward, encode_forward
from .shards import Cut
from .tasks import Instruction, Symbol, instruction, instruction_from

if TYPE_CHECKING:
    from ...kernels.typing import Array


class _LossParts(NamedTuple):
    """Numbers of the scalars that hold partial sums of the loss and of right predictions."""

    loss: int
    correct: int
    shards: int


def encode_gradients(
    encoder: Encoder, layout: Layout, coded: bool, ordered: bool, weighted: bool
) -> None:
    """Add the tasks from the batch's rows to its gradients and loss.

    Parameters
    ----------
    encoder : Encoder
    layout : Layout
        Of X.
    coded : bool
        y are class numbers, not rows.
    ordered : bool
        The epoch has an order of rows.
    weighted : bool
        Rows have weights.
    """
    encoder.read_rows(layout, ordered)
    weights = _weights(encoder, ordered, weighted)
    encode_forward(encoder.ops, encoder)
    parts = _loss(encoder, coded, ordered, weights)
    encode_backward(encoder.state.program.ops, encoder)
    _report(encoder, parts)


def _weights(encoder: Encoder, ordered: bool, weighted: bool) -> Memory | None:
    """Sum the batch's sample weights; a batch whose weights sum to 0 is skipped."""
    weights = encoder.memory(1, ("weights", 0)) if weighted else None
    if weights is not None:
        encoder.gather(Symbol.WEIGHTS, encoder.program.dtype, ordered, weights)
    total = instruction(sum_weights, weights=_address(weights))
    encoder.single(total, reads=_keys(weights), writes=["weight sum"])
    if weighted:
        encoder.tasks.mark(CHECK_WEIGHTS, reads=["weight sum"])
    return weights


def _address(memory: Memory | None) -> int:
    return 0 if memory is None else memory.address


def _keys(*memories: Memory | None) -> list[tuple[str, int]]:
    return [memory.key for memory in memories if memory is not None]


def _loss(encoder: Encoder, coded: bool, ordered: bool, weights: Memory | None) -> _LossParts:
    """Loss and accuracy of the batch; leaves the gradient of the slot that the head reads.

    `coded`: y are class numbers.
    """
    head = encoder.state.program.head
    width = head.slot.width
    value, d = encoder.value(head.slot), encoder.gradient(head.slot)
    if value != d:
        encoder.copy(value, d)
    targets = None if coded else encoder.memory(width, ("targets", 0))
    if targets is not None:
        encoder.gather(Symbol.Y, encoder.program.dtype, ordered, targets)
    cut = encoder.rows_cut(width)
    parts = _LossParts(encoder.scalars(cut.shards), encoder.scalars(cut.shards), cut.shards)
    op, member = loss_op(head.loss.member)
    available = {
        **vars(head.loss),
        "parameter": head.loss.parameter,
        "threshold": math.inf if head.threshold is None else head.threshold,
        "d": d.address,
        "columns": width,
        "labels": Symbol.Y if coded else 0,
        "order": Symbol.ORDER if coded and ordered else 0,
        "targets": _address(targets),
        "weights": _address(weights),
        "loss": parts.loss,
        "correct": parts.correct,
        "shards": cut.shards,
    }
    encoder.tasks.add(
        cut,
        lambda shard: instruction_from(op, {**available, "shard": shard}, member),
        reads=_keys(targets),
        writes=[d.key, "loss parts"],
        reads_whole=["weight sum", *_keys(weights)],
    )
    return parts


def _report(encoder: Encoder, parts: _LossParts) -> None:
    """Penalties, then the batch's loss."""
    first = encoder.n_scalars
    for penalty in encoder.state.program.penalties:
        cut = cuts.flat(penalty.weight.start, penalty.weight.stop)
        partial_sums = encoder.scalars(cut.shards)
        encoder.tasks.add(
            cut,
            partial(_penalty, encoder, penalty.l1, penalty.l2, cut, partial_sums),
            writes=[("d", penalty.weight.name), "penalties"],
        )
    report = instruction(
        report_loss,
        loss=parts.loss,
        correct=parts.correct,
        shards=parts.shards,
        penalty=first,
        n_penalties=encoder.n_scalars - first,
    )
    read = ["loss parts", "penalties", "weight sum"]
    encoder.single(report, reads=read, writes=["loss"])


def _penalty(
    encoder: Encoder, l1: float, l2: float, cut: Cut, partial_sums: int, shard: int
) -> Instruction:
    first, count = cut.part(shard)
    return instruction(
        add_penalty,
        weight=_place(encoder, encoder.state.parameters, first),
        d_weight=_place(encoder, encoder.state.gradients, first),
        count=count,
        penalty=partial_sums + shard,
        l1=l1,
        l2=l2,
    )


def _place(encoder: Encoder, vector: Array, first: int) -> int:
    """Address of an element of a flat vector."""
    return address(vector) + first * encoder.itemsize


def encode_update(encoder: Encoder, per_step: tuple[bool, ...]) -> None:
    """Clip the gradients and move the parameters, if the loss is finite; else the run ends.

    ``per_step[k]``: optimizer k has a learning rate for each step, not one for all.
    """
    encoder.tasks.mark(CHECK_LOSS, reads=["loss"])
    _clip(encoder)
    for number, group in enumerate(encoder.state.program.groups):
        _update_group(encoder, number, group, per_step[group.optimizer])


def _names(encoder: Encoder, start: int, stop: int) -> list[Any]:
    return [("d", t.name) for t in encoder.program.parameters if start <= t.start < stop]


def _clip(encoder: Encoder) -> None:
    """Clip by value, then by the norm over all parameters; each group has its own limits."""
    program = encoder.state.program
    limits = [(group, program.optimizers[group.optimizer]) for group in program.groups]
    for group, optimizer in limits:
        if optimizer.clip_value is not None:
            _clip_by_value(encoder, group, optimizer.clip_value)
    if all(optimizer.clip_norm is None for _, optimizer in limits):
        return
    gradients, cut = encoder.state.gradients, cuts.flat(0, program.n_parameters)
    totals = encoder.scalars(cut.shards)

    def squares(shard: int) -> Instruction:
        first, count = cut.part(shard)
        place = _place(encoder, gradients, first)
        return instruction(sum_of_squares, gradients=place, count=count, total=totals + shard)

    names = _names(encoder, 0, program.n_parameters)
    encoder.tasks.add(cut, squares, reads=names, writes=["norm"])
    for group, optimizer in limits:
        if optimizer.clip_norm is not None:
            _clip_by_norm(encoder, group, optimizer.clip_norm, totals, cut.shards)


def _clip_by_value(encoder: Encoder, group: Group, limit: float) -> None:
    def make(first: int, count: int) -> Instruction:
        place = _place(encoder, encoder.state.gradients, first)
        return instruction(clip_by_value, gradients=place, count=count, limit=limit)

    _over_group(encoder, group, make)


def _clip_by_norm(encoder: Encoder, group: Group, limit: float, totals: int, n_totals: int) -> None:
    def make(first: int, count: int) -> Instruction:
        return instruction(
            clip_by_norm,
            gradients=_place(encoder, encoder.state.gradients, first),
            count=count,
            totals=totals,
            n_totals=n_totals,
            limit=limit,
        )

    _over_group(encoder, group, make, reads_whole=["norm"])


def _over_group(
    encoder: Encoder,
    group: Group,
    make: Callable[[int, int], Instruction],
    *,
    is_cut: bool = True,
    reads_whole: Any = (),
) -> None:
    """Work on parts of a group's gradients; `make` is told the first element and the count."""
    start, stop = group.start, group.stop
    cut = cuts.flat(start, stop) if is_cut else Cut("single", (start, stop))
    names = _names(encoder, start, stop)
    encoder.tasks.add(
        cut, lambda shard: make(*cut.part(shard)), writes=names, reads_whole=reads_whole
    )


def _update_group(encoder: Encoder, number: int, group: Group, per_step: bool) -> None:
    state, optimizer = encoder.state, encoder.state.program.optimizers[group.optimizer]
    ops, touched = UPDATES[optimizer.kernel], 0
    available: dict[str, float] = {
        **optimizer.constants,
        # None of those that are not in use.
        **dict.fromkeys(optimizer.slot_names, 0),
        "rates": Symbol.RATES - group.optimizer,
        "rate_stride": per_step,
    }
    if optimizer.running_product:
        available[optimizer.running_product] = address(state.products) + 8 * number
    if group.weight is not None:
        touched = encoder.touched(group.weight)
        available |= {"touched": touched, "width": group.weight.shape[1]}
    vectors = {"parameters": state.parameters, "gradients": state.gradients}
    vectors |= dict(zip(optimizer.slots, state.moments, strict=False))

    def make(first: int, count: int) -> Instruction:
        places = {name: _place(encoder, vector, first) for name, vector in vectors.items()}
        return instruction_from(ops.update, {**available, **places, "count": count})

    product = ("product", number)
    _over_group(encoder, group, make, is_cut=not touched, reads_whole=[product])
    if ops.advance is not None:
        encoder.single(instruction_from(ops.advance, available), writes=[product])
