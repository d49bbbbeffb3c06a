"""Parts of ONNX graphs: nodes and constants, with names that no two share."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ...common.onnx_package import import_onnx

if TYPE_CHECKING:
    from ...kernels.typing import Array

OPSET = 13
"""Of the operators: old enough for nearly every runtime, and it has all that is used here."""

IR_VERSION = 7
"""Of the file format, the one that came with the opset."""


class GraphWriter:
    """Collects the nodes and constants of a graph.

    Parameters
    ----------
    dtype : str
        Of the numbers, "float32" or "float64".

    Attributes
    ----------
    nodes, constants : list
        What `onnx.helper.make_graph` takes.
    scope : str
        Names of values that are not named otherwise begin with it.
    """

    def __init__(self, dtype: str) -> None:
        self._onnx = import_onnx()
        self.dtype = dtype
        self.nodes: list[Any] = []
        self.constants: list[Any] = []
        self.scope = ""
        self._names: set[str] = set()

    def new_name(self, wanted: str) -> str:
        """A name that is not taken yet: the one wanted, with a number where it must be."""
        wanted = wanted.replace(" ", "_")
        name, number = wanted, 1
        while name in self._names:
            name, number = f"{wanted}_{number}", number + 1
        self._names.add(name)
        return name

    def constant(self, values: Array, wanted: str) -> str:
        """Add an array, or labels of strings, and return its name."""
        name = self.new_name(wanted)
        if values.dtype.kind == "U":
            texts = [text.encode() for text in values.tolist()]
            kind = self._onnx.TensorProto.STRING
            tensor = self._onnx.helper.make_tensor(name, kind, values.shape, texts)
        else:
            tensor = self._onnx.numpy_helper.from_array(np.asarray(values, order="C"), name)
        self.constants.append(tensor)
        return name

    def number(self, value: float) -> str:
        """A single number in the dtype of the graph."""
        name = f"number_{value:.17g}"
        if name not in self._names:
            self.constant(np.array(value, self.dtype), name)
        return name

    def add(self, kind: str, *inputs: str, out: str = "", **attributes: Any) -> str:
        """Add a node of one output and return that output's name, `out` where it is given."""
        name = out or self.new_name(f"{self.scope}/{kind}")
        self.nodes.append(
            self._onnx.helper.make_node(kind, list(inputs), [name], name=name, **attributes)
        )
        return name

    def whole(self, x: str) -> str:
        """Add a cast to int64, which cuts fractions off."""
        return self.add("Cast", x, to=self._onnx.TensorProto.INT64)

    def number_of(self, x: str) -> str:
        """Add a cast to the dtype of the graph."""
        kind = self._onnx.helper.np_dtype_to_tensor_dtype(np.dtype(self.dtype))
        return self.add("Cast", x, to=kind)

    def name_last(self, out: str) -> None:
        """Give the output of the node that was added last another name; nothing reads it yet."""
        self.nodes[-1].output[0] = self.nodes[-1].name = out

    def value(self, name: str, dtype: str, shape: list[Any]) -> Any:
        """The description of an input or output of the graph."""
        helper = self._onnx.helper
        if dtype == "str":
            kind = self._onnx.TensorProto.STRING
        else:
            kind = helper.np_dtype_to_tensor_dtype(np.dtype(dtype))
        return helper.make_tensor_value_info(name, kind, shape)
