"""The slots that share memory: operations work in place where nobody reads what they overwrite."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from ...declarations.activations import Activation
from ...program.operation import Operation, Slot, Write
from ...program.ops import ActivationOp
from ...program.program import InferenceProgram, Program


@dataclass
class BufferPlan:
    """Numbers of the buffers behind slots; ``widths[number]`` is a buffer's row length.

    Attributes
    ----------
    values, gradients : dict
        Buffer of each slot's value and gradient.
    saved_for_backward : dict
        Buffer of what an operation's forward pass leaves for its backward pass, by the operation's
        output and the name of what it leaves.
    """

    widths: list[int] = field(default_factory=list)
    values: dict[Slot, int] = field(default_factory=dict)
    gradients: dict[Slot, int] = field(default_factory=dict)
    saved_for_backward: dict[tuple[Slot, str], int] = field(default_factory=dict)

    def new(self, width: int) -> int:
        """Add a buffer and return its number."""
        self.widths.append(width)
        return len(self.widths) - 1


def _readers(ops: tuple[Operation, ...]) -> dict[Slot, int]:
    counts: dict[Slot, int] = {}
    for op in ops:
        for slot in op.inputs:
            counts[slot] = counts.get(slot, 0) + 1
    return counts


def for_training(
    program: Program, reads_z: Callable[[Activation], bool], sparse: bool = False
) -> BufferPlan:
    """Plan a training step; `reads_z` tells which activations' derivatives need z.

    `sparse`: the rows of the program's sparse input are read where they lie.
    """
    plan = BufferPlan()
    readers = _readers(program.ops)
    producers = {op.out: op for op in program.ops}
    head = program.head.slot

    def is_free(slot: Slot) -> bool:
        producer = producers.get(slot)
        is_read_backward = producer is not None and producer.backward_reads_output
        return readers.get(slot, 0) == 1 and slot is not head and not is_read_backward

    def works_in_place(op: Operation) -> bool:
        reads_input = op.backward_reads_input
        if isinstance(op, ActivationOp):
            reads_input = reads_z(op.activation)
        return op.in_place and not reads_input

    values = plan.values
    for source in _gathered(program, sparse):
        values[source] = plan.new(source.width)
    for op in program.ops:
        free = [slot for slot in reversed(op.inputs) if is_free(slot)]
        for saved in op.saved_for_backward:
            if saved.replaces is not None and saved.replaces in free:
                number = values[saved.replaces]
                free.remove(saved.replaces)
            else:
                number = plan.new(saved.width)
            plan.saved_for_backward[op.out, saved.name] = number
        shared = free[0] if free and works_in_place(op) else None
        values[op.out] = plan.new(op.out.width) if shared is None else values[shared]
    _share_gradients(program, plan, producers)
    return plan


def _share_gradients(program: Program, plan: BufferPlan, producers: dict[Slot, Operation]) -> None:
    """Let gradients go backward in place; that of the loss takes the place of the logits."""
    head, gradients = program.head.slot, plan.gradients
    keeps_output = producers[head].backward_reads_output if head in producers else True
    gradients[head] = plan.new(head.width) if keeps_output else plan.values[head]
    for op in reversed(program.ops):
        if op.out not in gradients:
            continue
        is_taken = not op.gradient_in_place
        for slot, write in op.writes:
            if write is Write.SET:
                gradients[slot] = plan.new(slot.width) if is_taken else gradients[op.out]
                is_taken = True


def _gathered(program: InferenceProgram, sparse: bool) -> tuple[Slot, ...]:
    """Return the inputs whose rows are copied into buffers."""
    inputs = (program.input,) if program.wide is None else (program.input, program.wide)
    return tuple(slot for slot in inputs if not (sparse and slot is program.sparse_input))


def for_inference(
    program: InferenceProgram, ops: tuple[Operation, ...], sparse: bool = False
) -> BufferPlan:
    """Plan a forward pass: buffers are used again once their last reader has run."""
    plan = BufferPlan()
    left = _readers(ops)
    values = plan.values
    for source in _gathered(program, sparse):
        values[source] = plan.new(source.width)
    free: list[int] = []
    for op in ops:
        for slot in op.inputs:
            left[slot] -= 1
        done = [values[slot] for slot in op.inputs if left[slot] == 0 and slot in values]
        if op.in_place and done:
            values[op.out] = done[0]
        else:
            fitting = [number for number in free if plan.widths[number] == op.out.width]
            values[op.out] = fitting[0] if fitting else plan.new(op.out.width)
        free = [number for number in {*free, *done} if number != values[op.out]]
    return plan
