"""Digests of what functions do: their code, and all values and functions that it reaches."""

from __future__ import annotations

import functools
import hashlib
import re
import sys
import types
from collections.abc import Callable, Collection, Iterator
from contextlib import suppress
from typing import Any

import numpy as np

from .code_text import bytecode_text, names, source_text
from .typing import Array

# What these say of a function is its name: it does the same in every version of them.
_LIBRARIES = sys.stdlib_module_names | {"fastmlp", "numba", "numpy", "scipy"}
# Of these more is to be known than their text.
_FOLLOWED = (types.FunctionType, types.ModuleType, types.MethodType, functools.partial)
_NO_TEXT: Any = object.__repr__
_ADDRESS = re.compile(r" at 0x[0-9a-fA-F]+")

BYTECODE = str(sys.implementation.cache_tag)
"""The kind of digest that this version of Python makes of bytecode."""
SOURCE = "source"


class _NoSource(Exception):
    """A function in it has no source."""


def digests(*values: Any) -> dict[str, str]:
    """Digests of functions, or of None, by their kinds.

    Parameters
    ----------
    *values : callable or None

    Returns
    -------
    dict of str to str
        SHA-256 in hexadecimal digits. There is one of the bytecode, under the name that this
        version of Python has for it, and one of the ``"source"`` where all of it is to be had,
        which is the same in all versions. Functions of which one digest is the same do the same.
    """
    found = {BYTECODE: _digest(values, lambda function: bytecode_text(function.__code__))}
    with suppress(_NoSource):
        found[SOURCE] = _digest(values, _source)
    return found


def _source(function: types.FunctionType) -> str:
    text = source_text(function)
    if text is None:
        raise _NoSource
    return text


def _digest(values: tuple[Any, ...], text: Callable[[types.FunctionType], str]) -> str:
    digest = hashlib.sha256()
    described = _Described(text)
    for value in values:
        for part in described.parts(value, frozenset()):
            encoded = part.encode("utf-8", "backslashreplace")
            digest.update(len(encoded).to_bytes(8, "little") + encoded)
    return digest.hexdigest()


class _Described:
    """Values as lists of texts, in which each function and object stands once.

    Parameters
    ----------
    text : callable
        Of a function's code.
    """

    def __init__(self, text: Callable[[types.FunctionType], str]) -> None:
        self._text = text
        # With the values themselves, so that none is freed and another has its address.
        self._seen: dict[tuple[int, frozenset[str]], tuple[int, Any]] = {}

    def parts(self, value: Any, names_there: frozenset[str]) -> Iterator[str]:
        """The texts of a value; of a module, those of what stands there under the names."""
        value = getattr(value, "py_func", value)
        if isinstance(value, type | types.BuiltinFunctionType) or (
            isinstance(value, types.FunctionType) and _is_of_library(value.__module__)
        ):
            # Without the modules between, which libraries change.
            top = str(value.__module__).partition(".")[0]
            yield f"{top if top in _LIBRARIES else ''}:{value.__qualname__}"
        elif isinstance(value, types.ModuleType) and _is_of_library(value.__name__):
            yield f"module {value.__name__}"
        elif isinstance(value, np.ndarray | np.generic):
            yield from self._array(np.asarray(value), names_there)
        elif isinstance(value, tuple | list):
            yield from self._each(value, names_there)
        elif isinstance(value, dict):
            yield from self._each(value.items(), names_there)
        elif isinstance(value, set | frozenset):
            # In the order of their hashes, which texts have new ones of in each process.
            yield f"{{{', '.join(sorted(map(repr, value)))}}}"
        elif type(value).__repr__ is not _NO_TEXT and not isinstance(value, _FOLLOWED):
            yield _ADDRESS.sub("", repr(value))
        elif (key := (id(value), names_there)) in self._seen:
            yield f"again {self._seen[key][0]}"
        else:
            self._seen[key] = len(self._seen), value
            yield from self._followed(value, names_there)

    def _array(self, array: Array, names_there: frozenset[str]) -> Iterator[str]:
        # The text of an array leaves out digits and elements, that of a number may do so.
        yield f"{array.dtype.str}{array.shape}"
        if array.dtype.hasobject:
            yield from self._each(array.ravel().tolist(), names_there)
        else:
            yield array.tobytes().hex()

    def _followed(self, value: Any, names_there: frozenset[str]) -> Iterator[str]:
        if isinstance(value, types.FunctionType):
            yield self._text(value)
            used = frozenset(names(value.__code__))
            yield from self._named(value.__globals__, used & value.__globals__.keys(), used)
            cells = zip(value.__code__.co_freevars, value.__closure__ or (), strict=True)
            around = {name: _content(cell) for name, cell in cells}
            yield from self._named(around, around.keys(), used)
            yield from self.parts(value.__defaults__, used)
            yield from self.parts(value.__kwdefaults__, used)
        elif isinstance(value, types.ModuleType):
            yield from self._named(vars(value), names_there & vars(value).keys(), names_there)
        elif isinstance(value, types.MethodType):
            yield from self._each((value.__func__, value.__self__), names_there)
        elif isinstance(value, functools.partial):
            yield from self._each((value.func, value.args, value.keywords), names_there)
        else:
            yield f"object {type(value).__qualname__}"
            if callable(value):
                yield from self.parts(type(value).__call__, names_there)
            state = getattr(value, "__dict__", {})
            yield from self._named(state, state.keys(), names_there)

    def _named(self, table: Any, chosen: Any, names_there: frozenset[str]) -> Iterator[str]:
        for name in sorted(chosen):
            yield name
            yield from self.parts(table[name], names_there)

    def _each(self, values: Collection[Any], names_there: frozenset[str]) -> Iterator[str]:
        yield f"{len(values)} values"
        for value in values:
            yield from self.parts(value, names_there)


def _is_of_library(module: str | None) -> bool:
    return module is not None and module.partition(".")[0] in _LIBRARIES


def _content(cell: types.CellType) -> Any:
    try:
        return cell.cell_contents
    except ValueError:
        # It is filled later than the function is made, as that of one that calls itself may be.
        return None
