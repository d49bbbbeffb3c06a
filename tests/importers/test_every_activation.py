"""Activations of other libraries: each row of each table computes what its library does.

Every declared activation is taken from every library that has one of its name.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from functools import partial
from importlib import import_module
from importlib.util import find_spec
from typing import Any

import numpy as np
import pytest

import fastmlp as fm
from fastmlp.declarations.activations import TRAITS, get_activation
from fastmlp.importers.activations import ForeignActivations, Row, UnfitError
from fastmlp.kernels.reference.activations import activation_forward
from fastmlp.kernels.typing import Array

X = np.random.default_rng(0).normal(0.0, 2.0, (40, 5)).astype(np.float32)

TABLES = {
    "keras": "fastmlp.importers.keras_activations",
    "onnx": "fastmlp.importers.onnx.activations",
    "sklearn": "fastmlp.importers.sklearn",
    "torch": "fastmlp.importers.torch.functions",
}


def table_of(library: str) -> ForeignActivations:
    pytest.importorskip(library)
    table: ForeignActivations = import_module(TABLES[library]).ACTIVATIONS
    return table


def in_torch(name: str, row: Row) -> Array:
    torch = pytest.importorskip("torch")
    home = torch.nn.functional if hasattr(torch.nn.functional, name) else torch
    options = {key: value for key, value in row.arguments.items() if key[0] != "_"}
    if "dim" in options:
        options["dim"] = 1
    found: Array = getattr(home, name)(torch.tensor(X), **options).numpy()
    return found


def in_keras(name: str, row: Row) -> Array:
    keras = import_keras()
    home = keras.activations if hasattr(keras.activations, name) else keras.ops
    function = getattr(home, name)
    # A relu with a slope is a leaky_relu, whose row has what else a relu takes.
    taken = inspect.signature(function).parameters
    options = {key: value for key, value in row.arguments.items() if key in taken}
    found: Array = np.asarray(keras.ops.convert_to_numpy(function(X, **options)))
    return found


def in_onnx(name: str, row: Row) -> Array:
    onnx = pytest.importorskip("onnx")
    reference = pytest.importorskip("onnx.reference")
    make, number = onnx.helper, onnx.TensorProto.FLOAT
    x, y = (make.make_tensor_value_info(each, number, X.shape) for each in "xy")
    graph = make.make_graph([make.make_node(name, ["x"], ["y"], **row.arguments)], "g", [x], [y])
    model = make.make_model(graph, opset_imports=[make.make_opsetid("", 20)], ir_version=9)
    [found] = reference.ReferenceEvaluator(model).run(None, {"x": X})
    return np.asarray(found)


def in_sklearn(name: str, row: Row) -> Array:
    base = pytest.importorskip("sklearn.neural_network._base")
    found = X.copy()
    base.ACTIVATIONS[name](found)
    return found


COMPUTED: dict[str, Callable[[str, Row], Array]] = {
    "keras": in_keras,
    "onnx": in_onnx,
    "sklearn": in_sklearn,
    "torch": in_torch,
}


def import_keras() -> Any:
    backend = next((name for name in ("torch", "jax", "tensorflow") if find_spec(name)), None)
    if backend is None:
        pytest.skip("Keras has no backend")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("KERAS_BACKEND", backend)
        return pytest.importorskip("keras")


@pytest.mark.filterwarnings(
    "ignore:__array__ implementation doesn't accept a copy keyword:DeprecationWarning"
)
@pytest.mark.parametrize("library", TABLES)
def test_rows_compute_what_the_library_does(library: str) -> None:
    if library == "keras":
        import_keras()
    table = table_of(library)
    assert len(table) > 5
    for name, row in table.items():
        assert (get_activation(row.name).parameter is None) == (not row.parameter), name
        options = {**row.arguments, **({"dim": 1} if "dim" in row.arguments else {})}
        expected = activation_forward(X, table.take(name, options).kernel)
        found = COMPUTED[library](name, row)
        np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6, err_msg=name)


def spelled(name: str) -> str:
    return name.replace("_", "").lower()


def names_in_torch() -> Iterator[str]:
    torch = pytest.importorskip("torch")
    for home in (torch, torch.nn.functional):
        yield from (name for name in dir(home) if callable(getattr(home, name)))


def names_in_keras() -> Iterator[str]:
    yield from dir(import_keras().activations)


def names_in_onnx() -> Iterator[str]:
    onnx = pytest.importorskip("onnx")
    for schema in onnx.defs.get_all_schemas():
        if not schema.domain:
            yield schema.name


def names_in_sklearn() -> Iterator[str]:
    yield from pytest.importorskip("sklearn.neural_network._base").ACTIVATIONS


NAMES = {
    "keras": names_in_keras,
    "onnx": names_in_onnx,
    "sklearn": names_in_sklearn,
    "torch": names_in_torch,
}


@pytest.mark.parametrize("library", TABLES)
def test_what_a_library_has_under_our_name_has_a_row(library: str) -> None:
    declared = {spelled(name) for name in TRAITS}
    theirs = {name for name in NAMES[library]() if spelled(name) in declared}
    table = table_of(library)
    assert theirs
    # In PyTorch a linear layer is called so.
    missing = {name for name in theirs if name not in table} - {"linear", "Linear"}
    assert not missing, f"{table} has no row for {missing}"
    for name in theirs - {"linear", "Linear"}:
        assert table[name].name == next(each for each in TRAITS if spelled(each) == spelled(name))


@pytest.mark.parametrize("name", [name for name in TRAITS if name != "linear"])
def test_what_is_written_as_onnx_is_read_again(name: str, tmp_path: Any) -> None:
    """Most is recognized by its values, without a row."""
    pytest.importorskip("onnx")
    layers = [fm.Dense(3, name), fm.Dense(2)]
    model = fm.Sequential(layers, backend="numpy", random_state=0).build(4)
    model.freeze().export_onnx(tmp_path / "model.onnx")
    taken = fm.from_onnx(tmp_path / "model.onnx", backend="numpy")
    assert [layer.activation_function.name for layer in taken.layers] == [name, "linear"]  # type: ignore[union-attr]


def test_a_missing_row_is_named() -> None:
    table = ForeignActivations(
        "ROWS in here.py", {"leaky_relu": Row("leaky_relu", {"s": 0.5}, "s")}
    )
    assert table["LeakyReLU"] is table["leaky_relu"]
    assert table.take("LeakyRelu", {"s": 0.25, "inplace": True}) == fm.LeakyReLU(0.25)
    assert table.take("LeakyRelu", {}) == fm.LeakyReLU(0.5)
    with pytest.raises(
        UnfitError, match=r"ROWS in here.py has no row for the activation hard_tanh"
    ):
        table.take("hard_tanh", {})
    with pytest.raises(UnfitError, match="slope must be a finite number, got inf"):
        table.take("leaky_relu", {"s": np.inf})
    assert str(table) == "the activations leaky_relu (ROWS in here.py)"


@pytest.mark.parametrize(
    ("library", "place"),
    [
        ("torch", "fastmlp/importers/torch/functions.py"),
        ("keras", "fastmlp/importers/keras_activations.py"),
    ],
)
def test_errors_say_where_rows_stand(library: str, place: str) -> None:
    keras = import_keras()
    torch = pytest.importorskip("torch")
    networks: dict[str, Callable[[], fm.Sequential]] = {
        "torch": partial(
            fm.from_torch, torch.nn.Sequential(torch.nn.Linear(2, 2), torch.nn.CELU())
        ),
        "keras": partial(
            fm.from_keras,
            keras.Sequential([keras.layers.Input((2,)), keras.layers.Dense(2, "celu")]),
        ),
    }
    with pytest.raises(ValueError, match=rf"(celu|CELU).*ACTIVATIONS in {place}"):
        networks[library]()
