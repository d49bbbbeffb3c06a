"""Which slots share memory: an operation works in place where nobody reads what it overwrites."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from ...declarations.activations import Activation
from ...program.program import (
    ActivationOp,
    AddOp,
    BatchNormOp,
    ConcatOp,
    DropoutOp,
    EmbeddingOp,
    InferenceOp,
    InferenceProgram,
    Op,
    Program,
    ScaleOp,
    Slot,
    Write,
    inputs_of,
)


@dataclass
class Storage:
    """Numbers of the buffers behind slots; ``widths[number]`` is a buffer's row length.

    Attributes
    ----------
    values, gradients : dict
        Buffer of each slot's value and gradient.
    normalised, masks : dict
        Buffers that training keeps for BatchNorm (x_hat) and dropout, by the operation's output.
    """

    widths: list[int] = field(default_factory=list)
    values: dict[Slot, int] = field(default_factory=dict)
    gradients: dict[Slot, int] = field(default_factory=dict)
    normalised: dict[Slot, int] = field(default_factory=dict)
    masks: dict[Slot, int] = field(default_factory=dict)

    def new(self, width: int) -> int:
        """A buffer of its own."""
        self.widths.append(width)
        return len(self.widths) - 1


def _readers(ops: tuple[InferenceOp, ...]) -> dict[Slot, int]:
    counts: dict[Slot, int] = {}
    for op in ops:
        for slot in inputs_of(op):
            counts[slot] = counts.get(slot, 0) + 1
    return counts


def for_training(
    program: Program, reads_z: Callable[[Activation], bool], sparse: bool = False
) -> Storage:
    """Storage of a training step; `reads_z` tells which activations' derivatives need z.

    `sparse`: the rows of the wide input are read where they lie.
    """
    storage = Storage()
    readers = _readers(program.ops)
    producers = {op.out: op for op in program.ops}
    head = program.head.slot

    def is_free(slot: Slot) -> bool:
        # The backward pass of an activation reads its own output.
        return (
            readers.get(slot, 0) == 1
            and slot is not head
            and not isinstance(producers.get(slot), ActivationOp)
        )

    values = storage.values
    for source in _gathered(program, sparse):
        values[source] = storage.new(source.width)
    for op in program.ops:
        if isinstance(op, BatchNormOp):
            storage.normalised[op.out] = values[op.x] if is_free(op.x) else storage.new(op.x.width)
        elif isinstance(op, DropoutOp):
            storage.masks[op.out] = storage.new(op.x.width)
        shared: Slot | None = None
        if isinstance(op, DropoutOp) or (
            isinstance(op, ActivationOp) and not reads_z(op.activation)
        ):
            shared = op.x if is_free(op.x) else None
        elif isinstance(op, AddOp):
            shared = next((slot for slot in (op.y, op.x) if is_free(slot)), None)
        values[op.out] = storage.new(op.out.width) if shared is None else values[shared]
    _share_gradients(program, storage, producers)
    return storage


def _share_gradients(program: Program, storage: Storage, producers: dict[Slot, Op]) -> None:
    """Gradients go backward in place; the one that the loss writes takes the logits' place."""
    head, gradients = program.head.slot, storage.gradients
    keeps_output = isinstance(producers.get(head), ActivationOp) or head is program.input
    gradients[head] = storage.new(head.width) if keeps_output else storage.values[head]
    for op in reversed(program.ops):
        if op.out not in gradients:
            continue
        own = gradients[op.out]
        if isinstance(op, AddOp):
            if op.d_y is Write.SET:
                gradients[op.y] = own
            if op.d_x is Write.SET:
                gradients[op.x] = storage.new(op.x.width) if op.d_y is Write.SET else own
        elif isinstance(op, ConcatOp):
            for part, write in zip(op.parts, op.d_parts, strict=True):
                if write is Write.SET:
                    gradients[part] = storage.new(part.width)
        elif not isinstance(op, EmbeddingOp) and op.d_x is Write.SET:
            in_place = isinstance(op, ActivationOp | BatchNormOp | DropoutOp)
            gradients[op.x] = own if in_place else storage.new(op.x.width)


def _gathered(program: InferenceProgram, sparse: bool) -> tuple[Slot, ...]:
    """The inputs whose rows are copied into buffers."""
    if program.wide is None or sparse:
        return (program.input,)
    return (program.input, program.wide)


def for_inference(
    program: InferenceProgram, ops: tuple[InferenceOp, ...], sparse: bool = False
) -> Storage:
    """Storage of a forward pass: buffers are used again once their last reader has run."""
    storage = Storage()
    left = _readers(ops)
    values = storage.values
    for source in _gathered(program, sparse):
        values[source] = storage.new(source.width)
    free: list[int] = []
    for op in ops:
        for slot in inputs_of(op):
            left[slot] -= 1
        done = [values[slot] for slot in inputs_of(op) if left[slot] == 0 and slot in values]
        in_place = isinstance(op, ActivationOp | BatchNormOp | AddOp | ScaleOp)
        if in_place and done:
            values[op.out] = done[0]
        else:
            fitting = [number for number in free if storage.widths[number] == op.out.width]
            values[op.out] = fitting[0] if fitting else storage.new(op.out.width)
        free = [number for number in {*free, *done} if number != values[op.out]]
    return storage
