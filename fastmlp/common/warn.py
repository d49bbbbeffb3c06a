"""Warnings that point at the caller's own line, through however many of the library's calls."""

from __future__ import annotations

import sys
import warnings

# Decorators, of NumPy for its error state and of scikit-learn for its fits, and contexts that end
# put a call of their own between two of ours.
_BETWEEN = ("numpy._core._ufunc_config", "numpy.core._ufunc_config", "sklearn.base", "contextlib")
_LIBRARY = __name__.partition(".")[0]


def warn(message: str, category: type[Warning] = UserWarning) -> None:
    """Warn at the line outside of the library that has led here."""
    level, frame = 2, sys._getframe(1)
    while frame.f_back is not None and _is_own(frame.f_globals.get("__name__", "")):
        level, frame = level + 1, frame.f_back
    warnings.warn(message, category, stacklevel=level)


def _is_own(module: str) -> bool:
    return module == _LIBRARY or module.startswith(f"{_LIBRARY}.") or module in _BETWEEN
