"""From layers to a program: shapes, names, first values, and the plan of the backward pass."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from ..declarations.activations import Activation, Output, get_activation
from ..declarations.initializers import draw
from ..declarations.losses import Loss, choose_loss
from ..declarations.optimizers import Optimizer
from ..program.operation import Operation, Slot, Tensor, padded
from ..program.ops import ActivationOp, ClipOp, DenseOp
from ..program.program import Group, Head, Program, plan_gradients
from .builder import Builder, FirstValue, Layer

if TYPE_CHECKING:
    from ..kernels.typing import Array


@dataclass(frozen=True, slots=True)
class Blueprint:
    """A program, and how its parameters and buffers start."""

    program: Program
    parameters: tuple[FirstValue, ...]
    buffers: tuple[FirstValue, ...]


def output_activation(layers: Sequence[Layer]) -> Activation:
    """Return the activation of the network's output: that of the last Dense or of one after it."""
    for layer in reversed(layers):
        if not layer.keeps_activation:
            activation = None if layer.makes_numbers else layer.activation_function
            return activation or get_activation("linear")
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
    ops, output_ops, head_input = _split_head(builder.ops, output, chosen_loss)
    program = Program(
        dtype=dtype,
        input=builder.input,
        ops=_plan_gradients(ops, head_input, {first.tensor for first in builder.parameters}),
        output_ops=output_ops,
        output=output,
        head=Head(chosen_loss, head_input, _threshold(chosen_loss, activation)),
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


def _check_exact_codes(ops: Sequence[Operation], dtype: str) -> None:
    """Refuse tables of more rows than numbers of the network's dtype tell apart."""
    most = 2 ** (np.finfo(dtype).nmant + 1)
    for op in ops:
        for _, _, table in op.codes:
            if table.shape[0] > most:
                raise ValueError(
                    f"{table.name} has {table.shape[0]:,} categories; {dtype} tells {most:,} codes "
                    "apart: use dtype='float64'"
                )


def _split_head(
    ops: Sequence[Operation], output: Slot, loss: Loss
) -> tuple[tuple[Operation, ...], tuple[Operation, ...], Slot]:
    """Part the operations before the loss from those that predictions alone need.

    Those are a last activation that the loss contains, and bounds.
    """
    bounds: tuple[Operation, ...] = ()
    if isinstance(ops[-1], ClipOp):
        bounds, output, ops = (ops[-1],), ops[-1].x, ops[:-1]
    if not ops or any(isinstance(op, ClipOp) for op in ops):
        raise ValueError(
            "Clip holds predictions within bounds, so that it must be the network's last layer, "
            "behind others and not within one"
        )
    last = ops[-1]
    if not loss.on_logits:
        return tuple(ops), bounds, output
    if not isinstance(last, ActivationOp):
        raise ValueError(
            f"the loss {loss.name!r} works on what goes into the output activation, which must "
            "therefore be the network's last step; move the BatchNorm or Dropout before it"
        )
    return tuple(ops[:-1]), (last, *bounds), last.x


def _threshold(loss: Loss, activation: Activation) -> float | None:
    if activation.traits.output is not Output.PROBABILITIES:
        return None
    return 0.0 if loss.on_logits else 0.5


def _plan_gradients(
    ops: tuple[Operation, ...], head_input: Slot, parameters: set[Tensor]
) -> tuple[Operation, ...]:
    """Plan the gradients of parameters, and say which biases have none."""
    trained = _depends_on_parameters(ops, parameters)
    readers: dict[Slot, list[Operation]] = {}
    for op in ops:
        for slot in op.inputs:
            readers.setdefault(slot, []).append(op)
    planned: list[Operation] = []
    for op in plan_gradients(ops, head_input, trained.__contains__):
        if isinstance(op, DenseOp) and op.bias is not None and op.out is not head_input:
            ignored = all(reader.ignores_shift for reader in readers.get(op.out, []))
            op = replace(op, zero_bias_gradient=ignored)
        planned.append(op)
    return tuple(planned)


def _depends_on_parameters(ops: tuple[Operation, ...], parameters: set[Tensor]) -> set[Slot]:
    """Return the slots whose gradient some parameter needs."""
    trained: set[Slot] = set()
    for op in ops:
        if parameters.intersection(op.tensors) or trained.intersection(op.inputs):
            trained.add(op.out)
    return trained


def _group(builder: Builder, optimizer: Optimizer) -> dict[str, Any]:
    """Partition the parameters into ranges of one optimizer each."""
    optimizers = [optimizer]
    groups: list[Group] = []
    # A penalty gives every row a gradient.
    penalized = {penalty.weight for penalty in builder.penalties}
    sparse = {
        op.weight
        for op in builder.ops
        if isinstance(op, DenseOp) and op.x is builder.wide and op.weight not in penalized
    }
    for first in builder.parameters:
        own = builder.own_optimizers.get(first.tensor.name)
        if own is not None and own not in optimizers[1:]:
            optimizers.append(own)
        number = 0 if own is None else optimizers.index(own, 1)
        start, stop = first.tensor.start, first.tensor.start + padded(first.tensor.size)
        by_rows = first.tensor in sparse and optimizers[number].touched_rows_exact
        weight, factors = first.tensor if by_rows else None, builder.factors[first.tensor.name]
        group, last = Group(start, stop, number, weight, factors), groups[-1] if groups else None
        if last and replace(last, start=start, stop=stop) == group and weight is None:
            groups[-1] = replace(last, stop=stop)
        else:
            groups.append(group)
    return {"optimizers": tuple(optimizers), "groups": tuple(groups)}


def fill_first_values(
    firsts: Sequence[FirstValue], vector: Array, rng: np.random.Generator | None = None
) -> None:
    """Write the first values of tensors into their flat vector; padding becomes 0."""
    vector[:] = 0.0
    for first in firsts:
        tensor = first.tensor
        if first.spread and rng is not None:
            normal = first.spread == "normal"
            draw_all = rng.standard_normal if normal else partial(rng.uniform, -1.0, 1.0)
            values = np.asarray(first.values or first.value)
            vector[tensor.start : tensor.stop] = values * draw_all(size=tensor.size)
        elif first.initializer is None:
            vector[tensor.start : tensor.stop] = first.values or first.value
        elif rng is not None:
            n_in, n_out = (1, *tensor.shape)[-2:]
            drawn = draw(first.initializer, rng, n_in, n_out).ravel()
            vector[tensor.start : tensor.stop] = first.times * drawn
