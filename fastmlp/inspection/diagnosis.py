"""What may be wrong with a network in training, in words.

Thresholds are far from what networks that train well show: a warning is to be worth reading.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ..data.features import counted
from ..program.ops import ActivationOp, DenseOp

if TYPE_CHECKING:
    from ..kernels.typing import Array
    from ..program.program import Program

DEAD = 0.5
"""Share of a layer's units."""

SATURATED_UNITS, SATURATED_ROWS, SATURATED_OUTPUT = 0.5, 0.95, 0.99
"""Share of a layer's units, share of the rows, and the output beyond which a unit is flat."""

VANISHING = 1e-4
"""Root mean square of a layer's gradient beside the largest one."""

EXPLODING = 1e4
"""Norm of a layer's gradient."""

EXPLODED_LOSS = 3.0
"""The loss beside that before training, or of no training."""

WINDOW, LEAST_FALL, LEAST_MOVE, LEAST_PROGRESS = 10, 1e-3, 1e-2, 1e-2
"""Epochs, fall of the loss, way of the parameters within them; fall since training began."""


@dataclass(frozen=True)
class Look:
    """A network after an epoch, on a sample of rows.

    Attributes
    ----------
    program : Program
    parameters : ndarray
        The flat vector.
    gradients, activations : dict of str to ndarray
        As `Sequential.gradients` and `Sequential.activations` name them.
    epoch_loss : float
        Of all rows, in the course of the epoch.
    loss : float
        Of the sample after it, as in training, but always with the same dropout mask.
    """

    program: Program
    parameters: Array
    gradients: dict[str, Array]
    activations: dict[str, Array]
    epoch_loss: float
    loss: float


class Diagnosis:
    """Looks at a fit epoch by epoch, and says each thing once.

    Parameters
    ----------
    loss : float
        As in `Look`, before the first epoch.
    parameters : ndarray
        The flat vector, before the first epoch.
    blank_loss : float
        The loss of a network that says 0 for each row.
    earlier_loss : float, optional
        The loss with which training began in an earlier fit.
    """

    def __init__(
        self, loss: float, parameters: Array, blank_loss: float, earlier_loss: float | None = None
    ) -> None:
        self._first_loss = loss if earlier_loss is None else max(loss, earlier_loss)
        self._usual_loss = max(self._first_loss, blank_loss)
        self._epochs = 0
        self._window_loss = loss
        self._window_parameters = parameters.copy()
        self._told: set[tuple[str, str]] = set()

    def of(self, look: Look) -> list[str]:
        """Return what is wrong and has not been said yet."""
        self._epochs += 1
        messages = [*_dead(look), *_saturated(look), *_gradients(look)]
        messages += self._rate(look, bool(messages or self._told))
        new = [(kind, layer, text) for kind, layer, text in messages if self._is_new(kind, layer)]
        self._told |= {(kind, layer) for kind, layer, _ in new}
        return [text for _, _, text in new]

    def _is_new(self, kind: str, layer: str) -> bool:
        return (kind, layer) not in self._told

    def _rate(self, look: Look, others: bool) -> Iterator[tuple[str, str, str]]:
        first, loss = self._first_loss, look.loss
        highest = max(loss, look.epoch_loss)
        usual = self._usual_loss
        if highest > usual + (EXPLODED_LOSS - 1.0) * abs(usual):
            yield (
                "large rate",
                "",
                f"the learning rate looks too large: the loss has grown from {first:.4g} before "
                f"training to {highest:.4g}. Try a tenth of it, clip_norm=1.0 in the optimizer, or "
                "fm.find_learning_rate(model, X, y)",
            )
        if self._epochs % WINDOW:
            return
        start, before = self._window_loss, self._window_parameters
        moved = _norm(look.parameters - before) / (_norm(before) or 1.0)
        learns = any(gradient.any() for gradient in look.gradients.values())
        is_slow = abs(start - loss) < LEAST_FALL * abs(start) and moved < LEAST_MOVE
        # Where something else is wrong, that is why nothing is learned.
        if is_slow and learns and not others and first - loss < LEAST_PROGRESS * abs(first):
            yield (
                "small rate",
                "",
                f"the learning rate looks too small: in {WINDOW} epochs the loss went from "
                f"{start:.6g} to {loss:.6g} and the parameters moved by {moved:.2g} of their "
                "norm. fm.find_learning_rate(model, X, y) runs a range test and suggests a rate",
            )
        self._window_loss, self._window_parameters = loss, look.parameters.copy()


