"""Each kind of operation in words: its formula and its numbers, forward and backward.

One function forward and one backward for each kind, as in `numpy_runner`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from ..declarations.formulas import names_in
from ..kernels import reference as kernels
from ..program.program import (
    ActivationOp,
    AddOp,
    BatchNormOp,
    ConcatOp,
    DenseOp,
    DropoutOp,
    EmbeddingOp,
    Op,
    Program,
    SelectOp,
    Slot,
    Tensor,
    Write,
    inputs_of,
)
from ..runners.numpy_runner import REFERENCE, Pass
from .explanation import Step

if TYPE_CHECKING:
    from ..kernels.typing import Array
    from ..program.state import State

Value: TypeAlias = tuple[Any, ...]
"""Formula, numbers and, where there are any, worked elements of what an operation writes."""

Gradients: TypeAlias = "Iterator[tuple[str, str, dict[str, Array]]]"
"""Name, formula and numbers of each gradient that an operation writes."""

# Sums are written out up to this many terms, and for this many units.
_TERMS = 4
_UNITS = 3
# Of a number in a formula.
DIGITS = 6


class Traced(Pass):
    """A pass that remembers the names of slots, and what an operation gave to which gradient."""

    def __init__(self, state: State, training: bool) -> None:
        super().__init__(state, training, update_statistics=False)
        self._names = slot_names(state.program)
        self.given: list[tuple[Slot, Write, Array]] = []

    def give(self, slot: Slot, write: Write, gradient: Array) -> None:
        super().give(slot, write, gradient)
        if write is not Write.NONE:
            self.given.append((slot, write, gradient))

    def name(self, slot: Slot) -> str:
        """What users call a slot."""
        return self._names.get(slot) or slot.name or f"value {slot.index}"

    def parameters(self, *tensors: Tensor | None) -> dict[str, Array]:
        """Copies of parameters by name."""
        return {t.name: self.state.parameter(t).copy() for t in tensors if t is not None}

    def gradients_of(self, *tensors: Tensor | None) -> dict[str, Array]:
        """Copies of the gradients of parameters, by ``d_`` and the name."""
        return {f"d_{t.name}": self.state.gradient(t).copy() for t in tensors if t is not None}

    def inputs(self, op: Op) -> dict[str, Array]:
        """The values that an operation reads."""
        return {self.name(slot): self.values[slot] for slot in inputs_of(op)}

    def output(self, op: Op) -> dict[str, Array]:
        """The value that an operation writes."""
        return {self.name(op.out): self.values[op.out]}

    def d_output(self, op: Op) -> dict[str, Array]:
        """The gradient that an operation reads."""
        return {f"d_{self.name(op.out)}": self.gradients[op.out]}


def slot_names(program: Program) -> dict[Slot, str]:
    """The first name under which users may ask for each slot."""
    names: dict[Slot, str] = {}
    for name, slot in program.records:
        names.setdefault(slot, name)
    for op in program.ops:
        if isinstance(op, DenseOp):
            names.setdefault(op.out, f"{op.weight.name} product")
    return names


def forward_step(op: Op, run: Traced) -> Step:
    """Run an operation and put it into words."""
    REFERENCE[type(op)][0](op, run)
    in_words, _ = WORDS.get(type(op), _UNKNOWN)
    return Step("forward", run.name(op.out), *in_words(op, run))


def backward_steps(op: Op, run: Traced) -> list[Step]:
    """Run the gradient of an operation and put it into words: one step for each gradient."""
    run.given = []
    REFERENCE[type(op)][1](op, run)
    _, in_words = WORDS.get(type(op), _UNKNOWN)
    return [Step("backward", *step) for step in in_words(op, run)]


def number_in_sum(value: float) -> str:
    """A number in four digits, in brackets where it is negative."""
    text = f"{value:.4g}"
    return f"({text})" if text.startswith("-") else text


def shortened(items: list[str], most: int) -> list[str]:
    """At most this many items: the first ones, ``...`` and the last."""
    return items if len(items) <= most else [*items[: most - 1], "...", items[-1]]


def _dense(op: DenseOp, run: Traced) -> Value:
    x, weight, out = run.values[op.x], run.state.parameter(op.weight), run.values[op.out]
    bias = np.zeros(0) if op.bias is None else run.state.parameter(op.bias)
    formula = f"{run.name(op.out)} = {run.name(op.x)} @ {op.weight.name}"
    if op.bias is not None:
        formula += f" + {op.bias.name}"

    def worked(unit: int) -> str:
        terms = [
            f"{number_in_sum(a)} * {number_in_sum(w)}"
            for a, w in zip(x[0], weight[:, unit], strict=True)
        ]
        terms = shortened(terms, _TERMS) + [number_in_sum(b) for b in bias[unit : unit + 1]]
        return f"[{unit}]: {' + '.join(terms)} = {out[0, unit]:.4g}"

    units = range(op.out.width)
    if op.out.width > _UNITS:
        lines = [*map(worked, units[: _UNITS - 1]), "...", worked(units[-1])]
    else:
        lines = list(map(worked, units))
    values = run.inputs(op) | run.parameters(op.weight, op.bias) | run.output(op)
    return formula, values, tuple(lines)


def _dense_back(op: DenseOp, run: Traced) -> Gradients:
    d_out = run.d_output(op)
    (d,) = d_out
    yield (
        f"d_{op.weight.name}",
        f"d_{op.weight.name} = {run.name(op.x)}.T @ {d}",
        run.inputs(op) | d_out | run.gradients_of(op.weight),
    )
    if op.bias is not None:
        formula = f"d_{op.bias.name} = {d}"
        if op.zero_bias_gradient and run.training:
            formula = f"d_{op.bias.name} = 0: a BatchNorm takes away what a bias adds"
        yield f"d_{op.bias.name}", formula, run.gradients_of(op.bias)
    yield from _given(run, f"{d} @ {op.weight.name}.T", d_out | run.parameters(op.weight))


def _activation(op: ActivationOp, run: Traced) -> Value:
    z, out = run.name(op.x), run.name(op.out)
    formula, _ = op.activation.formulas(DIGITS)
    named = f"{op.activation.name}(z)"
    equals = f" = {formula}" if formula not in ("", named) else ""
    return f"{out} = {named}{equals}, z = {z}", run.inputs(op) | run.output(op)


def _activation_back(op: ActivationOp, run: Traced) -> Gradients:
    z, out = run.values[op.x], run.values[op.out]
    d_out = run.d_output(op)
    (d,) = d_out
    _, derivative = op.activation.formulas(DIGITS)
    meaning = {"a": run.name(op.out), "d": d}
    used = names_in(derivative) if derivative else set()
    meant = "".join(f", {name} = {what}" for name, what in meaning.items() if name in used)
    if op.activation.is_rowwise:
        formula = derivative or f"gradient of {op.activation.name}"
        yield from _given(run, f"{formula}{meant}", d_out | run.output(op))
        return
    slope = kernels.activation_backward(np.ones_like(out), z, out, op.activation.kernel)
    label = f"{op.activation.name}'(z)"
    formula = f"{d} * {label}, {label} = {derivative}" if derivative else f"{d} * {label}"
    yield from _given(run, f"{formula}{meant}, z = {run.name(op.x)}", d_out | {label: slope})


def _batchnorm(op: BatchNormOp, run: Traced) -> Value:
    x, state = run.values[op.x], run.state
    if run.training:
        mean, var = {"mean": x.mean(axis=0)}, {"var": x.var(axis=0)}
        note = "; mean and var are those of this one row, so that only beta is left"
    else:
        mean = {op.running_mean.name: state.buffer(op.running_mean).copy()}
        var = {op.running_var.name: state.buffer(op.running_var).copy()}
        note = ""
    (of_mean,), (of_var,) = mean, var
    formula = (
        f"{run.name(op.out)} = {op.gamma.name} * (x - {of_mean}) / sqrt({of_var} + "
        f"{op.epsilon:g}) + {op.beta.name}, x = {run.name(op.x)}{note}"
    )
    return formula, run.inputs(op) | mean | var | run.parameters(op.gamma, op.beta) | run.output(op)


def _batchnorm_back(op: BatchNormOp, run: Traced) -> Gradients:
    x_hat, inv_std = run.kept[op.out]
    d_out = run.d_output(op)
    (d,) = d_out
    gamma = op.gamma.name
    yield (
        f"d_{gamma}",
        f"d_{gamma} = {d} * x_hat, x_hat = (x - mean) / sqrt(var + {op.epsilon:g})",
        d_out | {"x_hat": x_hat} | run.gradients_of(op.gamma),
    )
    yield f"d_{op.beta.name}", f"d_{op.beta.name} = {d}", run.gradients_of(op.beta)
    formula = (
        f"{gamma} * ({d} - mean({d}) - x_hat * mean({d} * x_hat)) / sqrt(var + {op.epsilon:g})"
    )
    numbers = d_out | {"1 / sqrt(var + epsilon)": inv_std} | run.parameters(op.gamma)
    yield from _given(run, formula, numbers)


def _dropout(op: DropoutOp, run: Traced) -> Value:
    x, out = run.name(op.x), run.name(op.out)
    if not run.training:
        return f"{out} = {x}: dropout works in training alone", run.output(op)
    mask = {"mask": run.kept[op.out]}
    formula = f"{out} = {x} * mask, mask = 0 with probability {op.rate:g}, else 1 / {1 - op.rate:g}"
    return formula, run.inputs(op) | mask | run.output(op)


def _dropout_back(op: DropoutOp, run: Traced) -> Gradients:
    d_out = run.d_output(op)
    (d,) = d_out
    yield from _given(run, f"{d} * mask", d_out | {"mask": run.kept[op.out]})


def _add(op: AddOp, run: Traced) -> Value:
    formula = f"{run.name(op.out)} = {run.name(op.x)} + {run.name(op.y)}"
    return formula, run.inputs(op) | run.output(op)


def _select(op: SelectOp, run: Traced) -> Value:
    columns = ", ".join(shortened([str(column) for column in op.columns], 10))
    formula = f"{run.name(op.out)} = columns {columns} of {run.name(op.x)}"
    return formula, run.inputs(op) | run.output(op)


def _select_back(op: SelectOp, run: Traced) -> Gradients:
    d_out = run.d_output(op)
    (d,) = d_out
    yield from _given(run, f"{d} in the columns that were taken, else 0", d_out)


def _concat(op: ConcatOp, run: Traced) -> Value:
    parts = " | ".join(run.name(part) for part in op.parts)
    return f"{run.name(op.out)} = {parts}, side by side", run.inputs(op) | run.output(op)


def _concat_back(op: ConcatOp, run: Traced) -> Gradients:
    d_out = run.d_output(op)
    (d,) = d_out
    yield from _given(run, f"its columns of {d}", d_out)


def _embedding(op: EmbeddingOp, run: Traced) -> Value:
    x = run.name(op.x)
    parts = [f"{table.name}[{x}[{c}]]" for c, table in zip(op.columns, op.tables, strict=True)]
    if op.kept:
        columns = ", ".join(shortened([str(column) for column in op.kept], 10))
        parts.insert(0, f"columns {columns} of {x}")
    formula = f"{run.name(op.out)} = {' | '.join(parts)}, side by side"
    return formula, run.inputs(op) | run.parameters(*op.tables) | run.output(op)


def _embedding_back(op: EmbeddingOp, run: Traced) -> Gradients:
    d_out = run.d_output(op)
    (d,) = d_out
    for column, table in zip(op.columns, op.tables, strict=True):
        code = int(run.values[op.x][0, column])
        yield (
            f"d_{table.name}",
            f"d_{table.name} = its columns of {d} in row {code}, else 0",
            d_out | run.gradients_of(table),
        )


def _unknown_forward(op: Op, run: Traced) -> Value:
    """An operation of a kind that has no words here: what goes in and what comes out."""
    formula = f"{run.name(op.out)} = {type(op).__name__}({', '.join(run.inputs(op))})"
    return formula, run.inputs(op) | run.output(op)


def _passed_on(op: Op, run: Traced) -> Gradients:
    d_out = run.d_output(op)
    (d,) = d_out
    yield from _given(run, d, d_out)


def _given(run: Traced, formula: str, values: dict[str, Array]) -> Gradients:
    """A step for each slot to whose gradient an operation gave something."""
    for slot, write, gradient in run.given:
        name = f"d_{run.name(slot)}"
        if write is Write.ADD:
            # Another reader of the slot has written its part before.
            numbers = values | {"added": gradient, name: run.gradients[slot]}
            yield name, f"{name} += {formula}", numbers
        else:
            yield name, f"{name} = {formula}", values | {name: gradient}


WORDS: dict[type, tuple[Callable[[Any, Traced], Value], Callable[[Any, Traced], Gradients]]] = {
    DenseOp: (_dense, _dense_back),
    ActivationOp: (_activation, _activation_back),
    BatchNormOp: (_batchnorm, _batchnorm_back),
    DropoutOp: (_dropout, _dropout_back),
    AddOp: (_add, _passed_on),
    SelectOp: (_select, _select_back),
    ConcatOp: (_concat, _concat_back),
    EmbeddingOp: (_embedding, _embedding_back),
}
_UNKNOWN = (_unknown_forward, _passed_on)
