"""Clipping and optimizers in words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from ..kernels.reference.gradients import clip_by_value
from ..program.state import view
from ..runners.reference_update import clip
from .explanation import Step

if TYPE_CHECKING:
    from ..declarations.optimizers import Optimizer
    from ..kernels.typing import Array
    from ..program.operation import Tensor
    from ..program.program import Group
    from ..program.state import State

# Statements of a rule may call these.
_FUNCTIONS = {
    "abs": np.abs,
    "max": np.maximum,
    "sign": np.sign,
    "sqrt": np.sqrt,
    "where": np.where,
}


def clipping_steps(state: State) -> Iterator[Step]:
    """Clip the gradients of a state as a step does, and tell what that changed."""
    program = state.program
    limits = [program.optimizers[group.optimizer] for group in program.groups]
    by_value = {o.clip_value for o in limits if o.clip_value is not None}
    by_norm = {o.clip_norm for o in limits if o.clip_norm is not None}
    if not by_value and not by_norm:
        return
    before = state.gradients.copy()
    for group, optimizer in zip(program.groups, limits, strict=True):
        if optimizer.clip_value is not None:
            part = before[group.start : group.stop]
            clip_by_value(part, optimizer.clip_value)
    clipped = int(np.count_nonzero(before != state.gradients))
    norm = float(np.sqrt(np.sum(np.square(before, dtype=np.float64))))
    clip(state)
    for limit in sorted(by_value):
        yield Step(
            "update",
            "clip_value",
            f"g = g held within -{limit:g} and {limit:g}",
            {"elements that were beyond": np.asarray(clipped)},
        )
    for limit in sorted(by_norm):
        yield Step(
            "update",
            "clip_norm",
            f"g = g * min(1, {limit:g} / norm), norm = sqrt(sum(g**2)) over all parameters",
            {"norm": np.asarray(norm), "factor": np.asarray(min(1.0, limit / norm if norm else 1))},
        )


def update_steps(
    before: State, after: State, gradients: Array, rates: Mapping[tuple[str, int], float]
) -> Iterator[Step]:
    """Tell a step of the optimizers: `after` is the state that they made of `before`.

    `gradients` is the flat vector that the optimizers were given, clipping done; `rates` are
    the values of the program's schedules.
    """
    program, t = before.program, before.step + 1
    for number, optimizer in enumerate(program.optimizers):
        name = type(optimizer).__name__
        scheduled = {each: rates[each, number] for each in optimizer.scheduled}
        rate = rates["learning_rate", number]
        scalars: dict[str, float] = {"rate": rate, **optimizer.constants, **scheduled, "t": t}
        yield Step(
            "update",
            name,
            "\n".join([f"{name}, g the gradient, w a parameter:", *optimizer.rule]),
            {name: np.asarray(value) for name, value in scalars.items()},
        )
        for place, group in enumerate(program.groups):
            if group.optimizer != number:
                continue
            if optimizer.running_product:
                scalars[optimizer.running_product] = float(before.products[place])
            names = ("learning_rate", *optimizer.scheduled)
            own = {each: rates[each, number] * group.factor(each) for each in names}
            own = {"rate": own.pop("learning_rate"), **group.constants(optimizer), **own}
            other = {name: value for name, value in own.items() if value != scalars[name]}
            formula = ", ".join(
                [optimizer.rule[-1], *(f"{name} = {value:g}" for name, value in other.items())]
            )
            for tensor in (each for each in program.parameters if _within(each, group)):
                gradient = view(gradients, tensor)
                values = _values(before, after, gradient, tensor, optimizer, scalars | other)
                yield Step("update", tensor.name, f"{tensor.name}: {formula}", values)


def _values(
    before: State,
    after: State,
    gradient: Array,
    tensor: Tensor,
    optimizer: Optimizer,
    scalars: Mapping[str, float],
) -> dict[str, Array]:
    """Return the numbers of a tensor's update: given, changed, and worked out between."""
    values = {"g": gradient.copy()}
    given: dict[str, Any] = {**scalars, "g": gradient, "w": before.parameter(tensor)}
    for row, slot in enumerate(optimizer.slots):
        given[slot] = view(before.moments[row], tensor)
        values[f"{slot} before"] = given[slot].copy()
        values[slot] = view(after.moments[row], tensor).copy()
    in_double = {name: np.asarray(value, np.float64) for name, value in given.items()}
    worked = evaluate(optimizer.rule, in_double)
    values |= {name: value for name, value in worked.items() if name not in given}
    values["w before"] = before.parameter(tensor).copy()
    values["w"] = after.parameter(tensor).copy()
    return values


def evaluate(rule: tuple[str, ...], numbers: Mapping[str, Any]) -> dict[str, Any]:
    """Carry out the statements of a rule on numbers or arrays, and return all by name."""
    names = {"__builtins__": {}, **_FUNCTIONS}
    values = dict(numbers)
    exec("\n".join(rule), names, values)
    return values


def _within(tensor: Tensor, group: Group) -> bool:
    return group.start <= tensor.start < group.stop
