"""The layers of fastmlp that the nodes of an ONNX graph are."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from ...network.layers import BatchNorm
from ..activations import UnfitError
from ..graph import Node
from ..parts import activation, batch_norm, dense
from .activations import ACTIVATIONS
from .affine import affine, check_cast, scaler
from .columns import chosen_columns, concat, gather
from .node_reader import NodeReader
from .recognition import as_written, may_compose, recognize
from .source import Source

if TYPE_CHECKING:
    from ...kernels.typing import Array


def nodes_of(source: Source, outputs: list[str], ends: set[str], dtype: str) -> list[Node]:
    """All that some values depend on, up to the inputs, as nodes of `graph`.

    Parameters
    ----------
    source : Source
    outputs : list of str
    ends : set of str
        The inputs.
    dtype : str

    Raises
    ------
    ValueError
        There is a node that fastmlp has nothing for.
    """
    reader = NodeReader(source, dtype)
    found: dict[str, Node] = {}
    pending = list(outputs)
    while pending:
        name = pending.pop()
        if name not in found and name not in ends:
            found[name] = node = _node(reader, name)
            pending.extend(str(read) for read in node.inputs)
    return list(found.values())


def _node(reader: NodeReader, name: str) -> Node:
    """The node that computes a value."""
    source = reader.source
    if name in source.constants:
        raise ValueError(f"the output of the graph, {name!r}, is a constant")
    if name not in source.producers:
        raise ValueError(f"the graph reads {name!r}, which nothing computes")
    node = source.producers[name]
    read = source.reads(node)
    take = _TAKERS.get(node.op_type)
    if node.output[0] != name:
        raise reader.refused(node, f"its output {name!r} is read")
    if node.domain != ("ai.onnx.ml" if node.op_type == "Scaler" else ""):
        raise reader.refused(node)
    if not read:
        raise reader.refused(node, "it computes constants")
    if take is not None:
        return take(reader, node)
    return _composed(reader, node) or affine(reader, node) or _sum(reader, node, read)


def _gemm(reader: NodeReader, node: Any) -> Node:
    a = reader.attributes(node, alpha=1.0, beta=1.0, transA=0, transB=0)
    if node.input[0] in reader.source.constants or a["transA"]:
        raise reader.refused(node, "it multiplies with a constant from the left")
    weight = reader.matrix(node, 1)
    weight = a["alpha"] * (weight.T if a["transB"] else weight)
    bias = reader.constant(node, 2)
    if bias is not None:
        bias = a["beta"] * reader.row(node, bias, weight.shape[1])
    return _dense(reader, node, weight, bias)


def _matmul(reader: NodeReader, node: Any) -> Node:
    if node.input[0] in reader.source.constants:
        raise reader.refused(node, "it multiplies with a constant from the left")
    return _dense(reader, node, reader.matrix(node, 1), None)


def _dense(reader: NodeReader, node: Any, weight: Array, bias: Array | None) -> Node:
    x = node.input[0]
    chosen = chosen_columns(reader, x)
    if chosen is not None:
        before, columns, width = chosen
        if len(columns) != len(weight):
            raise reader.refused(node, f"it has {len(weight)} rows for {len(columns)} columns")
        spread = np.zeros((width, weight.shape[1]))
        np.add.at(spread, columns, weight)
        return reader.step(node, dense(spread, bias), x=before)
    return reader.step(node, dense(weight, bias), x=x)


def _batch_norm(reader: NodeReader, node: Any) -> Node:
    a = reader.attributes(node, epsilon=1e-5, momentum=0.9, training_mode=0)
    used = [name for name in node.output[1:] if name and name in reader.source.producers]
    if a["training_mode"] or (used and len(node.output) > 1 and _is_read(reader, used)):
        raise reader.refused(node, "it is in training mode")
    values = [reader.constant(node, place) for place in range(1, 5)]
    gamma, beta, mean, var = (np.zeros(0) if v is None else v for v in values)
    epsilon, momentum = as_written(a["epsilon"]), 1.0 - as_written(a["momentum"])
    gamma, beta, mean, var = (v.astype(np.float64) for v in (gamma, beta, mean, var))
    if epsilon < 0.0:
        raise reader.refused(node, f"its epsilon is {epsilon}")
    if epsilon == 0.0:
        epsilon = BatchNorm().epsilon
        gamma = gamma * np.sqrt((var + epsilon) / var)
    if not 0.0 < momentum <= 1.0:
        momentum = BatchNorm().momentum
    return reader.step(node, batch_norm(mean, var, gamma, beta, round(momentum, 9), epsilon))


def _is_read(reader: NodeReader, names: list[str]) -> bool:
    read = {name for node in reader.source.producers.values() for name in node.input}
    return bool(read.intersection(names))


def _activation(reader: NodeReader, node: Any) -> Node:
    """An operator that is an activation."""
    attributes = reader.attributes(node, **ACTIVATIONS[node.op_type].arguments)
    options = {
        name: as_written(value) if isinstance(value, float) else value
        for name, value in attributes.items()
    }
    try:
        return reader.step(node, activation(ACTIVATIONS.take(node.op_type, options)))
    except UnfitError as error:
        raise reader.refused(node, str(error)) from None


def _composed(reader: NodeReader, node: Any) -> Node | None:
    """A function of one value that several nodes compute, from the farthest such value."""
    source, name = reader.source, node.output[0]
    found = None
    base = source.dominator(name)
    while base is not None and may_compose(source.between([base], name) or []):
        known = recognize(source, base, name, reader.dtype)
        if known is not None:
            found = reader.step(node, activation(known), x=base)
        base = source.dominator(base)
    return found


def _sum(reader: NodeReader, node: Any, read: list[str]) -> Node:
    if node.op_type not in ("Add", "Sum") or len(read) != len(node.input):
        raise reader.refused(node)
    if len(read) == 1:
        return reader.step(node)
    return Node(node.output[0], tuple(read), reader.source.label(node), merge="add")


def _same(reader: NodeReader, node: Any) -> Node:
    """A node that changes no number."""
    check_cast(reader, node)
    return reader.step(node)


def _dropout(reader: NodeReader, node: Any) -> Node:
    training = reader.constant(node, 2)
    if training is not None and training.any():
        raise reader.refused(node, "it is in training mode")
    return reader.step(node)


def _flat(reader: NodeReader, node: Any) -> Node:
    """A change of shape after which rows are rows and columns columns."""
    source = reader.source
    x = node.input[0]
    before, after = source.width(x), source.shape(node.output[0])
    shape = source.constants.get(node.input[1]) if len(node.input) > 1 else None
    flattens = node.op_type == "Flatten" and reader.attributes(node, axis=1)["axis"] == 1
    if after is not None and len(after) == 2 and after[1] is not None:
        flattens = flattens or after[1] == before
    if shape is not None and len(shape) == 2 and shape[0] in (0, -1):
        flattens = flattens or shape[1] == before or (shape[0] == 0 and shape[1] == -1)
    if not flattens:
        raise reader.refused(node, "it changes the shape of a row; only X may be laid flat")
    return reader.step(node)


_TAKERS: dict[str, Callable[[NodeReader, Any], Node]] = {
    **dict.fromkeys(ACTIVATIONS, _activation),
    "BatchNormalization": _batch_norm,
    "Concat": concat,
    "Dropout": _dropout,
    "Flatten": _flat,
    "Gather": gather,
    "Gemm": _gemm,
    "Identity": _same,
    "MatMul": _matmul,
    "Reshape": _flat,
    "Scaler": scaler,
}
