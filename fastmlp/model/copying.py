"""A second model with the same weights and state, to try something on."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING

import numpy as np

from .sequential import Sequential

if TYPE_CHECKING:
    from ..data.targets import TargetEncoder


def copy_of(model: Sequential, dtype: str | None = None) -> Sequential:
    """A copy that shares nothing with the model, in another dtype where one is given.

    Weights, running statistics, optimizer state, random numbers and labels are the model's;
    history, metadata and callbacks are not copied. A model that is not built gives one that is not
    built.
    """
    other = Sequential(
        model.layers,
        loss=model.loss,
        optimizer=model.optimizer,
        dtype=model.dtype if dtype is None else dtype,
        backend=model.backend,
        random_state=model.random_state,
        n_threads=model.n_threads,
    )
    if model._allocated is not None:
        other.build(model._program.n_features)
        other._state.restore(model._state.snapshot())
    other._epoch = model._epoch
    other._schedule_states = copy.deepcopy(model._schedule_states)
    other._shuffle_rng = copy.deepcopy(model._shuffle_rng)
    other._targets = _targets(model._targets, other.dtype)
    return other


def _targets(encoder: TargetEncoder | None, dtype: str) -> TargetEncoder | None:
    if encoder is not None:
        encoder = copy.copy(encoder)
        encoder.dtype = np.dtype(dtype)
    return encoder
