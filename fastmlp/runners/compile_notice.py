"""The line that tells whoever waits for a fit that kernels are being compiled."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ..kernels.compiling import before_compiling


@contextmanager
def told_of_compiling(tell: bool = True) -> Iterator[None]:
    """Print one line on stderr before the first kernel that has to be compiled, if any.

    Nothing is printed where all is loaded from the cache. With `tell` false an outer
    `told_of_compiling` still tells.
    """
    if not tell:
        yield
        return
    told = False

    def listener(folder: Path | None) -> None:
        nonlocal told
        if not told and sys.stderr is not None:
            print(f"fastmlp: {_line(folder)}", file=sys.stderr, flush=True)
        told = True

    with before_compiling(listener):
        yield


def _line(folder: Path | None) -> str:
    line = "compiling kernels for this network takes a few seconds"
    if folder is None:
        return line
    return f"{line}, once: they are kept below {folder} (`fastmlp warmup` compiles all beforehand)"
