"""The flat vectors of a network and the counters beside them, which training changes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from ..common.arrays import OwnsArrays, aligned_zeros, own
from .operation import Tensor
from .program import InferenceProgram, Program

if TYPE_CHECKING:
    from ..kernels.typing import Array

_VECTORS = ("parameters", "gradients", "moments", "buffers", "products", "dropout_rates")


@dataclass
class Snapshot(OwnsArrays):
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
        Of length ``program.n_parameters``; read-only from here on.
    """

    program: InferenceProgram
    parameters: Array

    def __post_init__(self) -> None:
        self.parameters.flags.writeable = False
        self._views = named(self.program.parameters, self.parameters)

    def __getstate__(self) -> dict[str, Any]:
        # Views would be written out once more, and be read as arrays of their own.
        return {"program": self.program, "parameters": self.parameters}

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state, parameters=own(state["parameters"]))
        self.__post_init__()

    def parameter(self, tensor: Tensor) -> Array:
        """Return a view of a parameter."""
        return self._views[tensor.name]


@dataclass
class State:
    """The flat vectors of one network, which are this object's own: copies share none of them.

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
    dropout_rates : ndarray
        float64, the rate of each dropout in the next step.
    """

    program: Program
    seed: int
    parameters: Array = field(init=False)
    gradients: Array = field(init=False)
    moments: Array = field(init=False)
    buffers: Array = field(init=False)
    products: Array = field(init=False)
    dropout_rates: Array = field(init=False)
    step: int = 0

    def __post_init__(self) -> None:
        program = self.program
        n_moments = max(len(optimizer.slots) for optimizer in program.optimizers)
        self.parameters = aligned_zeros((program.n_parameters,), program.dtype)
        self.gradients = aligned_zeros((program.n_parameters,), program.dtype)
        self.moments = aligned_zeros((n_moments, program.n_parameters), program.dtype)
        self.buffers = aligned_zeros((program.n_buffers,), program.dtype)
        self.products = np.ones(len(program.groups))
        rates = (op.rate for op in program.dropouts)
        # Schedules are asked by whoever knows the epoch.
        self.dropout_rates = np.array(
            [rate if isinstance(rate, float) else rate.largest for rate in rates]
        )

    def __setstate__(self, state: dict[str, Any]) -> None:
        # Compiled code writes by address, where nothing asks whether memory is read-only.
        vectors = {name: own(state[name]) for name in _VECTORS}
        vars(self).update({**state, **vectors})

    def parameter(self, tensor: Tensor) -> Array:
        """Return a writable view of a parameter."""
        return view(self.parameters, tensor)

    def gradient(self, tensor: Tensor) -> Array:
        """Return a writable view of a parameter's gradient."""
        return view(self.gradients, tensor)

    def buffer(self, tensor: Tensor) -> Array:
        """Return a writable view of a buffer."""
        return view(self.buffers, tensor)

    def with_own_gradients(self) -> State:
        """Return a state with the same parameters and buffers, and a gradient vector of its own."""
        return self.sharing(gradients=aligned_zeros(self.gradients.shape, self.program.dtype))

    def sharing(self, **others: Any) -> State:
        """Return a state over the same vectors but for those in `others`, or counters there."""
        state = object.__new__(State)
        vars(state).update(vars(self), **others)
        return state

    def is_finite(self) -> bool:
        """Tell whether all parameters and buffers are finite."""
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
    """Return the part of a flat vector that is `tensor`, in its shape."""
    return vector[tensor.start : tensor.stop].reshape(tensor.shape)


def named(tensors: tuple[Tensor, ...], vector: Array) -> Mapping[str, Array]:
    """Return views of a flat vector by the names of its tensors."""
    return {tensor.name: view(vector, tensor) for tensor in tensors}
