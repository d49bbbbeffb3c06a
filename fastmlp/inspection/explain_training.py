"""What turns a network's output into an update, in words: loss, penalties, clipping, optimizer."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from ..kernels import reference as kernels
from ..program.state import view
from ..runners.reference_loss import head_loss
from ..runners.reference_update import clip
from .explain_ops import Traced, slot_names
from .explanation import Step

if TYPE_CHECKING:
    from ..declarations.optimizers import Optimizer
    from ..kernels.typing import Array
    from ..program.program import Group, Tensor
    from ..program.state import State

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

_MOMENTS = ("m = beta_1 * m + (1 - beta_1) * g", "v = beta_2 * v + (1 - beta_2) * g**2")
_CORRECTED = ("m_hat = m / (1 - beta_1**t)", "v_hat = v / (1 - beta_2**t)")
_ADAM = "w = w - rate * m_hat / (sqrt(v_hat) + epsilon)"
_BY_ROOT = "w = w - rate * g / (sqrt(v) + epsilon)"
_VELOCITY = "velocity = momentum * velocity + g"

UPDATES = {
    "sgd_update": ("w = w - rate * g",),
    "sgd_update with momentum": (_VELOCITY, "w = w - rate * velocity"),
    "sgd_update with nesterov": (_VELOCITY, "w = w - rate * (g + momentum * velocity)"),
    "rmsprop_update": ("v = rho * v + (1 - rho) * g**2", _BY_ROOT),
    "adam_update": (*_MOMENTS, *_CORRECTED, _ADAM),
    "adamw_update": (
        *(*_MOMENTS, *_CORRECTED),
        "w = w * (1 - rate * weight_decay) - rate * m_hat / (sqrt(v_hat) + epsilon)",
    ),
    "nadam_update": (
        *_MOMENTS,
        "mu_t = beta_1 * (1 - 0.96**(t * momentum_decay) / 2), M_t = mu_1 * ... * mu_t",
        "m_hat = (1 - mu_t) / (1 - M_t) * g + mu_(t+1) / (1 - M_(t+1)) * m",
        _CORRECTED[1],
        _ADAM,
    ),
    "adagrad_update": ("v = v + g**2", _BY_ROOT),
    "ftrl_update": (
        "sigma = (sqrt(n + g**2) - sqrt(n)) / rate; all stays as it is where g = 0",
        "z = z + g - sigma * w",
        "n = n + g**2",
        "w = 0 where |z| <= l1, else -(z - sign(z) * l1) / ((beta + sqrt(n)) / rate + l2)",
    ),
}
"""Update rules by the name of their kernel; g is the gradient, t counts the updates from 1."""


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
            kernels.clip_by_value(part, optimizer.clip_value)
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
    before: State, after: State, gradients: Array, rates: list[float]
) -> Iterator[Step]:
    """What a step of the optimizer did: `after` is the state that it made of `before`.

    `gradients` is the flat vector that the optimizers were given, clipping done; `rates` are
    those of each optimizer.
    """
    program, t = before.program, before.step + 1
    for number, optimizer in enumerate(program.optimizers):
        groups = [group for group in program.groups if group.optimizer == number]
        tensors = [t for t in program.parameters if any(_within(t, group) for group in groups)]
        rule = _rule(optimizer)
        constants = zip(optimizer._constants, optimizer.constants, strict=True)
        yield Step(
            "update",
            type(optimizer).__name__,
            "\n".join([f"{type(optimizer).__name__}, g the gradient, w a parameter:", *rule]),
            {
                "rate": np.asarray(rates[number]),
                **{name: np.asarray(value) for name, value in constants},
                "t": np.asarray(t),
            },
        )
        for tensor in tensors:
            values: dict[str, Array] = {"g": view(gradients, tensor).copy()}
            for row, slot in enumerate(optimizer.slots):
                values[f"{slot} before"] = view(before.moments[row], tensor).copy()
                values[slot] = view(after.moments[row], tensor).copy()
            if optimizer.kernel in ("adam_update", "adamw_update"):
                beta_1, beta_2 = optimizer.constants[:2]
                values["m_hat"] = values["m"] / (1 - beta_1**t)
                values["v_hat"] = values["v"] / (1 - beta_2**t)
            values["w before"] = before.parameter(tensor).copy()
            values["w"] = after.parameter(tensor).copy()
            yield Step("update", tensor.name, f"{tensor.name}: {rule[-1]}", values)


def _within(tensor: Tensor, group: Group) -> bool:
    return group.start <= tensor.start < group.stop


def _rule(optimizer: Optimizer) -> tuple[str, ...]:
    name = optimizer.kernel
    if name == "sgd_update" and optimizer.slots:
        _, nesterov = optimizer.constants
        name += " with nesterov" if nesterov else " with momentum"
    return UPDATES[name]
