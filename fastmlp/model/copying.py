"""A second model with the same weights and state, to try something on."""

from __future__ import annotations

from ..common.checks import check_instance
from .sequential import Sequential


def copy_of(model: Sequential, dtype: str | None = None) -> Sequential:
    """Return a copy that shares nothing with the model, in another dtype where one is given.

    Weights, running statistics, optimizer state, random numbers and labels are the model's;
    history, metadata and callbacks are not copied. A model that is not built gives one that is not
    built.
    """
    check_instance("model", model, Sequential, "a Sequential")
    other = Sequential(
        model.layers,
        loss=model.loss,
        optimizer=model.optimizer,
        dtype=model.dtype if dtype is None else dtype,
        backend=model.backend,
        random_state=model.random_state,
        n_threads=model.n_threads,
    )
    model.training_state.copy_to(other.training_state)
    return other
