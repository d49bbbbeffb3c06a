"""How a training step is encoded: rows in, loss, penalties, clipping, optimizers."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from ...data.rows import Layout
from ...kernels.compiled.machine.op import OPS
from ...kernels.compiled.machine.runner import CHECK_LOSS, CHECK_WEIGHTS
from ...program.program import Group
from . import shards as cuts
from .lowering import Encoder, Memory, address
from .lowering_ops import encode_backward, encode_forward
from .shards import Cut
from .tasks import Instruction, Symbol, instruction


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
    encoder.single(
        "sum_weights",
        weights=_address(weights),
        reads=_keys(weights),
        writes=["weight sum"],
    )
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
    common = {
        "d": d.address,
        "columns": width,
        "targets": _address(targets),
        "weights": _address(weights),
        "loss": parts.loss,
        "correct": parts.correct,
        "shards": cut.shards,
    }
    if head.loss.kernel == "softmax_cross_entropy":
        make = partial(
            instruction,
            "softmax_cross_entropy",
            **common,
            labels=Symbol.Y if coded else 0,
            order=Symbol.ORDER if coded and ordered else 0,
            label_smoothing=head.loss.parameter,
        )
    else:
        make = partial(
            instruction,
            "elementwise_loss",
            head.loss.member,
            **common,
            parameter=head.loss.parameter,
            threshold=np.inf if head.threshold is None else head.threshold,
        )
    encoder.tasks.add(
        cut,
        lambda shard: make(shard=shard),
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
    encoder.single(
        "report_loss",
        loss=parts.loss,
        correct=parts.correct,
        shards=parts.shards,
        penalty=first,
        n_penalties=encoder.n_scalars - first,
        reads=["loss parts", "penalties", "weight sum"],
        writes=["loss"],
    )


def _penalty(
    encoder: Encoder, l1: float, l2: float, cut: Cut, partial_sums: int, shard: int
) -> Instruction:
    first, count = cut.part(shard)
    return instruction(
        "add_penalty",
        weight=address(encoder.state.parameters) + first * encoder.itemsize,
        d_weight=address(encoder.state.gradients) + first * encoder.itemsize,
        count=count,
        penalty=partial_sums + shard,
        l1=l1,
        l2=l2,
    )


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
    limits = [program.optimizers[group.optimizer] for group in program.groups]
    for group, optimizer in zip(program.groups, limits, strict=True):
        if optimizer.clip_value is not None:
            _over_flat(
                encoder,
                cuts.flat(group.start, group.stop),
                _names(encoder, group.start, group.stop),
                partial(_on_gradients, encoder, "clip_by_value", limit=optimizer.clip_value),
            )
    if all(optimizer.clip_norm is None for optimizer in limits):
        return
    cut = cuts.flat(0, program.n_parameters)
    totals = encoder.scalars(cut.shards)
    encoder.tasks.add(
        cut,
        lambda shard: _on_gradients(
            encoder, "sum_of_squares", *cut.part(shard), total=totals + shard
        ),
        reads=_names(encoder, 0, program.n_parameters),
        writes=["norm"],
    )
    for group, optimizer in zip(program.groups, limits, strict=True):
        if optimizer.clip_norm is not None:
            _over_flat(
                encoder,
                cuts.flat(group.start, group.stop),
                _names(encoder, group.start, group.stop),
                partial(
                    _on_gradients,
                    encoder,
                    "clip_by_norm",
                    totals=totals,
                    n_totals=cut.shards,
                    limit=optimizer.clip_norm,
                ),
                reads_whole=["norm"],
            )


def _on_gradients(
    encoder: Encoder, op: str, first: int, count: int, **arguments: float
) -> Instruction:
    place = address(encoder.state.gradients) + first * encoder.itemsize
    return instruction(op, gradients=place, count=count, **arguments)


def _over_flat(
    encoder: Encoder,
    cut: Cut,
    names: list[Any],
    make: Callable[[int, int], Instruction],
    reads_whole: Any = (),
) -> None:
    encoder.tasks.add(
        cut, lambda shard: make(*cut.part(shard)), writes=names, reads_whole=reads_whole
    )


def _update_group(encoder: Encoder, number: int, group: Group, per_step: bool) -> None:
    state, optimizer = encoder.state, encoder.state.program.optimizers[group.optimizer]
    start, stop = group.start, group.stop
    kernel, constants = optimizer.kernel, list(optimizer.constants.values())
    extra: dict[str, int] = {}
    if kernel == "sgd_update":
        momentum, nesterov = constants
        constants = []
        if optimizer.slots:
            kernel, constants = "sgd_momentum_update", [momentum]
            extra["nesterov"] = int(nesterov)
    if kernel == "nadam_update":
        extra["mu_product"] = address(state.products) + 8 * number
    touched = 0 if group.weight is None else encoder.touched(group.weight)
    if "touched" in OPS[kernel].args:
        width = 0 if group.weight is None else group.weight.shape[1]
        extra |= {"touched": touched, "width": width}
    attributes = dict(zip(OPS[kernel].attributes, constants, strict=True))

    def make(first: int, count: int) -> Instruction:
        slots = {
            name: address(state.moments[row]) + first * encoder.itemsize
            for row, name in enumerate(optimizer.slots)
        }
        return instruction(
            kernel,
            parameters=address(state.parameters) + first * encoder.itemsize,
            gradients=address(state.gradients) + first * encoder.itemsize,
            count=count,
            rates=Symbol.RATES - group.optimizer,
            rate_stride=per_step,
            **slots,
            **extra,
            **attributes,
        )

    product = ("product", number)
    cut = Cut("single", (start, stop)) if touched else cuts.flat(start, stop)
    _over_flat(encoder, cut, _names(encoder, start, stop), make, reads_whole=[product])
    if kernel == "nadam_update":
        beta_1, _, _, decay = optimizer.constants.values()
        encoder.single(
            "advance_nadam",
            mu_product=extra["mu_product"],
            beta_1=beta_1,
            momentum_decay=decay,
            writes=[product],
        )
