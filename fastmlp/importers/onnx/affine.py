"""Nodes that add and multiply constants, and those that change no number."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ..graph import Node
from ..parts import Part, Scale, standardization
from .node_reader import NodeReader
from .recognition import is_affine

if TYPE_CHECKING:
    from ...kernels.typing import Array


def scaler(reader: NodeReader, node: Any) -> Node:
    """A ``Scaler``, ``(x - offset) * scale``."""
    a = reader.attributes(node, offset=[0.0], scale=[1.0])
    width = reader.source.width(node.input[0]) or max(len(a["offset"]), len(a["scale"]))
    offset, scale = (reader.row(node, np.array(a[key]), width) for key in ("offset", "scale"))
    return reader.step(node, _Affine(offset, scale).part(width))


def affine(reader: NodeReader, node: Any) -> Node | None:
    """Constants that are added and multiplied, by all nodes in a row that do so."""
    source, row = reader.source, []
    x = node.output[0]
    while (step := source.producers.get(x)) is not None:
        if not is_affine(step) or len(source.reads(step)) != 1:
            break
        row.append(step)
        [x] = source.reads(step)
    if not row:
        return None
    width = source.width(x)
    form = _Affine(np.zeros(1), np.ones(1))
    for step in reversed(row):
        _extend(form, reader, step, width)
    if form.is_identity:
        return reader.step(node, x=x)
    return reader.step(node, form.part(width), x=x)


def _extend(form: _Affine, reader: NodeReader, node: Any, width: int | None) -> None:
    """Add to a form what one node does."""
    kind = node.op_type
    if kind in ("Identity", "Cast"):
        check_cast(reader, node)
        return
    if kind == "Neg":
        form.multiply(np.array(-1.0))
        return
    constants = reader.source.constants
    first = node.input[0] not in constants
    c = reader.row(node, np.asarray(constants[node.input[1 if first else 0]]), width)
    if kind == "Add":
        form.add(c)
    elif kind == "Sub" and first:
        form.add(-c)
    elif kind == "Sub":
        form.multiply(np.array(-1.0))
        form.add(c)
    elif kind == "Mul":
        form.multiply(c)
    elif not first:
        raise reader.refused(node, "it divides by what the network computes")
    else:
        with np.errstate(all="ignore"):
            form.multiply(1.0 / c)


class _Affine:
    """``(x - center) * scale + shift``, one number for each column or for all."""

    def __init__(self, center: Array, scale: Array) -> None:
        self._center, self._scale, self._shift = center, scale, np.zeros(1)

    def add(self, c: Array) -> None:
        """Add constants to the result."""
        # Subtracted before anything else, large means cost no digits.
        if (self._scale == 1.0).all() and not self._shift.any():
            self._center = self._center - c
        else:
            self._shift = self._shift + c

    def multiply(self, c: Array) -> None:
        """Multiply the result by constants."""
        with np.errstate(all="ignore"):
            self._scale, self._shift = self._scale * c, self._shift * c

    @property
    def is_identity(self) -> bool:
        """True where it changes nothing."""
        return bool((self._scale == 1.0).all() and not self._center.any() and not self._shift.any())

    def part(self, width: int | None) -> Part:
        """A BatchNorm where it standardizes, else a Scale."""
        center, scale, shift = self._center, self._scale, self._shift
        # Variances of float32 end at 3e38.
        if not center.any() or shift.any() or not (scale > 1e-18).all():
            return Scale(scale, shift - center * scale)
        shape = (width or max(center.size, scale.size),)
        return standardization(np.broadcast_to(center, shape), np.broadcast_to(1.0 / scale, shape))


def check_cast(reader: NodeReader, node: Any) -> None:
    """Check that a cast, if the node is one, leaves floating-point numbers."""
    # Numbers of onnx.TensorProto.DataType: FLOAT and DOUBLE.
    if node.op_type == "Cast" and reader.attributes(node)["to"] not in (1, 11):
        raise reader.refused(node, "it casts to a type that is not float32 or float64")
