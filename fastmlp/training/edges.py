"""Edges of bins that come from the rows of the first fit."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from ..data.rows import deep_part
from ..program.column_ops import PiecewiseLinearOp
from ..program.program import origin

if TYPE_CHECKING:
    from ..data.rows import Features
    from .state import TrainingState


def fit_edges(training: TrainingState, rows: Callable[[], Features]) -> None:
    """Set the edges that are not known yet to quantiles of the columns; `rows` gives those of X."""
    state = training.state
    ops = [op for op in state.program.ops if isinstance(op, PiecewiseLinearOp) and op.is_fitted]
    # All zero is what a model has before its first fit.
    missing = [op for op in ops if not state.buffer(op.edges).any()]
    if not missing:
        return
    x = deep_part(rows())
    for op in missing:
        columns, bins = op.sizes
        sources = [origin(state.program.ops, op.x, column)[1] for column in range(columns)]
        found = np.quantile(x[:, sources].astype(np.float64), np.linspace(0, 1, bins + 1), axis=0)
        state.buffer(op.edges)[...] = found.T
