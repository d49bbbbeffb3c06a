"""All that can be compiled for a program, by name, for whoever compiles it beforehand."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

from ...kernels import get_backend
from ...kernels.compiled.machine.cache import CacheWarning
from ...kernels.compiled.machine.op import OPS, CompiledOp
from ...kernels.compiled.machine.runner import runner


class Kernel(NamedTuple):
    """An op, the dtype that it is compiled for, and the member of its family."""

    op: str
    dtype: str
    member: str = ""

    def __str__(self) -> str:
        return f"{self.op} ({', '.join(filter(None, self[1:]))})"


_RUNNER = Kernel("run_steps", "")


def _ops() -> dict[str, CompiledOp[...]]:
    """All ops by name; a module declares its own when it is imported."""
    get_backend("numba")
    return OPS


def all_kernels() -> Iterator[Kernel]:
    """What runs a program, and each op, dtype and member that a program can name."""
    yield _RUNNER
    for dtype in ("float32", "float64"):
        for name, op in _ops().items():
            for member in op.members or ("",):
                yield Kernel(name, dtype, member)


def load(kernel: Kernel) -> None:
    """Load a kernel, or compile it where it is not in the cache."""
    if kernel == _RUNNER:
        runner()
    else:
        _ops()[kernel.op].compiled(kernel.dtype, kernel.member)


@contextmanager
def require_cache() -> Iterator[None]:
    """Make it an error that a kernel is compiled and cannot be kept."""
    with warnings.catch_warnings():
        warnings.simplefilter("error", CacheWarning)
        try:
            yield
        except CacheWarning as problem:
            raise OSError(str(problem)) from None
