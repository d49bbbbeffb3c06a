"""Outputs of an ONNX graph that are labels, and the classes that they tell."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np

from ...data.target_kinds import encoder_from_state
from ...errors import ModelFileError
from .source import Source

if TYPE_CHECKING:
    from ...model.sequential import Sequential


def outputs_of(graph: Source) -> tuple[str, list[str]]:
    """The value that is the network's output, and those that are labels."""
    numbers: list[str] = []
    labels: list[str] = []
    for value in graph.outputs:
        if value.name in graph.constants:
            raise ValueError(f"the output {value.name!r} of the graph is a constant")
        (labels if _is_label(graph, value.name) else numbers).append(value.name)
    if len(numbers) != 1:
        names = ", ".join(map(repr, numbers)) or "none"
        raise ValueError(
            f"a graph with one output of numbers, beside labels, can be taken; this one has {names}"
        )
    [name] = numbers
    node = graph.producers.get(name)
    while node is not None and node.op_type in ("Identity", "ZipMap"):
        if node.op_type == "ZipMap":
            labels.append(name)
        name = node.input[0]
        node = graph.producers.get(name)
    return _second_of_pair(graph, name), labels


def _is_label(graph: Source, name: str) -> bool:
    """Tell whether an output is labels, by the last node that changes more than type or shape."""
    node = graph.producers.get(name)
    while node is not None and node.op_type in (
        *("Cast", "Identity", "Reshape", "Squeeze", "Unsqueeze"),
    ):
        node = graph.producers.get(node.input[0])
    if node is None:
        return False
    looks_up = node.op_type == "Gather" and node.input[0] in graph.constants
    return (looks_up and np.ndim(graph.constants[node.input[0]]) == 1) or node.op_type in (
        *("ArgMax", "ArrayFeatureExtractor", "Binarizer", "LabelEncoder"),
        *("Greater", "GreaterOrEqual"),
    )


def _second_of_pair(graph: Source, name: str) -> str:
    """Of the columns ``1 - p`` and ``p`` the second."""
    node = graph.producers.get(name)
    if node is None or node.op_type != "Concat" or len(node.input) != 2:
        return name
    first, second = node.input
    other = graph.producers.get(first)
    if other is None or other.op_type != "Sub" or other.input[1] != second:
        return name
    one = graph.constants.get(other.input[0])
    is_pair = one is not None and np.size(one) == 1 and np.ravel(one)[0] == 1.0
    return str(second) if is_pair else name


def set_classes(
    model: Sequential, graph: Source, classes: object, output: str, labels: list[str]
) -> None:
    """Give a model the labels that the user has given, or those that the graph computes."""
    training = model.training_state
    encoder = training.encoder()
    if classes is not None:
        training.targets = encoder.with_classes(classes)
        return
    if encoder.task not in ("binary", "multiclass"):
        return
    if graph.producer == "fastmlp" and "labels" in graph.metadata:
        try:
            values = json.loads(graph.metadata["labels"])
            state = {"dtype": graph.metadata["labels_dtype"], "values": values}
            training.targets = encoder_from_state(encoder.to_state() | {"classes": state})
        except (KeyError, ValueError) as error:
            raise ModelFileError(f"the labels in the metadata are damaged: {error}") from error
        return
    for name in labels:
        found = _label_values(graph, output, name, encoder.units)
        if found is not None:
            training.targets = encoder.with_classes(found)
            return


def _label_values(graph: Source, output: str, name: str, units: int) -> Any:
    """The label of each output: what the graph makes of rows that are sure of one class."""
    node = graph.producers[name]
    if node.op_type == "ZipMap":
        attributes = graph.attributes(node)
        texts = attributes.get("classlabels_strings")
        numbers = attributes.get("classlabels_int64s")
        return [text.decode() for text in texts] if texts else numbers
    # Labels may be computed of what goes into the last activation.
    base: str | None = output
    while base is not None and graph.between([base], name) is None:
        base = graph.dominator(base)
    if base is None or graph.width(base) != units:
        return None
    sure = np.array([[0.0], [1.0]]) if units == 1 else np.eye(units)
    rows = sure if base == output else 100.0 * sure - 50.0
    values = graph.compute({base: rows.astype(graph.dtype(base))}, name)
    if values.size != len(rows):
        return None
    return values.ravel().tolist() if values.dtype.kind in "OS" else values.ravel()
