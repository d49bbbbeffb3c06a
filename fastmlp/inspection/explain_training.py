"""Loss and penalties in words, and their part in the gradients."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from ..declarations.formulas import as_operand
from ..kernels.reference.gradients import add_penalty
from ..runners.reference_loss import head_loss
from .explain_ops import DIGITS, Traced, slot_names
from .explanation import Step

if TYPE_CHECKING:
    from ..declarations.losses import Loss
    from ..kernels.typing import Array
    from ..program.state import State


def loss_steps(run: Traced, y: Array) -> Iterator[Step]:
    """Tell the loss with its penalties; leave the gradient of the head's input in the pass."""
    state, program = run.state, run.state.program
    head, loss = program.head, program.head.loss
    logits = run.values[head.slot]
    value, d_logits = head_loss(state, logits, y, None)
    run.gradients[head.slot] = d_logits
    judged = program.judged_output
    output = slot_names(program).get(judged, "output")
    names = f"p = {output}, t = target"
    formula, slope = _loss_formulas(loss)
    columns = np.eye(program.output.width)[y] if y.ndim == 1 else y
    yield Step(
        "loss",
        "loss",
        f"loss = {formula}, {names}",
        {
            output: run.values[judged],
            "target": loss.smoothed(columns),
            "loss": np.asarray(value),
        },
    )
    for step, added in _penalty_values(state):
        value += added
        yield step
    if program.penalties:
        yield Step("loss", "reported loss", "loss with its penalties", {"loss": np.asarray(value)})
    d_name = f"d_{run.name(head.slot)}"
    of = f"{slope}, {names}" if slope else f"derivative of {loss.name}"
    if slope and not loss.is_rowwise and loss.reduction == "mean":
        of += f", k = {head.slot.width}"
    yield Step("backward", d_name, f"{d_name} = {of}", {d_name: d_logits})


def _loss_formulas(loss: Loss) -> tuple[str, str]:
    """Return the formulas of a row's loss and its derivative; none are known of users' own."""
    formula, slope = loss.formulas(DIGITS)
    if not formula:
        return f"{loss.name}(p, t)", ""
    if loss.is_rowwise:
        return formula, slope
    if loss.reduction == "sum":
        return f"sum({formula})", slope
    return f"mean({formula})", f"{as_operand(slope)} / k"


def _penalty_values(state: State) -> Iterator[tuple[Step, float]]:
    """Tell each penalty's part in the loss."""
    for penalty in state.program.penalties:
        w = state.parameter(penalty.weight)
        added = add_penalty(w, np.zeros_like(w), penalty.l1, penalty.l2)
        name = penalty.weight.name
        terms, values = [], {}
        if penalty.l1:
            terms.append(f"{penalty.l1:g} * sum(|w|)")
            values["sum(|w|)"] = np.abs(w).sum(dtype=np.float64)
        if penalty.l2:
            terms.append(f"{penalty.l2:g} / 2 * sum(w**2)")
            values["sum(w**2)"] = np.square(w, dtype=np.float64).sum()
        values["penalty"] = np.asarray(added)
        formula = f"loss += {' + '.join(terms)}, w = {name}"
        yield Step("loss", f"penalty of {name}", formula, values), added


def penalty_steps(run: Traced) -> Iterator[Step]:
    """Add the penalties' part to the gradients, and tell it."""
    for penalty in run.state.program.penalties:
        w, d_w = run.state.parameter(penalty.weight), run.state.gradient(penalty.weight)
        add_penalty(w, d_w, penalty.l1, penalty.l2)
        name = penalty.weight.name
        terms = [f"{penalty.l1:g} * sign(w)"] if penalty.l1 else []
        terms += [f"{penalty.l2:g} * w"] if penalty.l2 else []
        formula = f"d_{name} += {' + '.join(terms)}, w = {name}"
        yield Step("backward", f"d_{name}", formula, {name: w.copy(), f"d_{name}": d_w.copy()})
