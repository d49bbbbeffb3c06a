"""Labels that a graph tells, in nodes or beside them."""

from __future__ import annotations

import numpy as np
import pytest
from onnx_graphs import graph_of, node, run
from onnx_layers import CONSTANTS, DENSE, rows, taken

import fastmlp as fm
from fastmlp.export.onnx.file import make_model
from fastmlp.kernels.typing import Array


@pytest.mark.parametrize(
    "classes",
    [
        np.array([3, 1, 2], np.int16),
        np.array([0, 1, 2]),
        np.array(["x", "ü", ""]),
        np.array([b"x", b"\xff", b"z"]),
        np.array(["2020-01-01", "2021-05-05", "1999-12-31"], "M8[D]"),
        np.array([0.1, 0.2, 0.7], np.float32),
    ],
    ids=lambda classes: str(classes.dtype),
)
@pytest.mark.parametrize("units", [1, 3])
def test_labels_come_back(classes: Array, units: int) -> None:
    known = classes[:2] if units == 1 else classes
    model = fm.Sequential([fm.Dense(units, "sigmoid" if units == 1 else "softmax")])
    model.fit(rows(4)[:60], known[np.arange(60) % len(known)], epochs=1, verbose=0)
    exported = make_model(model.freeze())
    back = fm.from_onnx(exported)
    assert back.classes is not None
    assert back.classes.dtype == model.classes.dtype
    np.testing.assert_array_equal(back.predict_classes(rows(4)), model.predict_classes(rows(4)))
    # Another library's file has them in its nodes alone.
    del exported.metadata_props[:]
    without = fm.from_onnx(exported).classes
    written = model.classes.astype(str) if classes.dtype.kind == "M" else model.classes
    if classes.dtype.kind == "S":
        written = np.char.decode(written, "latin-1")
    assert without.tolist() == written.tolist()


def test_labels_beside_logits_are_left_out() -> None:
    nodes = [*DENSE, node("ArgMax", "h", "label", axis=1, keepdims=0)]
    graph = graph_of(nodes, CONSTANTS, outputs=("h", "label"))
    assert taken(graph, rows(4)).classes is None
    model = fm.from_onnx(graph, output_activation="softmax")
    assert model.classes.tolist() == [0, 1, 2, 3]


def test_labels_of_what_goes_into_the_softmax() -> None:
    nodes = [
        *DENSE,
        node("Softmax", "h", "p"),
        node("ArgMax", "h", "i", axis=1, keepdims=0),
        node("Gather", "names i", "label"),
    ]
    names = {"names": np.array([40, 30, 20, 10])}
    graph = graph_of(nodes, CONSTANTS | names, outputs=("label", "p"))
    model = taken(graph, rows(4), "p")
    assert model.classes.tolist() == [40, 30, 20, 10]
    np.testing.assert_array_equal(model.predict_classes(rows(4)), run(graph, rows(4))["label"])
