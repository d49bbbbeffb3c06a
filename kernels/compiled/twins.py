"""Compiled functions that take the signature of their reference.

A signature, its defaults, its annotations and what it says of itself stand once, in the reference.
A twin takes the same and hands it by name to a body, which is what differs: it names what it works
on, and passes the rest, ``**unchanged``, to an op::

    @twin(reference.clip_by_value)
    def clip_by_value(*, gradients, **unchanged):
        writable(gradients)
        call(ops.clip_by_value, gradients.dtype, gradients=gradients, count=..., **unchanged)
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

F = TypeVar("F", bound=Callable[..., Any])


def parameters(function: Callable[..., Any]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Names of the parameters that have a place, and of those that have a name alone."""
    code = function.__code__
    stop = code.co_argcount + code.co_kwonlyargcount
    return code.co_varnames[: code.co_argcount], code.co_varnames[code.co_argcount : stop]


def twin(
    reference: F, renamed: Mapping[str, str] | None = None
) -> Callable[[Callable[..., Any]], F]:
    """Make a body a function that is called as its reference is.

    Parameters
    ----------
    reference : function
    renamed : mapping from str to str, optional
        What parameters of the reference are called in the body, where that is not the same.

    Raises
    ------
    TypeError
        The body takes what the reference has not, or lacks what it has.
    """
    name, (places, names) = reference.__name__, parameters(reference)
    passed = {own: (renamed or {}).get(own, own) for own in (*places, *names)}

    def make(body: Callable[..., Any]) -> F:
        _check(body, set(passed.values()), name)
        arguments = ", ".join(f"{inner}={own}" for own, inner in passed.items())
        signature = ", ".join((*places, "*", *names) if names else places)
        # As named tuples and dataclasses are made: Python itself sorts out the arguments of a call,
        # in a tenth of the time that `inspect.Signature.bind` takes.
        source = (
            f"def make(_body):\n def {name}({signature}): return _body({arguments})\n return {name}"
        )
        # Its globals are where the annotations are looked up.
        made: dict[str, Any] = {}
        exec(source, reference.__globals__, made)
        function = made["make"](body)
        function.__defaults__ = reference.__defaults__
        function.__kwdefaults__ = reference.__kwdefaults__
        functools.update_wrapper(function, reference)
        # It is called as the reference is, but does not call it.
        del function.__wrapped__
        function.__module__ = body.__module__
        return function  # type: ignore[no-any-return]

    return make


def _check(body: Callable[..., Any], passed: set[str], name: str) -> None:
    taken = set().union(*parameters(body))
    takes_all = bool(body.__code__.co_flags & inspect.CO_VARKEYWORDS)
    wrong = [f"there is no {one!r}" for one in sorted(taken - passed - _optional(body))]
    wrong += [f"{one!r} is missing" for one in sorted(passed - taken) if not takes_all]
    if wrong:
        raise TypeError(f"{body.__qualname__} is no twin of {name}: {', '.join(wrong)}")


def _optional(body: Callable[..., Any]) -> set[str]:
    """Parameters that some references have, and others not."""
    return set(body.__kwdefaults__ or ())
