"""The common part of all readers of ONNX nodes: constants, attributes, and refusals."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ..graph import Node
from ..parts import Part, cannot_take
from .activations import ACTIVATIONS
from .source import Source

if TYPE_CHECKING:
    from ...kernels.typing import Array

_KNOWN = (
    "Gemm, MatMul, BatchNormalization, Scaler",
    str(ACTIVATIONS),
    "what other nodes compose such a function of",
    "Add, Sub, Mul and Div by constants, Add, Sum and Concat of paths",
    "Gather of columns, or from a table of embeddings",
    "Identity, Dropout, Flatten, Reshape and Cast that change no number",
)


class NodeReader:
    """Reads nodes of one graph.

    Parameters
    ----------
    source : Source
    dtype : str
        Of the network's numbers.
    """

    def __init__(self, source: Source, dtype: str) -> None:
        self.source = source
        self.dtype = dtype
        self.inputs = {value.name for value in source.inputs}

    def refused(self, node: Any, why: str = "") -> ValueError:
        """Make the error for a node that cannot be taken."""
        return cannot_take(self.source.label(node), why, _KNOWN)

    def step(self, node: Any, *parts: Part, x: str | None = None) -> Node:
        """A node of one input, by default the first that it reads."""
        read = x or self.source.reads(node)[0]
        return Node(node.output[0], (read,), self.source.label(node), parts)

    def constant(self, node: Any, place: int) -> Array | None:
        """An input of a node as numbers; None where it is left out."""
        name = node.input[place] if place < len(node.input) else ""
        if not name:
            return None
        if name not in self.source.constants:
            raise self.refused(node, f"its input {name!r} is no constant")
        values: Array = np.asarray(self.source.constants[name])
        return values

    def attributes(self, node: Any, **defaults: Any) -> dict[str, Any]:
        """Attributes of a node, with defaults for those that it does not have."""
        return defaults | self.source.attributes(node)

    def matrix(self, node: Any, place: int) -> Array:
        """An input of a node as a matrix of constants, in float64."""
        values = self.constant(node, place)
        if values is None or values.ndim != 2 or values.dtype.kind != "f":
            raise self.refused(node, "its weight is no matrix of floating-point numbers")
        return values.astype(np.float64)

    def row(self, node: Any, values: Array, width: int | None) -> Array:
        """Constants that are the same for all rows, one for each column, in float64."""
        per_row = values.ndim > 2 or values.size > max(values.shape[-1:], default=1)
        if per_row or values.dtype.kind not in "fiu":
            raise self.refused(node, f"its constant of shape {values.shape} is no row of numbers")
        flat = values.astype(np.float64).ravel()
        if width is not None and flat.size not in (1, width):
            raise self.refused(node, f"it has {flat.size} constants for {width} columns")
        return np.broadcast_to(flat, (width,)) if width is not None else flat
