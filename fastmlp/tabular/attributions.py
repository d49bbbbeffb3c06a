"""Attributions by the columns of a table, from those by what networks read of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ..inspection.attributions import Attributions, attribute
from ..tables.columns import CategoryColumn
from .average import merged
from .frozen import in_own_units

if TYPE_CHECKING:
    from ..kernels.typing import Array
    from ..tables.preparation import Preparation
    from .model import TableModel

__all__ = ["by_columns", "usual_row"]


def usual_row(preparation: Preparation) -> Array:
    """The mean of each number in the training, and of each category the same share, ``(1, k)``."""
    row = np.zeros((1, len(preparation.features)))
    for column in preparation.columns:
        if isinstance(column, CategoryColumn):
            row[:, preparation.place(column.name)] = 1.0 / len(column.features)
    return row


def by_columns(
    model: TableModel,
    names: tuple[str, ...],
    rows: Array,
    baseline: Array,
    outputs: Array,
    n_steps: int,
) -> Attributions:
    """Return integrated gradients of what a model says, summed over the features of each column.

    They are those of the mean of all networks, and of numbers in the target's own units.

    Parameters
    ----------
    model : TableModel
    names : tuple of str
        Columns of the table; those that the networks do not read get 0.
    rows : ndarray, shape (n, k)
        Prepared.
    baseline : ndarray, shape (1, k)
        Prepared.
    outputs : ndarray of int, shape (n,)
        The output of each row that is explained.
    n_steps : int
    """
    preparation = model.preparation
    target, network = preparation.target, merged(model.members)
    if target.log:
        network = in_own_units(network, target)
    found = attribute(network, rows, baseline, outputs, n_steps)
    values, base = found.values.astype(np.float64), found.base_values.astype(np.float64)
    if not target.classes and not target.log:
        values, base = values * target.scale, base * target.scale + target.mean
    sums = [values[:, preparation.place(name)].sum(axis=1) for name in names]
    return Attributions(np.stack(sums, axis=1), base, names, f"predicted {target.name}")
