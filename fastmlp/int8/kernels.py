"""The int8 network in NumPy: the specification that the exported C code follows bit for bit."""

from __future__ import annotations

import numpy as np

from ..kernels.typing import Array
from .fixed_point import (
    curve_codes,
    encode,
    interpolate,
    rescale,
    share_codes,
    shares,
    softmax_powers,
    to_codes,
)
from .program import (
    Codes,
    CurveToCodes,
    CurveToFloat,
    DenseSource,
    Finish,
    IntegerProgram,
    Join,
    SoftmaxToCodes,
    Source,
    ToCodes,
    ToFloat,
)


def accumulate(source: Source, values: dict[Codes, Array]) -> Array:
    """The accumulators of rows, int64 of at most 32 bits."""
    if isinstance(source, DenseSource):
        product = values[source.x].astype(np.float64) @ source.matrix
        acc: Array = product.astype(np.int64) + source.bias
        return acc
    acc = np.broadcast_to(source.bias, values[source.inputs[0]].shape).astype(np.int64)
    for codes, factor in zip(source.inputs, source.factors, strict=True):
        acc = acc + values[codes] * factor
    return acc


def finish(rule: Finish, acc: Array) -> Array:
    """Codes (int8) or outputs (float32) from accumulators."""
    if isinstance(rule, ToCodes):
        return to_codes(rescale(acc, rule.multiplier, rule.shift) + rule.zero_point)
    if isinstance(rule, CurveToCodes | CurveToFloat):
        position = rescale(acc, rule.multiplier, rule.shift) + rule.offset
        value = interpolate(position, rule.table)
        if isinstance(rule, CurveToCodes):
            return curve_codes(value)
        return value.astype(np.float32) * np.float32(rule.scale)
    if isinstance(rule, ToFloat) and rule.relu:
        acc = np.maximum(acc, 0)
    with np.errstate(over="ignore"):
        scaled: Array = acc.astype(np.float32) * rule.scale
    if isinstance(rule, ToFloat):
        return scaled
    powers = softmax_powers(scaled)
    return share_codes(powers) if isinstance(rule, SoftmaxToCodes) else shares(powers)


def join(step: Join, values: dict[Codes, Array]) -> Array:
    """The columns of a `Join`."""
    if step.columns is not None:
        return values[step.inputs[0]][:, step.columns]
    return np.concatenate([values[codes] for codes in step.inputs], axis=1)


def run(program: IntegerProgram, x: Array) -> Array:
    """The outputs of rows.

    Parameters
    ----------
    x : (n, n_features) float32
        Finite.

    Returns
    -------
    (n, n_outputs) float32
    """
    entry = program.encode.out
    values = {entry: encode(x, program.encode.inverse, entry.zero_point)}
    y: Array = np.empty((len(x), program.n_outputs), np.float32)
    for step in program.steps:
        if isinstance(step, Join):
            values[step.out] = join(step, values)
        elif step.out is None:
            y[...] = finish(step.finish, accumulate(step.source, values))
        else:
            values[step.out] = finish(step.finish, accumulate(step.source, values))
    return y
