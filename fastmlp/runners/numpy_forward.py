"""Predictions with NumPy alone, each operation bound to its weights once.

The operations are those of `reference_ops.REFERENCE`, which is the specification. Of one row the
arithmetic takes less time than a look into a table, so those of most networks look nothing up. Each
step works on one row, ``(width,)``, as well as on rows, ``(n, width)``.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from ..data.rows import FeaturePair, SparseRows, as_dtype, deep_part
from ..kernels.reference.activations import look_up
from ..kernels.reference.sparse import sparse_forward
from ..program.operation import Operation, Slot
from ..program.ops import ActivationOp, AddOp, DenseOp, OneHotOp
from ..program.state import Weights
from .reference_ops import REFERENCE
from .reference_pass import Pass

if TYPE_CHECKING:
    from ..data.rows import Features
    from ..kernels.typing import Array

# Rows that are predicted at a time: activations stay in the cache.
_BLOCK_ROWS = 1024

# A step reads values by the index of their slot, and adds one.
Values = dict[int, Any]
Step = Callable[[Values], None]


def _dense(op: DenseOp, weights: Weights) -> Step:
    x, out, weight = op.x.index, op.out.index, weights.parameter(op.weight)
    bias, factor = None if op.bias is None else weights.parameter(op.bias), op.factor

    def step(values: Values) -> None:
        source = values[x]
        if isinstance(source, SparseRows):
            z = sparse_forward(source.data, source.indices, source.indptr, weight)
        else:
            z = source @ weight
        if factor != 1.0:
            z *= factor
        if bias is not None:
            z += bias
        values[out] = z

    return step


def _activation(op: ActivationOp, weights: Weights) -> Step:
    x, out = op.x.index, op.out.index
    rule, parameter = look_up(op.activation.kernel)
    function = rule.forward

    def step(values: Values) -> None:
        values[out] = function(values[x], *parameter)

    return step


def _add(op: AddOp, weights: Weights) -> Step:
    x, y, out = op.x.index, op.y.index, op.out.index

    def step(values: Values) -> None:
        values[out] = values[x] + values[y]

    return step


def _one_hot(op: OneHotOp, weights: Weights) -> Step:
    x, out, dtype = op.x.index, op.out.index, weights.program.dtype
    parts = [weights.parameter(tensor) for tensor in op.levels]
    sizes, levels = [part.size for part in parts], np.concatenate(parts)
    chosen, columns = np.array(op.passthrough, np.int64), np.repeat(op.columns, sizes)
    starts = np.cumsum([0, *sizes[:-1]])
    strict = np.flatnonzero([column in op.strict for column in op.columns])

    def step(values: Values) -> None:
        source = values[x]
        equal = source[..., columns] == levels
        if strict.size and not np.logical_or.reduceat(equal, starts, -1)[..., strict].all():
            raise FloatingPointError("X has an unknown category")
        values[out] = np.concatenate([source[..., chosen], equal], axis=-1, dtype=dtype)

    return step


def _by_reference(op: Operation, weights: Weights) -> Step:
    """Make a step of any kind, as the specification has it."""
    inputs, forward = op.inputs, REFERENCE[type(op)][0]

    def step(values: Values) -> None:
        run = Pass(weights, training=False)
        run.values = {slot: np.atleast_2d(values[slot.index]) for slot in inputs}
        forward(op, run)
        result = run.values[op.out]
        values[op.out.index] = result if values[inputs[0].index].ndim == 2 else result[0]

    return step


_BIND: dict[type, Callable[[Any, Weights], Step]] = {
    DenseOp: _dense,
    ActivationOp: _activation,
    AddOp: _add,
    OneHotOp: _one_hot,
}


def check_finite(part: Any) -> None:
    """Look at rows, unless they are sparse.

    Raises
    ------
    FloatingPointError
        They are not finite.
    """
    # Of a row, counting takes half the time of asking for all.
    if type(part) is np.ndarray and np.count_nonzero(np.isfinite(part)) < part.size:
        raise FloatingPointError("X is not finite")


class NumpyForward:
    """A `Forward` by NumPy; it always tells where an array is not finite or has no known category.

    Parameters
    ----------
    weights : Weights
    ops : tuple of Operation
        Those that lead to `output`.
    output : Slot
    """

    def __init__(self, weights: Weights, ops: tuple[Operation, ...], output: Slot) -> None:
        self._program = weights.program
        self._steps = [_BIND.get(type(op), _by_reference)(op, weights) for op in ops]
        self._input = weights.program.input.index
        self._wide = -1 if weights.program.wide is None else weights.program.wide.index
        self._output = output.index

    def __call__(self, x: Features, out: Array | None = None) -> Array:
        """Compute the values for one row or for many, see `Forward`."""
        with np.errstate(all="ignore"):
            deep, is_sparse = deep_part(x), isinstance(getattr(x, "wide", None), SparseRows)
            if deep.ndim == 1:
                values = self._values(x)
            elif len(deep) == 1 and not is_sparse:
                # Of one dimension NumPy makes the same bits as of two, in less time.
                values = self._values(x[0])[np.newaxis]
            elif len(deep) <= _BLOCK_ROWS:
                values = self._values(x)
            else:
                starts = range(0, len(deep), _BLOCK_ROWS)
                blocks = [self._values(x[start : start + _BLOCK_ROWS]) for start in starts]
                return np.concatenate(blocks, out=out)
        if out is None:
            return values
        out[...] = values
        return out

    def _values(self, x: Features) -> Array:
        # The same bits wherever a row lies: NumPy's product of a strided one rounds otherwise.
        x = as_dtype(x, self._program.dtype)
        values: Values = {self._input: deep_part(x)}
        if isinstance(x, FeaturePair):
            values[self._wide] = x.wide
        for part in values.values():
            check_finite(part)
        for step in self._steps:
            step(values)
        result: Array = values[self._output]
        return result
