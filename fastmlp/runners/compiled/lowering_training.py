"""How a training step is lowered: rows in, loss, penalties, clipping, optimizers."""

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
from ...program.program import Group, Penalty
from .lowering import Lowering, Memory, address
from .lowering_ops import lower_backward, lower_forward
from .shards import Shards, flat_shards
from .tasks import Instruction, Symbol, instruction

if TYPE_CHECKING:
    from ...kernels.typing import Array


class LossParts(NamedTuple):
    """Numbers of the scalars that hold partial sums of the loss and of right predictions."""

    loss: int
    correct: int
    shards: int


def lower_gradients(
    lowering: Lowering, layout: Layout, class_indices: bool, ordered: bool, weighted: bool
) -> None:
    """Add the tasks from the batch's rows to its gradients and loss.

    Parameters
    ----------
    lowering : Lowering
    layout : Layout
        Of X.
    class_indices : bool
        y are class indices, not rows.
    ordered : bool
        The epoch has an order of rows.
    weighted : bool
        Rows have weights.
    """
    lowering.read_rows(layout, ordered)
    weights = _weights(lowering, ordered, weighted)
    _sum_weights(lowering, weights)
    report_batch(lowering, _passes(lowering, class_indices, ordered, weights))


def lower_block(
    lowering: Lowering, layout: Layout, class_indices: bool, weighted: bool
) -> LossParts:
    """Add the tasks from a block of rows to its share of the gradients and the loss of all.

    The sum of the weights of all rows stands in its scalar already. Penalties are of all rows.
    """
    lowering.read_rows(layout, False)
    weights = _weights(lowering, False, weighted)
    return _passes(lowering, class_indices, False, weights)


def _passes(
    lowering: Lowering, class_indices: bool, ordered: bool, weights: Memory | None
) -> LossParts:
    """Forward, loss and backward."""
    lower_forward(lowering.ops, lowering)
    parts = _loss(lowering, class_indices, ordered, weights)
    lower_backward(lowering.state.program.ops, lowering)
    return parts


def _weights(lowering: Lowering, ordered: bool, weighted: bool) -> Memory | None:
    """The batch's sample weights."""
    weights = lowering.memory(1, ("weights", 0)) if weighted else None
    if weights is not None:
        lowering.gather(Symbol.WEIGHTS, lowering.program.dtype, ordered, weights)
    return weights


def _sum_weights(lowering: Lowering, weights: Memory | None) -> None:
    """Sum them; a batch whose weights sum to 0 is skipped."""
    total = instruction(sum_weights, weights=_address(weights))
    lowering.single(total, reads=_keys(weights), writes=["weight sum"])
    if weights is not None:
        lowering.tasks.mark(CHECK_WEIGHTS, reads=["weight sum"])


def _address(memory: Memory | None) -> int:
    return 0 if memory is None else memory.address


def _keys(*memories: Memory | None) -> list[tuple[str, int]]:
    return [memory.key for memory in memories if memory is not None]


def _loss(
    lowering: Lowering, class_indices: bool, ordered: bool, weights: Memory | None
) -> LossParts:
    """Loss and accuracy of the batch; leaves the gradient of the slot that the head reads.

    `class_indices`: y are those, not rows.
    """
    head = lowering.state.program.head
    width = head.slot.width
    value, d = lowering.value(head.slot), lowering.gradient(head.slot)
    if value != d:
        lowering.copy(value, d)
    targets = None if class_indices else lowering.memory(width, ("targets", 0))
    if targets is not None:
        lowering.gather(Symbol.Y, lowering.program.dtype, ordered, targets)
    shards = lowering.row_shards(width)
    parts = LossParts(lowering.scalars(shards.count), lowering.scalars(shards.count), shards.count)
    op, member = loss_op(head.loss.member)
    available: dict[str, float] = {
        "clip": 0.0,
        **vars(head.loss),
        "parameter": head.loss.parameter,
        "threshold": math.inf if head.threshold is None else head.threshold,
        "factor": head.loss.factor(width),
        "d": d.address,
        "columns": width,
        "labels": Symbol.Y if class_indices else 0,
        "order": Symbol.ORDER if class_indices and ordered else 0,
        "targets": _address(targets),
        "weights": _address(weights),
        "loss": parts.loss,
        "correct": parts.correct,
        "shards": shards.count,
    }
    arguments = op.select(available)
    lowering.tasks.add(
        shards,
        lambda shard: instruction(op, member, **arguments, shard=shard),
        reads=_keys(targets),
        writes=[d.key, "loss parts"],
        reads_whole=["weight sum", *_keys(weights)],
    )
    return parts


def report_batch(lowering: Lowering, parts: LossParts) -> None:
    """Add the tasks of the penalties, then of the batch's loss."""
    first = lowering.n_scalars
    for penalty in lowering.state.program.penalties:
        shards = flat_shards(penalty.weight.start, penalty.weight.stop)
        partial_sums = lowering.scalars(shards.count)
        lowering.tasks.add(
            shards,
            partial(_penalty, lowering, penalty, shards, partial_sums),
            writes=[("d", penalty.weight.name), "penalties"],
            reads_whole=["weight sum"],
        )
    report = instruction(
        report_loss,
        loss=parts.loss,
        correct=parts.correct,
        shards=parts.shards,
        penalty=first,
        n_penalties=lowering.n_scalars - first,
    )
    read = ["loss parts", "penalties", "weight sum"]
    lowering.single(report, reads=read, writes=["loss"])


