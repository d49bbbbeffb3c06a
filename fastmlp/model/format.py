"""The file of a model: a safetensors file whose metadata describe the network.

Tensors are the parameters and buffers under their names, and the optimizer's state. The metadata
``fastmlp`` hold a JSON object with the declarations and counters. Of several networks that belong
together there are as many such objects, and ``member.0.`` stands before the names of the first.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ..common import safetensors
from ..common.checks import check_bool, check_int, check_number, describe
from ..common.config import from_config, to_config
from ..data.column_names import names_by_part
from ..data.target_kinds import encoder_from_state
from ..declarations import custom as custom  # its declarations may stand in a file
from ..declarations import progress as progress  # its declarations may stand in a file
from ..declarations.recorded import FunctionError
from ..declarations.schedules import ReduceOnPlateau
from ..errors import ModelFileError
from ..network.declaration import Network
from ..program.operation import Tensor
from ..program.program import Program
from ..program.state import State, named, view
from ..training.history import History
from ..training.state import TrainingState, UnfinishedFit

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..kernels.typing import Array

_KEY = "fastmlp"
_NOTE = "note."
_MODEL, _SEVERAL = "model", "models"
_PRODUCTS = "optimizer.products"
_MOST_STEPS = 2**62
_VERSION = 1


@dataclass(frozen=True)
class ModelFile:
    """All that a model's file holds."""

    training: TrainingState
    history: History
    metadata: dict[str, str]


def write_model(path: str | os.PathLike[str], model: ModelFile) -> None:
    """Write a model to a file; see `Sequential.save`."""
    description = json.dumps(_description(model))
    safetensors.write(path, _tensors(model), {_KEY: description, **_notes(model.metadata)})


def write_models(path: str | os.PathLike[str], models: Sequence[ModelFile]) -> None:
    """Write several models that belong together to a file, with the metadata of the first."""
    tensors = {
        f"{_prefix(number)}{name}": values
        for number, model in enumerate(models)
        for name, values in _tensors(model).items()
    }
    description = {
        "kind": _SEVERAL,
        "version": _VERSION,
        "members": [_description(model) for model in models],
    }
    notes = _notes(models[0].metadata)
    safetensors.write(path, tensors, {_KEY: json.dumps(description), **notes})


def _prefix(number: int) -> str:
    return f"member.{number}."


def _tensors(model: ModelFile) -> dict[str, Array]:
    training = model.training
    program, state = training.program, training.state
    tensors: dict[str, Array] = {
        **named(program.parameters, state.parameters),
        **named(program.buffers, state.buffers),
    }
    for moment in _moments(program):
        tensors[_moment_name(*moment)] = _part(state, *moment)
    tensors[_PRODUCTS] = state.products
    return tensors


def _description(model: ModelFile) -> dict[str, Any]:
    training = model.training
    network, program, state = training.network, training.program, training.state
    return {
        "kind": _MODEL,
        "version": _VERSION,
        "layers": [to_config(layer) for layer in network.layers],
        "loss": to_config(network.loss),
        "optimizer": to_config(network.optimizer),
        "dtype": network.dtype,
        "random_state": training.seed,
        "n_features": program.n_features,
        "step": state.step,
        "epoch": training.epoch,
        "schedules": training.schedule_states,
        "shuffle": training.shuffles.bit_generator.state,
        "targets": None if training.targets is None else training.targets.to_state(),
        "history": model.history.to_dict(),
        "fit": None if training.unfinished is None else training.unfinished.to_dict(),
        "feature_names": training.feature_names,
        "awaits_rows": training.awaits_rows,
    }


def _notes(metadata: object) -> dict[str, str]:
    if not isinstance(metadata, dict):
        raise TypeError(f"metadata must be a dict of strings, got {describe(metadata)}")
    for key, value in metadata.items():
        if not isinstance(key, str) or not isinstance(value, str):
            raise TypeError(f"metadata must map strings to strings, got {key!r}: {value!r}")
    return {_NOTE + key: value for key, value in metadata.items()}


