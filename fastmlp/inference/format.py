"""The file of a predictor: a safetensors file whose metadata hold the program."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ..common import safetensors
from ..data.column_names import names_by_part
from ..data.target_kinds import encoder_from_state
from ..data.targets import TargetEncoder
from ..declarations import custom as custom  # its declarations may stand in a file
from ..declarations.recorded import FunctionError
from ..errors import ModelFileError
from ..program.program import InferenceProgram
from ..program.state import Weights, named
from .freezing import lay_out
from .operation_format import describe, describe_slot, read_operation, read_slot

if TYPE_CHECKING:
    from ..kernels.typing import Array

_KEY = "fastmlp"
_KIND = "predictor"
_VERSION = 1


@dataclass(frozen=True)
class PredictorFile:
    """All that a predictor's file holds.

    Attributes
    ----------
    weights : Weights
    targets : TargetEncoder
    names : mapping of str to sequence of str
        Those of the columns by part of X, as far as they are known.
    """

    weights: Weights
    targets: TargetEncoder
    names: Mapping[str, Sequence[str]]


def write_predictor(path: str | os.PathLike[str], predictor: PredictorFile) -> None:
    """Write a predictor to a file; see `Predictor.save`."""
    program = predictor.weights.program
    description = {
        "kind": _KIND,
        "version": _VERSION,
        "dtype": program.dtype,
        "input": describe_slot(program.input),
        "wide": None if program.wide is None else describe_slot(program.wide),
        "ops": [describe(op) for op in program.ops],
        "output": program.output.index,
        "targets": predictor.targets.to_state(),
        # Of one input, the names alone.
        "features": predictor.names.get("X") if program.wide is None else dict(predictor.names),
    }
    tensors = named(program.parameters, predictor.weights.parameters)
    safetensors.write(path, tensors, {_KEY: json.dumps(description)})


def read_predictor(path: str | os.PathLike[str]) -> PredictorFile | None:
    """Read what `write_predictor` has written; None where the file holds something else.

    Raises
    ------
    ModelFileError
        The file is damaged or not one of this library; it needs a registered activation that this
        process has not registered, or has another of that name.
    FileNotFoundError
        There is no such file.
    """
    tensors, metadata = safetensors.read(path)
    name = os.fspath(path)
    try:
        description = json.loads(metadata[_KEY])
        kind, version = description["kind"], description["version"]
    except (KeyError, RecursionError, TypeError, ValueError):
        kind = version = None
    if kind != _KIND:
        return None
    if version != _VERSION:
        raise ModelFileError(
            f"{name} holds a predictor of version {version!r}; this fastmlp reads version "
            f"{_VERSION}"
        )
    try:
        return _read(description, tensors)
    except FunctionError as error:
        raise ModelFileError(f"{name} needs a function of yours: {error}") from error
    except (AttributeError, IndexError, KeyError, OverflowError, TypeError, ValueError) as error:
        raise ModelFileError(f"{name}: damaged predictor file: {error}") from error


def _read(description: Mapping[str, Any], tensors: Mapping[str, Array]) -> PredictorFile:
    weights = _read_weights(description, tensors)
    targets = encoder_from_state(description["targets"])
    if targets.units != weights.program.output.width or targets.dtype != description["dtype"]:
        raise ValueError("targets of another network")
    names = description["features"]
    parts = names.values() if isinstance(names, dict) else [names or []]
    if not all(isinstance(word, str) for part in parts for word in part):
        raise ValueError("names of features that are no words")
    return PredictorFile(weights, targets, names_by_part(names, weights.program.n_features))


def _read_weights(description: Mapping[str, Any], tensors: Mapping[str, Array]) -> Weights:
    dtype = description["dtype"]
    if dtype not in ("float32", "float64"):
        raise ValueError(f"the dtype {dtype!r}")
    for name, values in tensors.items():
        if values.dtype != dtype or not np.isfinite(values).all():
            raise ValueError(f"the tensor {name} is not of finite numbers of {dtype}")
    source = read_slot(description["input"])
    slots = {source.index: source}
    wide = None
    if description["wide"] is not None:
        wide = read_slot(description["wide"])
        if wide.index in slots:
            raise ValueError("two inputs of one number")
        slots[wide.index] = wide
    ops = tuple(read_operation(config, slots, tensors) for config in description["ops"])
    if not ops:
        raise ValueError("no operations")
    if any(wide in op.inputs and not op.reads_sparse for op in ops):
        raise ValueError("an operation that cannot read sparse rows")
    output = slots[description["output"]]
    if not any(op.out is output for op in ops):
        raise ValueError("an output that no operation makes")
    program = InferenceProgram(
        dtype=dtype,
        input=source,
        ops=(),
        output=output,
        parameters=(),
        n_parameters=0,
        wide=wide,
    )
    weights = lay_out(program, ops, output, tensors)
    if len(weights.program.parameters) != len(tensors):
        raise ValueError("there are tensors that the network does not have")
    return weights