def _penalty(
    lowering: Lowering, penalty: Penalty, shards: Shards, partial_sums: int, shard: int
) -> Instruction:
    first, count = shards.part(shard)
    return instruction(
        add_penalty,
        weight=_place(lowering, lowering.state.parameters, first),
        d_weight=_place(lowering, lowering.state.gradients, first),
        count=count,
        penalty=partial_sums + shard,
        l1=penalty.l1,
        l2=penalty.l2,
        mean=penalty.mean,
    )


def _place(lowering: Lowering, vector: Array, first: int) -> int:
    """Address of an element of a flat vector."""
    return address(vector) + first * lowering.itemsize


def lower_update(lowering: Lowering, stops: bool) -> None:
    """Clip the gradients and move the parameters; where it `stops`, only if the loss is finite."""
    if stops:
        lowering.tasks.mark(CHECK_LOSS, reads=["loss"])
    _clip(lowering)
    for number, group in enumerate(lowering.state.program.groups):
        _update_group(lowering, number, group)


def _names(lowering: Lowering, start: int, stop: int) -> list[Any]:
    return [("d", t.name) for t in lowering.program.parameters if start <= t.start < stop]


def _clip(lowering: Lowering) -> None:
    """Clip by value, then by the norm over all parameters; each group has its own limits."""
    program = lowering.state.program
    limits = [(group, program.optimizers[group.optimizer]) for group in program.groups]
    for group, optimizer in limits:
        if optimizer.clip_value is not None:
            _clip_by_value(lowering, group, optimizer.clip_value)
    if all(optimizer.clip_norm is None for _, optimizer in limits):
        return
    gradients, shards = lowering.state.gradients, flat_shards(0, program.n_parameters)
    totals = lowering.scalars(shards.count)

    def squares(shard: int) -> Instruction:
        first, count = shards.part(shard)
        place = _place(lowering, gradients, first)
        return instruction(sum_of_squares, gradients=place, count=count, total=totals + shard)

    names = _names(lowering, 0, program.n_parameters)
    lowering.tasks.add(shards, squares, reads=names, writes=["norm"])
    for group, optimizer in limits:
        if optimizer.clip_norm is not None:
            _clip_by_norm(lowering, group, optimizer.clip_norm, totals, shards.count)


def _clip_by_value(lowering: Lowering, group: Group, limit: float) -> None:
    def make(first: int, count: int) -> Instruction:
        place = _place(lowering, lowering.state.gradients, first)
        return instruction(clip_by_value, gradients=place, count=count, limit=limit)

    _over_group(lowering, group, make)


def _clip_by_norm(
    lowering: Lowering, group: Group, limit: float, totals: int, n_totals: int
) -> None:
    def make(first: int, count: int) -> Instruction:
        return instruction(
            clip_by_norm,
            gradients=_place(lowering, lowering.state.gradients, first),
            count=count,
            totals=totals,
            n_totals=n_totals,
            limit=limit,
        )

    _over_group(lowering, group, make, reads_whole=["norm"])


def _over_group(
    lowering: Lowering,
    group: Group,
    make: Callable[[int, int], Instruction],
    *,
    is_sharded: bool = True,
    reads_whole: Any = (),
) -> None:
    """Work on parts of a group's gradients; `make` is told the first element and the count."""
    start, stop = group.start, group.stop
    shards = flat_shards(start, stop) if is_sharded else Shards("single", (start, stop))
    names = _names(lowering, start, stop)
    lowering.tasks.add(
        shards, lambda shard: make(*shards.part(shard)), writes=names, reads_whole=reads_whole
    )


def _update_group(lowering: Lowering, number: int, group: Group) -> None:
    state, optimizer = lowering.state, lowering.state.program.optimizers[group.optimizer]
    ops, touched = UPDATES[optimizer.kernel], 0
    rates, rate_stride = lowering.scheduled("learning_rate", group.optimizer)
    available: dict[str, float] = {
        **group.constants(optimizer),
        # None of those that are not in use.
        **dict.fromkeys(optimizer.slot_names, 0),
        "rates": rates,
        "rate_stride": rate_stride,
        "rate_factor": group.factor("learning_rate"),
    }
    for name in optimizer.scheduled:
        values, stride = lowering.scheduled(name, group.optimizer)
        available |= {name: group.factor(name), f"{name}s": values, f"{name}_stride": stride}
    if optimizer.running_product:
        available[optimizer.running_product] = address(state.products) + 8 * number
    if group.weight is not None:
        touched = lowering.touched(group.weight)
        available |= {"touched": touched, "width": group.weight.shape[1]}
    vectors = {"parameters": state.parameters, "gradients": state.gradients}
    vectors |= dict(zip(optimizer.slots, state.moments, strict=False))

    def make(first: int, count: int) -> Instruction:
        places = {name: _place(lowering, vector, first) for name, vector in vectors.items()}
        return instruction(ops.update, **ops.update.select({**available, **places, "count": count}))

    product = ("product", number)
    _over_group(lowering, group, make, is_sharded=not touched, reads_whole=[product])
    if ops.advance is not None:
        lowering.single(instruction(ops.advance, **ops.advance.select(available)), writes=[product])
