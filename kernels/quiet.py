"""Functions that compute without NumPy's floating-point errors and warnings."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, TypeVar, cast

import numpy as np

Function = TypeVar("Function", bound=Callable[..., Any])

# That of NumPy 1 is not for functions that call themselves, or that threads share.
_IS_DECORATOR = int(np.__version__.partition(".")[0]) >= 2


def quiet(function: Function) -> Function:
    """The function under an error state in which nothing is an error or warned of."""
    if _IS_DECORATOR:
        called = np.errstate(all="ignore")(function)
        functools.update_wrapper(called, function)
        return called

    @functools.wraps(function)
    def ignoring(*args: Any, **kwargs: Any) -> Any:
        with np.errstate(all="ignore"):
            return function(*args, **kwargs)

    return cast(Function, ignoring)
