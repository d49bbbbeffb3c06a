"""Fields of dataclasses that plain data describe, checked by their annotations."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields
from typing import Any

from .checks import check_bool, check_int, check_number, describe


def check_plain_fields(obj: Any) -> None:
    """Check that each field of a dataclass is of the type that its annotation names.

    Integers are counts, so none is negative; floats may be given as integers.

    Raises
    ------
    TypeError, ValueError
        One is not.
    """
    for field in fields(obj):
        name = f"{field.name} of a {type(obj).__name__}"
        _CHECKS[str(field.type)](name, getattr(obj, field.name))


def _check_text(name: str, value: object) -> None:
    if not isinstance(value, str):
        raise TypeError(f"{name} must be a string, got {describe(value)}")
    # JSON's escapes can spell half of a surrogate pair, which can be neither shown nor written.
    if not value.isascii():
        value.encode()


def _check_texts(name: str, value: object) -> None:
    if not isinstance(value, tuple):
        raise TypeError(f"{name} must be a tuple of strings, got {describe(value)}")
    for text in value:
        _check_text(name, text)


_CHECKS: dict[str, Callable[[str, Any], object]] = {
    "str": _check_text,
    "tuple[str, ...]": _check_texts,
    "bool": check_bool,
    "int": lambda name, value: check_int(name, value, 0),
    "float": check_number,
}
"""Functions that check a field, by its annotation."""