def read_models(path: str | os.PathLike[str]) -> list[ModelFile]:
    """Read what `write_model` or `write_models` has written.

    Raises
    ------
    ModelFileError
        The file is damaged or is no model of this library; or the model has a registered
        activation or loss that this process has not registered, or another of that name.
    FileNotFoundError
        There is no such file.
    """
    tensors, metadata = safetensors.read(path)
    description = _describe(path, metadata)
    notes = {
        key.removeprefix(_NOTE): value for key, value in metadata.items() if key.startswith(_NOTE)
    }
    try:
        return [
            ModelFile(_restore(own, its_tensors), History.from_dict(own["history"]), dict(notes))
            for own, its_tensors in _members(description, tensors)
        ]
    except FunctionError as error:
        raise ModelFileError(f"{os.fspath(path)} needs a function of yours: {error}") from error
    except (AttributeError, KeyError, OverflowError, TypeError, ValueError) as error:
        raise ModelFileError(f"{os.fspath(path)}: damaged model file: {error}") from error


def _members(
    description: dict[str, Any], tensors: dict[str, Array]
) -> list[tuple[dict[str, Any], dict[str, Array]]]:
    """The description and the tensors of each network."""
    if description["kind"] == _MODEL:
        return [(description, tensors)]
    members = description["members"]
    if not isinstance(members, list) or len(members) < 2:
        raise ValueError("it says that it holds several networks, but describes none")
    found: list[dict[str, Array]] = [{} for _ in members]
    for name, values in tensors.items():
        number = name.partition(".")[2].partition(".")[0]
        place = int(number) if number.isdecimal() and len(number) < 10 else len(members)
        if place >= len(members) or not name.startswith(_prefix(place)):
            raise ValueError(f"there is a tensor {name} of none of {len(members)} networks")
        found[place][name.removeprefix(_prefix(place))] = values
    for own in members:
        if own["kind"] != _MODEL or own["version"] != _VERSION:
            raise ValueError(f"a network of the kind {own['kind']!r}, version {own['version']!r}")
    return list(zip(members, found, strict=True))


def _describe(path: str | os.PathLike[str], metadata: dict[str, str]) -> dict[str, Any]:
    name = os.fspath(path)
    if _KEY not in metadata:
        raise ModelFileError(f"{name} is a safetensors file, but not one that fastmlp has written")
    try:
        description = json.loads(metadata[_KEY])
        kind, version = description["kind"], description["version"]
    except (KeyError, RecursionError, TypeError, ValueError) as error:
        raise ModelFileError(f"{name}: damaged description: {error}") from error
    if kind == "predictor":
        raise ModelFileError(f"{name} holds a predictor; read it with fastmlp.load_predictor")
    if kind not in (_MODEL, _SEVERAL) or version != _VERSION:
        raise ModelFileError(
            f"{name} holds a {kind!r} of version {version!r}; this fastmlp reads a {_MODEL!r} of "
            f"version {_VERSION}"
        )
    result: dict[str, Any] = description
    return result


def _restore(description: dict[str, Any], tensors: dict[str, Array]) -> TrainingState:
    network = Network.of(
        [from_config(layer) for layer in description["layers"]],
        from_config(description["loss"]),
        from_config(description["optimizer"]),
        description["dtype"],
    )
    training = TrainingState(network, check_int("random_state", description["random_state"], 0))
    n_features = description["n_features"]
    planned = training.plan(tuple(n_features) if isinstance(n_features, list) else n_features)
    # Before anything is allocated: a file may claim any size.
    _check_tensors(planned.program, tensors)
    training.build(planned)
    program, state = planned.program, training.state
    for target, given in (
        *((state.parameter(tensor), tensors[tensor.name]) for tensor in program.parameters),
        *((state.buffer(tensor), tensors[tensor.name]) for tensor in program.buffers),
        *((_part(state, *moment), tensors[_moment_name(*moment)]) for moment in _moments(program)),
        (state.products, tensors[_PRODUCTS]),
    ):
        target[...] = given
    state.step = _count("step", description)
    training.epoch = _count("epoch", description)
    training.schedule_states = _schedule_states(training, description["schedules"])
    training.shuffles.bit_generator.state = description["shuffle"]
    if description["targets"] is not None:
        targets = encoder_from_state(description["targets"])
        fresh = training.encoder()
        for name in ("task", "activation", "units", "loss", "dtype"):
            if getattr(targets, name) != getattr(fresh, name):
                raise ValueError(f"targets of another network, by their {name}")
        fresh.classes = targets.classes
        training.targets = fresh
    training.unfinished = _unfinished(description.get("fit"))
    training.awaits_rows = check_bool("awaits_rows", description.get("awaits_rows", False))
    training.settle()
    training.feature_names = _feature_names(program, description.get("feature_names", {}))
    return training


