"""Saving and loading models: a safetensors file whose metadata describe the network.

Tensors are the parameters and buffers under their names, and the optimizer's state. The metadata
``fastmlp`` hold a JSON object with the declarations and counters.
"""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

import numpy as np

from . import layers as _layers
from . import safetensors
from .config import from_config, to_config
from .errors import ModelFileError
from .history import History
from .model import Sequential
from .program import Tensor
from .state import named
from .targets import TargetEncoder

if TYPE_CHECKING:
    from .kernels.typing import Array

_KEY = "fastmlp"
_NOTE = "note."
_MODEL = "model"
_VERSION = 1

__all__ = ["load", "save"]

# Declarations are found by the name of their class, which importing their module makes known.
assert _layers


def save(model: Sequential, path: str | os.PathLike[str]) -> None:
    """Write a model to a file; see `Sequential.save`."""
    program = model._program
    state = model._state
    tensors: dict[str, Array] = {
        **named(program.parameters, state.parameters),
        **named(program.buffers, state.buffers),
    }
    for tensor, row, name in _moments(model):
        tensors[f"optimizer.{name}.{tensor.name}"] = state.moments[
            row, tensor.start : tensor.stop
        ].reshape(tensor.shape)
    tensors["optimizer.products"] = state.products
    n_features: Any = program.input.width
    if model._n_wide is not None:
        n_features = [model._n_wide, program.input.width - model._n_wide]
    description = {
        "kind": _MODEL,
        "version": _VERSION,
        "layers": [to_config(layer) for layer in model.layers],
        "loss": to_config(model.loss),
        "optimizer": to_config(model.optimizer),
        "dtype": model.dtype,
        "random_state": model.random_state,
        "n_features": n_features,
        "step": state.step,
        "epoch": model._epoch,
        "schedules": model._schedule_states,
        "shuffle": model._shuffle_rng.bit_generator.state,
        "targets": None if model._targets is None else model._targets.to_state(),
        "history": model.history.to_dict(),
    }
    notes = {_NOTE + key: value for key, value in model.metadata.items()}
    safetensors.write(path, tensors, {_KEY: json.dumps(description), **notes})


def load(
    path: str | os.PathLike[str], backend: str = "auto", n_threads: int | str = "auto"
) -> Sequential:
    """Read a model that `Sequential.save` has written.

    Parameters
    ----------
    path : str or path-like
    backend, n_threads
        As for `Sequential`; they are choices of the machine, not of the model.

    Raises
    ------
    ModelFileError
        The file is damaged or is no model of this library.
    FileNotFoundError
        There is no such file.
    """
    tensors, metadata = safetensors.read(path)
    description = _describe(path, metadata)
    try:
        return _restore(description, tensors, metadata, backend, n_threads)
    except (AttributeError, KeyError, OverflowError, TypeError, ValueError) as error:
        raise ModelFileError(f"{os.fspath(path)}: damaged model file: {error}") from error


def _describe(path: str | os.PathLike[str], metadata: dict[str, str]) -> dict[str, Any]:
    name = os.fspath(path)
    if _KEY not in metadata:
        raise ModelFileError(f"{name} is a safetensors file, but not one that fastmlp has written")
    try:
        description = json.loads(metadata[_KEY])
        kind, version = description["kind"], description["version"]
    except (KeyError, TypeError, ValueError) as error:
        raise ModelFileError(f"{name}: damaged description: {error}") from error
    if kind == "predictor":
        raise ModelFileError(f"{name} holds a predictor; read it with fastmlp.load_predictor")
    if kind != _MODEL or version != _VERSION:
        raise ModelFileError(
            f"{name} holds a {kind!r} of version {version!r}; this fastmlp reads a {_MODEL!r} of "
            f"version {_VERSION}"
        )
    result: dict[str, Any] = description
    return result


def _restore(
    description: dict[str, Any],
    tensors: dict[str, Array],
    metadata: dict[str, str],
    backend: str,
    n_threads: int | str,
) -> Sequential:
    model = Sequential(
        [from_config(layer) for layer in description["layers"]],
        loss=from_config(description["loss"]),
        optimizer=from_config(description["optimizer"]),
        dtype=description["dtype"],
        backend=backend,
        random_state=description["random_state"],
        n_threads=n_threads,
    )
    n_features = description["n_features"]
    model.build(tuple(n_features) if isinstance(n_features, list) else n_features)
    program, state = model._program, model._state
    expected: dict[str, Array] = {
        **named(program.parameters, state.parameters),
        **named(program.buffers, state.buffers),
        "optimizer.products": state.products,
    }
    for tensor, row, name in _moments(model):
        part = state.moments[row, tensor.start : tensor.stop].reshape(tensor.shape)
        expected[f"optimizer.{name}.{tensor.name}"] = part
    _fill(expected, tensors)
    state.step = int(description["step"])
    model._epoch = int(description["epoch"])
    model._schedule_states = description["schedules"]
    model._shuffle_rng.bit_generator.state = description["shuffle"]
    if description["targets"] is not None:
        model._targets = TargetEncoder.from_state(description["targets"])
    model.history = History.from_dict(description["history"])
    model.metadata = {
        key.removeprefix(_NOTE): value for key, value in metadata.items() if key.startswith(_NOTE)
    }
    return model


def _fill(expected: dict[str, Array], tensors: dict[str, Array]) -> None:
    if missing := sorted(expected.keys() - tensors.keys()):
        raise ValueError(f"the tensor {missing[0]} is missing")
    if foreign := sorted(tensors.keys() - expected.keys()):
        raise ValueError(f"there is a tensor {foreign[0]} that the network does not have")
    for name, target in expected.items():
        given = tensors[name]
        if given.shape != target.shape or given.dtype != target.dtype:
            raise ValueError(
                f"the tensor {name} is {given.dtype}{list(given.shape)}, but the network has "
                f"{target.dtype}{list(target.shape)}"
            )
        if not np.isfinite(given).all():
            raise ValueError(f"the tensor {name} has values that are NaN or infinite")
        target[...] = given


def _moments(model: Sequential) -> list[tuple[Tensor, int, str]]:
    """Which parameter's optimizer state lies in which row of the moments, under which name."""
    program = model._program
    return [
        (tensor, row, name)
        for group in program.groups
        for tensor in program.parameters
        if group.start <= tensor.start < group.stop
        for row, name in enumerate(program.optimizers[group.optimizer].slots)
    ]
