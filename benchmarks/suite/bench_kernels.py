"""Every kernel in both backends, from the table that the tests use too."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, partial
from typing import Any

from benchmarks.shared.clock import count_repeats, slow_clock
from benchmarks.shared.kernel_table import BENCHMARK_SIZES, KERNELS, Inputs, copied
from fastmlp.kernels import available_backends, get_backend

_DTYPE = "float32"
_KERNELS = {kernel.label: kernel for kernel in KERNELS}
_SIZES = {f"{rows}x{columns}": (rows, columns) for rows, columns in BENCHMARK_SIZES}
_SAMPLE_SECONDS = 0.005


def _is_there(label: str) -> bool:
    """Older versions lack some kernels, but the parameters of a benchmark are those of today."""
    return hasattr(get_backend("numpy"), _KERNELS[label].function)


def _error(label: str, arguments: dict[str, Any]) -> float:
    """The compiled kernel's largest difference from the reference, by the kernel's tolerance."""
    kernel = _KERNELS[label]
    expected, actual = (
        kernel.run(get_backend(backend), copied(arguments)) for backend in ("numpy", "numba")
    )
    return max(kernel.errors(expected, actual, _DTYPE).values())


@cache
def _work(backend: str, label: str, size: str) -> tuple[Callable[[int], None], int]:
    """A loop of calls, warm and checked, and how many calls make a sample."""
    if backend not in available_backends():
        raise NotImplementedError(f"the {backend} backend is not installed")
    if not _is_there(label):
        raise NotImplementedError(f"this fastmlp has no {_KERNELS[label].function}")
    arguments = _KERNELS[label].make(Inputs(_DTYPE), *_SIZES[size])
    if backend != "numpy":
        error = _error(label, arguments)
        assert error <= 1.0, f"{label} is {error:.1f} times its tolerance from the reference"
    call = partial(getattr(get_backend(backend), _KERNELS[label].function), **arguments)

    def calls(number: int) -> None:
        for _ in range(number):
            call()

    calls(1)
    return calls, count_repeats(calls, _SAMPLE_SECONDS)


class Call:
    """A call that allocates its results; what it modifies in place is not made anew."""

    params = (["numba", "numpy"], list(_KERNELS), list(_SIZES))
    param_names = ("backend", "kernel", "size")
    number = 1
    rounds = 1
    repeat = (10, 30, 0.5)

    def setup(self, backend: str, label: str, size: str) -> None:
        self.calls, self.number_of_calls = _work(backend, label, size)
        self.timer = slow_clock(self.number_of_calls)

    def time_call(self, backend: str, label: str, size: str) -> None:
        self.calls(self.number_of_calls)


class Accuracy:
    """How far the compiled kernels are from the reference."""

    params = (list(_SIZES),)
    param_names = ("size",)
    timeout = 600
    unit = "of the tolerance"

    def track_largest_error(self, size: str) -> float:
        inputs = {
            label: kernel.make(Inputs(_DTYPE), *_SIZES[size])
            for label, kernel in _KERNELS.items()
            if _is_there(label)
        }
        return max(_error(label, arguments) for label, arguments in inputs.items())
