"""What changes while a network is trained: flat vectors, and the counters beside them."""

from __future__ import annotations

import copy
import math
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from .ops import Tensor
from .program import InferenceProgram, Program

if TYPE_CHECKING:
    from ..kernels.typing import Array


@dataclass
class Snapshot:
    """A copy of a `State`'s vectors."""

    tensors: tuple[Tensor, ...]
    vectors: dict[str, Array]
    step: int


@dataclass
class Weights:
    """The parameters of a network that is not trained: all that a prediction needs.

    Attributes
    ----------
    parameters : ndarray
        Of length ``program.n_parameters``.
    """

    program: InferenceProgram
    parameters: Array

    def __post_init__(self) -> None:
        self._views = named(self.program.parameters, self.parameters)

    def parameter(self, tensor: Tensor) -> Array:
        """View of a parameter."""
        return self._views[tensor.name]


@dataclass
class State:
    """The flat vectors of one network.

    Attributes
    ----------
    parameters, gradients : ndarray
        Of length ``program.n_parameters``.
    moments : ndarray
        One row of the same length for each array that an optimizer keeps, in the order of its
        ``slots``; a group uses its own part of each row.
    buffers : ndarray
        Running statistics, of length ``program.n_buffers``.
    products : ndarray
        float64, one a group: the running product of an optimizer that has one.
    step : int
        Updates done so far.
    seed : int
        64 bits, the key of dropout's generator.
    """

    program: Program
    seed: int
    parameters: Array = field(init=False)
    gradients: Array = field(init=False)
    moments: Array = field(init=False)
    buffers: Array = field(init=False)
    products: Array = field(init=False)
    step: int = 0

    def __post_init__(self) -> None:
        program = self.program
        n_moments = max(len(optimizer.slots) for optimizer in program.optimizers)
        self.parameters = aligned_zeros((program.n_parameters,), program.dtype)
        self.gradients = aligned_zeros((program.n_parameters,), program.dtype)
        self.moments = aligned_zeros((n_moments, program.n_parameters), program.dtype)
        self.buffers = aligned_zeros((program.n_buffers,), program.dtype)
        self.products = np.ones(len(program.groups))

    def parameter(self, tensor: Tensor) -> Array:
        """Writable view of a parameter."""
        return view(self.parameters, tensor)

    def gradient(self, tensor: Tensor) -> Array:
        """Writable view of a parameter's gradient."""
        return view(self.gradients, tensor)

    def buffer(self, tensor: Tensor) -> Array:
        """Writable view of a buffer."""
        return view(self.buffers, tensor)

    def with_own_gradients(self) -> State:
        """The same parameters and buffers, with a gradient vector for looking at."""
        other = copy.copy(self)
        other.gradients = aligned_zeros(self.gradients.shape, self.program.dtype)
        return other

    def is_finite(self) -> bool:
        """Whether all parameters and buffers are."""
        return bool(np.isfinite(self.parameters).all() and np.isfinite(self.buffers).all())

    def forget_training(self) -> None:
        """Set optimizer state, gradients and counters back to their start."""
        self.gradients[:] = 0.0
        self.moments[:] = 0.0
        self.products[:] = 1.0
        self.step = 0

    def snapshot(self, *names: str) -> Snapshot:
        """Copy the vectors of these names; all that training changes where none is given."""
        names = names or ("parameters", "moments", "buffers", "products")
        vectors = {name: getattr(self, name).copy() for name in names}
        return Snapshot(self._tensors(), vectors, self.step)

    def _tensors(self) -> tuple[Tensor, ...]:
        return self.program.parameters + self.program.buffers

    def update(self, snapshot: Snapshot) -> None:
        """Make an earlier snapshot of this state up to date, without allocating."""
        for name, vector in snapshot.vectors.items():
            vector[...] = getattr(self, name)
        snapshot.step = self.step

    def write(self, snapshot: Snapshot) -> None:
        """Write a snapshot's vectors back; views of them stay valid, the count of updates stays.

        Raises
        ------
        ValueError
            The snapshot is of another network.
        """
        if snapshot.tensors != self._tensors():
            raise ValueError(
                "these are the weights of another network: its parameters have other names or "
                "shapes than this one's"
            )
        for name, vector in snapshot.vectors.items():
            getattr(self, name)[...] = vector

    def restore(self, snapshot: Snapshot) -> None:
        """Go back to a snapshot."""
        self.write(snapshot)
        self.step = snapshot.step


def view(vector: Array, tensor: Tensor) -> Array:
    """The part of a flat vector that is `tensor`, in its shape."""
    return vector[tensor.start : tensor.stop].reshape(tensor.shape)


def aligned_zeros(shape: tuple[int, ...], dtype: Any) -> Array:
    """Zeros whose first element starts a cache line."""
    size = math.prod(shape) * np.dtype(dtype).itemsize
    if size > sys.maxsize - 64:
        raise MemoryError(f"an array of shape {shape} does not fit into memory")
    memory = np.zeros(size + 64, dtype=np.uint8)
    offset = -memory.ctypes.data % 64
    zeros: Array = memory[offset : offset + size].view(dtype).reshape(shape)
    return zeros


def named(tensors: tuple[Tensor, ...], vector: Array) -> Mapping[str, Array]:
    """Views of a flat vector by the names of its tensors."""
    return {tensor.name: view(vector, tensor) for tensor in tensors}
