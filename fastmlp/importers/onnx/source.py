"""The graph of an ONNX model: its constants, its nodes and the values that they compute."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ...common.onnx_package import import_onnx
from ...errors import ModelFileError
from .reading import first_line

if TYPE_CHECKING:
    from ...kernels.typing import Array

# What is computed of constants alone when a graph is read: none of these makes much out of little,
# and none is random.
_FOLDED = frozenset(
    (
        *("Add", "Cast", "Concat", "Constant", "DequantizeLinear", "Div", "Exp", "Flatten"),
        *("Gather", "Identity", "Mul", "Neg", "Pow", "Reciprocal", "Reshape", "Shape", "Slice"),
        *("Sqrt", "Squeeze", "Sub", "Transpose", "Unsqueeze"),
    )
)


class Source:
    """The graph of a model.

    Values are known by name. What can be computed without an input is a constant.

    Attributes
    ----------
    constants : dict of str to ndarray
    producers : dict of str to NodeProto
        The node behind each value that is no constant.
    inputs, outputs : list of ValueInfoProto
        The graph's.
    producer : str
        The name of the program that wrote the model.
    metadata : dict of str to str
    """

    def __init__(self, model: Any) -> None:
        self._onnx = import_onnx()
        self._model = model
        graph = model.graph
        versions = {opset.domain: opset.version for opset in model.opset_import}
        self._opset = int(versions.get("", versions.get("ai.onnx", 0)))
        self.producer = model.producer_name
        self.metadata = {entry.key: entry.value for entry in model.metadata_props}
        self.outputs = list(graph.output)
        if graph.sparse_initializer:
            raise ValueError("sparse initializers cannot be taken; write them as dense ones")
        try:
            to_array = self._onnx.numpy_helper.to_array
            self.constants = {tensor.name: to_array(tensor) for tensor in graph.initializer}
        except Exception as error:
            raise ModelFileError(f"damaged ONNX model: {first_line(error)}") from error
        self.inputs = [value for value in graph.input if value.name not in self.constants]
        self.producers: dict[str, Any] = {}
        for node in graph.node:
            # The standard set has two names.
            if node.domain == "ai.onnx":
                node.domain = ""
            self._add(node)
        self._types = self._inferred()
        self._dominators: dict[str, str | None] = {}

    def _add(self, node: Any) -> None:
        if not node.domain and node.op_type in _FOLDED and not self.reads(node):
            values = self._evaluate([node], {}, list(node.output))
            self.constants.update(zip(node.output, values, strict=True))
            return
        self.producers.update((name, node) for name in node.output if name)

    def _inferred(self) -> dict[str, Any]:
        """Types of values: shapes and kinds of elements."""
        try:
            model = self._onnx.shape_inference.infer_shapes(self._model, data_prop=True)
        except Exception:
            # Where onnx cannot tell shapes, weights still do.
            return {}
        graph = model.graph
        values = (*graph.input, *graph.value_info, *graph.output)
        return {value.name: value.type.tensor_type for value in values}

    def shape(self, name: str) -> tuple[int | None, ...] | None:
        """The shape of a value, None for lengths that are not fixed; None if it is not known."""
        kind = self._types.get(name)
        if kind is None or not kind.HasField("shape"):
            return None
        # skl2onnx writes 0 for the number of rows.
        return tuple(int(d.dim_value) or None for d in kind.shape.dim)

    def width(self, name: str) -> int | None:
        """The columns of a value, rows of more than two dimensions laid flat."""
        value: str | None = name
        while value is not None:
            lengths = (self.shape(value) or (None, None))[1:]
            known = [length for length in lengths if length is not None]
            if known and len(known) == len(lengths):
                return int(np.prod(known))
            # onnx cannot tell what comes after operators of other sets.
            node = self.producers.get(value)
            if node is None or node.op_type in ("Concat", "Gather", "Slice", "Reshape"):
                return None
            if node.op_type in ("Gemm", "MatMul"):
                weight = self.constants.get(node.input[1])
                shape = () if weight is None else weight.shape
                transposed = self.attributes(node).get("transB", 0)
                return shape[0 if transposed else 1] if len(shape) == 2 else None
            value = next(iter(self.reads(node)), None)
        return None

    def dtype(self, name: str) -> Any:
        """The NumPy type of a value's numbers, float32 where it is not known."""
        kind = self._types.get(name)
        if kind is None or not kind.elem_type:
            return np.dtype(np.float32)
        return self._onnx.helper.tensor_dtype_to_np_dtype(kind.elem_type)

    def is_precise(self) -> bool:
        """Tell whether neither inputs nor constants are of less than single precision."""
        kinds = [values.dtype for values in self.constants.values()]
        kinds += [self.dtype(value.name) for value in self.inputs]
        return all(kind.itemsize >= 4 for kind in kinds)

    def reads(self, node: Any) -> list[str]:
        """The values that a node reads and that are no constants."""
        return [name for name in node.input if name and name not in self.constants]

    def attributes(self, node: Any) -> dict[str, Any]:
        """Attributes of a node by name, strings decoded."""
        values = {a.name: self._onnx.helper.get_attribute_value(a) for a in node.attribute}
        return {
            name: value.decode() if isinstance(value, bytes) else value
            for name, value in values.items()
        }

    def dominator(self, name: str) -> str | None:
        """The nearest value through which all that leads to `name` comes; None if there is none."""
        pending = [name]
        known = self._dominators
        while pending:
            node = self.producers.get(pending[-1])
            before = [] if node is None else self.reads(node)
            missing = [value for value in before if value not in known]
            if missing:
                pending.extend(missing)
            else:
                known[pending.pop()] = self._common(before)
        return known[name]

    def _common(self, names: list[str]) -> str | None:
        """The nearest value through which all that leads to all of these comes."""
        if len(names) < 2:
            return names[0] if names else None
        lines = [self._line(name) for name in names]
        shared = set(lines[0]).intersection(*lines[1:])
        return next((name for name in lines[0] if name in shared), None)

    def _line(self, name: str | None) -> list[str]:
        """A value, its dominator, and so on."""
        line = []
        while name is not None:
            line.append(name)
            name = self._dominators[name]
        return line

    def origins(self, name: str) -> set[str]:
        """The inputs that a value depends on."""
        seen: set[str] = set()
        pending = [name]
        while pending:
            value = pending.pop()
            if value not in seen:
                seen.add(value)
                node = self.producers.get(value)
                pending.extend([] if node is None else self.reads(node))
        return seen.intersection(value.name for value in self.inputs)

    def between(self, bases: Sequence[str], name: str) -> list[Any] | None:
        """The nodes that compute `name` from other values and constants, in their order.

        None where they need something else.
        """
        found: dict[int, Any] = {}
        visited: set[int] = set()
        pending = [(name, False)]
        while pending:
            value, done = pending.pop()
            if value in bases:
                continue
            node = self.producers.get(value)
            if node is None:
                return None
            if done:
                found.setdefault(id(node), node)
            elif id(node) not in visited:
                visited.add(id(node))
                pending.append((value, True))
                pending.extend((read, False) for read in self.reads(node))
        return list(found.values())

    def compute(self, given: Mapping[str, Array], name: str) -> Array:
        """Compute a value of the graph from others, by onnx's reference evaluator."""
        nodes = self.between(list(given), name)
        if nodes is None:
            raise ValueError(f"{name!r} is computed from more than {', '.join(given)}")
        if not nodes:
            return given[name]
        nodes = [part for node in nodes for part in self._evaluable(node)]
        [result] = self._evaluate(nodes, given, [name])
        return np.asarray(result)

    def _evaluable(self, node: Any) -> list[Any]:
        """A node, or what stands for it where the evaluator takes it for one in training."""
        numbers = [self.constants.get(name) for name in node.input[1:]]
        if (
            node.op_type != "BatchNormalization"
            or self._opset >= 14
            or any(v is None for v in numbers)
        ):
            return [node]
        gamma, beta, mean, var = map(np.asarray, numbers)
        factor = gamma / np.sqrt(var + self.attributes(node).get("epsilon", 1e-5))
        out, rows, made = node.output[0], node.input[0], []
        for kind, values in (("Sub", mean), ("Mul", factor), ("Add", beta)):
            name = f"{out} {kind}"
            self.constants[name] = values.astype(gamma.dtype)
            result = out if kind == "Add" else f"{name} result"
            made.append(self._onnx.helper.make_node(kind, [rows, name], [result]))
            rows = result
        return made

    def _evaluate(self, nodes: Iterable[Any], given: Mapping[str, Array], names: list[str]) -> Any:
        from onnx.reference import ReferenceEvaluator

        helper = self._onnx.helper
        nodes = list(nodes)
        read = {name for node in nodes for name in node.input}
        constants = [
            _tensor(self._onnx, values, name)
            for name, values in self.constants.items()
            if name in read and name not in given
        ]
        inputs = [
            helper.make_tensor_value_info(name, helper.np_dtype_to_tensor_dtype(values.dtype), None)
            for name, values in given.items()
        ]
        outputs = [helper.make_empty_tensor_value_info(name) for name in names]
        graph = helper.make_graph(nodes, "part", inputs, outputs, constants)
        part = helper.make_model(
            graph, opset_imports=self._model.opset_import, ir_version=self._model.ir_version
        )
        try:
            with np.errstate(all="ignore"):
                return ReferenceEvaluator(part).run(names, dict(given))
        except Exception as error:
            # The evaluator has no errors of its own: whatever an operator raises comes through.
            raise ValueError(
                f"{self.label(nodes[-1])} cannot be computed: {first_line(error)}"
            ) from error

    @staticmethod
    def label(node: Any) -> str:
        """A node in words, for messages."""
        name = f" {node.name!r}" if node.name else f" that computes {node.output[0]!r}"
        kind = f"{node.domain}.{node.op_type}" if node.domain else node.op_type
        return f"the node {kind}{name}"


def _tensor(onnx: Any, values: Any, name: str) -> Any:
    values = np.asarray(values)
    if values.dtype.kind in "UO":
        texts = [str(text).encode() for text in values.ravel().tolist()]
        return onnx.helper.make_tensor(name, onnx.TensorProto.STRING, values.shape, texts)
    return onnx.numpy_helper.from_array(values, name)
