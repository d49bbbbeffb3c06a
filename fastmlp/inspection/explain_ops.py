"""Each kind of operation in words: its formula and its numbers, forward and backward.

Operations declare their formulas; those of which there is more to tell have two functions here,
forward and backward.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from ..common.dispatch import DispatchTable
from ..declarations.formulas import names_in
from ..kernels.reference.activations import activation_backward, activation_forward
from ..program.operation import Operation, Slot, Tensor, Write
from ..program.ops import (
    ActivationOp,
    BatchNormOp,
    DenseOp,
    DropoutOp,
    EmbeddingOp,
    ParametricOp,
)
from ..runners.reference_ops import REFERENCE
from ..runners.reference_pass import Pass
from .explanation import Step

if TYPE_CHECKING:
    from ..kernels.typing import Array
    from ..program.program import Program
    from ..program.state import State

Value: TypeAlias = tuple[Any, ...]
"""Formula, numbers and, where there are any, worked elements of what an operation writes."""

Gradients: TypeAlias = "Iterator[tuple[str, str, dict[str, Array]]]"
"""Name, formula and numbers of each gradient that an operation writes."""

Forward: TypeAlias = "Callable[[Any, Traced], Value]"
Backward: TypeAlias = "Callable[[Any, Traced], Gradients]"

# Sums are written out up to this many terms, and for this many units.
_TERMS = 4
_UNITS = 3
# Of a number in a formula.
DIGITS = 6


class Traced(Pass):
    """A pass that remembers the names of slots, and what an operation adds to which gradient."""

    def __init__(self, state: State, training: bool) -> None:
        super().__init__(state, training, update_statistics=False)
        self._names = slot_names(state.program)
        self.accumulated: list[tuple[Slot, Write, Array]] = []

    def accumulate_gradient(self, slot: Slot, write: Write, gradient: Array) -> None:
        super().accumulate_gradient(slot, write, gradient)
        if write is not Write.NONE:
            self.accumulated.append((slot, write, gradient))

    def name(self, slot: Slot) -> str:
        """Return the name that users know a slot by."""
        return self._names.get(slot) or slot.name or f"value {slot.index}"

    def parameters(self, *tensors: Tensor | None) -> dict[str, Array]:
        """Return copies of parameters by name, and of buffers."""
        state = self.state
        return {
            t.name: (state.buffer if t in state.program.buffers else state.parameter)(t).copy()
            for t in tensors
            if t is not None
        }

    def gradients_of(self, *tensors: Tensor | None) -> dict[str, Array]:
        """Return copies of the gradients of parameters, by ``d_`` and the name."""
        return {f"d_{t.name}": self.state.gradient(t).copy() for t in tensors if t is not None}

    def inputs(self, op: Operation) -> dict[str, Array]:
        """Return the values that an operation reads."""
        return {self.name(slot): self.values[slot] for slot in op.inputs}

    def output(self, op: Operation) -> dict[str, Array]:
        """Return the value that an operation writes."""
        return {self.name(op.out): self.values[op.out]}

    def d_output(self, op: Operation) -> dict[str, Array]:
        """Return the gradient that an operation reads."""
        return {f"d_{self.name(op.out)}": self.gradients[op.out]}


def slot_names(program: Program) -> dict[Slot, str]:
    """Return the first name under which users may ask for each slot."""
    names: dict[Slot, str] = {}
    for name, slot in program.records:
        names.setdefault(slot, name)
    for op in program.ops:
        if isinstance(op, DenseOp):
            names.setdefault(op.out, f"{op.weight.name} product")
    return names


def forward_step(op: Operation, run: Traced) -> Step:
    """Run an operation and put it into words."""
    REFERENCE[type(op)][0](op, run)
    in_words, _ = _words(op)
    return Step("forward", run.name(op.out), *in_words(op, run))


def backward_steps(op: Operation, run: Traced) -> list[Step]:
    """Run the gradient of an operation and put it into words: one step for each gradient."""
    run.accumulated = []
    REFERENCE[type(op)][1](op, run)
    _, in_words = _words(op)
    return [Step("backward", *step) for step in in_words(op, run)]


def number_in_sum(value: float) -> str:
    """Return a number in four digits, in brackets where it is negative."""
    text = f"{value:.4g}"
    return f"({text})" if text.startswith("-") else text


def shortened(items: list[str], most: int) -> list[str]:
    """Return at most this many items: the first ones, ``...`` and the last."""
    return items if len(items) <= most else [*items[: most - 1], "...", items[-1]]


def _dense(op: DenseOp, run: Traced) -> Value:
    x, weight, out = run.values[op.x], run.state.parameter(op.weight), run.values[op.out]
    bias = np.zeros(0) if op.bias is None else run.state.parameter(op.bias)
    formula = f"{run.name(op.out)} = {run.name(op.x)} @ {op.weight.name}"
    if op.factor != 1.0:
        formula += f" / sqrt({op.x.width})"
        weight = weight * op.factor
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
    over = "" if op.factor == 1.0 else f" / sqrt({op.x.width})"
    yield (
        f"d_{op.weight.name}",
        f"d_{op.weight.name} = {run.name(op.x)}.T @ {d}{over}",
        run.inputs(op) | d_out | run.gradients_of(op.weight),
    )
    if op.bias is not None:
        formula = f"d_{op.bias.name} = {d}"
        if op.zero_bias_gradient and run.training:
            formula = f"d_{op.bias.name} = 0: a BatchNorm takes away what a bias adds"
        yield f"d_{op.bias.name}", formula, run.gradients_of(op.bias)
    yield from _given(run, f"{d} @ {op.weight.name}.T{over}", d_out | run.parameters(op.weight))


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
    slope = activation_backward(np.ones_like(out), z, out, op.activation.kernel)
    label = f"{op.activation.name}'(z)"
    formula = f"{d} * {label}, {label} = {derivative}" if derivative else f"{d} * {label}"
    yield from _given(run, f"{formula}{meant}, z = {run.name(op.x)}", d_out | {label: slope})


def _parametric(op: ParametricOp, run: Traced) -> Value:
    z, out, weight = run.name(op.x), run.name(op.out), op.weight.name
    formula, _ = op.activation.formulas(DIGITS)
    f = f"{op.activation.name}(z)"
    text = f"{out} = z + {weight} * ({f} - z), z = {z}"
    text += f", {f} = {formula}" if formula not in ("", f) else ""
    values = {f: activation_forward(run.values[op.x], op.activation.kernel)}
    return text, run.inputs(op) | values | run.parameters(op.weight) | run.output(op)


def _parametric_back(op: ParametricOp, run: Traced) -> Gradients:
    z, kernel, d_out = run.values[op.x], op.activation.kernel, run.d_output(op)
    (d,) = d_out
    f, weight = f"{op.activation.name}(z)", op.weight.name
    values = activation_forward(z, kernel)
    yield (
        f"d_{weight}",
        f"d_{weight} = {d} * ({f} - z), z = {run.name(op.x)}",
        d_out | run.inputs(op) | {f: values} | run.gradients_of(op.weight),
    )
    slope = activation_backward(np.ones_like(z), z, values, kernel)
    label = f"{op.activation.name}'(z)"
    formula = f"{d} * (1 - {weight} + {weight} * {label}), z = {run.name(op.x)}"
    yield from _given(run, formula, d_out | run.parameters(op.weight) | {label: slope})


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
    saved, d_out = run.saved_for_backward[op.out], run.d_output(op)
    (d,) = d_out
    gamma = op.gamma.name
    yield (
        f"d_{gamma}",
        f"d_{gamma} = {d} * x_hat, x_hat = (x - mean) / sqrt(var + {op.epsilon:g})",
        d_out | {"x_hat": saved["x_hat"]} | run.gradients_of(op.gamma),
    )
    yield f"d_{op.beta.name}", f"d_{op.beta.name} = {d}", run.gradients_of(op.beta)
    formula = (
        f"{gamma} * ({d} - mean({d}) - x_hat * mean({d} * x_hat)) / sqrt(var + {op.epsilon:g})"
    )
    numbers = d_out | {"1 / sqrt(var + epsilon)": saved["inv_std"]} | run.parameters(op.gamma)
    yield from _given(run, formula, numbers)


def _dropout(op: DropoutOp, run: Traced) -> Value:
    x, out = run.name(op.x), run.name(op.out)
    if not run.training:
        return f"{out} = {x}: dropout works in training alone", run.output(op)
    rate = float(run.state.dropout_rates[op.number])
    formula = f"{out} = {x} * mask, mask = 0 with probability {rate:g}, else 1 / {1 - rate:g}"
    return formula, run.inputs(op) | run.saved_for_backward[op.out] | run.output(op)


def _dropout_back(op: DropoutOp, run: Traced) -> Gradients:
    d_out = run.d_output(op)
    (d,) = d_out
    yield from _given(run, f"{d} * mask", d_out | run.saved_for_backward[op.out])


def _embedding(op: EmbeddingOp, run: Traced) -> Value:
    x = run.name(op.x)
    parts = [f"{table.name}[{x}[{c}]]" for c, table in zip(op.columns, op.tables, strict=True)]
    if op.passthrough:
        columns = ", ".join(shortened([str(column) for column in op.passthrough], 10))
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


def _given(run: Traced, formula: str, values: dict[str, Array]) -> Gradients:
    """Tell each slot's gradient to which an operation has added something."""
    for slot, write, gradient in run.accumulated:
        name = f"d_{run.name(slot)}"
        if write is Write.ADD:
            # Another reader of the slot has written its part before.
            numbers = values | {"added": gradient, name: run.gradients[slot]}
            yield name, f"{name} += {formula}", numbers
        else:
            yield name, f"{name} = {formula}", values | {name: gradient}


