"""What layers with parameters have in common: factors of learning rate and weight decay."""

from __future__ import annotations

from dataclasses import dataclass, field

from ..common.checks import check_number
from ..common.config import assign
from ..program.program import Factors
from .builder import Layer

FACTORS = ("learning_rate_factor", "weight_decay_factor")
"""The fields."""


@dataclass(frozen=True)
class TrainedLayer(Layer):
    """A layer whose parameters may learn faster or slower than others.

    Attributes
    ----------
    learning_rate_factor : float
        Above 0; what they multiply the optimizer's learning rate by.
    weight_decay_factor : float
        At least 0; what they multiply its weight decay by, where it has one. Decay follows the
        learning rate, so it is multiplied by both.
    """

    learning_rate_factor: float = field(default=1.0, kw_only=True)
    weight_decay_factor: float = field(default=1.0, kw_only=True)


def check_factors(layer: TrainedLayer, *names: str) -> None:
    """Check these fields of a layer, `FACTORS` where none are given.

    Raises
    ------
    TypeError, ValueError
    """
    for name in names or FACTORS:
        # Ftrl divides by the rate.
        above = "learning_rate" in name
        value = check_number(name, getattr(layer, name), 0, open_low=above)
        assign(layer, **{name: value})


def factors_of(layer: TrainedLayer, prefix: str = "") -> Factors:
    """Return the factors in the fields whose names begin with `prefix`."""
    return Factors(*(getattr(layer, prefix + name) for name in FACTORS))
