"""``fastmlp warmup``: compile every kernel into the folder of compiled kernels."""

from __future__ import annotations

import argparse
from time import perf_counter

from ..runners.compiled.warmup import warmup as warm_up


def warmup(arguments: argparse.Namespace) -> None:
    """Compile, and say how long it took."""
    start = perf_counter()
    warm_up(progress=True)
    print(f"all kernels are compiled ({perf_counter() - start:.1f} s)")
