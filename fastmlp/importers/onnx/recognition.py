"""Activation functions that a graph composes of simpler operators, known by their values.

There are many ways to write GELU or SiLU in ONNX operators. Whatever the nodes between two values
are: if they work element by element, what they compute is looked at on a grid of points, and
compared with each function of the library.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import numpy as np

from ...common.decimals import shortest
from ...declarations.activations import ACTIVATIONS, Activation
from ...kernels.reference.activations import activation_forward
from .source import Source

if TYPE_CHECKING:
    from ...kernels.typing import Array

_AFFINE = frozenset(("Add", "Cast", "Div", "Identity", "Mul", "Neg", "Sub"))

_ELEMENTWISE = _AFFINE | frozenset(
    (
        *("Abs", "And", "Celu", "Clip", "Elu", "Equal", "Erf", "Exp", "Gelu", "Greater"),
        *("GreaterOrEqual", "HardSigmoid", "HardSwish", "LeakyRelu", "Less", "LessOrEqual"),
        *("Log", "Max", "Min", "Mish", "Not", "Or", "PRelu", "Pow", "Reciprocal", "Relu", "Selu"),
        *("Sigmoid", "Sign", "Softplus", "Softsign", "Sqrt", "Sum", "Swish", "Tanh"),
        *("ThresholdedRelu", "Where"),
    )
)

_WITHIN_ROWS = frozenset(("ReduceMax", "ReduceSum", "Softmax"))

# Far enough out to tell a function from one that is cut off somewhere.
_POINTS = np.concatenate(
    [np.linspace(-30.0, 30.0, 1201), *((-x, x) for x in (45.0, 80.0, 1e3, 1e6, 1e12, 1e30))]
)


def recognize(source: Source, base: str, name: str, dtype: str) -> Activation | None:
    """The activation that the nodes between two values compute; None where it is none.

    They must be such as `may_compose` allows.

    Parameters
    ----------
    source : Source
    base, name : str
        The values.
    dtype : str
        Of their numbers.
    """
    nodes = source.between([base], name)
    if not nodes or all(map(is_affine, nodes)):
        return None
    width = source.width(base) or 3
    if all(node.op_type in _ELEMENTWISE for node in nodes):
        values = np.repeat(_POINTS[:, np.newaxis], width, axis=1).astype(dtype)
    else:
        values = np.random.default_rng(0).normal(0.0, 3.0, (200, width)).astype(dtype)
    try:
        found = source.compute({base: values}, name)
    except ValueError:
        return None
    if found.shape != values.shape:
        return None
    return next((known for known in _candidates(values, found) if _is(known, values, found)), None)


def _candidates(x: Array, found: Array) -> Iterator[Activation]:
    """Every activation; those with a parameter with the one that the values suggest."""
    yield from (known for known in ACTIVATIONS.values() if known.parameter is None)
    value = float(found[0, 0])
    if x[0, 0] != _POINTS[0] or not np.isfinite(value):
        return
    # That far to the left they are their parameter times a number.
    for known in ACTIVATIONS.values():
        if known.parameter is not None:
            unit = activation_forward(_POINTS[:1, np.newaxis], known.with_parameter(1.0).kernel)
            with suppress(ValueError):
                yield known.with_parameter(as_written(value / float(unit[0, 0]), found.dtype))


def as_written(value: float, dtype: object = np.float32) -> float:
    """The number of fewest digits that a float32 stands for, such as 0.01; others as they are."""
    return float(shortest(np.float32(value))) if dtype == np.float32 else float(value)


def _is(activation: Activation, x: Array, found: Array) -> bool:
    with np.errstate(all="ignore"):
        expected = activation_forward(x, activation.kernel)
        close = np.abs(found - expected) <= 2e-6 + 2e-5 * np.abs(expected)
        # A form that is not safe gives infinity or NaN far out, where the library's does not.
        lost = (np.abs(x) > 30.0) & ~(np.isfinite(found) & np.isfinite(expected))
    return bool((close | lost).all())


def may_compose(nodes: Sequence[Any]) -> bool:
    """Tell whether there are nodes, all of which could be part of an activation."""
    kinds = {(node.domain, node.op_type) for node in nodes}
    return bool(kinds) and all(
        domain == "" and kind in _ELEMENTWISE | _WITHIN_ROWS for domain, kind in kinds
    )


def is_affine(node: Any) -> bool:
    """Tell whether a node of one input adds, multiplies or passes on."""
    return not node.domain and node.op_type in _AFFINE
