"""Calls of kernels and elementary functions on numbers of every kind."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from called import (
    BACKENDS,
    call,
    said,
)
from kernel_table import KERNELS, NASTY, Inputs

import fastmlp as fm
from fastmlp.kernels import get_backend


def _arguments(kernel: Any) -> Iterator[dict[str, Any]]:
    for values, dtype in itertools.product(NASTY.values(), ("float32", "float64")):
        yield kernel.make(Inputs(dtype, values), 5, 7)


@call
def kernels(folder: Path, backend: str) -> Any:
    namespace = get_backend(backend)
    found: list[Any] = []
    for kernel in KERNELS:
        for arguments in _arguments(kernel):
            found.append((kernel.label, getattr(namespace, kernel.function)(**arguments)))
            found.append([arguments[name] for name in kernel.modified])
    return found


@call
def elementary_functions(folder: Path) -> Any:
    x = np.array([0.0, -0.0, 1e-320, 1e308, -1e308, np.inf, -np.inf, np.nan, -1.0, 88.8])
    y = np.array([0.0, -0.0, 1e-45, 3e38, -3e38, np.inf, -np.inf, np.nan, -1.0, 88.8], "f4")
    return [
        getattr(fm.math, name)(values)
        for name in fm.math.__all__
        for values in (x, y, x[2], x[3], y[2], 0.0)
    ]


@call
def warm_up(folder: Path) -> Any:
    return said(fm.warmup) if "numba" in BACKENDS else None
