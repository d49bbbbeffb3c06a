"""A network as data: a tuple of operations over named slots, a loss head, optimizer groups.

`build.py` makes programs from layers; the runners execute them, and whatever else wants to know
what a network does (summary, saving, freezing) reads them. Everything that must be decided about a
network, such as who writes a gradient first, is decided once and stands here as a field.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..declarations.learning_rate import Schedule
from .operation import Operation, Slot, Tensor, Write
from .ops import ActivationOp, ClipOp, DropoutOp, OneHotOp, ParametricOp

# Predictions need neither.
if TYPE_CHECKING:
    from ..declarations.activations import Activation
    from ..declarations.losses import Loss
    from ..declarations.optimizers import Optimizer


@dataclass(frozen=True, slots=True)
class Head:
    """The loss and the slot that it reads: logits or predictions.

    `threshold` is the prediction from which an output counts as 1, None where the output is no
    class.
    """

    loss: Loss
    slot: Slot
    threshold: float | None


@dataclass(frozen=True, slots=True)
class Penalty:
    """``l1 * sum|w| + l2 / 2 * sum w^2`` of one weight.

    With `mean` it is divided by the sum of the batch's sample weights, its rows without any.
    """

    weight: Tensor
    l1: float
    l2: float
    mean: bool = False

    def factors(self, weight_sum: float) -> tuple[float, float]:
        """Return l1 and l2 for a batch."""
        share = 1.0 if not self.mean else 1.0 / weight_sum if weight_sum else 0.0
        return self.l1 * share, self.l2 * share


@dataclass(frozen=True, slots=True)
class Factors:
    """What parameters multiply their optimizer's learning rate and weight decay by."""

    rate: float = 1.0
    decay: float = 1.0


