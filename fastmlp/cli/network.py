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
    from .data import Source


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


def output_of(
    arguments: argparse.Namespace, source: Source, training: Array
) -> tuple[Any, str, Target]:
    """Return the last layer, its loss, and the target as that layer learns it.

    A linear output may learn a target scaled to mean 0 and variance 1 in the training rows. So it
    does for a table, whose target may have any size; data sets are learned in their own units.
    """
    target, activation = source.target, arguments.output.lower()
    n_classes, standardize = len(target.classes), arguments.standardize_target
    if standardize and (n_classes or activation not in ("auto", "linear")):
        raise ValueError("--standardize_target is for a regression with a linear output")
    if not n_classes:
        activation = "linear" if activation == "auto" else activation
        if standardize is None:
            standardize = activation == "linear" and arguments.dataset is None
        if standardize:
            target = target.fitted(source.y[training])
        return _dense(arguments, 1, activation), "mse", target
    if activation == "auto":
        activation = "sigmoid" if n_classes == 2 else "softmax"
    if activation == "softmax":
        return _dense(arguments, n_classes, activation), "categorical_crossentropy", target
    return _dense(arguments, 1, activation), "binary_crossentropy", target
