"""What turns a network's output into gradients, in words: loss and penalties."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from ..kernels import reference as kernels
from ..runners.reference_loss import head_loss
from .explain_ops import Traced, slot_names
from .explanation import Step

if TYPE_CHECKING:
    from ..kernels.typing import Array

LOSSES = {
    "mse": ("mean((p - t)**2)", "2 (p - t) / k"),
    "mae": ("mean(|p - t|)", "sign(p - t) / k"),
    "huber": (
        "mean(e**2 / 2 where |e| <= {a}, else {a} (|e| - {a} / 2)), e = p - t",
        "(p - t) / k, held within -{a} / k and {a} / k",
    ),
    "quantile": (
        "mean(max({a} e, ({a} - 1) e)), e = t - p",
        "-{a} / k where e > 0, (1 - {a}) / k where e < 0, e = t - p",
    ),
    "poisson": ("mean(p - t log(p))", "(1 - t / p) / k"),
    "binary_crossentropy": ("mean(-t log(p) - (1 - t) log(1 - p))", "(p - t) / k"),
    "categorical_crossentropy": ("-sum(t log(p))", "p sum(t) - t"),
}
"""Formula and slope by name: p is the output, t the target, k their number, ``{a}`` a parameter."""


def loss_steps(run: Traced, y: Array) -> Iterator[Step]:
    """The loss with its penalties; the gradient of what the loss reads is left in the pass."""
    state, program = run.state, run.state.program
    head, loss = program.head, program.head.loss
    logits = run.values[head.slot]
    value, d_logits = head_loss(state, logits, y, None)
    run.gradients[head.slot] = d_logits
    formula, slope = (
        text.replace("{a}", f"{loss.parameter:g}") for text in LOSSES.get(loss.name, ("", ""))
    )
    output = slot_names(program).get(program.output, "output")
    names = f"p = {output}, t = target"
    target = _target(y, program.output.width, loss)
    yield Step(
        "loss",
        "loss",
        f"loss = {formula}, {names}" if formula else f"loss = {loss.name}(p, t), {names}",
        {output: run.values[program.output], "target": target, "loss": np.asarray(value)},
    )
    for penalty in program.penalties:
        w = state.parameter(penalty.weight)
        added = kernels.add_penalty(w, np.zeros_like(w), penalty.l1, penalty.l2)
        name = penalty.weight.name
        value += added
        terms, values = [], {}
        if penalty.l1:
            terms.append(f"{penalty.l1:g} * sum(|w|)")
            values["sum(|w|)"] = np.abs(w).sum(dtype=np.float64)
        if penalty.l2:
            terms.append(f"{penalty.l2:g} / 2 * sum(w**2)")
            values["sum(w**2)"] = np.square(w, dtype=np.float64).sum()
        values["penalty"] = np.asarray(added)
        formula = f"loss += {' + '.join(terms)}, w = {name}"
        yield Step("loss", f"penalty of {name}", formula, values)
    if program.penalties:
        yield Step("loss", "reported loss", "loss with its penalties", {"loss": np.asarray(value)})
    d_name = f"d_{run.name(head.slot)}"
    of = f"{slope}, {names}" if slope else f"derivative of {loss.name}"
    if "/ k" in slope:
        of += f", k = {head.slot.width}"
    yield Step("backward", d_name, f"{d_name} = {of}", {d_name: d_logits})


def _target(y: Array, width: int, loss: Any) -> Array:
    """The target as the formulas take it: a column for each output, smoothed."""
    if y.ndim == 1:
        y = np.eye(width)[y]
    if loss.name == "categorical_crossentropy":
        y = (1.0 - loss.parameter) * y + loss.parameter / width
    if loss.name == "binary_crossentropy":
        y = (1.0 - loss.parameter) * y + loss.parameter / 2
    return y


def penalty_steps(run: Traced) -> Iterator[Step]:
    """The penalties' part in the gradients."""
    for penalty in run.state.program.penalties:
        w, d_w = run.state.parameter(penalty.weight), run.state.gradient(penalty.weight)
        kernels.add_penalty(w, d_w, penalty.l1, penalty.l2)
        name = penalty.weight.name
        terms = [f"{penalty.l1:g} * sign(w)"] if penalty.l1 else []
        terms += [f"{penalty.l2:g} * w"] if penalty.l2 else []
        formula = f"d_{name} += {' + '.join(terms)}, w = {name}"
        yield Step("backward", f"d_{name}", formula, {name: w.copy(), f"d_{name}": d_w.copy()})
