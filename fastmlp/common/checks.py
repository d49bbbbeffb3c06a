"""Checks of single arguments: each returns the plain Python value or raises one clear error."""

from __future__ import annotations

import math
from collections.abc import Iterable
from numbers import Integral, Real
from typing import Any

import numpy as np


def unknown_name(kind: str, name: str, known: Iterable[str]) -> ValueError:
    """Make the error for a name that is not among those there are, with the closest one.

    Parameters
    ----------
    kind : str
        What is named, e.g. ``"activation"``.
    name : str
        The name that was given.
    known : iterable of str
        The names there are, in the order in which the message lists them.

    Returns
    -------
    ValueError
        For the caller to raise.
    """
    # difflib takes milliseconds to import and is needed for nothing but this message.
    from difflib import get_close_matches

    spellings = {spelling.lower(): spelling for spelling in known}
    closest = get_close_matches(name.lower(), spellings, n=1)
    hint = f"; did you mean {spellings[closest[0]]!r}?" if closest else ";"
    return ValueError(f"unknown {kind} {name!r}{hint} known: {', '.join(spellings.values())}")


def find_name(kind: str, name: object, known: Iterable[str]) -> str:
    """Return the member of ``known`` (all lower case) that ``name`` spells in any case.

    Raises
    ------
    TypeError
        ``name`` is not a string.
    ValueError
        No member is spelled so; the message gives the closest one.
    """
    if not isinstance(name, str):
        raise TypeError(f"{kind} must be a name, got {describe(name)}")
    known = tuple(known)
    if name.lower() not in known:
        raise unknown_name(kind, name, known)
    return name.lower()


def check_number(
    name: str,
    value: object,
    low: float | None = None,
    high: float | None = None,
    *,
    open_low: bool = False,
    open_high: bool = False,
) -> float:
    """Check a finite real number within bounds and return it as a float.

    Parameters
    ----------
    name : str
        The argument's name, for the message.
    value : object
        What was given. NumPy scalars are numbers, booleans and strings are not.
    low, high : float, optional
        The bounds; None where there is none.
    open_low, open_high : bool
        Whether the bound itself is refused.

    Raises
    ------
    TypeError
        ``value`` is not a real number.
    ValueError
        ``value`` is not finite or out of bounds.
    """
    if isinstance(value, (bool, np.bool_)) or not isinstance(value, Real):
        raise TypeError(f"{name} must be a number, got {describe(value)}")
    try:
        number = float(value)
    except OverflowError:
        number = math.inf
    inside = (
        math.isfinite(number)
        and (low is None or number > low or (number == low and not open_low))
        and (high is None or number < high or (number == high and not open_high))
    )
    if not inside:
        bounds = _bounds(low, high, open_low, open_high)
        raise ValueError(f"{name} must be a finite number{bounds}, got {value}")
    return number


def check_int(name: str, value: object, low: int) -> int:
    """Check an integer of at least ``low`` and return it as an int.

    Raises
    ------
    TypeError
        ``value`` is not an integer; ``3.0`` and ``True`` are none, ``np.int64(3)`` is.
    ValueError
        ``value`` is below ``low``.
    """
    if isinstance(value, bool) or not isinstance(value, Integral):
        raise TypeError(f"{name} must be an integer, got {describe(value)}")
    if value < low:
        raise ValueError(f"{name} must be an integer >= {low}, got {value}")
    return int(value)


def check_positive_int(name: str, value: object) -> int:
    """Check an integer of at least 1 and return it as an int; errors as in `check_int`."""
    return check_int(name, value, 1)


def check_bool(name: str, value: object) -> bool:
    """Check a boolean (NumPy's too) and return it as a bool; anything else is a TypeError."""
    if not isinstance(value, (bool, np.bool_)):
        raise TypeError(f"{name} must be True or False, got {describe(value)}")
    return bool(value)


def check_instance(name: str, value: object, kind: type, expected: str) -> Any:
    """Check that an object is of a class, which the message calls `expected`, and return it."""
    if not isinstance(value, kind):
        raise TypeError(f"{name} must be {expected}, got {describe(value)}")
    return value


def check_text(name: str, value: object) -> str:
    """Check a string and return it; anything else is a TypeError."""
    text: str = check_instance(name, value, str, "a string")
    return text


def check_texts(name: str, value: object) -> tuple[str, ...]:
    """Check strings in an iterable, or a single one, and return them; else a TypeError."""
    if isinstance(value, str):
        return (value,)
    expected = "a string or several in a list"
    # A scalar of NumPy's is an Iterable that cannot be iterated over.
    if not isinstance(value, Iterable) or getattr(value, "ndim", 1) == 0:
        raise TypeError(f"{name} must be {expected}, got {describe(value)}")
    found = tuple(value)
    for each in found:
        if not isinstance(each, str):
            raise TypeError(f"{name} must be {expected}, got {describe(each)} among them")
    return found


def check_array(name: str, value: object) -> np.ndarray:
    """Return what NumPy makes of a value; what it makes no array of is a ValueError."""
    try:
        return np.asarray(value)
    except ValueError as error:
        raise ValueError(f"{name} must be an array, got {describe(value)}: {error}") from error


def describe(value: object) -> str:
    """Write a value and its type for a message, in one line; long ones are cut."""
    text = " ".join(repr(value).split())
    if len(text) > 80:
        text = text[:77] + "..."
    return f"{text} ({type(value).__name__})"


def _bounds(low: float | None, high: float | None, open_low: bool, open_high: bool) -> str:
    if low is not None and high is not None:
        left, right = "(" if open_low else "[", ")" if open_high else "]"
        return f" in {left}{low:g}, {high:g}{right}"
    if low is not None:
        return f" {'>' if open_low else '>='} {low:g}"
    if high is not None:
        return f" {'<' if open_high else '<='} {high:g}"
    return ""
