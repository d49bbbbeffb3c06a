"""onnxruntime: prediction by a graph of Gemm, Relu and Softmax."""

from __future__ import annotations

from typing import Any

import numpy as np

from .networks import Array, Case, Layer
from .peer import BLOCK_VARIANTS, blocks


def environment(threads: int) -> dict[str, str]:
    """Onnxruntime takes the number of threads as an argument."""
    return {}


def refusal(case: Case) -> str | None:
    """It only predicts."""
    return None if case.predicts else "onnxruntime only predicts"


def variants(case: Case) -> tuple[str, ...]:
    """Rows at a time."""
    return BLOCK_VARIANTS


class Peer:
    """See `peer.Peer`; it cannot train."""

    def __init__(
        self, case: Case, x: Array, y: Array, layers: list[Layer], variant: str, threads: int
    ) -> None:
        import onnxruntime

        self._case, self._variant = case, variant
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        self._session = onnxruntime.InferenceSession(
            _graph(case, layers), options, providers=["CPUExecutionProvider"]
        )

    def predict(self, x: Array) -> Array:
        out = np.empty((len(x), self._case.widths[-1]), dtype=np.float32)
        for rows in blocks(self._variant, len(x)):
            out[rows] = self._session.run(None, {"x": x[rows]})[0]
        return out

    def reset(self) -> None:
        """Nothing changes."""

    def fit(self, epochs: int, shuffle: bool = True) -> None:
        raise NotImplementedError("onnxruntime only predicts")

    def layers(self) -> list[Layer]:
        raise NotImplementedError("onnxruntime only predicts")


def _graph(case: Case, layers: list[Layer]) -> bytes:
    from onnx import TensorProto, helper, numpy_helper

    nodes: list[Any] = []
    constants: list[Any] = []
    last = "x"
    for number, layer in enumerate(layers):
        names = [f"{kind}{number}" for kind in ("weight", "bias", "z", "h")]
        constants += map(numpy_helper.from_array, layer.trained, names[:2])
        nodes.append(helper.make_node("Gemm", [last, *names[:2]], [names[2]]))
        kind = "Relu" if case.is_hidden(number) else "Softmax"
        nodes.append(helper.make_node(kind, [names[2]], [names[3]]))
        last = names[3]

    def rows_of(name: str, width: int) -> Any:
        return helper.make_tensor_value_info(name, TensorProto.FLOAT, ["rows", width])

    graph = helper.make_graph(
        nodes,
        "network",
        [rows_of("x", case.widths[0])],
        [rows_of(last, case.widths[-1])],
        constants,
    )
    opset = helper.make_opsetid("", 17)
    model: bytes = helper.make_model(graph, opset_imports=[opset], ir_version=8).SerializeToString()
    return model