def _dead(look: Look) -> Iterator[tuple[str, str, str]]:
    for op, layer, out in _activations(look):
        if not op.activation.traits.is_rectifier:
            continue
        name, dead = op.activation.name, ~out.any(axis=0)
        if dead.mean() >= DEAD:
            yield (
                "dead",
                layer,
                f"layer {layer}: {int(dead.sum())} of {counted(dead.size, f'{name} unit')} are "
                f"dead, 0 on all {counted(len(out), 'row')} of the sample: no gradient passes "
                f"through them. Try a smaller learning rate, leaky_relu, a BatchNorm before the "
                f"{name}, or standardized features",
            )


def _saturated(look: Look) -> Iterator[tuple[str, str, str]]:
    for op, layer, out in _activations(look):
        name, limits = op.activation.name, op.activation.traits.limits
        # Where the network ends, outputs near 0 and 1 are what training is for.
        if limits is None or op.out is look.program.output:
            continue
        low, high = limits
        size = np.abs(2.0 * out - (low + high)) / (high - low)
        flat = (size > SATURATED_OUTPUT).mean(axis=0) >= SATURATED_ROWS
        if flat.mean() >= SATURATED_UNITS:
            yield (
                "saturated",
                layer,
                f"layer {layer}: {int(flat.sum())} of {counted(flat.size, f'{name} unit')} are "
                f"saturated, at the flat ends of {name} on nearly all "
                f"{counted(len(out), 'row')} of the sample: hardly any gradient passes through "
                "them. Try standardized features, smaller first weights, a BatchNorm before the "
                f"{name}, or relu",
            )


def _gradients(look: Look) -> Iterator[tuple[str, str, str]]:
    weights = [op.weight.name for op in look.program.ops if isinstance(op, DenseOp)]
    norms = {name: _norm(look.gradients[name]) for name in weights}
    sizes = {name: norm / look.gradients[name].size ** 0.5 for name, norm in norms.items()}
    largest = max(sizes, key=lambda name: sizes[name], default="")
    for name in weights:
        layer = name.rpartition(".")[0]
        if norms[name] > EXPLODING:
            yield (
                "exploding",
                layer,
                f"layer {layer}: its gradient explodes, {name} has one of norm "
                f"{norms[name]:.3g} (above {EXPLODING:g}). Try standardized features and targets, "
                "clip_norm=1.0 in the optimizer, smaller first weights, or a BatchNorm",
            )
        if sizes[name] < VANISHING * sizes[largest]:
            yield (
                "vanishing",
                layer,
                f"layer {layer}: its gradient vanishes, that of {name} has a root mean square of "
                f"{sizes[name]:.3g} beside {sizes[largest]:.3g} of {largest}. Try relu or another "
                "initializer, BatchNorm, Residual, or fewer layers",
            )


def _activations(look: Look) -> Iterator[tuple[ActivationOp, str, Array]]:
    """Each activation of the network with its layer and its output on the sample."""
    names = {slot: name for name, slot in look.program.records}
    for op in look.program.ops + look.program.output_ops:
        if isinstance(op, ActivationOp):
            name = names[op.out]
            yield op, name.rpartition(".")[0], look.activations[name]


def _norm(array: Array) -> float:
    return float(np.sqrt(np.square(array, dtype=np.float64).sum()))
