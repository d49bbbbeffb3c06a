"""Kernels of multilayer perceptrons in two backends with one set of names and signatures.

``get_backend("numpy")`` is the specification: short NumPy functions with their formulas.
``get_backend("numba")`` is the same compiled. Both work on plain C-contiguous arrays of one
dtype (float32 or float64). Numba is imported only when its backend is asked for.
"""

from __future__ import annotations

import functools
import importlib
import importlib.util
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any

__all__ = ["available_backends", "check_backend", "get_backend"]

_MODULES = {"numpy": ".reference", "numba": ".compiled"}
_NEEDS = {"numpy": (), "numba": ("numba", "llvmlite")}


def _is_installed(package: str) -> bool:
    try:
        return importlib.util.find_spec(package) is not None
    except (ImportError, ValueError):
        return False


def available_backends() -> tuple[str, ...]:
    """Names of the backends whose packages are installed, the reference first."""
    return tuple(name for name, needs in _NEEDS.items() if all(map(_is_installed, needs)))


def check_backend(name: str) -> None:
    """Check that there is a backend called `name`, without importing anything.

    Raises
    ------
    ValueError
        If there is no backend of that name.
    ImportError
        If a package that the backend needs is not installed.
    """
    if name not in _MODULES:
        known = " or ".join(repr(known) for known in _MODULES)
        raise ValueError(f"unknown backend {name!r}; expected {known}")
    missing = [package for package in _NEEDS[name] if not _is_installed(package)]
    if missing:
        raise ImportError(
            f"the {name!r} backend needs {', '.join(missing)}, which cannot be imported; "
            "install it, or use the 'numpy' backend"
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
