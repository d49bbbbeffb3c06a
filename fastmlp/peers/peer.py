"""What each library is asked to do, and which libraries there are."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from typing import Protocol

from .networks import Array, Case, Layer


class Peer(Protocol):
    """A network in one library, on data that it holds in the form it likes best.

    It is constructed with the first parameters, a variant out of `Module.variants` and the number
    of threads, which for fastmlp alone may be "auto".
    """

    def __init__(
        self, case: Case, x: Array, y: Array, layers: list[Layer], variant: str, threads: int | str
    ) -> None: ...

    def reset(self) -> None:
        """Return to the first parameters and a fresh optimizer; what is compiled stays."""

    def fit(self, epochs: int, shuffle: bool = True) -> None:
        """Train for so many epochs and return when all is computed."""

    def layers(self) -> list[Layer]:
        """The parameters as they are now."""

    def predict(self, x: Array) -> Array:
        """The output for each row as a NumPy array."""


class Module(Protocol):
    """What a module of this package offers; importing it does not import the library."""

    Peer: type[Peer]

    @staticmethod
    def environment(threads: int) -> dict[str, str]:
        """Environment variables that must be set before the library is imported."""

    @staticmethod
    def refusal(case: Case) -> str | None:
        """Why the library cannot do this case; None where it can."""

    @staticmethod
    def variants(case: Case) -> tuple[str, ...]:
        """Ways to do it, the likeliest first; the fastest is found by trial."""


@dataclass(frozen=True)
class Library:
    """A library by its names.

    Attributes
    ----------
    title : str
        As it writes itself.
    module : str
        Module of this package that knows it.
    needs : tuple of str
        What must be importable.
    versions : tuple of str
        Distributions whose versions are reported.
    """

    title: str
    module: str
    needs: tuple[str, ...]
    versions: tuple[str, ...]

    def missing(self) -> str | None:
        """The first package that is not installed."""
        return next((name for name in self.needs if find_spec(name) is None), None)

    def load(self) -> Module:
        """Import the module that knows the library."""
        module: Module = import_module(f".{self.module}", __package__)  # type: ignore[assignment]
        return module


# What the others are compared with, and its own choice of the number of threads.
BASE, AUTO = "fastmlp", "auto"

LIBRARIES = {
    BASE: Library("fastmlp", "with_fastmlp", ("numba",), ("numba", "numpy")),
    "jax": Library("JAX", "with_jax", ("jax",), ("jax", "jaxlib")),
    "torch": Library("PyTorch", "with_torch", ("torch",), ("torch",)),
    "keras": Library("Keras", "with_keras", ("keras", "jax"), ("keras", "jax")),
    "sklearn": Library(
        "scikit-learn", "with_sklearn", ("sklearn",), ("scikit-learn", "numpy", "scipy")
    ),
    "onnxruntime": Library(
        *("onnxruntime", "with_onnxruntime"),
        ("onnxruntime", "onnx"),
        ("onnxruntime", "onnx", "numpy"),
    ),
}

_BLOCKS = {
    **{f"blocks of {rows}": rows for rows in (2048, 512, 4096, 16384)},
    "all rows": 0,
}
BLOCK_VARIANTS = tuple(_BLOCKS)


def block_size(variant: str, n_rows: int) -> int:
    """Rows that this variant predicts at a time."""
    return _BLOCKS[variant] or n_rows


def blocks(variant: str, n_rows: int) -> Iterator[slice]:
    """The rows of each prediction of this variant."""
    size = block_size(variant, n_rows)
    return (slice(start, start + size) for start in range(0, n_rows, size))
