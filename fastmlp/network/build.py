"""From layers to a program: shapes, names, first values, and the plan of the backward pass."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from ..declarations.activations import Activation, Output, get_activation
from ..declarations.initializers import draw
from ..declarations.losses import Loss, choose_loss
from ..declarations.optimizers import Optimizer
from ..program.program import (
    ActivationOp,
    AddOp,
    BatchNormOp,
    ConcatOp,
    DenseOp,
    EmbeddingOp,
    Group,
    Head,
    Op,
    Penalty,
    Program,
    SelectOp,
    Slot,
    Tensor,
    Write,
    inputs_of,
    padded,
    tensors_of,
)
from .layers import BatchNorm, Dropout, Layer

if TYPE_CHECKING:
    from ..kernels.typing import Array


@dataclass(frozen=True, slots=True)
class FirstValue:
    """How a tensor starts: a number, or drawn by an initializer."""

    tensor: Tensor
    value: float = 0.0
    initializer: str | None = None


@dataclass(frozen=True, slots=True)
class Blueprint:
    """A program, and how its parameters and buffers start."""

    program: Program
    parameters: tuple[FirstValue, ...]
    buffers: tuple[FirstValue, ...]


class Builder:
    """Collects the operations and tensors that layers ask for."""

    def __init__(self, n_features: int | tuple[int, int]) -> None:
        n_wide = None
        if isinstance(n_features, tuple):
            n_wide, n_features = n_features
        self.input = Slot(0, "input", n_features)
        self.wide = None if n_wide is None else Slot(-1, "wide input", n_wide)
        self._wide_is_read = False
        self.ops: list[Op] = []
        self.records: list[tuple[str, Slot]] = []
        self.parameters: list[FirstValue] = []
        self.buffers: list[FirstValue] = []
        self.penalties: list[Penalty] = []
        self.own_optimizers: dict[str, Optimizer] = {}
        self.n_parameters = 0
        self.n_buffers = 0
        self._n_dropouts = 0

    def chain(self, layers: Sequence[Layer], x: Slot, prefix: str, after: str) -> Slot:
        """Build layers one after the other; `after` names the activation that follows the last."""
        for place, layer in enumerate(layers):
            following = next_activation(layers[place:]) or get_activation(after)
            x = layer.build(self, x, f"{prefix}{place}", following.traits.initializer)
        return x

    def add(self, kind: Any, name: str, width: int, **fields: Any) -> Slot:
        """Append an operation and return its output; a `name` makes that available to users."""
        out = Slot(len(self.ops) + 1, name, width)
        self.ops.append(kind(out=out, **fields))
        if name:
            self.records.append((name, out))
        return out

    def take_wide(self) -> Slot | None:
        """X_wide, for the first layer that asks, where it is an input of its own."""
        taken, self._wide_is_read = self._wide_is_read, True
        return None if taken else self.wide

    def activate(self, z: Slot, activation: Activation, name: str) -> Slot:
        """Apply an activation; one that changes nothing costs nothing."""
        if activation.traits.is_identity:
            self.records.append((name, z))
            return z
        return self.add(ActivationOp, name, z.width, x=z, activation=activation)

    def embed(self, x: Slot, column: int, path: str, shape: tuple[int, int]) -> Slot:
        """Replace a column of X by rows of a table; embeddings one after the other are one."""
        op = EmbeddingOp(x, x, tuple(range(x.width)), (), ())
        last = self.ops[-1] if self.ops else None
        within, dot, number = path.rpartition(".")
        before = f"{within}{dot}{int(number) - 1}.output"
        # Of another list of layers, such as around a Branch, others read its output too.
        if isinstance(last, EmbeddingOp) and last.out is x and x.name == before:
            op = last
            self.ops.pop()
            self.records.pop()
        of_input = self._columns_of_input(op.x, path)
        if column not in of_input:
            raise ValueError(
                f"Embedding (layer {path}) reads column {column}, but its input has the columns "
                f"{', '.join(map(str, of_input))}"
            )
        place = of_input.index(column)
        if place in op.columns:
            raise ValueError(f"Embedding (layer {path}): column {column} is embedded already")
        table = self.weight(f"{path}.weight", shape, "standard_normal", "")
        kept = tuple(other for other in op.kept if other != place)
        tables = (*op.tables, table)
        return self.add(
            EmbeddingOp,
            f"{path}.output",
            len(kept) + sum(tensor.shape[1] for tensor in tables),
            x=op.x,
            kept=kept,
            columns=(*op.columns, place),
            tables=tables,
        )

    def _columns_of_input(self, x: Slot, path: str) -> tuple[int, ...]:
        """Which column of X each column of a slot is; only X itself and a choice of its columns."""
        if x is self.input:
            return tuple(range(x.width))
        producer = next((op for op in self.ops if op.out is x), None)
        if isinstance(producer, SelectOp) and producer.x is self.input:
            return producer.columns
        raise ValueError(
            f"Embedding (layer {path}) reads a column of X, so it must stand first in the network, "
            "or first in the deep part of a WideAndDeep"
        )

    def parameter(self, name: str, shape: tuple[int, ...], value: float = 0.0) -> Tensor:
        """A trained tensor that starts at a number."""
        tensor = Tensor(name, shape, self.n_parameters)
        self.parameters.append(FirstValue(tensor, value))
        self.n_parameters += padded(tensor.size)
        return tensor

    def weight(
        self,
        name: str,
        shape: tuple[int, int],
        initializer: str,
        following: str,
        l1: float = 0.0,
        l2: float = 0.0,
        optimizer: Optimizer | None = None,
    ) -> Tensor:
        """A trained matrix; ``"auto"`` draws it by the initializer `following`."""
        tensor = self.parameter(name, shape)
        chosen = following if initializer == "auto" else initializer
        self.parameters[-1] = FirstValue(tensor, initializer=chosen)
        if l1 or l2:
            self.penalties.append(Penalty(tensor, l1, l2))
        if optimizer is not None:
            self.own_optimizers[name] = optimizer
        return tensor

    def buffer(self, name: str, shape: tuple[int, ...], value: float = 0.0) -> Tensor:
        """A tensor that is kept but not trained."""
        tensor = Tensor(name, shape, self.n_buffers)
        self.buffers.append(FirstValue(tensor, value))
        self.n_buffers += padded(tensor.size)
        return tensor

    def next_dropout(self) -> int:
        """A number for a dropout layer that no other has."""
        self._n_dropouts += 1
        return self._n_dropouts - 1


def next_activation(layers: Sequence[Layer]) -> Activation | None:
    """The activation that the first layer's output meets, past BatchNorm."""
    for layer in layers:
        activation = layer.activation_function
        if activation is not None and not activation.traits.is_identity:
            return activation
        if layer is not layers[0] and not isinstance(layer, BatchNorm):
            return activation
    return None


