"""A batch on its way through a program with NumPy."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from ..data.rows import FeaturePair, SparseRows, as_dtype, deep_part
from ..program.operation import Slot, Tensor, Write
from ..program.state import State, Weights

if TYPE_CHECKING:
    from ..data.rows import Features
    from ..kernels.typing import Array


class Pass:
    """One batch on its way through a program: the values of slots and their gradients.

    Of `Weights` there are only predictions.
    """

    def __init__(
        self, weights: State | Weights, training: bool, update_statistics: bool = True
    ) -> None:
        self.weights = weights
        self.training = training
        self.update_statistics = update_statistics
        self.values: dict[Slot, Array] = {}
        self.sparse: dict[Slot, SparseRows] = {}
        self.gradients: dict[Slot, Array] = {}
        self.saved_for_backward: dict[Slot, dict[str, Array]] = {}

    @property
    def state(self) -> State:
        """The weights as training reads and changes them."""
        return cast(State, self.weights)

    def fixed(self, tensor: Tensor) -> Array:
        """What no optimizer moves: a buffer, which is a parameter once it is frozen."""
        weights = self.weights
        return weights.buffer(tensor) if isinstance(weights, State) else weights.parameter(tensor)

    def feed(self, x: Features) -> None:
        """Set the network's inputs."""
        program = self.weights.program
        x = as_dtype(x, program.dtype)
        if isinstance(x, SparseRows):
            self.sparse[program.input] = x
            return
        self.values[program.input] = deep_part(x)
        if program.wide is not None and isinstance(x, FeaturePair):
            if isinstance(x.wide, SparseRows):
                self.sparse[program.wide] = x.wide
            else:
                self.values[program.wide] = x.wide

    def accumulate_gradient(self, slot: Slot, write: Write, gradient: Array) -> None:
        """Set or add to the gradient of a slot."""
        if write is Write.SET:
            self.gradients[slot] = gradient
        elif write is Write.ADD:
            self.gradients[slot] = self.gradients[slot] + gradient
