"""Nodes that pick columns, put them side by side, or look them up in tables of embeddings."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ...network.layers import Embedding
from ..graph import Node
from ..parts import Part, Step, dense
from .node_reader import NodeReader

if TYPE_CHECKING:
    from ...kernels.typing import Array


@dataclass(frozen=True)
class _Column:
    """The origin of a column of a row: X, or a table for the codes in a column of X."""

    column: int
    table: str | None = None
    place: int = 0


def gather(reader: NodeReader, node: Any) -> Node:
    """A ``Gather``: of columns, or of the rows of a table."""
    if node.input[0] in reader.source.constants:
        return _of_columns(reader, node, _columns(reader, node.output[0]))
    chosen = chosen_columns(reader, node.output[0])
    if chosen is None:
        raise reader.refused(node, "it picks no columns by constant numbers")
    x, columns, width = chosen
    return reader.step(node, _selection(columns, width), x=x)


def chosen_columns(reader: NodeReader, name: str) -> tuple[str, Array, int] | None:
    """Of columns that were picked: of what, which, and of how many."""
    node = reader.source.producers.get(name)
    if node is None or node.op_type != "Gather" or node.domain:
        return None
    x, numbers = node.input[0], reader.source.constants.get(node.input[1])
    width = reader.source.width(x)
    if x in reader.source.constants or numbers is None or width is None or numbers.ndim != 1:
        return None
    if reader.attributes(node, axis=0)["axis"] not in (1, -1):
        return None
    if not ((numbers >= -width) & (numbers < width)).all():
        raise reader.refused(node, f"it picks columns that are not there, of {width}")
    return x, numbers % width, width


def concat(reader: NodeReader, node: Any) -> Node:
    """A ``Concat`` of columns, those of embeddings among them."""
    if reader.attributes(node)["axis"] not in (1, -1):
        raise reader.refused(node, "its axis is not that of the columns")
    read = reader.source.reads(node)
    if len(read) < len(node.input):
        raise reader.refused(node, "it puts constants beside what the network computes")
    if any(_is_embedding(reader, name) for name in read):
        return _of_columns(reader, node, [c for name in read for c in _columns(reader, name)])
    if len(read) == 1:
        return reader.step(node)
    return Node(node.output[0], tuple(read), reader.source.label(node), merge="concat")


def _is_embedding(reader: NodeReader, name: str) -> bool:
    node = reader.source.producers.get(name)
    return (
        node is not None and node.op_type == "Gather" and node.input[0] in reader.source.constants
    )


def _columns(reader: NodeReader, name: str) -> list[_Column]:
    """List the origin of each column of a value, among those of X and of embeddings."""
    source = reader.source
    if name in reader.inputs:
        return [_Column(column) for column in range(source.width(name) or 0)]
    if _is_embedding(reader, name):
        node = source.producers[name]
        table = source.constants[node.input[0]]
        column = _code_column(reader, node.input[1])
        if column is None or table.ndim != 2 or reader.attributes(node, axis=0)["axis"] != 0:
            raise reader.refused(node, "it does not look up the codes in one column of X")
        return [_Column(column, node.input[0], place) for place in range(table.shape[1])]
    chosen = chosen_columns(reader, name)
    if chosen is None or chosen[0] not in reader.inputs:
        raise reader.refused(source.producers[name], "embeddings stand beside columns of X alone")
    return [_Column(int(column)) for column in chosen[1]]


def _code_column(reader: NodeReader, name: str) -> int | None:
    """The column of X that holds the codes with which a table is read."""
    source = reader.source
    while True:
        node = source.producers.get(name)
        if node is None:
            return None
        if node.op_type in ("Cast", "Identity", "Squeeze", "Floor", "Round"):
            name = node.input[0]
        elif node.op_type == "Where" and node.input[2] in source.constants:
            # Codes that are none are given one that is out of bounds.
            name = node.input[1]
        elif node.op_type == "Reshape" and list(source.constants.get(node.input[1], ())) == [-1]:
            name = node.input[0]
        else:
            break
    numbers = source.constants.get(node.input[1]) if len(node.input) > 1 else None
    if node.op_type != "Gather" or numbers is None or numbers.size != 1:
        return None
    if reader.attributes(node, axis=0)["axis"] not in (1, -1):
        return None
    column = int(numbers.ravel()[0])
    x = node.input[0]
    width = source.width(x)
    if width is None or not -width <= column < width:
        return None
    if x in reader.inputs:
        return column % width
    chosen = chosen_columns(reader, x)
    if chosen is None or chosen[0] not in reader.inputs:
        return None
    return int(chosen[1][column])


def _of_columns(reader: NodeReader, node: Any, columns: list[_Column]) -> Node:
    """Embeddings of columns of X, then those columns of the result that are wanted."""
    source = reader.source
    x = _only_input(reader, node)
    n_features = source.width(x) or 0
    embedded = {c.column: c.table for c in columns if c.table is not None}
    if any(embedded.get(c.column) not in (None, c.table) for c in columns if c.table):
        raise reader.refused(node, "it embeds one column of X twice")
    if any(c.table is None and c.column in embedded for c in columns):
        raise reader.refused(node, "it reads a column of X both as codes and as numbers")
    laid_out = [_Column(column) for column in range(n_features) if column not in embedded]
    parts: list[Part] = []
    for column, table in embedded.items():
        values = source.constants[table].astype(np.float64)
        n_categories, dim = values.shape
        parts.append(Step(Embedding(n_categories, dim, column), {"weight": values}))
        laid_out += [_Column(column, table, place) for place in range(dim)]
    if columns != laid_out:
        wanted = np.array([laid_out.index(column) for column in columns])
        parts.append(_selection(wanted, len(laid_out)))
    return reader.step(node, *parts, x=x)


def _only_input(reader: NodeReader, node: Any) -> str:
    name: str | None = node.output[0]
    while name is not None and name not in reader.inputs:
        name = reader.source.dominator(name)
    if name is None:
        raise reader.refused(node, "it reads more than one input")
    return name


def _selection(columns: Array, width: int) -> Step:
    """A Dense layer that picks columns."""
    weight = np.zeros((width, len(columns)))
    weight[columns, np.arange(len(columns))] = 1.0
    return dense(weight, None)
