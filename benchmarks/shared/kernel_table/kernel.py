"""What a row of the table says of a kernel: its inputs, and how near the backends come."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any

import numpy as np

from fastmlp.kernels import get_backend
from fastmlp.kernels.typing import Array

reference = get_backend("numpy")

DTYPES = ("float32", "float64")

# One row, one column, around the widths of vector registers, and one of many tiles.
SIZES = (
    *((1, 1), (1, 5), (5, 1), (3, 5)),
    *((2, 15), (3, 16), (5, 17)),
    *((1, 64), (64, 33), (64, 128)),
)
BENCHMARK_SIZES = ((1, 64), (256, 256))

Values = Callable[[np.random.Generator, tuple[int, ...], "np.dtype[Any]"], Array]


def ordinary(rng: np.random.Generator, shape: tuple[int, ...], dtype: np.dtype[Any]) -> Array:
    """Standard normal numbers."""
    return rng.standard_normal(shape)


def _alternating(shape: tuple[int, ...]) -> Array:
    return np.where(np.indices(shape).sum(axis=0) % 2 == 0, 1.0, -1.0)


def _with(special: float) -> Values:
    """Normal numbers, one in five of which is replaced."""

    def values(rng: np.random.Generator, shape: tuple[int, ...], dtype: np.dtype[Any]) -> Array:
        numbers = rng.standard_normal(shape)
        numbers[rng.random(shape) < 0.2] = special
        numbers.flat[0] = special
        return numbers

    return values


def _subnormal(rng: np.random.Generator, shape: tuple[int, ...], dtype: np.dtype[Any]) -> Array:
    tiny = float(np.finfo(dtype).smallest_normal)
    return _alternating(shape) * tiny * rng.choice([2.0**-10, 0.5, 1.0, 2.0], shape)


def _enormous(rng: np.random.Generator, shape: tuple[int, ...], dtype: np.dtype[Any]) -> Array:
    return _alternating(shape) * float(np.finfo(dtype).max) ** 0.75


NASTY: dict[str, Values] = {
    "zeros": lambda rng, shape, dtype: np.zeros(shape),
    "signed zeros": lambda rng, shape, dtype: 0.0 * _alternating(shape),
    "alternating signs": lambda rng, shape, dtype: _alternating(shape),
    "constant columns": lambda rng, shape, dtype: np.ones(shape) * rng.standard_normal(shape[-1]),
    "huge": lambda rng, shape, dtype: 1e4 * _alternating(shape),
    "enormous": _enormous,
    "subnormal": _subnormal,
    "NaN": _with(np.nan),
    "infinity": _with(np.inf),
    "minus infinity": _with(-np.inf),
}


class Inputs:
    """Draws the arguments of a kernel; `values` decides what the numbers that may be any are."""

    def __init__(self, dtype: str, values: Values = ordinary, seed: int = 1) -> None:
        self.dtype: np.dtype[Any] = np.dtype(dtype)
        self._values = values
        self._rng = np.random.default_rng(seed)

    def any(self, *shape: int) -> Array:
        """Numbers that may be any: activations, gradients, predictions."""
        return self._values(self._rng, shape, self.dtype).astype(self.dtype)

    def normal(self, *shape: int) -> Array:
        return self._rng.standard_normal(shape).astype(self.dtype)

    def positive(self, *shape: int) -> Array:
        return (self._rng.random(shape) + 0.1).astype(self.dtype)

    def weights(self, n: int) -> Array:
        """Sample weights; that of the last of several rows is 0."""
        weights = self.positive(n)
        weights[1:][-1:] = 0.0
        return weights

    def probabilities(self, n: int, k: int) -> Array:
        drawn = self.positive(n, k)
        return np.asarray(drawn / drawn.sum(axis=1, keepdims=True), self.dtype)

    def labels(self, n: int, k: int) -> Array:
        """Classes, of which the last one of several never occurs."""
        return self._rng.integers(0, max(1, k - 1), n)

    def words(self, n: int) -> Array:
        return self._rng.integers(0, 2**32, n)


Make = Callable[[Inputs, int, int], dict[str, Any]]


@dataclass(frozen=True)
class Kernel:
    """A kernel, or a member of a family of kernels.

    Attributes
    ----------
    label : str
    function : str
        Its name in either backend.
    make : callable
        ``make(inputs, rows, columns)`` gives the arguments by name.
    results : tuple of str
        Names of what it returns.
    modified : tuple of str
        Arguments that it modifies.
    tolerance : float
        Largest difference between the backends, in units of the dtype's eps: relative to the
        number itself, or to 1 where that is larger.
    of_sums : bool
        Whether results are sums: the difference is then relative to the largest of the array.
    except_for : mapping
        Nasty inputs on which the backends differ, with the reason.
    """

    label: str
    function: str
    make: Make
    results: tuple[str, ...] = ()
    modified: tuple[str, ...] = ()
    tolerance: float = 16.0
    of_sums: bool = False
    except_for: Mapping[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        return self.label

    @property
    def out(self) -> tuple[str, ...]:
        """The results that go into arrays of the caller where these are given."""
        parameters = inspect.signature(getattr(reference, self.function)).parameters
        return tuple(name for name in self.results if name in parameters)

    def run(
        self, backend: ModuleType, arguments: Mapping[str, Any], **given: Array
    ) -> dict[str, Any]:
        """Call the kernel on these arguments; results and modified arguments by name."""
        with np.errstate(all="ignore"):
            returned = getattr(backend, self.function)(**arguments, **given)
        if not self.results:
            returned = ()
        elif len(self.results) == 1:
            returned = (returned,)
        results = dict(zip(self.results, returned, strict=True))
        return results | {name: arguments[name] for name in self.modified}

    def errors(
        self, expected: Mapping[str, Any], actual: Mapping[str, Any], dtype: str
    ) -> dict[str, float]:
        """Difference of each result from what was expected, in units of its tolerance.

        Infinite where only one of the two is NaN, or infinite, or another type or shape.
        """
        limits = np.finfo(dtype)
        return {
            name: _error(
                np.asarray(value),
                np.asarray(actual[name]),
                self.tolerance * float(limits.eps),
                float(limits.smallest_subnormal),
                self.of_sums,
            )
            for name, value in expected.items()
        }


def _error(
    expected: Array, actual: Array, tolerance: float, smallest: float, of_sums: bool
) -> float:
    if expected.shape != actual.shape or expected.dtype != actual.dtype:
        return np.inf
    finite = np.isfinite(expected)
    if not np.array_equal(finite, np.isfinite(actual)):
        return np.inf
    if not np.array_equal(expected[~finite], actual[~finite], equal_nan=True):
        return np.inf
    wanted, got = expected[finite].astype(np.float64), actual[finite].astype(np.float64)
    if np.array_equal(wanted, got):
        return 0.0
    magnitude = np.abs(wanted)
    largest = float(magnitude.max())
    scale = largest if of_sums else np.maximum(magnitude, min(1.0, largest))
    with np.errstate(over="ignore"):
        return float((np.abs(got - wanted) / (tolerance * scale + 4.0 * smallest)).max())


def copied(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """The same arguments, each array a copy."""
    return {
        name: value.copy() if isinstance(value, np.ndarray) else value
        for name, value in arguments.items()
    }
