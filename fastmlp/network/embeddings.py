"""Layers that embed numbers: each column becomes several, by functions of its own."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from itertools import pairwise

import numpy as np

from ..common.checks import check_bool, check_number, check_positive_int, describe
from ..common.config import assign, declaration
from ..declarations.activations import Activation as ActivationFunction
from ..declarations.activations import get_activation
from ..program.column_ops import PeriodicOp, PiecewiseLinearOp
from ..program.operation import Slot
from ..program.ops import ConcatOp, SelectOp
from ..program.program import origin
from .builder import Builder, Layer
from .layers import check_columns
from .trained import TrainedLayer, check_factors, factors_of

__all__ = ["PeriodicEmbedding", "PiecewiseLinearEmbedding"]


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
    U(-1/sqrt(n_waves), 1/sqrt(n_waves)). With two numbers as `sigma` the deviation of a column's
    w-th wave is ``low * (high / low) ** (w / (n_waves - 1))``: some waves are long and some short.

    Parameters
    ----------
    dim : int
        Numbers that each column becomes, itself included.
    n_waves : int
    sigma : float or (float, float)
        Deviation of the first frequencies, above 0: the larger, the finer what is told apart. Or
        those of the first and of the last wave, of two at least, low and high.
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
    sigma: float | tuple[float, float] = 0.1
    activation: str | ActivationFunction = "linear"
    columns: Sequence[int] | None = None
    keep_column: bool = True

    def __post_init__(self) -> None:
        check_factors(self)
        assign(
            self,
            dim=check_positive_int("dim", self.dim),
            n_waves=check_positive_int("n_waves", self.n_waves),
            sigma=_check_sigma(self.sigma),
            activation=get_activation(self.activation),
            columns=check_columns("columns", self.columns),
            keep_column=check_bool("keep_column", self.keep_column),
        )
        if self.keep_column and self.dim < 2:
            raise ValueError(
                f"dim must be an integer >= 2, got {self.dim}: one of the numbers is the column "
                "itself; or give keep_column=False"
            )
        if isinstance(self.sigma, tuple) and self.n_waves < 2:
            raise ValueError(
                f"sigma is of the first and the last wave, {self.sigma}, but n_waves is 1; give a "
                "number"
            )

    def build(self, builder: Builder, x: Slot, path: str, following: str) -> Slot:
        chosen, others = chosen_columns(builder, x, self.columns, path)
        columns, waves = chosen.width, self.n_waves
        width = self.dim - 1 if self.keep_column else self.dim
        most = 1.0 / math.sqrt(waves)
        sigma = self.sigma if isinstance(self.sigma, tuple) else (self.sigma,)
        if len(sigma) > 1:
            sigma = tuple(np.geomspace(*sigma, waves).tolist())
        drawn = partial(builder.drawn_from, factors=factors_of(self))
        z = builder.add(
            PeriodicOp,
            "",
            columns * width,
            x=chosen,
            frequency=drawn(f"{path}.frequency", (columns, waves), "normal", sigma),
            phase=drawn(f"{path}.phase", (columns, waves), "uniform", (math.pi,)),
            weight=drawn(f"{path}.weight", (columns, waves, width), "uniform", (most,)),
            bias=drawn(f"{path}.bias", (columns, width), "uniform", (most,)),
        )
        return beside(builder, self, z, others, chosen if self.keep_column else None, path)


def _check_sigma(sigma: object) -> float | tuple[float, float]:
    if not isinstance(sigma, (tuple, list)):
        return check_number("sigma", sigma, 0, open_low=True)
    if len(sigma) != 2:
        raise ValueError(
            f"sigma must be a number, or that of the first and of the last wave, got "
            f"{describe(sigma)}"
        )
    low, high = (check_number(f"sigma[{k}]", sigma[k], 0, open_low=True) for k in range(2))
    return low, high


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


@declaration
@dataclass(frozen=True)
class PiecewiseLinearEmbedding(Layer):
    """Numbers as how far they have come through bins of their column (Gorishniy et al. 2022).

    Of a bin from ``low`` to ``high`` a number x is ``(x - low) / (high - low)``, held within 0 and
    1: 0 before the bin and 1 behind it; that of the first bin goes on below 0, that of the last one
    above 1. A bin without width is 0 below its edge and 1 from there on. What follows, such as a
    `Dense`, is then a piecewise linear function of each column.

    The output has the columns that are not embedded, in their order, then `n_bins` numbers for each
    that is. Edges are no parameters: `Sequential.buffers` has them, and nothing trains them.

    Parameters
    ----------
    n_bins : int
        Bins of each column; their edges are quantiles of the rows that the first fit trains on (of
        chunks, of the first one), so that all hold as many rows. They are kept by later fits.
    columns : list of int, optional
        Columns of the layer's input that are embedded; None is all. Without `edges` they must be
        columns of X: the layer stands first, or behind an `Embedding`.
    edges : list of lists of float, optional
        Those of each column that is embedded, ascending, one more than `n_bins`, in place of
        quantiles.
    """

    n_bins: int = 16
    columns: Sequence[int] | None = None
    edges: Sequence[Sequence[float]] | None = None

    def __post_init__(self) -> None:
        assign(
            self,
            n_bins=check_positive_int("n_bins", self.n_bins),
            columns=check_columns("columns", self.columns),
            edges=None if self.edges is None else _check_edges(self.edges, self.n_bins),
        )

    def build(self, builder: Builder, x: Slot, path: str, following: str) -> Slot:
        chosen, others = chosen_columns(builder, x, self.columns, path)
        columns, given = chosen.width, self.edges
        if given is not None and len(given) != columns:
            raise ValueError(
                f"the layer {path} has edges for {len(given)} columns, but embeds {columns}"
            )
        if given is None:
            self._check_of_input(builder, chosen, path)
        values = () if given is None else tuple(edge for row in given for edge in row)
        z = builder.add(
            PiecewiseLinearOp,
            "" if others else f"{path}.output",
            columns * self.n_bins,
            x=chosen,
            edges=builder.buffer(f"{path}.edges", (columns, self.n_bins + 1), values=values),
            is_fitted=given is None,
        )
        if others is None:
            return z
        width = others.width + z.width
        return builder.add(ConcatOp, f"{path}.output", width, parts=(others, z))

    def _check_of_input(self, builder: Builder, x: Slot, path: str) -> None:
        for column in range(x.width):
            if origin(builder.ops, x, column)[0] is not builder.input:
                raise ValueError(
                    f"the layer {path} finds the edges of its bins in columns of X, but column "
                    f"{column} of what it embeds is none; let it stand first, or give edges="
                )


def _check_edges(edges: object, n_bins: int) -> tuple[tuple[float, ...], ...]:
    try:
        rows = tuple(tuple(float(edge) for edge in row) for row in edges)  # type: ignore[attr-defined]
    except (TypeError, ValueError):
        raise TypeError(
            f"edges must be a list of lists of numbers or None, got {describe(edges)}"
        ) from None
    for number, row in enumerate(rows):
        ascending = all(low <= high for low, high in pairwise(row))
        if len(row) != n_bins + 1 or not ascending or not all(map(math.isfinite, row)):
            raise ValueError(
                f"edges[{number}] must be {n_bins + 1} finite numbers in ascending order, for "
                f"n_bins={n_bins}, got {len(row)}: {list(row)[:5]}"
            )
    return rows
