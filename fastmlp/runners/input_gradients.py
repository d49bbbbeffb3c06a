"""Gradients of a network's outputs by its inputs, with the backward passes of the reference."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ..data.rows import FeaturePair
from ..program.operation import Slot
from ..program.program import plan_gradients
from .reference_ops import backward, forward
from .reference_pass import Pass

if TYPE_CHECKING:
    from ..kernels.typing import Array
    from ..program.state import State


class InputGradients:
    """The gradient of one output of each row by the row itself, as the network predicts.

    Dropout is gone and BatchNorm has its running statistics, so that rows do not touch each other.

    Parameters
    ----------
    state : State
        Of a program without codes of categories, by which there is no gradient. It stays as it is.
    """

    def __init__(self, state: State) -> None:
        program = state.program
        # Gradients of parameters come with those of inputs; they are not the model's.
        self._state = state.with_own_gradients()
        ops = (*program.ops, *program.output_ops)
        self._ops = plan_gradients(ops, program.output, lambda slot: True)
        self._inputs = [slot for slot in (program.wide, program.input) if slot is not None]

    def of_rows(self, x: Array, outputs: Array) -> Array:
        """Return the gradients ``d f(x)[i, outputs[i]] / d x[i]``.

        Parameters
        ----------
        x : ndarray, shape (n, n_features)
            In the network's dtype; of two inputs the columns of X_wide, then those of X_deep.
        outputs : ndarray of int, shape (n,)

        Returns
        -------
        ndarray, shape (n, n_features)
        """
        run = Pass(self._state, training=False)
        run.feed(self._parted(x))
        program = self._state.program
        seed = np.zeros((len(x), program.output.width), x.dtype)
        seed[np.arange(len(x)), outputs] = 1.0
        with np.errstate(all="ignore"):
            forward(self._ops, run)
            run.gradients[program.output] = seed
            backward(self._ops, run)
        parts = [self._gradient(run, slot) for slot in self._inputs]
        return parts[0] if len(parts) == 1 else np.concatenate(parts, axis=1)

    def _parted(self, x: Array) -> Array | FeaturePair:
        if len(self._inputs) == 1:
            return x
        n_wide = self._inputs[0].width
        return FeaturePair(x[:, :n_wide], x[:, n_wide:])

    def _gradient(self, run: Pass, slot: Slot) -> Array:
        found = run.gradients.get(slot)
        # Of an input that nothing reads.
        return np.zeros_like(run.values[slot]) if found is None else found
