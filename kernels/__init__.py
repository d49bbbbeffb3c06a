"""Kernels of multilayer perceptrons in two backends with one set of names and signatures.

``get_backend("numpy")`` is the specification: short NumPy functions with their formulas.
``get_backend("numba")`` is the same compiled. Both work on plain C-contiguous arrays of one
dtype (float32 or float64). Numba is imported only when its backend is asked for.
"""

from __future__ import annotations

import importlib
import importlib.util
from types import ModuleType

__all__ = ["available_backends", "get_backend"]

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


def get_backend(name: str) -> ModuleType:
    """Return the namespace of kernels called `name`, ``"numpy"`` or ``"numba"``.

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
    return importlib.import_module(_MODULES[name], __name__)
