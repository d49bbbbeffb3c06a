"""Predictors as ONNX models, for the many runtimes that read them."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from ... import __version__
from ...common.atomic_file import atomic_file
from ...common.dispatch import DispatchTable
from ...common.onnx_package import import_onnx
from ...program.column_ops import PeriodicOp, PiecewiseLinearOp
from ...program.operation import Slot, Tensor
from ...program.ops import (
    ActivationOp,
    AddOp,
    ClipOp,
    ConcatOp,
    DenseOp,
    EmbeddingOp,
    OneHotOp,
    ParametricOp,
    ScaleOp,
    SelectOp,
)
from ..supported import check_supported
from .activations import ACTIVATIONS, add_activation
from .graph import IR_VERSION, OPSET, GraphWriter

if TYPE_CHECKING:
    from ...inference.predictor import Predictor
    from ...kernels.typing import Array

ROWS = "rows"
"""The name of the dimension that may have any length."""


def export_onnx(predictor: Predictor, path: str | os.PathLike[str]) -> None:
    """Write a predictor as an ONNX model.

    It has operators of the standard set alone (domain ``ai.onnx``, opset 13), numbers of the
    predictor's dtype, any number of rows, and is checked by `onnx.checker` before it is written.

    Its input is ``X``, or ``X_wide`` and ``X_deep``. Its outputs are ``probabilities``, of a
    network that ends in softmax or sigmoid, and ``label`` (rows,), or ``labels`` (rows, units) of 0
    and 1 for a multilabel network; else ``output``. Labels are int64, strings (dates and bytes
    become strings too), floats or booleans. The model's metadata hold ``task`` and, as JSON,
    ``labels`` and ``feature_names``.

    Values are those of the predictor but for rounding. Codes of an embedding that are not whole
    numbers from 0 to n - 1 make the runtime fail; NaN and infinity in X are not refused.

    Parameters
    ----------
    predictor : Predictor
    path : str or path-like

    Raises
    ------
    ImportError
        The package onnx is not installed.
    ValueError
        An activation is a registered one.
    OSError
        The file cannot be written.
    """
    model = make_model(predictor)
    content: bytes = model.SerializeToString()
    with atomic_file(path, "onnx") as file:
        file.write(content)


def make_model(predictor: Predictor) -> Any:
    """The `onnx.ModelProto` of a predictor; see `export_onnx`."""
    onnx = import_onnx()
    check_supported(predictor.program, "an ONNX graph", NODES, ACTIVATIONS)
    network = _Network(predictor)
    network.write()
    graph = onnx.helper.make_graph(
        network.graph.nodes, "network", network.inputs, network.outputs, network.graph.constants
    )
    model = onnx.helper.make_model(
        graph,
        ir_version=IR_VERSION,
        opset_imports=[onnx.helper.make_opsetid("", OPSET)],
        producer_name="fastmlp",
        producer_version=__version__,
    )
    onnx.helper.set_model_props(model, _metadata(predictor))
    onnx.checker.check_model(model, full_check=True)
    return model


def _metadata(predictor: Predictor) -> dict[str, str]:
    metadata = {"task": predictor.task}
    labels = predictor.targets.to_state()["classes"]
    if labels is not None:
        metadata |= {"labels": json.dumps(labels["values"]), "labels_dtype": labels["dtype"]}
    if predictor.feature_names is not None:
        metadata["feature_names"] = json.dumps(list(predictor.feature_names))
    return metadata


class _Network:
    """The graph of a predictor while it is written."""

    def __init__(self, predictor: Predictor) -> None:
        self._predictor = predictor
        self._program = predictor.program
        self.graph = GraphWriter(self._program.dtype)
        self.values: dict[Slot, str] = {}
        self.inputs: list[Any] = []
        self.outputs: list[Any] = []

    def write(self) -> None:
        program, graph = self._program, self.graph
        deep = "X" if program.wide is None else "X_deep"
        sources = {deep: program.input}
        if program.wide is not None:
            sources = {"X_wide": program.wide, **sources}
        for name, slot in sources.items():
            self.values[slot] = graph.new_name(name)
            self.inputs.append(graph.value(name, program.dtype, [ROWS, slot.width]))
        task = self._predictor.task
        output = graph.new_name("output" if task == "regression" else "probabilities")
        if program.output in self.values:
            graph.add("Identity", self.values[program.output], out=output)
        for op in program.ops:
            wanted = op.out.name or f"slot {op.out.index}"
            out = output if op.out is program.output else graph.new_name(wanted)
            graph.scope = out
            NODES[type(op)](self, op, out)
            self.values[op.out] = out
        self.outputs.append(graph.value(output, program.dtype, [ROWS, program.output.width]))
        if task != "regression":
            graph.scope = "labels"
            self._add_labels(output, task)

    def tensor(self, tensor: Tensor) -> str:
        """The name of a weight; those that several operations share are written once for each."""
        return self.graph.constant(self._predictor.weights[tensor.name], tensor.name)

    def weights(self, tensor: Tensor) -> Array:
        """The numbers of a weight in float64."""
        return self._predictor.weights[tensor.name].astype(np.float64)

    def columns(self, columns: tuple[int, ...]) -> str:
        return self.graph.constant(np.array(columns, np.int64), f"{self.graph.scope}/columns")

    def _add_labels(self, probabilities: str, task: str) -> None:
        graph = self.graph
        if task == "multiclass":
            numbers = graph.add("ArgMax", probabilities, axis=1, keepdims=0)
        else:
            at_least = graph.add("GreaterOrEqual", probabilities, graph.number(0.5))
            numbers = graph.whole(at_least)
        if task == "multilabel":
            graph.name_last("labels")
            self.outputs.append(graph.value("labels", "int64", [ROWS, self._program.output.width]))
            return
        if task == "binary":
            axis = graph.constant(np.array([1], np.int64), "labels/axis")
            numbers = graph.add("Squeeze", numbers, axis)
        labels = _written(self._predictor.classes)
        dtype = "int64"
        if labels is not None:
            dtype = "str" if labels.dtype.kind == "U" else labels.dtype.name
            numbers = graph.add("Gather", graph.constant(labels, "label values"), numbers, axis=0)
        graph.name_last("label")
        self.outputs.append(graph.value("label", dtype, [ROWS]))


def _written(classes: Array | None) -> Array | None:
    """Labels in a type that ONNX has; None where they are the numbers of the outputs."""
    if classes is None:
        return None
    if classes.dtype.kind in "iu" and np.array_equal(classes, np.arange(classes.size)):
        return None
    if classes.dtype.kind in "iu" and classes.max() <= np.iinfo(np.int64).max:
        return classes.astype(np.int64)
    if classes.dtype.kind == "S":
        return np.char.decode(classes, "latin-1")
    if classes.dtype.kind in "fb":
        return classes if classes.dtype.kind == "b" else classes.astype(np.float64)
    return classes.astype(str)


def _dense(network: _Network, op: DenseOp, out: str) -> None:
    x, weight = network.values[op.x], network.tensor(op.weight)
    if op.bias is None:
        network.graph.add("MatMul", x, weight, out=out)
    else:
        network.graph.add("Gemm", x, weight, network.tensor(op.bias), out=out)


def _activation(network: _Network, op: ActivationOp, out: str) -> None:
    add_activation(network.graph, network.values[op.x], op.activation, out)


def _parametric(network: _Network, op: ParametricOp, out: str) -> None:
    graph, x = network.graph, network.values[op.x]
    f = graph.new_name(f"{out}/activation")
    add_activation(graph, x, op.activation, f)
    bend = graph.add("Mul", network.tensor(op.weight), graph.add("Sub", f, x))
    graph.add("Add", x, bend, out=out)


def _scale(network: _Network, op: ScaleOp, out: str) -> None:
    scaled = network.graph.add("Mul", network.values[op.x], network.tensor(op.scale))
    network.graph.add("Add", scaled, network.tensor(op.shift), out=out)


def _clip(network: _Network, op: ClipOp, out: str) -> None:
    graph, dtype = network.graph, network.graph.dtype
    low, high = (
        graph.constant(np.array(bounds, dtype), f"{out}/{name}")
        for name, bounds in (("low", op.low), ("high", op.high))
    )
    graph.add("Min", graph.add("Max", network.values[op.x], low), high, out=out)


def _add(network: _Network, op: AddOp, out: str) -> None:
    network.graph.add("Add", network.values[op.x], network.values[op.y], out=out)


def _select(network: _Network, op: SelectOp, out: str) -> None:
    columns = network.columns(op.columns)
    network.graph.add("Gather", network.values[op.x], columns, out=out, axis=1)


def _concat(network: _Network, op: ConcatOp, out: str) -> None:
    network.graph.add("Concat", *(network.values[part] for part in op.parts), out=out, axis=1)


def _embedding(network: _Network, op: EmbeddingOp, out: str) -> None:
    graph, x = network.graph, network.values[op.x]
    parts = []
    if op.passthrough:
        parts.append(graph.add("Gather", x, network.columns(op.passthrough), axis=1))
    for column, table in zip(op.columns, op.tables, strict=True):
        place = graph.constant(np.array(column, np.int64), f"{graph.scope}/column")
        codes = graph.add("Gather", x, place, axis=1)
        # What is no code becomes one that is out of bounds, which runtimes refuse: ONNX counts
        # negative ones from the end, and the cast cuts fractions off.
        whole = graph.add("Equal", codes, graph.add("Floor", codes))
        known = graph.add("And", whole, graph.add("GreaterOrEqual", codes, graph.number(0.0)))
        checked = graph.add("Where", known, codes, graph.number(float(table.shape[0])))
        rows = graph.whole(checked)
        parts.append(graph.add("Gather", network.tensor(table), rows, axis=0))
    graph.add("Concat", *parts, out=out, axis=1)


def _periodic(network: _Network, op: PeriodicOp, out: str) -> None:
    graph, weights = network.graph, network.weights
    columns, _, width = op.sizes
    # Runtimes have no cosine of float64: cos(a) = sin(a + pi / 2).
    by_x = (2.0 * np.pi * weights(op.frequency)).astype(graph.dtype)
    first = (weights(op.phase) + 0.5 * np.pi).astype(graph.dtype)
    # A product for each column: (columns, rows, waves) by (columns, waves, width). Columns come
    # first from here on: before 1.24 onnxruntime makes a transposed factor of float64 part of a
    # product, which it then lacks.
    turned = graph.add("Transpose", network.values[op.x], perm=[1, 0])
    x = graph.add("Unsqueeze", turned, graph.constant(np.array([2]), "axis"))
    by_x, first = by_x[:, np.newaxis], first[:, np.newaxis]
    angles = graph.add("Mul", x, graph.constant(by_x, f"2 pi {op.frequency.name}"))
    angles = graph.add("Add", angles, graph.constant(first, f"{op.phase.name} + pi / 2"))
    products = graph.add("MatMul", graph.add("Sin", angles), network.tensor(op.weight))
    rows = graph.add("Transpose", products, perm=[1, 0, 2])
    biased = graph.add("Add", rows, network.tensor(op.bias))
    shape = graph.constant(np.array([-1, columns * width]), "shape")
    graph.add("Reshape", biased, shape, out=out)


def _one_hot(network: _Network, op: OneHotOp, out: str) -> None:
    graph, x = network.graph, network.values[op.x]
    parts = []
    if op.passthrough:
        parts.append(graph.add("Gather", x, network.columns(op.passthrough), axis=1))
    for column, levels in zip(op.columns, op.levels, strict=True):
        place = graph.constant(np.array([column], np.int64), f"{graph.scope}/column")
        equal = graph.add("Equal", graph.add("Gather", x, place, axis=1), network.tensor(levels))
        hot = graph.number_of(equal)
        if column in op.strict:
            # A row without any level asks for what is out of bounds, which runtimes refuse.
            found = graph.add("ReduceMax", hot, axes=[1], keepdims=1)
            absent = graph.whole(graph.add("Sub", graph.number(1.0), found))
            nothing = graph.constant(np.zeros(1, graph.dtype), f"{graph.scope}/nothing")
            hot = graph.add("Add", hot, graph.add("Gather", nothing, absent, axis=0))
        parts.append(hot)
    graph.add("Concat", *parts, out=out, axis=1)


def _piecewise(network: _Network, op: PiecewiseLinearOp, out: str) -> None:
    graph, edges, (columns, bins) = network.graph, network.weights(op.edges), op.sizes
    low, widths = edges[:, :-1], np.diff(edges, axis=1)
    has_width = widths > 0
    scale = np.divide(1.0, widths, out=np.zeros_like(widths), where=has_width)
    # Bounds of each bin: the first has none below, the last one none above.
    bound = float(np.finfo(graph.dtype).max)
    least = np.where(np.arange(bins) == 0, -bound, 0.0)
    most = np.where(np.arange(bins) == bins - 1, bound, 1.0)

    def constant(values: Array, name: str) -> str:
        return graph.constant(values.astype(graph.dtype), f"{op.edges.name} {name}")

    x = graph.add("Unsqueeze", network.values[op.x], graph.constant(np.array([2]), "axis"))
    lows = constant(low, "low")
    share = graph.add("Mul", graph.add("Sub", x, lows), constant(scale, "scale"))
    if not has_width.all():
        behind = graph.add("GreaterOrEqual", x, lows)
        step = graph.add("Where", behind, graph.number(1.0), graph.number(0.0))
        share = graph.add("Where", graph.constant(has_width, "has a width"), share, step)
    share = graph.add("Max", share, constant(least, "least"))
    share = graph.add("Min", share, constant(most, "most"))
    shape = graph.constant(np.array([-1, columns * bins]), "shape")
    graph.add("Reshape", share, shape, out=out)


NODES: DispatchTable[Callable[[_Network, Any, str], None]] = DispatchTable(
    "NODES",
    __name__,
    {
        DenseOp: _dense,
        ActivationOp: _activation,
        ParametricOp: _parametric,
        ScaleOp: _scale,
        ClipOp: _clip,
        AddOp: _add,
        SelectOp: _select,
        ConcatOp: _concat,
        EmbeddingOp: _embedding,
        PeriodicOp: _periodic,
        OneHotOp: _one_hot,
        PiecewiseLinearOp: _piecewise,
    },
)
"""What adds the nodes of each operation of a frozen program."""
