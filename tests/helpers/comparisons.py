"""Comparing the results of whole trainings, and the words of configurations."""

from __future__ import annotations

from typing import Any

import numpy as np
from architectures import error

from fastmlp.kernels.typing import Array


def worst(a: dict[str, Array], b: dict[str, Array]) -> tuple[float, str]:
    """The largest error of all results, and whose it is."""
    assert a.keys() == b.keys()
    return max((error(a[name], b[name]), name) for name in b)


def declarations(value: Any) -> set[str]:
    """All words in a nested configuration: names of declarations, activations, losses."""
    if isinstance(value, dict):
        return set().union(*(declarations(part) for part in value.values()))
    if isinstance(value, list | tuple):
        return set().union(*(declarations(part) for part in value))
    return {value} if isinstance(value, str) else set()


def assert_same_bits(results: dict[str, Array], expected: dict[str, Array]) -> None:
    for name, values in expected.items():
        np.testing.assert_array_equal(results[name], values, err_msg=name)
