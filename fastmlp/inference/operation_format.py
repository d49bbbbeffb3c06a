"""Operations as JSON knows them, and back: slots by their numbers, tensors by their names.

Every kind that says how its widths fit together is written field by field.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import Field, fields
from typing import TYPE_CHECKING, Any

from ..common.checks import check_number, check_positive_int
from ..common.config import from_config, to_config
from ..declarations.activations import Activation
from ..program.operation import Operation, Slot, Tensor
from ..program.ops import OPERATIONS

if TYPE_CHECKING:
    from ..kernels.typing import Array

_KINDS = {
    kind.__name__.removesuffix("Op").lower(): kind
    for kind in OPERATIONS
    if kind.check is not Operation.check
}


def describe(op: Operation) -> dict[str, Any]:
    """Return an operation as JSON knows it."""
    name = type(op).__name__.removesuffix("Op").lower()
    if name not in _KINDS:
        raise ValueError(f"a predictor with a {type(op).__name__} cannot be saved; save the model")
    config: dict[str, Any] = {
        "op": name,
        "x": [slot.index for slot in op.inputs],
        "out": describe_slot(op.out),
    }
    for field in _own_fields(type(op)):
        config[_key(field)] = _written(getattr(op, field.name))
    return config


def describe_slot(slot: Slot) -> dict[str, Any]:
    """Return a slot as JSON knows it."""
    return {"index": slot.index, "name": slot.name, "width": slot.width}


def read_slot(config: Mapping[str, Any]) -> Slot:
    """Return a slot as it was written."""
    index, name = config["index"], config["name"]
    if type(index) is not int or not isinstance(name, str):
        raise ValueError(f"a slot {index!r} called {name!r}")
    return Slot(index, name, check_positive_int("width", config["width"]))


def read_operation(
    config: Mapping[str, Any], slots: dict[int, Slot], tensors: Mapping[str, Array]
) -> Operation:
    """Return an operation as it was written, and add its output to the slots that are known.

    Raises
    ------
    KeyError, TypeError, ValueError
        Something is missing, or does not fit together.
    """
    name, x = config["op"], tuple(slots[index] for index in config["x"])
    if name not in _KINDS:
        raise ValueError(f"an operation {name!r}")
    kind, out = _KINDS[name], read_slot(config["out"])
    if out.index in slots:
        raise ValueError(f"two slots of number {out.index}")
    values: dict[str, Any] = {"out": out, **_inputs(kind, x)}
    for field in _own_fields(kind):
        values[field.name] = _READERS[str(field.type)](config[_key(field)], tensors)
    op = kind(**values)
    op.check()
    slots[out.index] = out
    return op


def _inputs(kind: type[Operation], x: tuple[Slot, ...]) -> dict[str, Any]:
    """Return the slots that an operation reads, by the names of its fields."""
    names = [field.name for field in _fields(kind) if "Slot" in str(field.type)]
    names.remove("out")
    if any(field.type == "tuple[Slot, ...]" for field in _fields(kind)):
        (name,) = names
        return {name: x}
    if len(x) != len(names):
        raise ValueError(f"{kind.__name__.removesuffix('Op').lower()} of {len(x)} inputs")
    return dict(zip(names, x, strict=True))


def _fields(kind: type[Operation]) -> tuple[Field[Any], ...]:
    every: Any = kind
    return fields(every)


def _own_fields(kind: type[Operation]) -> list[Field[Any]]:
    """Return the fields of an operation but for its slots and the plan of its backward pass."""
    return [f for f in _fields(kind) if "Slot" not in str(f.type) and "planned" not in f.metadata]


def _key(field: Field[Any]) -> str:
    """Return the name of a field in files."""
    key: str = field.metadata.get("key", field.name)
    return key


def _written(value: Any) -> Any:
    if isinstance(value, tuple):
        return [_written(part) for part in value]
    if isinstance(value, Tensor):
        return value.name
    return to_config(value) if isinstance(value, Activation) else value


def _tensor(name: Any, tensors: Mapping[str, Array]) -> Tensor:
    return Tensor(name, tensors[name].shape, 0)


def _activation(config: Any, tensors: Mapping[str, Array]) -> Activation:
    activation = from_config(config)
    if not isinstance(activation, Activation):
        raise ValueError(f"a {type(activation).__name__}, which is no activation")
    return activation


_READERS: dict[str, Callable[[Any, Mapping[str, Array]], Any]] = {
    "Tensor": _tensor,
    "Tensor | None": lambda name, tensors: None if name is None else _tensor(name, tensors),
    "tuple[Tensor, ...]": lambda names, tensors: tuple(_tensor(name, tensors) for name in names),
    "tuple[int, ...]": lambda numbers, tensors: tuple(numbers),
    "tuple[float, ...]": lambda numbers, tensors: tuple(
        check_number("a number", number) for number in numbers
    ),
    "float": lambda number, tensors: check_number("a number", number),
    "Activation": _activation,
}
"""Functions that read a field, by its annotation."""
