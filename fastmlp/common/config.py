"""Declarations as JSON-able dictionaries and back.

A declaration is a frozen dataclass that says what is wanted and holds no state: a layer, an
activation, a loss, an optimizer, a schedule. Its ``__post_init__`` checks and normalizes every
field, so a declaration that exists is valid.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING, fields, is_dataclass
from typing import Any, TypeVar

from .checks import unknown_name

Class = TypeVar("Class", bound=type)

_CLASSES: dict[str, type] = {}


def declaration(cls: Class) -> Class:
    """Class decorator: register a frozen dataclass under its name for `from_config`.

    Raises
    ------
    TypeError
        The class is no frozen dataclass, or another class has its name.
    """
    # Looked up in the class's own namespace: a parent that is a dataclass does not make it one.
    parameters = vars(cls).get("__dataclass_params__")
    if parameters is None or not parameters.frozen:
        raise TypeError(f"{cls.__name__} must be a frozen dataclass to be a declaration")
    if cls.__name__ in _CLASSES:
        raise TypeError(f"there is already a declaration called {cls.__name__}")
    _CLASSES[cls.__name__] = cls
    return cls


def assign(obj: object, **values: object) -> None:
    """Set fields of a frozen dataclass; for its own ``__post_init__``."""
    for name, value in values.items():
        object.__setattr__(obj, name, value)


def to_config(obj: object) -> dict[str, Any]:
    """Write a declaration as ``{"type": class name, field: value, ...}``, for ``json.dumps``.

    Parameters
    ----------
    obj : object
        A declaration; its fields hold None, booleans, numbers, strings, other declarations, and
        lists or tuples of these.

    Raises
    ------
    TypeError
        ``obj`` or something in it is none of the above.
    """
    if _CLASSES.get(type(obj).__name__) is not type(obj) or not is_dataclass(obj):
        raise TypeError(f"{obj!r} ({type(obj).__name__}) is not a declaration that can be saved")
    config: dict[str, Any] = {"type": type(obj).__name__}
    for field in fields(obj):
        config[field.name] = _encode(getattr(obj, field.name))
    return config


def from_config(config: object) -> Any:
    """Make the declaration that `to_config` made ``config`` from; lists become tuples.

    Every field is checked as by the constructor. A field that is absent takes its default.

    Raises
    ------
    ValueError
        Not a dictionary with a ``"type"``; an unknown type; unknown or missing fields.
    ValueError, TypeError
        A field's value is one that the declaration refuses.
    """
    try:
        return _decode_declaration(config)
    except RecursionError:
        raise ValueError("the configuration is nested too deeply") from None


def _encode(value: object) -> object:
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    if isinstance(value, (list, tuple)):
        return [_encode(item) for item in value]
    return to_config(value)


def _decode(value: object) -> object:
    if isinstance(value, (list, tuple)):
        return tuple(_decode(item) for item in value)
    if isinstance(value, Mapping):
        return _decode_declaration(value)
    return value


def _decode_declaration(config: object) -> object:
    if not isinstance(config, Mapping) or not isinstance(config.get("type"), str):
        raise ValueError(f"expected a dictionary with a 'type', got {config!r:.100}")
    values = dict(config)
    type_name = values.pop("type")
    if type_name not in _CLASSES:
        raise unknown_name("type", type_name, sorted(_CLASSES))
    cls = _CLASSES[type_name]
    known = {field.name: field for field in fields(cls)}
    for name in values:
        if name not in known:
            raise unknown_name(f"field of {type_name}", str(name), known)
    # Past the constructor, whose arguments need not be the fields (Branch takes its paths one by
    # one); __post_init__ does all the checking either way.
    obj: Any = object.__new__(cls)
    for name, field in known.items():
        if name in values:
            assign(obj, **{name: _decode(values[name])})
        elif field.default is not MISSING:
            assign(obj, **{name: field.default})
        else:
            raise ValueError(f"{type_name} needs the field {name!r}, got {sorted(values)}")
    if hasattr(obj, "__post_init__"):
        obj.__post_init__()
    return obj
