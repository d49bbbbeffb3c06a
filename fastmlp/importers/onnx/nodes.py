"""What the nodes of an ONNX graph are among the layers of fastmlp."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ...declarations.activations import ELU, LeakyReLU
from ...network.layers import BatchNorm, Embedding
from ..graph import Node
from ..parts import Part, Scale, Step, activation, batch_norm, cannot_take, dense, standardization
from .recognition import as_written, is_affine, may_compose, recognise
from .source import Source

if TYPE_CHECKING:
    from ...kernels.typing import Array

KNOWN = (
    "Gemm, MatMul, BatchNormalization, Scaler",
    "Relu, LeakyRelu, PRelu, Elu, Selu, Sigmoid, Tanh, Softmax, Softplus, Exp, Gelu, Mish",
    "what other nodes compose such a function of",
    "Add, Sub, Mul and Div by constants, Add, Sum and Concat of paths",
    "Gather of columns, or from a table of embeddings",
    "Identity, Dropout, Flatten, Reshape and Cast that change no number",
)

_PLAIN = {
    "Relu": "relu",
    "Tanh": "tanh",
    "Sigmoid": "sigmoid",
    "Selu": "selu",
    "Softplus": "softplus",
    "Exp": "exp",
    "Mish": "mish",
}


@dataclass(frozen=True)
class _Column:
    """Where a column of a row comes from: X, or a table for the codes in a column of X."""

    column: int
    table: str | None = None
    place: int = 0


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
    reader = _Reader(source, dtype)
    found: dict[str, Node] = {}
    pending = list(outputs)
    while pending:
        name = pending.pop()
        if name not in found and name not in ends:
            found[name] = node = reader.node(name)
            pending.extend(str(read) for read in node.inputs)
    return list(found.values())


class _Reader:
    def __init__(self, source: Source, dtype: str) -> None:
        self._source = source
        self._dtype = dtype
        self._inputs = {value.name for value in source.inputs}

    def node(self, name: str) -> Node:
        """The node that computes a value."""
        source = self._source
        if name in source.constants:
            raise ValueError(f"the output of the graph, {name!r}, is a constant")
        if name not in source.producers:
            raise ValueError(f"the graph reads {name!r}, which nothing computes")
        node = source.producers[name]
        read = source.reads(node)
        take = _TAKERS.get(node.op_type)
        if node.output[0] != name:
            raise self.refused(node, f"its output {name!r} is read")
        if node.domain != ("ai.onnx.ml" if node.op_type == "Scaler" else ""):
            raise self.refused(node)
        if not read:
            raise self.refused(node, "it computes constants")
        if take is not None:
            return take(self, node)
        return self._composed(node) or self._affine(node) or self._sum(node, read)

    def refused(self, node: Any, why: str = "") -> ValueError:
        return cannot_take(self._source.label(node), why, KNOWN)

    def step(self, node: Any, *parts: Part, x: str | None = None) -> Node:
        """A node of one input, by default the first that it reads."""
        read = x or self._source.reads(node)[0]
        return Node(node.output[0], (read,), self._source.label(node), parts)

    def constant(self, node: Any, place: int) -> Array | None:
        """An input of a node as numbers; None where it is left out."""
        name = node.input[place] if place < len(node.input) else ""
        if not name:
            return None
        if name not in self._source.constants:
            raise self.refused(node, f"its input {name!r} is no constant")
        values: Array = np.asarray(self._source.constants[name])
        return values

    def attributes(self, node: Any, **defaults: Any) -> dict[str, Any]:
        return defaults | self._source.attributes(node)

    # Layers

    def gemm(self, node: Any) -> Node:
        a = self.attributes(node, alpha=1.0, beta=1.0, transA=0, transB=0)
        if node.input[0] in self._source.constants or a["transA"]:
            raise self.refused(node, "it multiplies with a constant from the left")
        weight = self.matrix(node, 1)
        weight = a["alpha"] * (weight.T if a["transB"] else weight)
        bias = self.constant(node, 2)
        if bias is not None:
            bias = a["beta"] * self.row(node, bias, weight.shape[1])
        return self._dense(node, weight, bias)

    def matmul(self, node: Any) -> Node:
        if node.input[0] in self._source.constants:
            raise self.refused(node, "it multiplies with a constant from the left")
        return self._dense(node, self.matrix(node, 1), None)

    def matrix(self, node: Any, place: int) -> Array:
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

    def _dense(self, node: Any, weight: Array, bias: Array | None) -> Node:
        x = node.input[0]
        chosen = self._chosen(x)
        if chosen is not None:
            before, columns, width = chosen
            if len(columns) != len(weight):
                raise self.refused(node, f"it has {len(weight)} rows for {len(columns)} columns")
            spread = np.zeros((width, weight.shape[1]))
            np.add.at(spread, columns, weight)
            return self.step(node, dense(spread, bias), x=before)
        return self.step(node, dense(weight, bias), x=x)

    def batch_norm(self, node: Any) -> Node:
        a = self.attributes(node, epsilon=1e-5, momentum=0.9, training_mode=0)
        used = [name for name in node.output[1:] if name and name in self._source.producers]
        if a["training_mode"] or (used and len(node.output) > 1 and self._is_read(used)):
            raise self.refused(node, "it is in training mode")
        values = [self.constant(node, place) for place in range(1, 5)]
        gamma, beta, mean, var = (np.zeros(0) if v is None else v for v in values)
        epsilon, momentum = as_written(a["epsilon"]), 1.0 - as_written(a["momentum"])
        gamma, beta, mean, var = (v.astype(np.float64) for v in (gamma, beta, mean, var))
        if epsilon < 0.0:
            raise self.refused(node, f"its epsilon is {epsilon}")
        if epsilon == 0.0:
            epsilon = BatchNorm().epsilon
            gamma = gamma * np.sqrt((var + epsilon) / var)
        if not 0.0 < momentum <= 1.0:
            momentum = BatchNorm().momentum
        return self.step(node, batch_norm(mean, var, gamma, beta, round(momentum, 9), epsilon))

    def _is_read(self, names: list[str]) -> bool:
        read = {name for node in self._source.producers.values() for name in node.input}
        return bool(read.intersection(names))

    def scaler(self, node: Any) -> Node:
        a = self.attributes(node, offset=[0.0], scale=[1.0])
        width = self._source.width(node.input[0]) or max(len(a["offset"]), len(a["scale"]))
        offset, scale = (self.row(node, np.array(a[key]), width) for key in ("offset", "scale"))
        return self.step(node, _scaling(offset, scale, np.zeros(1), width))

    # Functions

    def plain(self, node: Any) -> Node:
        return self.step(node, activation(_PLAIN[node.op_type]))

    def leaky_relu(self, node: Any) -> Node:
        slope = as_written(self.attributes(node, alpha=0.01)["alpha"])
        return self.step(node, activation(LeakyReLU(slope)))

    def elu(self, node: Any) -> Node:
        alpha = as_written(self.attributes(node, alpha=1.0)["alpha"])
        if alpha <= 0.0:
            raise self.refused(node, f"its alpha is {alpha}, not above 0")
        return self.step(node, activation(ELU(alpha)))

    def softmax(self, node: Any) -> Node:
        # Before opset 13 the default was 1; of rows and columns both are the columns.
        axis = self.attributes(node, axis=-1)["axis"]
        if axis not in (1, -1):
            raise self.refused(node, f"its axis is {axis}, not that of the columns")
        return self.step(node, activation("softmax"))

    def gelu(self, node: Any) -> Node:
        if self.attributes(node, approximate="none")["approximate"] != "none":
            raise self.refused(node, "it approximates by tanh; fastmlp's gelu is the exact one")
        return self.step(node, activation("gelu"))

    def _composed(self, node: Any) -> Node | None:
        """A function of one value that several nodes compute, from the farthest such value."""
        source, name = self._source, node.output[0]
        found = None
        base = source.dominator(name)
        while base is not None and may_compose(source.between([base], name) or []):
            known = recognise(source, base, name, self._dtype)
            if known is not None:
                found = self.step(node, activation(known), x=base)
            base = source.dominator(base)
        return found

    def _affine(self, node: Any) -> Node | None:
        """Constants that are added and multiplied, by all nodes in a row that do so."""
        source = self._source
        if not is_affine(node) or len(source.reads(node)) != 1:
            return None
        row = []
        x = node.output[0]
        while x in source.producers:
            step = source.producers[x]
            if not is_affine(step) or len(source.reads(step)) != 1:
                break
            row.append(step)
            [x] = source.reads(step)
        width = source.width(x)
        center, scale, shift = np.zeros(1), np.ones(1), np.zeros(1)
        for step in reversed(row):
            if step.op_type in ("Identity", "Cast"):
                self.check_cast(step)
                continue
            first = step.input[0] not in source.constants
            c = np.zeros(1)
            if step.op_type != "Neg":
                given = source.constants[step.input[1 if first else 0]]
                c = self.row(step, np.asarray(given), width)
            if step.op_type == "Neg" or (step.op_type == "Sub" and not first):
                scale, shift = -scale, -shift
            if step.op_type in ("Add", "Sub"):
                added = -c if step.op_type == "Sub" and first else c
                # Subtracted before anything else, large means cost no digits.
                if (scale == 1.0).all() and not shift.any():
                    center = center - added
                else:
                    shift = shift + added
            elif step.op_type in ("Mul", "Div"):
                if step.op_type == "Div" and not first:
                    raise self.refused(step, "it divides by what the network computes")
                with np.errstate(all="ignore"):
                    factor = 1.0 / c if step.op_type == "Div" else c
                scale, shift = scale * factor, shift * factor
        if (scale == 1.0).all() and not center.any() and not shift.any():
            return self.step(node, x=x)
        return self.step(node, _scaling(center, scale, shift, width), x=x)

    def _sum(self, node: Any, read: list[str]) -> Node:
        if node.op_type not in ("Add", "Sum") or len(read) != len(node.input):
            raise self.refused(node)
        if len(read) == 1:
            return self.step(node)
        return Node(node.output[0], tuple(read), self._source.label(node), merge="add")

    # Shapes

    def same(self, node: Any) -> Node:
        """A node that changes no number."""
        self.check_cast(node)
        return self.step(node)

    def check_cast(self, node: Any) -> None:
        # Numbers of onnx.TensorProto.DataType: FLOAT and DOUBLE.
        if node.op_type == "Cast" and self.attributes(node)["to"] not in (1, 11):
            raise self.refused(node, "it casts to a type that is not float32 or float64")

    def dropout(self, node: Any) -> Node:
        training = self.constant(node, 2)
        if training is not None and training.any():
            raise self.refused(node, "it is in training mode")
        return self.step(node)

    def flat(self, node: Any) -> Node:
        """A change of shape after which rows are rows and columns columns."""
        source = self._source
        x = node.input[0]
        before, after = source.width(x), source.shape(node.output[0])
        shape = source.constants.get(node.input[1]) if len(node.input) > 1 else None
        flattens = node.op_type == "Flatten" and self.attributes(node, axis=1)["axis"] == 1
        if after is not None and len(after) == 2 and after[1] is not None:
            flattens = flattens or after[1] == before
        if shape is not None and len(shape) == 2 and shape[0] in (0, -1):
            flattens = flattens or shape[1] == before or (shape[0] == 0 and shape[1] == -1)
        if not flattens:
            raise self.refused(node, "it changes the shape of a row; only X may be laid flat")
        return self.step(node)

    # Columns

    def gather(self, node: Any) -> Node:
        if node.input[0] in self._source.constants:
            return self._of_columns(node, self._columns(node.output[0]))
        chosen = self._chosen(node.output[0])
        if chosen is None:
            raise self.refused(node, "it picks no columns by constant numbers")
        x, columns, width = chosen
        return self.step(node, _selection(columns, width), x=x)

    def _chosen(self, name: str) -> tuple[str, Array, int] | None:
        """Of columns that were picked: of what, which, and of how many."""
        node = self._source.producers.get(name)
        if node is None or node.op_type != "Gather" or node.domain:
            return None
        x, numbers = node.input[0], self._source.constants.get(node.input[1])
        width = self._source.width(x)
        if x in self._source.constants or numbers is None or width is None or numbers.ndim != 1:
            return None
        if self.attributes(node, axis=0)["axis"] not in (1, -1):
            return None
        if not ((numbers >= -width) & (numbers < width)).all():
            raise self.refused(node, f"it picks columns that are not there, of {width}")
        return x, numbers % width, width

    def concat(self, node: Any) -> Node:
        if self.attributes(node)["axis"] not in (1, -1):
            raise self.refused(node, "its axis is not that of the columns")
        read = self._source.reads(node)
        if len(read) < len(node.input):
            raise self.refused(node, "it puts constants beside what the network computes")
        if any(self._is_embedding(name) for name in read):
            return self._of_columns(node, [c for name in read for c in self._columns(name)])
        if len(read) == 1:
            return self.step(node)
        return Node(node.output[0], tuple(read), self._source.label(node), merge="concat")

    def _is_embedding(self, name: str) -> bool:
        node = self._source.producers.get(name)
        return (
            node is not None
            and node.op_type == "Gather"
            and node.input[0] in self._source.constants
        )

    def _columns(self, name: str) -> list[_Column]:
        """What each column of a value is, among those of X and what embeddings make of them."""
        source = self._source
        if name in self._inputs:
            return [_Column(column) for column in range(source.width(name) or 0)]
        if self._is_embedding(name):
            node = source.producers[name]
            table = source.constants[node.input[0]]
            column = self._code_column(node.input[1])
            if column is None or table.ndim != 2 or self.attributes(node, axis=0)["axis"] != 0:
                raise self.refused(node, "it does not look up the codes in one column of X")
            return [_Column(column, node.input[0], place) for place in range(table.shape[1])]
        chosen = self._chosen(name)
        if chosen is None or chosen[0] not in self._inputs:
            raise self.refused(source.producers[name], "embeddings stand beside columns of X alone")
        return [_Column(int(column)) for column in chosen[1]]

    def _code_column(self, name: str) -> int | None:
        """The column of X that holds the codes with which a table is read."""
        source = self._source
        while True:
            node = source.producers.get(name)
            if node is None:
                return None
            if node.op_type in ("Cast", "Identity", "Squeeze", "Floor", "Round"):
                name = node.input[0]
            elif node.op_type == "Where" and node.input[2] in source.constants:
                # Codes that are none are given one that is out of bounds.
                name = node.input[1]
            elif node.op_type == "Reshape" and list(source.constants.get(node.input[1], ())) == [
                -1
            ]:
                name = node.input[0]
            else:
                break
        numbers = source.constants.get(node.input[1]) if len(node.input) > 1 else None
        if node.op_type != "Gather" or numbers is None or numbers.size != 1:
            return None
        if self.attributes(node, axis=0)["axis"] not in (1, -1):
            return None
        column = int(numbers.ravel()[0])
        x = node.input[0]
        width = source.width(x)
        if width is None or not -width <= column < width:
            return None
        if x in self._inputs:
            return column % width
        chosen = self._chosen(x)
        if chosen is None or chosen[0] not in self._inputs:
            return None
        return int(chosen[1][column])

    def _of_columns(self, node: Any, columns: list[_Column]) -> Node:
        """Embeddings of columns of X, then those columns of the result that are wanted."""
        source = self._source
        x = self._only_input(node)
        n_features = source.width(x) or 0
        embedded = {c.column: c.table for c in columns if c.table is not None}
        if any(embedded.get(c.column) not in (None, c.table) for c in columns if c.table):
            raise self.refused(node, "it embeds one column of X twice")
        if any(c.table is None and c.column in embedded for c in columns):
            raise self.refused(node, "it reads a column of X both as codes and as numbers")
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
        return self.step(node, *parts, x=x)

    def _only_input(self, node: Any) -> str:
        name: str | None = node.output[0]
        while name is not None and name not in self._inputs:
            name = self._source.dominator(name)
        if name is None:
            raise self.refused(node, "it reads more than one input")
        return name


def _scaling(center: Array, scale: Array, shift: Array, width: int | None) -> Part:
    """``(x - center) * scale + shift``: a BatchNorm where it standardises, else a Scale."""
    # Variances of float32 end at 3e38.
    if center.any() and not shift.any() and (scale > 1e-18).all():
        if width is None:
            width = max(center.size, scale.size)
        return standardization(
            np.broadcast_to(center, (width,)), np.broadcast_to(1.0 / scale, (width,))
        )
    return Scale(scale, shift - center * scale)


def _selection(columns: Array, width: int) -> Step:
    """A Dense layer that picks columns."""
    weight = np.zeros((width, len(columns)))
    weight[columns, np.arange(len(columns))] = 1.0
    return dense(weight, None)


_TAKERS: dict[str, Callable[[_Reader, Any], Node]] = {
    **dict.fromkeys(_PLAIN, _Reader.plain),
    "BatchNormalization": _Reader.batch_norm,
    "Concat": _Reader.concat,
    "Dropout": _Reader.dropout,
    "Elu": _Reader.elu,
    "Flatten": _Reader.flat,
    "Gather": _Reader.gather,
    "Gelu": _Reader.gelu,
    "Gemm": _Reader.gemm,
    "Identity": _Reader.same,
    "LeakyRelu": _Reader.leaky_relu,
    "MatMul": _Reader.matmul,
    "Reshape": _Reader.flat,
    "Scaler": _Reader.scaler,
    "Softmax": _Reader.softmax,
}
