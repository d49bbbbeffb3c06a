"""Kernels of multilayer perceptrons in two backends with one set of names and signatures.

``get_backend("numpy")`` is the specification: short NumPy functions with their formulas.
``get_backend("numba")`` is the same compiled. Both work on plain C-contiguous arrays of one
dtype (float32 or float64). Numba is imported only when its backend is asked for.
"""

from __future__ import annotations

import functools
import importlib
import importlib.util
import os
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any

__all__ = ["available_backends", "check_backend", "get_backend"]

_MODULES = {"numpy": ".reference", "numba": ".compiled"}
_NEEDS = {"numpy": (), "numba": ("numba", "llvmlite")}
_SWITCH = "NUMBA_DISABLE_JIT"


def _is_installed(package: str) -> bool:
    try:
        return importlib.util.find_spec(package) is not None
    except (ImportError, ValueError):
        return False


def _compiler_is_off() -> bool:
    """Whether Numba has been told to run Python in place of machine code, which kernels are."""
    return os.environ.get(_SWITCH, "").strip() not in ("", "0")


def available_backends() -> tuple[str, ...]:
    """Names of the backends that can run, the reference first.

    ``"numba"`` needs Numba to be installed, and not to be switched off by ``NUMBA_DISABLE_JIT``.
    """
    there = [name for name, needs in _NEEDS.items() if all(map(_is_installed, needs))]
    return tuple(name for name in there if not (_NEEDS[name] and _compiler_is_off()))


def check_backend(name: str) -> None:
    """Check that there is a backend called `name`, without importing anything.

    Raises
    ------
    ValueError
        If there is no backend of that name.
    ImportError
        If a package that the backend needs is not installed, or must not compile.
    """
    if not isinstance(name, str) or name not in _MODULES:
        known = " or ".join(repr(known) for known in _MODULES)
        raise ValueError(f"unknown backend {name!r}; expected {known}")
    missing = [package for package in _NEEDS[name] if not _is_installed(package)]
    if missing:
        raise ImportError(
            f"the {name!r} backend needs {', '.join(missing)}, which cannot be imported; "
            "install it, or use the 'numpy' backend"
        )
    if name not in available_backends():
        raise ImportError(
            f"the {name!r} backend is machine code, which {_SWITCH}={os.environ[_SWITCH]} keeps "
            "Numba from making; unset it, or use the 'numpy' backend"
        )


def get_backend(name: str) -> ModuleType:
    """Return the namespace of kernels called `name`, ``"numpy"`` or ``"numba"``.

    Its functions overflow, underflow and divide by zero without NumPy's errors or warnings,
    whatever the caller has set.

    Raises
    ------
    ValueError, ImportError
        As `check_backend` raises them.
    """
    check_backend(name)
    return _namespace(name)


def _listed(package: ModuleType) -> Iterator[tuple[str, Callable[..., Any]]]:
    """Names and functions that the modules of a backend have in their ``__all__``."""
    import pkgutil

    for _, name, is_package in pkgutil.iter_modules(package.__path__):
        if not is_package:
            module = importlib.import_module(f"{package.__name__}.{name}")
            for kernel in getattr(module, "__all__", ()):
                yield kernel, getattr(module, kernel)


@functools.cache
def _namespace(name: str) -> ModuleType:
    """The kernels as users call them; runners call those of the modules themselves."""
    # NumPy is imported where a backend is asked for: until then the package costs nothing.
    from .quiet import quiet

    package = importlib.import_module(_MODULES[name], __name__)
    namespace = ModuleType(package.__name__, package.__doc__)
    kernels = {kernel: quiet(function) for kernel, function in _listed(package)}
    for kernel, function in kernels.items():
        # Where pickles look for it.
        function.__module__, function.__qualname__ = __name__, f"{name}.{kernel}"
    vars(namespace).update(kernels, __all__=list(kernels))
    return namespace


def __getattr__(name: str) -> Any:
    if name in _MODULES:
        return get_backend(name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
