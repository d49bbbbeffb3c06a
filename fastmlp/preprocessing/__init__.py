"""Transformers that make columns for a network, in scikit-learn's sense.

In: columns as users have them. Out: columns of numbers, sparse where most are 0.
May not know: networks. scikit-learn is imported when one of them is first used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .crossed_columns import CrossedColumns as CrossedColumns

__all__ = ["CrossedColumns"]


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    # scikit-learn takes a second to import.
    from . import crossed_columns

    value = getattr(crossed_columns, name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
