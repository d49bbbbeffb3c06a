"""What the arguments of an estimator say of its training: the loss, and the update rule."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from ..common.checks import unknown_name
from ..declarations.activations import Output
from ..declarations.learning_rate import Schedule
from ..declarations.losses import (
    LOSSES,
    MAE,
    BinaryCrossentropy,
    CategoricalCrossentropy,
    HalfSquaredError,
    Loss,
    PoissonDeviance,
    get_loss,
)
from ..declarations.optimizers import SGD, Adam, Optimizer, get_optimizer

SQUARED_ERROR = "squared_error"

_NUMBER_LOSSES: dict[str, Loss] = {
    SQUARED_ERROR: HalfSquaredError(reduction="sum"),
    "poisson": PoissonDeviance(reduction="sum"),
    "absolute_error": MAE(),
}
"""By scikit-learn's names."""


def loss_of_numbers(loss: Any) -> tuple[Loss, str]:
    """Return a regressor's loss, and the output activation that it asks for.

    Parameters
    ----------
    loss : str or Loss
        A name of scikit-learn's, or what `Sequential` takes.

    Raises
    ------
    ValueError
        The name is unknown, or the loss is one of classes.
    """
    found = _NUMBER_LOSSES.get(loss) if isinstance(loss, str) else None
    if found is None:
        if isinstance(loss, str) and loss.lower() not in LOSSES:
            raise unknown_name("loss", loss, {**_losses_of_numbers(), **_NUMBER_LOSSES})
        found = get_loss(loss)
    if Output.NUMBERS in found.outputs:
        return found, "identity"
    if Output.RATES in found.outputs:
        return found, "exp"
    raise ValueError(f"loss {found.name!r} is one of classes; a regressor takes none of these")


def _losses_of_numbers() -> dict[str, Loss]:
    """Return ours by name, registered ones too, but for those of classes."""
    return {
        name: loss
        for name, loss in LOSSES.items()
        if Output.NUMBERS in loss.outputs or Output.RATES in loss.outputs
    }


def loss_of(estimator: Any, dtype: str) -> Loss:
    """Return the loss that goes with an estimator's output, as scikit-learn computes it.

    Its logarithms take no probability closer to 0 or 1 than the dtype's epsilon.
    """
    output = estimator.out_activation_
    if output in ("identity", "exp"):
        return loss_of_numbers(estimator.loss)[0]
    smoothing, clip = float(estimator.label_smoothing), float(np.finfo(dtype).eps)
    if output == "softmax":
        return CategoricalCrossentropy(smoothing, clip=clip)
    return BinaryCrossentropy(smoothing, clip=clip, reduction="sum")


def reports_mean(estimator: Any) -> bool:
    """Tell whether a sum over outputs is trained and their mean reported, as scikit-learn does.

    Its squared error is a mean over outputs whose gradient is that of the sum over them, a fault
    that is known there (#8349).
    """
    return getattr(estimator, "loss", None) == SQUARED_ERROR


def optimizer_of(estimator: Any) -> Optimizer:
    """Return the update rule that the arguments of an estimator name."""
    solver = estimator.solver
    if solver == "lbfgs":
        # Its loss and gradient are all that another solver asks for.
        return SGD()
    optimizer = solver if isinstance(solver, Optimizer) else _named(estimator)
    changed: dict[str, Any] = {
        name: float(getattr(estimator, name))
        for name in ("clip_value", "clip_norm")
        if getattr(estimator, name) is not None
    }
    if isinstance(estimator.learning_rate, Schedule):
        changed["learning_rate"] = estimator.learning_rate
    return replace(optimizer, **changed) if changed else optimizer


def _named(estimator: Any) -> Optimizer:
    """Return the one of a name; "adam" and "sgd" are scikit-learn's."""
    rate = float(estimator.learning_rate_init)
    if estimator.solver == "adam":
        return Adam(rate, estimator.beta_1, estimator.beta_2, estimator.epsilon, epsilon_hat=True)
    if estimator.solver == "sgd":
        # Without momentum there is nothing to look ahead by.
        nesterov = bool(estimator.nesterovs_momentum) and estimator.momentum > 0
        return SGD(rate, estimator.momentum, nesterov, rate_in_velocity=True)
    return replace(get_optimizer(estimator.solver), learning_rate=rate)
