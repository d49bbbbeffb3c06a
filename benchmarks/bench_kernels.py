"""Every kernel in both backends, from the table that the tests use too."""

from __future__ import annotations

from typing import Any

from fastmlp.kernels import available_backends, get_backend

from .kernel_table import BENCHMARK_SIZES, KERNELS, Inputs, copied

_DTYPE = "float32"
_KERNELS = {kernel.label: kernel for kernel in KERNELS}
_SIZES = {f"{rows}x{columns}": (rows, columns) for rows, columns in BENCHMARK_SIZES}


def _arguments(label: str, size: str, backend: str) -> dict[str, Any]:
    if backend not in available_backends():
        raise NotImplementedError(f"the {backend} backend is not installed")
    return _KERNELS[label].make(Inputs(_DTYPE), *_SIZES[size])


def _error(label: str, arguments: dict[str, Any], backend: str) -> float:
    """The largest difference from the reference, in units of the kernel's tolerance."""
    kernel = _KERNELS[label]
    expected = kernel.run(get_backend("numpy"), copied(arguments))
    actual = kernel.run(get_backend(backend), copied(arguments))
    return max(kernel.errors(expected, actual, _DTYPE).values())


class Call:
    """One call that allocates its results; what it modifies in place is not made anew."""

    params = (list(_KERNELS), list(_SIZES), ["numpy", "numba"])
    param_names = ("kernel", "size", "backend")

    def setup(self, label: str, size: str, backend: str) -> None:
        self.arguments = _arguments(label, size, backend)
        # This also compiles the kernel and brings it into the caches.
        error = _error(label, self.arguments, backend)
        if not error <= 1.0:
            raise ValueError(f"{label} is {error:.1f} times its tolerance from the reference")
        self.function = getattr(get_backend(backend), _KERNELS[label].function)

    def time_call(self, label: str, size: str, backend: str) -> None:
        self.function(**self.arguments)


class Accuracy:
    """Difference of the compiled kernels from the reference."""

    params = (list(_KERNELS), list(_SIZES))
    param_names = ("kernel", "size")
    unit = "of the tolerance"

    def track_error(self, label: str, size: str) -> float:
        return _error(label, _arguments(label, size, "numba"), "numba")
