"""Layers of one trained number a column, which lose nothing of a network's speed."""

from __future__ import annotations

from dataclasses import dataclass

from ..common.checks import check_number
from ..common.config import assign, declaration
from ..declarations.activations import Activation, get_activation
from ..program.operation import Slot
from ..program.ops import ParametricOp, TrainedScaleOp
from .builder import Builder
from .trained import TrainedLayer, check_factors, factors_of


@declaration
@dataclass(frozen=True)
class Scale(TrainedLayer):
    """A trained factor for each column: ``x * scale``.

    First in a network, with a high learning rate, it chooses features (Holzmueller et al. 2024). A
    frozen network has it in the weights of the Dense behind it.

    Parameters
    ----------
    initializer : float
        Where each factor begins.
    learning_rate_factor, weight_decay_factor : float
        What the factors multiply the optimizer's learning rate and weight decay by.
    """

    initializer: float = 1.0

    keeps_activation = True

    def __post_init__(self) -> None:
        check_factors(self)
        assign(self, initializer=check_number("initializer", self.initializer))

    def build(self, builder: Builder, x: Slot, path: str, following: str) -> Slot:
        scale = builder.parameter(
            f"{path}.scale", (x.width,), value=self.initializer, factors=factors_of(self)
        )
        return builder.add(TrainedScaleOp, f"{path}.output", x.width, x=x, scale=scale)


@declaration
@dataclass(frozen=True)
class ParametricActivation(TrainedLayer):
    """A trained mix of an activation and the identity: ``x + weight * (f(x) - x)``.

    There is a weight for each column, which begins at 1, as the activation alone
    (Holzmueller et al. 2024).

    Parameters
    ----------
    name : str or Activation
        One that works on single elements, so not softmax.
    learning_rate_factor, weight_decay_factor : float
        What the weights multiply the optimizer's learning rate and weight decay by.
    """

    name: str | Activation

    makes_numbers = True

    def __post_init__(self) -> None:
        check_factors(self)
        activation = get_activation(self.name)
        if activation.is_rowwise:
            raise ValueError(
                f"ParametricActivation mixes functions of single elements, got {activation.name}, "
                "which works on whole rows; use Activation"
            )
        assign(self, name=activation)

    @property
    def activation_function(self) -> Activation:
        return get_activation(self.name)

    def build(self, builder: Builder, x: Slot, path: str, following: str) -> Slot:
        weight = builder.parameter(
            f"{path}.weight", (x.width,), value=1.0, factors=factors_of(self)
        )
        activation = self.activation_function
        name = f"{path}.output"
        return builder.add(ParametricOp, name, x.width, x=x, weight=weight, activation=activation)
