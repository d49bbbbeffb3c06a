"""Saving and loading predictors: a safetensors file whose metadata hold the program."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from ..common import safetensors
from ..common.checks import check_positive_int
from ..common.config import from_config, to_config
from ..common.error_state import own_error_state
from ..data.targets import TargetEncoder
from ..declarations import custom
from ..declarations.activations import Activation
from ..errors import ModelFileError
from ..program.program import (
    ActivationOp,
    AddOp,
    ConcatOp,
    DenseOp,
    EmbeddingOp,
    InferenceOp,
    InferenceProgram,
    ScaleOp,
    SelectOp,
    Slot,
    Tensor,
    inputs_of,
)
from ..program.state import Weights
from .freezing import lay_out
from .predictor import Predictor

if TYPE_CHECKING:
    from ..kernels.typing import Array

_KEY = "fastmlp"
_KIND = "predictor"
_VERSION = 1

__all__ = ["load_predictor", "save"]


def save(predictor: Predictor, path: str | os.PathLike[str]) -> None:
    """Write a predictor to a file; see `Predictor.save`."""
    program, names = predictor.program, predictor.feature_names
    description = {
        "kind": _KIND,
        "version": _VERSION,
        "dtype": program.dtype,
        "input": _slot(program.input),
        "wide": None if program.wide is None else _slot(program.wide),
        "ops": [_describe(op) for op in program.ops],
        "output": program.output.index,
        "targets": predictor.targets.to_state(),
        "features": None if names is None else list(names),
    }
    safetensors.write(path, predictor.weights, {_KEY: json.dumps(description)})


@own_error_state
def load_predictor(
    path: str | os.PathLike[str], backend: str = "numpy", n_threads: int | str = "auto"
) -> Predictor:
    """Read a predictor, or a model, which is then frozen; it needs NumPy only.

    Parameters
    ----------
    path : str or path-like
        What `Predictor.save` or `Sequential.save` has written.
    backend : {"numpy", "numba", "auto"}
        What computes; auto is numba where it is installed.
    n_threads : int or "auto"
        Threads of the numba backend.

    Returns
    -------
    Predictor

    Raises
    ------
    ModelFileError
        The file is damaged or not one of this library; it needs a registered activation that this
        process has not registered.
    FileNotFoundError
        There is no such file.

    Examples
    --------
    >>> import fastmlp as fm
    >>> predictor = fm.load_predictor("model.safetensors")  # doctest: +SKIP
    >>> predictor([5.1, 3.5, 1.4, 0.2])  # doctest: +SKIP
    """
    from ..runners.backends import check_threads, choose_backend

    backend, n_threads = choose_backend(backend), check_threads(n_threads)
    tensors, metadata = safetensors.read(path)
    name = os.fspath(path)
    try:
        description = json.loads(metadata[_KEY])
        kind, version = description["kind"], description["version"]
    except (KeyError, RecursionError, TypeError, ValueError):
        kind = version = None
    if kind != _KIND:
        # A model, or what its reader has the right words for.
        from ..model.file import load

        return load(path, backend, n_threads).freeze()
    if version != _VERSION:
        raise ModelFileError(
            f"{name} holds a predictor of version {version!r}; this fastmlp reads version "
            f"{_VERSION}"
        )
    try:
        weights = _restore(description, tensors)
        names = description["features"]
        targets = TargetEncoder.from_state(description["targets"])
        if targets.units != weights.program.output.width or targets.dtype != description["dtype"]:
            raise ValueError("targets of another network")
        if names is not None and not all(isinstance(word, str) for word in names):
            raise ValueError("names of features that are no words")
        return Predictor(weights, targets, backend, n_threads, names)
    except custom.NotRegisteredError as error:
        raise ModelFileError(f"{name} needs a function of yours: {error}") from error
    except (AttributeError, IndexError, KeyError, OverflowError, TypeError, ValueError) as error:
        raise ModelFileError(f"{name}: damaged predictor file: {error}") from error


def _slot(slot: Slot) -> dict[str, Any]:
    return {"index": slot.index, "name": slot.name, "width": slot.width}


def _describe(op: InferenceOp) -> dict[str, Any]:
    """An operation as JSON knows it: slots by their numbers, tensors by their names."""
    config: dict[str, Any] = {"op": type(op).__name__.removesuffix("Op").lower()}
    if config["op"] not in _KINDS:
        raise ValueError(f"a predictor with a {type(op).__name__} cannot be saved; save the model")
    config["x"] = [slot.index for slot in inputs_of(op)]
    config["out"] = _slot(op.out)
    if isinstance(op, DenseOp):
        config["weight"] = op.weight.name
        config["bias"] = None if op.bias is None else op.bias.name
    elif isinstance(op, ActivationOp):
        config["activation"] = to_config(op.activation)
    elif isinstance(op, ScaleOp):
        config["scale"], config["shift"] = op.scale.name, op.shift.name
    elif isinstance(op, SelectOp):
        config["columns"] = op.columns
    elif isinstance(op, EmbeddingOp):
        config["kept"], config["columns"] = op.kept, op.columns
        config["tables"] = [table.name for table in op.tables]
    return config


class _Reader:
    """Makes operations of what `_describe` wrote; what does not fit together is a ValueError."""

    def __init__(self, tensors: Mapping[str, Array], slots: dict[int, Slot]) -> None:
        self.tensors = tensors
        self.slots = slots

    def op(self, config: Mapping[str, Any]) -> InferenceOp:
        x = tuple(self.slots[index] for index in config["x"])
        kind = config["op"]
        if kind not in _KINDS:
            raise ValueError(f"an operation {kind!r}")
        if len(x) != 1 and kind not in ("add", "concat"):
            raise ValueError(f"{kind} of {len(x)} inputs")
        out = read_slot(config["out"])
        if out.index in self.slots:
            raise ValueError(f"two slots of number {out.index}")
        op = _KINDS[kind](self, x, out, config)
        self.slots[out.index] = out
        return op

    def tensor(self, name: Any, *shape: int) -> Tensor:
        """A tensor of this shape, of any number of rows where that is 0."""
        given = self.tensors[name]
        rows = given.shape[0] if given.ndim and shape[0] == 0 else shape[0]
        if given.shape != (rows, *shape[1:]) or rows == 0:
            raise ValueError(f"the tensor {name} has the shape {given.shape}, expected {shape}")
        return Tensor(name, given.shape, 0)

    def dense(self, x: tuple[Slot, ...], out: Slot, config: Mapping[str, Any]) -> InferenceOp:
        bias = config["bias"]
        return DenseOp(
            x[0],
            out,
            self.tensor(config["weight"], x[0].width, out.width),
            None if bias is None else self.tensor(bias, out.width),
        )

    def activation(self, x: tuple[Slot, ...], out: Slot, config: Mapping[str, Any]) -> InferenceOp:
        _check(out.width == x[0].width, "an activation that changes the width")
        activation = from_config(config["activation"])
        if not isinstance(activation, Activation):
            raise ValueError(f"a {type(activation).__name__}, which is no activation")
        return ActivationOp(x[0], out, activation)

    def scale(self, x: tuple[Slot, ...], out: Slot, config: Mapping[str, Any]) -> InferenceOp:
        _check(out.width == x[0].width, "a scale that changes the width")
        scale, shift = (self.tensor(config[name], out.width) for name in ("scale", "shift"))
        return ScaleOp(x[0], out, scale, shift)

    def add(self, x: tuple[Slot, ...], out: Slot, config: Mapping[str, Any]) -> InferenceOp:
        _check(len(x) == 2 and {x[0].width, x[1].width} == {out.width}, "a sum of other widths")
        return AddOp(x[0], x[1], out)

    def select(self, x: tuple[Slot, ...], out: Slot, config: Mapping[str, Any]) -> InferenceOp:
        columns = _columns(config["columns"], x[0].width)
        _check(len(columns) == out.width, "a choice of columns of another width")
        return SelectOp(x[0], out, columns)

    def concat(self, x: tuple[Slot, ...], out: Slot, config: Mapping[str, Any]) -> InferenceOp:
        _check(sum(part.width for part in x) == out.width, "parts of another width")
        return ConcatOp(x, out)

    def embedding(self, x: tuple[Slot, ...], out: Slot, config: Mapping[str, Any]) -> InferenceOp:
        kept, columns = (_columns(config[name], x[0].width) for name in ("kept", "columns"))
        tables = tuple(
            self.tensor(name, 0, self.tensors[name].shape[-1]) for name in config["tables"]
        )
        width = len(kept) + sum(table.shape[1] for table in tables)
        _check(len(tables) == len(columns) and width == out.width, "embeddings of another width")
        return EmbeddingOp(x[0], out, kept, columns, tables)


_KINDS: dict[str, Callable[[_Reader, tuple[Slot, ...], Slot, Mapping[str, Any]], InferenceOp]] = {
    "dense": _Reader.dense,
    "activation": _Reader.activation,
    "scale": _Reader.scale,
    "add": _Reader.add,
    "select": _Reader.select,
    "concat": _Reader.concat,
    "embedding": _Reader.embedding,
}


def _check(right: bool, problem: str) -> None:
    if not right:
        raise ValueError(problem)


def _columns(columns: Any, width: int) -> tuple[int, ...]:
    if not all(type(column) is int and 0 <= column < width for column in columns):
        raise ValueError(f"columns {columns} of {width}")
    return tuple(columns)


def read_slot(config: Mapping[str, Any]) -> Slot:
    """A slot as it was written."""
    index, name = config["index"], config["name"]
    if type(index) is not int or not isinstance(name, str):
        raise ValueError(f"a slot {index!r} called {name!r}")
    return Slot(index, name, check_positive_int("width", config["width"]))


def _restore(description: Mapping[str, Any], tensors: Mapping[str, Array]) -> Weights:
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
        _check(wide.index not in slots, "two inputs of one number")
        slots[wide.index] = wide
    reader = _Reader(tensors, slots)
    ops = tuple(reader.op(config) for config in description["ops"])
    _check(bool(ops), "no operations")
    for op in ops:
        if wide in inputs_of(op) and not (isinstance(op, DenseOp) and op.bias is None):
            raise ValueError("an operation that cannot read sparse rows")
    output = slots[description["output"]]
    _check(any(op.out is output for op in ops), "an output that no operation makes")
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
