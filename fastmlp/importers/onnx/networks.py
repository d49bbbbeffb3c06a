"""Networks in ONNX files as models."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import numpy as np

from ...common.error_state import own_error_state
from ...declarations.activations import Activation, get_activation
from ...errors import ModelFileError
from ...kernels.reference.activations import activation_forward
from ...network.layers import Activation as ActivationLayer
from ...network.layers import Dense, WideAndDeep
from ...runners.numpy_runner import NumpyRunner
from ...training.examples import read_rows
from ..assembly import take
from ..graph import Node, parts_of_graph
from ..parts import Part, Step, dtype_of
from .labels import outputs_of, set_classes
from .nodes import nodes_of
from .reading import read_model
from .source import Source

if TYPE_CHECKING:
    from ...kernels.typing import Array
    from ...model.sequential import Sequential


@own_error_state
def from_onnx(
    source: object,
    *,
    output_activation: str | Activation | None = None,
    classes: object = None,
    dtype: str | None = None,
    **arguments: Any,
) -> Sequential:
    """Make a model of a network in an ONNX file.

    The graph may be a chain, or have sums and concatenations of paths, which become `Residual` and
    `Branch`; what becomes `Embedding` and, of two inputs, `WideAndDeep` can be taken too. Functions
    composed of several nodes, as GELU and SiLU often are, are recognized by their values. What
    standardizes X becomes a BatchNorm with its means and deviations; other factors and shifts are
    folded into the Dense beside them. The output is compared with the graph's on random rows.

    Labels are taken from nodes that compute them of the output, as of a classifier of scikit-learn
    in a file of skl2onnx; where such a file has the two columns ``1 - p`` and ``p``, the model's
    output is p. Labels beside an output that is neither a softmax nor one sigmoid are left out.

    Parameters
    ----------
    source : str, path-like or onnx.ModelProto
        The graph has one input ``(n, n_features)``, or one of more dimensions that it lays flat
        first, or two, of which the first layer takes the wide one.
    output_activation : str or Activation, optional
        What comes after the last node, such as ``"softmax"``.
    classes : array_like, optional
        The label of each output, in place of those in the graph.
    dtype : {"float32", "float64"}, optional
        That of the weights by default; float32 for those of half precision.
    **arguments
        Of `Sequential`, but for its layers and dtype.

    Returns
    -------
    Sequential
        Built, with weights and running statistics.

    Raises
    ------
    ImportError
        The package onnx is not installed.
    FileNotFoundError
        There is no such file.
    ModelFileError
        The file is no ONNX model, is damaged, or a file with its weights is missing.
    ValueError
        Something in the network cannot be taken; the message names the node and what can be.

    Examples
    --------
    >>> import fastmlp as fm
    >>> fm.Sequential([fm.Dense(3, "softmax")]).build(2).freeze().export_onnx("three.onnx")
    >>> fm.from_onnx("three.onnx").classes
    array([0, 1, 2])
    """
    model = read_model(source)
    try:
        return _model(Source(model), output_activation, classes, dtype, arguments)
    except ModelFileError as error:
        if not isinstance(source, str | os.PathLike):
            raise
        raise ModelFileError(f"{os.fspath(source)}: {error}") from error


def _model(
    graph: Source,
    output_activation: str | Activation | None,
    classes: object,
    dtype: str | None,
    arguments: dict[str, Any],
) -> Sequential:
    output, labels = outputs_of(graph)
    weights = [values for values in graph.constants.values() if values.ndim == 2]
    found = dtype_of([values for values in weights if values.dtype.kind == "f"])
    inputs = _inputs(graph, output)
    nodes = nodes_of(graph, [output], set(inputs), found)
    parts: list[Part]
    if len(inputs) == 1:
        n_features: Any = _width(graph, inputs[0])
        parts = parts_of_graph(nodes, inputs[0], output)
    else:
        widths = {name: _width(graph, name) for name in inputs}
        step, joined, inputs = _wide_and_deep(nodes, inputs, widths)
        n_features = tuple(widths[name] for name in inputs)
        parts = [step, *parts_of_graph(nodes, joined, output)]
    if not parts:
        raise ValueError("the graph passes its input on; there is no network in it")
    model = take(parts, n_features, dtype or found, None, output_activation, **arguments)
    _compare(model, graph, inputs, output, output_activation)
    set_classes(model, graph, classes, output, labels)
    return model


def _inputs(graph: Source, output: str) -> list[str]:
    """The inputs that the output depends on."""
    read = graph.origins(output)
    names = [value.name for value in graph.inputs if value.name in read]
    if not 1 <= len(names) <= 2:
        raise ValueError(
            "a graph whose output depends on one input, or on two for a WideAndDeep, can be taken; "
            f"that of this one depends on {', '.join(map(repr, names)) or 'none'}"
        )
    return names


def _width(graph: Source, name: str) -> int:
    width = graph.width(name)
    if width is None:
        raise ValueError(
            f"the input {name!r} has the shape {graph.shape(name)}, in which the number of columns "
            "is not fixed; set it, for instance by onnx.tools.update_model_dims"
        )
    return width


def _wide_and_deep(
    nodes: list[Node], inputs: list[str], widths: dict[str, int]
) -> tuple[Step, str, list[str]]:
    """The layer that takes both inputs, the sum that it ends in, and the inputs, wide first."""
    for wide, deep in (inputs, inputs[::-1]):
        readers = [node for node in nodes if wide in node.inputs]
        product = _linear(readers[0].parts) if len(readers) == 1 else None
        if product is None:
            continue
        sums = [node for node in nodes if readers[0].output in node.inputs]
        if len(sums) != 1 or sums[0].merge != "add" or len(sums[0].inputs) != 2:
            continue
        [h] = [name for name in sums[0].inputs if name != readers[0].output]
        if h == deep or wide in _origins(nodes, str(h), inputs):
            continue
        # In float64, so that nothing is rounded twice.
        inner = take(parts_of_graph(nodes, deep, h), widths[deep], "float64", backend="numpy")
        *hidden, last = inner.layers
        if not isinstance(last, Dense) or not last.activation_function.traits.is_identity:
            continue
        tensors: dict[str, Array] = {**inner.parameters, **inner.buffers}
        place = len(hidden)
        weight = tensors.pop(f"{place}.weight")
        bias = tensors.pop(f"{place}.bias", np.zeros(last.units))
        tensors["weight"], tensors["wide_weight"] = weight, product.tensors["weight"]
        tensors["bias"] = bias + product.tensors.get("bias", 0.0)
        layer = WideAndDeep(last.units, deep=hidden or [ActivationLayer("linear")])
        return Step(layer, tensors), str(sums[0].output), [wide, deep]
    raise ValueError(
        f"the inputs {inputs[0]!r} and {inputs[1]!r} cannot be taken: of two inputs, one must be "
        "read by one MatMul alone, whose result is added to a MatMul or Gemm of a network that "
        "reads the other, as WideAndDeep does"
    )


def _linear(parts: Any) -> Step | None:
    """A Dense that is all there is among some parts."""
    [part] = parts if len(parts) == 1 else [None]
    is_dense = isinstance(part, Step) and isinstance(part.layer, Dense)
    return part if is_dense else None


def _origins(nodes: list[Node], name: str, inputs: list[str]) -> set[str]:
    """The inputs that a value depends on."""
    of = {str(node.output): node for node in nodes}
    seen, pending = set(), [name]
    while pending:
        value = pending.pop()
        if value not in seen:
            seen.add(value)
            pending.extend(str(read) for read in (of[value].inputs if value in of else ()))
    return seen.intersection(inputs)


def _compare(
    model: Sequential,
    graph: Source,
    inputs: list[str],
    output: str,
    activation: str | Activation | None,
) -> None:
    """Hold the model's output against the graph's, to which an activation may have been added."""
    training = model.training_state
    rng = np.random.default_rng(0)
    given, features = {}, []
    for name in inputs:
        rows, *lengths = graph.shape(name) or (None,)
        x = rng.normal(size=(rows or 16, _width(graph, name)))
        if name == inputs[-1]:
            for column, n in training.categories.items():
                x[:, column] = rng.integers(0, n, len(x))
        x = x.astype(graph.dtype(name))
        features.append(x.astype(np.float64))
        given[name] = x.reshape(len(x), *lengths)
    expected = graph.compute(given, output).astype(np.float64)
    if activation is not None:
        expected = activation_forward(expected, get_activation(activation).kernel)
    X: Any = tuple(features) if len(features) == 2 else features[0]
    found = NumpyRunner(training.state).predict(read_rows(training, X).x)
    if found.shape != expected.shape:
        raise ValueError(
            f"the network cannot be taken: the model that was made of it gives {found.shape[1]} "
            f"outputs, the graph the shape {expected.shape}"
        )
    finite = np.isfinite(expected)
    largest = np.max(np.abs(expected), initial=1e-6, where=finite)
    error = np.max(np.abs(found - expected), initial=0.0, where=finite)
    if not error <= 1e-3 * largest and graph.is_precise():
        raise ValueError(
            f"the network cannot be taken: the model that was made of it differs by {error:.1e} "
            f"from the graph, whose outputs are up to {largest:.1e}; this is an error of fastmlp's"
        )