def _declared(op: Operation, run: Traced) -> Value:
    """Tell the formula that an operation declares."""
    formula = f"{run.name(op.out)} = {op.formula.format_map(_fields(op, run))}"
    return formula, run.inputs(op) | run.parameters(*op.tensors) | run.output(op)


def _declared_back(op: Operation, run: Traced) -> Gradients:
    d_out = run.d_output(op)
    (d,) = d_out
    names = _fields(op, run) | {"d": d}
    numbers = d_out | run.saved_for_backward.get(op.out, {})
    for field, formula in op.tensor_gradients.items():
        tensor = getattr(op, field)
        name = f"d_{tensor.name}"
        yield name, f"{name} = {formula.format_map(names)}", numbers | run.gradients_of(tensor)
    yield from _given(run, op.input_gradient.format_map(names), numbers)


def _fields(op: Operation, run: Traced) -> dict[str, str]:
    """Return the fields of an operation as they stand in formulas."""

    def in_words(value: Any) -> str:
        if isinstance(value, Slot):
            return run.name(value)
        if isinstance(value, Tensor):
            return value.name
        if isinstance(value, tuple):
            words = list(map(in_words, value))
            are_numbers = all(isinstance(part, int) for part in value)
            return ", ".join(shortened(words, 10)) if are_numbers else " | ".join(words)
        return f"{value:g}" if isinstance(value, float) else str(value)

    return {name: in_words(value) for name, value in op.values()}


WORDS: DispatchTable[tuple[Forward, Backward]] = DispatchTable(
    "WORDS",
    __name__,
    {
        DenseOp: (_dense, _dense_back),
        ActivationOp: (_activation, _activation_back),
        ParametricOp: (_parametric, _parametric_back),
        BatchNormOp: (_batchnorm, _batchnorm_back),
        DropoutOp: (_dropout, _dropout_back),
        EmbeddingOp: (_embedding, _embedding_back),
    },
)
"""Of operations that declare no formulas."""


def _words(op: Operation) -> tuple[Forward, Backward]:
    return (_declared, _declared_back) if op.formula else WORDS[type(op)]