@dataclass(frozen=True, slots=True)
class Group:
    """Parameters ``start`` to ``stop``, updated by optimizer number `optimizer` of the program.

    `weight` is set where they are one weight that sparse rows may be multiplied with, and it is
    exact to update only those of its rows that a batch touches.
    """

    start: int
    stop: int
    optimizer: int
    weight: Tensor | None = None
    factors: Factors = Factors()

    def constants(self, optimizer: Optimizer) -> dict[str, float]:
        """Return the optimizer's constants as these parameters have them."""
        return {name: value * self.factor(name) for name, value in optimizer.constants.items()}

    def factor(self, name: str) -> float:
        """Return what a number of the update rule is multiplied by for these parameters."""
        return {"learning_rate": self.factors.rate, "weight_decay": self.factors.decay}.get(
            name, 1.0
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class InferenceProgram:
    """A network as predictions need it: its operations and their parameters.

    Attributes
    ----------
    ops : tuple of Operation
        In their order; all that lead from `input` to `output`.
    n_parameters : int
        Length of the flat vector; tensors are padded to whole cache lines.
    wide : Slot or None
        Where there are two inputs, ``X_wide``; then `input` is ``X_deep``. Its rows may be sparse:
        only operations with `reads_sparse` read it. So may those of a single input that only such
        operations read.
    """

    dtype: str
    input: Slot
    ops: tuple[Operation, ...]
    output: Slot
    parameters: tuple[Tensor, ...]
    n_parameters: int
    wide: Slot | None = None

    @property
    def sparse_input(self) -> Slot:
        """The input whose rows may be sparse."""
        return self.input if self.wide is None else self.wide

    @property
    def n_features(self) -> int | tuple[int, int]:
        """Columns of X, or of X_wide and X_deep."""
        return self.input.width if self.wide is None else (self.wide.width, self.input.width)


@dataclass(frozen=True, slots=True, kw_only=True)
class Program(InferenceProgram):
    """A network with its loss and optimizers.

    Attributes
    ----------
    ops : tuple of Operation
        From `input` to the slot that the head reads.
    output_ops : tuple of Operation
        From there to `output`: an activation that the loss already contains, and bounds of
        predictions, which alone need them.
    records : tuple of (str, Slot)
        Slots that users may ask for by name, such as ``"0.preactivation"``.
    n_buffers : int
        Length of the flat vector of buffers.
    """

    output_ops: tuple[Operation, ...]
    head: Head
    records: tuple[tuple[str, Slot], ...]
    buffers: tuple[Tensor, ...]
    n_buffers: int
    penalties: tuple[Penalty, ...]
    optimizers: tuple[Optimizer, ...]
    groups: tuple[Group, ...]

    @property
    def judged_output(self) -> Slot:
        """The slot of the predictions that the loss is about, before they are held in bounds."""
        last = self.output_ops[-1] if self.output_ops else None
        return last.x if isinstance(last, ClipOp) else self.output

    @property
    def dropouts(self) -> tuple[DropoutOp, ...]:
        """The dropouts, by their numbers."""
        return tuple(op for op in self.ops if isinstance(op, DropoutOp))

    @property
    def schedules(self) -> dict[tuple[str, int], Schedule]:
        """What follows schedules, in the order in which runners are given the values of a step.

        A key is a name and the number of its optimizer, or ``"rate"`` and that of a dropout. The
        learning rate of each optimizer comes first, constant ones too.
        """
        found = {("learning_rate", k): each.schedule for k, each in enumerate(self.optimizers)}
        for number, optimizer in enumerate(self.optimizers):
            found |= {(name, number): each for name, each in optimizer.scheduled.items()}
        for op in self.dropouts:
            if isinstance(op.rate, Schedule):
                found["rate", op.number] = op.rate
        return found

    def schedule_place(self, name: str, number: int) -> int:
        """Return where among `schedules` one stands."""
        return list(self.schedules).index((name, number))


def plan_gradients(
    ops: tuple[Operation, ...], last: Slot, is_needed: Callable[[Slot], bool]
) -> tuple[Operation, ...]:
    """Decide, from the last operation to the first, who sets a gradient and who adds to it.

    Parameters
    ----------
    ops : tuple of Operation
    last : Slot
        Whose gradient the backward pass begins with.
    is_needed : callable
        Whether somebody needs the gradient of a slot.
    """
    written = {last}

    def claim(slot: Slot) -> Write:
        if not is_needed(slot):
            return Write.NONE
        first = slot not in written
        written.add(slot)
        return Write.SET if first else Write.ADD

    return tuple(op.with_plan(claim) for op in reversed(ops))[::-1]


def inference_ops(program: Program, head: bool = False) -> tuple[tuple[Operation, ...], Slot]:
    """Return the operations of a prediction, without dropout, and the slot of the output.

    With `head`, those that lead to what the loss reads.
    """
    last = program.head.slot if head else program.output
    same: dict[Slot, Slot] = {}
    ops: list[Operation] = []
    for op in program.ops if head else program.ops + program.output_ops:
        if op.training_only:
            (x,) = op.inputs
            same[op.out] = same.get(x, x)
        else:
            ops.append(op.with_inputs(same))
    return tuple(ops), same.get(last, last)


def activations(program: InferenceProgram) -> Iterator[Activation]:
    """Iterate over the activations of all operations; the identity is none."""
    for op in program.ops:
        if isinstance(op, ActivationOp | ParametricOp) and not op.activation.traits.is_identity:
            yield op.activation


def origin(ops: Iterable[Operation], slot: Slot, column: int) -> tuple[Slot, int]:
    """Return the first slot of which a column of a slot is a copy, and its column there."""
    producers = {op.out: op for op in ops}
    while slot in producers:
        sources = producers[slot].column_sources
        source = None if sources is None else sources[column]
        if source is None:
            break
        slot, column = source
    return slot, column


def categories(program: InferenceProgram) -> dict[int, int]:
    """Return the number of categories of each column of the input that is embedded."""
    found: dict[int, int] = {}
    for op in program.ops:
        for slot, place, table in op.codes:
            source, column = origin(program.ops, slot, place)
            if source is not program.input:
                continue
            found[column] = min(table.shape[0], found.get(column, table.shape[0]))
    return found


def levels(program: InferenceProgram) -> dict[int, tuple[Tensor, ...]]:
    """Return the tensors of which a column of the input must hold one of the values, by column."""
    found: dict[int, tuple[Tensor, ...]] = {}
    for op in program.ops:
        if isinstance(op, OneHotOp):
            pairs = zip(op.columns, op.levels, strict=True)
            found |= {
                column: (*found.get(column, ()), tensor)
                for column, tensor in pairs
                if column in op.strict
            }
    return found
