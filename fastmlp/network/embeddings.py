"""Layers that embed numbers: each column becomes several, by functions of its own."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from ..common.checks import check_bool, check_number, check_positive_int
from ..common.config import assign, declaration
from ..declarations.activations import Activation as ActivationFunction
from ..declarations.activations import get_activation
from ..program.column_ops import PeriodicOp
from ..program.operation import Slot
from ..program.ops import ConcatOp, SelectOp
from .builder import Builder
from .layers import check_columns
from .trained import TrainedLayer, check_factors, factors_of

__all__ = ["PeriodicEmbedding"]


@declaration
@dataclass(frozen=True)
class PeriodicEmbedding(TrainedLayer):
    """Numbers as sums of waves, with the numbers themselves beside them (Gorishniy et al. 2022).

    Each column x becomes ``activation(cos(2 pi f x + p) @ W + b)`` with `n_waves` frequencies f and
    phases p, W and b of its own, and x itself. The defaults are the PBLD embedding of RealMLP
    (Holzmueller et al. 2024), for columns that are scaled robustly and clipped.

    The output has the columns that are not embedded, in their order, then ``dim - 1`` numbers for
    each that is, then these columns themselves (``dim`` numbers for each without `keep_column`).
    First values are drawn: frequencies from N(0, sigma^2), phases from U(-pi, pi), W and b from
    U(-1/sqrt(n_waves), 1/sqrt(n_waves)).

    Parameters
    ----------
    dim : int
        Numbers that each column becomes, itself included.
    n_waves : int
    sigma : float
        Deviation of the first frequencies, above 0: the larger, the finer what is told apart.
    activation : str or Activation
        An elementwise one.
    columns : list of int, optional
        Columns of the layer's input that are embedded; None is all. Not those of an `Embedding`'s
        codes, which stands before this layer and has the other columns of X first in its output.
    keep_column : bool
        Whether x itself is one of the numbers.
    learning_rate_factor, weight_decay_factor : float
        What its parameters multiply the optimizer's learning rate and weight decay by.
    """

    dim: int = 4
    n_waves: int = 16
    sigma: float = 0.1
    activation: str | ActivationFunction = "linear"
    columns: Sequence[int] | None = None
    keep_column: bool = True

    def __post_init__(self) -> None:
        check_factors(self)
        assign(
            self,
            dim=check_positive_int("dim", self.dim),
            n_waves=check_positive_int("n_waves", self.n_waves),
            sigma=check_number("sigma", self.sigma, 0, open_low=True),
            activation=get_activation(self.activation),
            columns=check_columns("columns", self.columns),
            keep_column=check_bool("keep_column", self.keep_column),
        )
        if self.keep_column and self.dim < 2:
            raise ValueError(
                f"dim must be an integer >= 2, got {self.dim}: one of the numbers is the column "
                "itself; or give keep_column=False"
            )

    def build(self, builder: Builder, x: Slot, path: str, following: str) -> Slot:
        chosen, others = chosen_columns(builder, x, self.columns, path)
        columns, waves = chosen.width, self.n_waves
        width = self.dim - 1 if self.keep_column else self.dim
        most = 1.0 / math.sqrt(waves)
        drawn = partial(builder.drawn_from, factors=factors_of(self))
        z = builder.add(
            PeriodicOp,
            "",
            columns * width,
            x=chosen,
            frequency=drawn(f"{path}.frequency", (columns, waves), "normal", self.sigma),
            phase=drawn(f"{path}.phase", (columns, waves), "uniform", math.pi),
            weight=drawn(f"{path}.weight", (columns, waves, width), "uniform", most),
            bias=drawn(f"{path}.bias", (columns, width), "uniform", most),
        )
        return beside(builder, self, z, others, chosen if self.keep_column else None, path)


def chosen_columns(
    builder: Builder, x: Slot, columns: Sequence[int] | None, path: str
) -> tuple[Slot, Slot | None]:
    """Return the columns that are embedded and the others, if there are any."""
    if columns is None:
        return x, None
    if max(columns) >= x.width:
        raise ValueError(
            f"the layer {path} embeds column {max(columns)}, but its input has {x.width} columns"
        )
    chosen, others = tuple(columns), tuple(c for c in range(x.width) if c not in columns)
    if not others and chosen == tuple(range(x.width)):
        return x, None
    embedded = builder.add(SelectOp, "", len(chosen), x=x, columns=chosen)
    if not others:
        return embedded, None
    return embedded, builder.add(SelectOp, "", len(others), x=x, columns=others)


def beside(
    builder: Builder,
    layer: PeriodicEmbedding,
    z: Slot,
    others: Slot | None,
    kept: Slot | None,
    path: str,
) -> Slot:
    """Apply a layer's activation, and put columns as they are before and after its result."""
    activation = get_activation(layer.activation)
    name = f"{path}.output"
    joined = [part for part in (others, kept) if part is not None]
    z = builder.activate(z, activation, f"{path}.embedding" if joined else name)
    if not joined:
        return z
    parts = tuple(part for part in (others, z, kept) if part is not None)
    return builder.add(ConcatOp, name, sum(part.width for part in parts), parts=parts)
