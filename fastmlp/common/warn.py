"""Warnings that point at the caller's own line, through however many of the library's calls."""

from __future__ import annotations

import sys
import warnings

# NumPy's error state is set by a decorator of its own.
_PASSED = (__name__.partition(".")[0], "numpy")


def warn(message: str, category: type[Warning] = UserWarning) -> None:
    """Warn at the line outside of the library that has led here."""
    level, frame = 2, sys._getframe(1)
    while frame.f_back is not None and _is_passed(frame.f_globals.get("__name__", "")):
        level, frame = level + 1, frame.f_back
    warnings.warn(message, category, stacklevel=level)


def _is_passed(module: str) -> bool:
    return module.partition(".")[0] in _PASSED
