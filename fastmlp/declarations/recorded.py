"""Registered functions in files: what a file names must be what it was saved with."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field

from ..common.warn import warn


class FunctionError(ValueError):
    """A declaration names a function that this process does not have."""


class NotRegisteredError(FunctionError):
    """No function is registered under the name."""


class OtherFunctionError(FunctionError):
    """Another function is registered under the name than the one that was saved."""


@dataclass
class _Reading:
    """A file that is being read."""

    checks: bool
    taken: dict[str, None] = field(default_factory=dict)
    """Names of functions of which it was not to be told whether they are those of the file."""


_READING: ContextVar[_Reading | None] = ContextVar("reading", default=None)


@contextmanager
def reading_functions(path: str | os.PathLike[str], check_functions: bool) -> Iterator[None]:
    """Read declarations from a file, with one warning for all functions that it cannot tell of.

    Parameters
    ----------
    path : str or path-like
        For the warning.
    check_functions : bool
        Whether a function that differs from the saved one is refused, by `OtherFunctionError`.

    Warns
    -----
    UserWarning
        The file has no digest of a function that it names, or none that this process can compare.
    """
    reading = _Reading(check_functions)
    token = _READING.set(reading)
    try:
        yield
    finally:
        _READING.reset(token)
    if reading.taken:
        warn(
            f"{os.fspath(path)} does not tell whether {', '.join(map(repr, reading.taken))} of "
            "this process does what it did when the file was saved: it has no digest that can be "
            "compared. Save the file again to have one, or pass check_functions=False"
        )


def check_function(kind: str, name: str, saved: Sequence[str], own: Sequence[str]) -> None:
    """Compare the digests of a registered function with those in a file or a pickle.

    Parameters
    ----------
    kind : {"activation", "loss"}
    name : str
    saved, own : sequence of str
        ``kind:digest``, see `fastmlp.kernels.fingerprints`.

    Raises
    ------
    OtherFunctionError
        They differ, unless the file is read with ``check_functions=False``.
    """
    reading = _READING.get()
    if set(saved) & set(own) or (reading is not None and not reading.checks):
        return
    if _kinds(saved) & _kinds(own):
        way_out = "" if reading is None else ", or pass check_functions=False to take this one"
        raise OtherFunctionError(
            f"the {kind} that is registered as {name!r} is another function than the one that was "
            f"saved: its code, or a value that it refers to, differs. Register that one with "
            f"fm.register_{kind}({name!r}, ...){way_out}"
        )
    if reading is not None:
        reading.taken[name] = None


def _kinds(digests: Sequence[str]) -> set[str]:
    return {digest.partition(":")[0] for digest in digests}
