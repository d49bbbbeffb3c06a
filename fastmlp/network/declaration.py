"""A network as it is declared: layers, loss, optimizer and dtype, before any data is seen."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..common.checks import check_positive_int, describe, find_name
from ..data.target_kinds import target_encoder
from ..data.targets import TargetEncoder
from ..declarations.activations import Activation, Output
from ..declarations.losses import Loss, choose_loss
from ..declarations.optimizers import Optimizer, get_optimizer
from ..program.program import Program
from . import embeddings as embeddings  # layers that may stand in a file
from .build import Blueprint, build_program, output_activation
from .layers import Layer, WideAndDeep, check_layers


@dataclass
class Network:
    """What stays the same however long a network is trained.

    Attributes
    ----------
    layers : tuple of Layer
    loss : Loss
    optimizer : Optimizer
    dtype : str
        ``"float32"`` or ``"float64"``.
    """

    layers: tuple[Layer, ...]
    loss: Loss
    optimizer: Optimizer
    dtype: str

    @classmethod
    def of(
        cls, layers: object, loss: str | Loss, optimizer: str | Optimizer, dtype: object
    ) -> Network:
        """Check what a user has declared."""
        checked = check_layers(layers, "Sequential")
        return cls(
            checked,
            choose_loss(loss, output_activation(checked)),
            get_optimizer(optimizer),
            _check_dtype(dtype),
        )

    @property
    def output_activation(self) -> Activation:
        """The activation of the last layer's output."""
        return output_activation(self.layers)

    @property
    def may_take_pair(self) -> bool:
        """Whether X may be ``(X_wide, X_deep)``, as long as the network is not built."""
        return isinstance(self.layers[0], WideAndDeep)

    def plan(self, n_features: int | tuple[int, int]) -> Blueprint:
        """Make the program for this many columns of X, or of X_wide and X_deep."""
        return build_program(self.layers, n_features, self.loss, self.optimizer, self.dtype)

    def check_width(self, n_features: int | tuple[int, int]) -> int | tuple[int, int]:
        """Check a number of columns, or two where X may be ``(X_wide, X_deep)``."""
        if not isinstance(n_features, tuple):
            return check_positive_int("n_features", n_features)
        if len(n_features) != 2:
            raise ValueError(f"n_features must be a number or two, got {n_features}")
        n_wide, n_deep = (check_positive_int("n_features", n) for n in n_features)
        self._check_takes_parts()
        return n_wide, n_deep

    def _check_takes_parts(self) -> None:
        first = self.layers[0]
        if not isinstance(first, WideAndDeep) or first.wide or first.deep_columns:
            raise ValueError(
                "X = (X_wide, X_deep) needs a WideAndDeep first in the network, without wide and "
                f"deep_columns of its own; this network starts with {describe(first)}"
            )

    def target_encoder(self, program: Program) -> TargetEncoder:
        """Make what reads y for this network, without any label learned."""
        activation, loss, units = self.output_activation, self.loss, program.output.width
        task = _task(activation.traits.output, units)
        return target_encoder(
            task, activation.name, units, loss.name, self.dtype, loss.least_target
        )


def _task(output: Output, units: int) -> str:
    """What a network learns, by what it puts out."""
    if output is Output.CLASSES:
        return "multiclass"
    if output is Output.PROBABILITIES:
        return "binary" if units == 1 else "multilabel"
    return "regression"


def _check_dtype(dtype: object) -> str:
    if isinstance(dtype, np.dtype | type):
        dtype = np.dtype(dtype).name
    return find_name("dtype", dtype, ("float32", "float64"))
