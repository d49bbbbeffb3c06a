"""ONNX graphs for tests: run by onnxruntime, made node by node, and of random networks."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest
from random_weights import randomize

import fastmlp as fm
from fastmlp.kernels.typing import Array
from fastmlp.network.layers import Layer

onnx = pytest.importorskip("onnx")
onnxruntime = pytest.importorskip("onnxruntime")

# Where a model is wrong on purpose, it says so on standard error.
onnxruntime.set_default_logger_severity(4)


def session(model: Any, optimized: bool = True) -> Any:
    """A session of a file or a ModelProto, on one thread."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    if not optimized:
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    content = model.SerializeToString() if isinstance(model, onnx.ModelProto) else str(model)
    return onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])


def run(model: Any, *inputs: Array, optimized: bool = True) -> dict[str, Any]:
    """The outputs of a model by name."""
    made = session(model, optimized)
    given = {x.name: values for x, values in zip(made.get_inputs(), inputs, strict=True)}
    names = [y.name for y in made.get_outputs()]
    return dict(zip(names, made.run(None, given), strict=True))


def error(found: Array, expected: Array) -> float:
    """The largest difference, relative to the largest element, where that is finite."""
    finite = np.isfinite(expected)
    assert finite.any()
    assert found.shape == expected.shape
    assert np.isfinite(found[finite]).all()
    with np.errstate(all="ignore"):
        difference = np.abs(found.astype(np.float64) - expected)[finite].max()
    return float(difference / np.abs(expected[finite]).max()) if difference else 0.0


def graph_of(
    nodes: list[Any],
    constants: dict[str, Array],
    width: int | list[Any] = 4,
    outputs: tuple[str, ...] = ("y",),
    opset: int = 17,
    dtype: str = "float32",
) -> Any:
    """A model that reads x; `width` may be a list of more lengths than one."""
    kind = onnx.helper.np_dtype_to_tensor_dtype(np.dtype(dtype))
    lengths = width if isinstance(width, list) else [width]
    versions = [onnx.helper.make_opsetid("", opset), onnx.helper.make_opsetid("ai.onnx.ml", 1)]
    graph = onnx.helper.make_graph(
        nodes,
        "graph",
        [onnx.helper.make_tensor_value_info("x", kind, ["rows", *lengths])],
        [onnx.helper.make_empty_tensor_value_info(name) for name in outputs],
        [onnx.numpy_helper.from_array(values, name) for name, values in constants.items()],
    )
    model = onnx.helper.make_model(graph, opset_imports=versions, ir_version=8)
    try:
        inferred = onnx.shape_inference.infer_shapes(model).graph.output
    except onnx.shape_inference.InferenceError:
        inferred = graph.output
    for given, found in zip(graph.output, inferred, strict=True):
        shaped = found.type.tensor_type.HasField("shape")
        rows = onnx.helper.make_tensor_value_info(given.name, kind, ["rows", "columns"])
        given.CopyFrom(found if shaped else rows)
    return onnx.helper.make_model(graph, opset_imports=versions, ir_version=8)


def node(kind: str, inputs: str, output: str, **attributes: Any) -> Any:
    """A node; names of inputs and outputs are separated by blanks."""
    return onnx.helper.make_node(kind, inputs.split(), output.split(), **attributes)


FUNCTIONS: tuple[Any, ...] = (
    *("relu", "tanh", "sigmoid", "softmax", "linear", "selu", "gelu", "silu", "mish", "softplus"),
    *("leaky_relu", "elu", fm.LeakyReLU(0.3), fm.ELU(0.6)),
)


class Networks:
    """Draws networks that mix all that a frozen one can hold."""

    def __init__(self, seed: int) -> None:
        self.rng = np.random.default_rng(seed)
        self._turn = seed

    def function(self) -> Any:
        """Every function in turn."""
        self._turn += 1
        return FUNCTIONS[self._turn % len(FUNCTIONS)]

    def dense(self, units: int) -> fm.Dense:
        return fm.Dense(units, self.function(), use_bias=bool(self.rng.random() < 0.8))

    def chain(self, width: int, depth: int) -> tuple[list[Layer], int]:
        """Layers that may be nested, and the width of their output."""
        layers: list[Layer] = []
        for _ in range(int(self.rng.integers(1, 4))):
            kind = self.rng.choice(["dense", "norm", "residual", "branch", "add", "wide"])
            if kind == "dense" or not depth:
                width = int(self.rng.integers(2, 20))
                layers.append(self.dense(width))
            elif kind == "norm":
                layers += [fm.BatchNorm(), fm.Activation(self.function()), fm.Dropout(0.1)]
            elif kind == "residual":
                inner, _ = self.chain(width, depth - 1)
                layers.append(fm.Residual([*inner, fm.Dense(width)]))
            elif kind == "branch":
                first, one = self.chain(width, depth - 1)
                second, two = self.chain(width, depth - 1)
                layers.append(fm.Branch(first, [], second))
                width = one + width + two
            elif kind == "add":
                paths = [[*self.chain(width, depth - 1)[0], self.dense(9)] for _ in range(3)]
                layers.append(fm.Branch(*paths, merge="add"))
                width = 9
            else:
                columns = self.rng.permutation(width).tolist()
                cut = int(self.rng.integers(1, width + 1))
                deep, _ = self.chain(cut, depth - 1)
                wide = columns[-cut:]
                layers.append(
                    fm.WideAndDeep(7, self.function(), deep, wide=wide, deep_columns=columns[:cut])
                )
                width = 7
        return layers, width


HEADS = ("softmax", "sigmoid", "multilabel", "linear", "exp", "norm")


def network(seed: int, dtype: str) -> tuple[fm.Sequential, Array]:
    """Network number `seed`, with statistics of its own, and rows for it."""
    draw = Networks(seed)
    rng = draw.rng
    n_features = int(rng.integers(3, 12))
    X = rng.normal(size=(2000, n_features)) * 10.0 ** rng.integers(-2, 3)
    front: list[Layer] = []
    width = n_features
    for column in rng.permutation(n_features)[: rng.integers(0, 3)].tolist():
        n, dim = int(rng.integers(2, 8)), int(rng.integers(1, 4))
        front.append(fm.Embedding(n, dim, column))
        X[:, column] = rng.integers(0, n, len(X))
        width += dim - 1
    hidden, width = draw.chain(width, depth=2)
    head = HEADS[seed % len(HEADS)]
    units = {"sigmoid": 1, "exp": 2, "linear": 3}.get(head, 5)
    last: list[Layer] = [fm.Dense(units, {"multilabel": "sigmoid", "norm": "tanh"}.get(head, head))]
    if head == "norm":
        last.append(fm.BatchNorm())
    model = fm.Sequential(
        [*front, *hidden, *last], dtype=dtype, backend="numpy", random_state=seed
    ).build(n_features)
    randomize(model, rng)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        X = X.astype(dtype)
    return model, X
