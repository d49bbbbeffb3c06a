"""An estimator's network as texts, numbers and arrays, for pickles and for skops.

What is written names no class of this library, so that a later one reads it, and that whoever loads
a file of skops has but the estimator's own class to trust.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from ..common.config import from_config, to_config
from ..kernels import available_backends
from ..model.sequential import Sequential
from ..training.history import History
from .rates import Rate

_VECTORS = ("parameters", "moments", "buffers", "products")


def plain_network(model: Sequential) -> dict[str, Any]:
    """Return what a network is, without the meaning of its columns and outputs."""
    training = model.training_state
    state, network = training.state, training.network
    declared = {
        "layers": [to_config(layer) for layer in network.layers],
        "loss": to_config(network.loss),
        "optimizer": to_config(network.optimizer),
        "dtype": network.dtype,
        "backend": model.backend,
        "n_threads": model.n_threads,
        "n_features": training.program.n_features,
        "random_state": training.seed,
        "epoch": training.epoch,
        "schedules": training.schedule_states,
        "shuffle": training.shuffles.bit_generator.state,
        "history": model.history.to_dict(),
        "metadata": model.metadata,
    }
    vectors = {name: getattr(state, name) for name in _VECTORS}
    return {"declared": json.dumps(declared), "step": state.step, "vectors": vectors}


def network_of(plain: dict[str, Any]) -> Sequential:
    """Return the network that `plain_network` has described, with vectors of its own."""
    declared = json.loads(plain["declared"])
    backend = declared["backend"]
    model = Sequential(
        [from_config(layer) for layer in declared["layers"]],
        from_config(declared["loss"]),
        from_config(declared["optimizer"]),
        declared["dtype"],
        # It may have been fitted where Numba was.
        backend if backend in available_backends() else "auto",
        declared["random_state"],
        declared["n_threads"],
    )
    model.build(declared["n_features"])
    training = model.training_state
    for name, vector in plain["vectors"].items():
        getattr(training.state, name)[...] = vector
    training.state.step = plain["step"]
    training.epoch, training.schedule_states = declared["epoch"], declared["schedules"]
    training.shuffles.bit_generator.state = declared["shuffle"]
    model.history, model.metadata = History.from_dict(declared["history"]), declared["metadata"]
    return model


def plain_parts(state: dict[str, Any]) -> dict[str, Any]:
    """Return an estimator's attributes, those that are objects of this library as plain ones."""
    parts = {name: write(state[name]) for name, (write, _) in _PARTS.items() if name in state}
    return {**state, **parts}


def parts_of(plain: dict[str, Any]) -> dict[str, Any]:
    """Return the attributes that `plain_parts` has described."""
    parts = {name: read(plain[name]) for name, (_, read) in _PARTS.items() if name in plain}
    return {**plain, **parts}


def plain_rate(rate: Rate) -> dict[str, Any]:
    """Return what a learning rate is and remembers."""
    return dict(vars(rate))


def rate_of(plain: dict[str, Any]) -> Rate:
    """Return the learning rate that `plain_rate` has described."""
    rate = Rate(plain["rule"], plain["first"], plain["power"])
    rate.learning_rate = plain["learning_rate"]
    return rate


_PARTS: dict[str, tuple[Callable[[Any], Any], Callable[[Any], Any]]] = {
    "_optimizer": (plain_rate, rate_of),
    "history_": (History.to_dict, History.from_dict),
}
"""Attributes that are objects of this library, and how they are written and read."""