def output_activation(layers: Sequence[Layer]) -> Activation:
    """The activation of the network's output: that of the last Dense or of one after it."""
    for layer in reversed(layers):
        if not isinstance(layer, BatchNorm | Dropout):
            return layer.activation_function or get_activation("linear")
    return get_activation("linear")


def build_program(
    layers: Sequence[Layer],
    n_features: int | tuple[int, int],
    loss: str | Loss,
    optimizer: Optimizer,
    dtype: str,
) -> Blueprint:
    """Make the program of a list of layers, and say how its parameters and buffers start."""
    builder = Builder(n_features)
    output = builder.chain(layers, builder.input, "", "linear")
    if not builder.parameters:
        raise ValueError("the network has no parameters; add a Dense layer")
    activation = output_activation(layers)
    chosen_loss = choose_loss(loss, activation)
    if activation.traits.output is Output.CLASSES and output.width < 2:
        raise ValueError(
            "a softmax over one unit is always 1; use Dense(1, activation='sigmoid') for two "
            "classes, or one unit for each class"
        )
    _check_exact_codes(builder.ops, dtype)
    ops, output_ops, read = _split_head(builder.ops, output, chosen_loss)
    program = Program(
        dtype=dtype,
        input=builder.input,
        ops=_plan_gradients(ops, builder.input, read),
        output_ops=output_ops,
        output=output,
        head=Head(chosen_loss, read, _threshold(chosen_loss, activation)),
        records=tuple(builder.records),
        parameters=tuple(first.tensor for first in builder.parameters),
        buffers=tuple(first.tensor for first in builder.buffers),
        n_parameters=builder.n_parameters,
        n_buffers=builder.n_buffers,
        penalties=tuple(builder.penalties),
        **_group(builder, optimizer),
        wide=builder.wide,
    )
    return Blueprint(program, tuple(builder.parameters), tuple(builder.buffers))