def _feature_names(program: Program, names: Any) -> dict[str, tuple[str, ...]]:
    """The names of columns by part of X; a file of an earlier version has none."""
    if not all(isinstance(name, str) for listed in names.values() for name in listed):
        raise ValueError(f"names of columns that are no words: {names!r}")
    return names_by_part(names, program.n_features)


def _unfinished(fit: Any) -> UnfinishedFit | None:
    """What was left of the fit during which the file was written."""
    if fit is None:
        return None
    size = fit["batch_size"]
    return UnfinishedFit(
        epochs=check_int("epochs", fit["epochs"], 0),
        batch_size=None if size is None else check_int("batch_size", size, 1),
        shuffle=check_bool("shuffle", fit["shuffle"]),
        validation_split=check_number("validation_split", fit["validation_split"], 0, 1),
        # A file of an earlier version has none.
        done=check_int("done", fit.get("done", 0), 0),
    )


def _count(name: str, description: dict[str, Any]) -> int:
    value = check_int(name, description[name], 0)
    if value > _MOST_STEPS:
        raise ValueError(f"{name} is {value}, more than can be counted")
    return value


def _check_tensors(program: Program, tensors: dict[str, Array]) -> None:
    """The file's tensors are those of the program, by name, shape and dtype, and finite."""
    expected = {tensor.name: tensor.shape for tensor in program.parameters + program.buffers}
    must_be_finite = set(expected)
    expected |= {_moment_name(*moment): moment[0].shape for moment in _moments(program)}
    dtypes = dict.fromkeys(expected, program.dtype) | {_PRODUCTS: "float64"}
    expected[_PRODUCTS] = (len(program.groups),)
    if missing := sorted(expected.keys() - tensors.keys()):
        raise ValueError(f"the tensor {missing[0]} is missing")
    if foreign := sorted(tensors.keys() - expected.keys()):
        raise ValueError(f"there is a tensor {foreign[0]} that the network does not have")
    for name, shape in expected.items():
        given = tensors[name]
        if given.shape != shape or given.dtype != dtypes[name]:
            raise ValueError(
                f"the tensor {name} is {given.dtype}{list(given.shape)}, but the network has "
                f"{dtypes[name]}{list(shape)}"
            )
        if name in must_be_finite and not np.isfinite(given).all():
            raise ValueError(f"the tensor {name} has values that are NaN or infinite")
        if name.endswith(".running_var") and (given < 0).any():
            raise ValueError(f"the tensor {name} has negative variances")


def _schedule_states(training: TrainingState, states: Any) -> list[dict[str, Any]] | None:
    """What schedules remember, tried out: they must be able to work with it."""
    if states is None:
        return None
    if not isinstance(states, list):
        raise ValueError(f"schedules remember {states!r}")
    for schedule, state in zip(training.program.schedules.values(), states, strict=True):
        if not isinstance(state, dict) or state.keys() != schedule.start().keys():
            raise ValueError(f"a schedule remembers {state!r}")
        rate = float(np.max(schedule.rates(training.epoch, 1, state)))
        check_number("a learning rate", rate, 0)
        if isinstance(schedule, ReduceOnPlateau):
            schedule.observe({schedule.monitor: 1.0}, state)
    return states


def _moments(program: Program) -> list[tuple[Tensor, int, str]]:
    """Which parameter's optimizer state lies in which row of the moments, under which name."""
    return [
        (tensor, row, name)
        for group in program.groups
        for tensor in program.parameters
        if group.start <= tensor.start < group.stop
        for row, name in enumerate(program.optimizers[group.optimizer].slots)
    ]


def _moment_name(tensor: Tensor, row: int, name: str) -> str:
    return f"optimizer.{name}.{tensor.name}"


def _part(state: State, tensor: Tensor, row: int, name: str) -> Array:
    return view(state.moments[row], tensor)
