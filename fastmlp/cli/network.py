"""The network, loss and optimizer that the options of ``fastmlp train`` describe."""

from __future__ import annotations

import argparse
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ..declarations.optimizers import get_optimizer
from ..declarations.schedules import ExponentialDecay
from ..network.layers import Activation, BatchNorm, Dense, Dropout
from .options_train import TRAIN

if TYPE_CHECKING:
    from ..declarations.optimizers import Optimizer
    from ..kernels.typing import Array
    from ..tables.target import Target


def _dense(arguments: argparse.Namespace, units: int, activation: str) -> Any:
    return Dense(units, activation=activation, **TRAIN.passed(arguments, "dense"))


def hidden_layers(arguments: argparse.Namespace) -> list[Any]:
    """Make layers of the widths, activation and regularization that the options name."""
    layers: list[Any] = []
    for units in arguments.layers:
        if arguments.batch_norm:
            layers += [
                _dense(arguments, units, "linear"),
                BatchNorm(),
                Activation(arguments.activation),
            ]
        else:
            layers.append(_dense(arguments, units, arguments.activation))
        if arguments.dropout:
            layers.append(Dropout(arguments.dropout))
    return layers


def optimizer_of(arguments: argparse.Namespace) -> Optimizer:
    """Make the optimizer of that name with its learning rate, decay and bounds of the gradient."""
    return replace(
        get_optimizer(arguments.optimizer),
        learning_rate=ExponentialDecay(arguments.learning_rate, 1 / (1 + arguments.decay_rate)),
        **TRAIN.passed(arguments, "optimizer"),
    )


def scaled_target(arguments: argparse.Namespace, target: Target, y: Array) -> Target:
    """Return the target as a network learns it, fitted on the numbers of the training rows.

    A linear output may learn a target scaled to mean 0 and variance 1. So it does for a table,
    whose target may have any size; data sets are learned in their own units.
    """
    standardize, log = arguments.standardize_target, arguments.log_target
    is_linear = not target.classes and arguments.output.lower() in ("auto", "linear")
    for name, asked in (("standardize_target", standardize), ("log_target", log)):
        if asked and not is_linear:
            raise ValueError(f"--{name} is for a regression with a linear output")
    if standardize is None:
        standardize = is_linear and arguments.dataset is None
    return target.fitted(y, log) if standardize or log else target


def output_of(arguments: argparse.Namespace, target: Target) -> tuple[Any, str]:
    """Return the last layer and its loss."""
    activation, n_classes = arguments.output.lower(), len(target.classes)
    if not n_classes:
        return _dense(arguments, 1, "linear" if activation == "auto" else activation), "mse"
    if activation == "auto":
        activation = "sigmoid" if n_classes == 2 else "softmax"
    if activation == "softmax":
        return _dense(arguments, n_classes, activation), "categorical_crossentropy"
    return _dense(arguments, 1, activation), "binary_crossentropy"