def _check_exact_codes(ops: Sequence[Op], dtype: str) -> None:
    """Codes are read as numbers of the network's dtype, which must tell them apart."""
    most = 2 ** (np.finfo(dtype).nmant + 1)
    for op in ops:
        for table in op.tables if isinstance(op, EmbeddingOp) else ():
            if table.shape[0] > most:
                raise ValueError(
                    f"{table.name} has {table.shape[0]:,} categories; {dtype} tells {most:,} codes "
                    "apart: use dtype='float64'"
                )


def _split_head(
    ops: Sequence[Op], output: Slot, loss: Loss
) -> tuple[tuple[Op, ...], tuple[Op, ...], Slot]:
    """Part the operations before the loss from a last activation that the loss contains."""
    last = ops[-1]
    if not loss.on_logits:
        return tuple(ops), (), output
    if not isinstance(last, ActivationOp):
        raise ValueError(
            f"the loss {loss.name!r} works on what goes into the output activation, which must "
            "therefore be the network's last step; move the BatchNorm or Dropout before it"
        )
    return tuple(ops[:-1]), (last,), last.x


def _threshold(loss: Loss, activation: Activation) -> float | None:
    if activation.traits.output is not Output.PROBABILITIES:
        return None
    return 0.0 if loss.on_logits else 0.5


def _plan_gradients(ops: tuple[Op, ...], source: Slot, read: Slot) -> tuple[Op, ...]:
    """Decide, from the last operation to the first, who sets a gradient and who adds to it."""
    trained = _depends_on_parameters(ops)
    written = {read}
    readers: dict[Slot, list[Op]] = {}
    for op in ops:
        for slot in inputs_of(op):
            readers.setdefault(slot, []).append(op)
    planned: list[Op] = []

    def claim(slot: Slot) -> Write:
        if slot not in trained:
            return Write.NONE
        first = slot not in written
        written.add(slot)
        return Write.SET if first else Write.ADD

    for op in reversed(ops):
        if isinstance(op, AddOp):
            op = replace(op, d_y=claim(op.y), d_x=claim(op.x))
        elif isinstance(op, ConcatOp):
            # From the last to the first, as the backward pass goes.
            claimed = [claim(part) for part in reversed(op.parts)]
            op = replace(op, d_parts=tuple(reversed(claimed)))
        elif not isinstance(op, EmbeddingOp):
            op = replace(op, d_x=claim(op.x))
        if isinstance(op, DenseOp) and op.bias is not None and op.out is not read:
            only_norm = all(isinstance(reader, BatchNormOp) for reader in readers.get(op.out, []))
            op = replace(op, zero_bias_gradient=only_norm)
        planned.append(op)
    return tuple(reversed(planned))


def _depends_on_parameters(ops: tuple[Op, ...]) -> set[Slot]:
    """Slots whose gradient some parameter needs."""
    trained: set[Slot] = set()
    for op in ops:
        if tensors_of(op) or trained.intersection(inputs_of(op)):
            trained.add(op.out)
    return trained


def _group(builder: Builder, optimizer: Optimizer) -> dict[str, Any]:
    """Partition the parameters into ranges of one optimizer each."""
    optimizers = [optimizer]
    groups: list[Group] = []
    # A penalty gives every row a gradient.
    penalised = {penalty.weight for penalty in builder.penalties}
    sparse = {
        op.weight
        for op in builder.ops
        if isinstance(op, DenseOp) and op.x is builder.wide and op.weight not in penalised
    }
    for first in builder.parameters:
        own = builder.own_optimizers.get(first.tensor.name)
        if own is not None and own not in optimizers[1:]:
            optimizers.append(own)
        number = 0 if own is None else optimizers.index(own, 1)
        start, stop = first.tensor.start, first.tensor.start + padded(first.tensor.size)
        by_rows = first.tensor in sparse and optimizers[number].touched_rows_exact
        if groups and groups[-1].optimizer == number and not by_rows and not groups[-1].weight:
            groups[-1] = replace(groups[-1], stop=stop)
        else:
            groups.append(Group(start, stop, number, first.tensor if by_rows else None))
    return {"optimizers": tuple(optimizers), "groups": tuple(groups)}


def fill_first_values(
    firsts: Sequence[FirstValue], vector: Array, rng: np.random.Generator | None = None
) -> None:
    """Write the first values of tensors into their flat vector; padding becomes 0."""
    vector[:] = 0.0
    for first in firsts:
        tensor = first.tensor
        if first.initializer is None:
            vector[tensor.start : tensor.stop] = first.value
        elif rng is not None:
            n_in, n_out = tensor.shape
            vector[tensor.start : tensor.stop] = draw(first.initializer, rng, n_in, n_out).ravel()
