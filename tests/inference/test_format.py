"""Files of predictors: read anywhere, with NumPy alone too; damaged ones are refused in words."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from blocked_imports import BLOCKS, OPTIONAL, output_of
from frozen_networks import classifier, kinds, relative, rows, trained

import fastmlp as fm
from fastmlp.common import sealed
from fastmlp.program.ops import DenseOp

Edit = Callable[[dict[str, Any], dict[str, Any]], None]


def edited(path: Path, edit: Edit) -> None:
    """Write a predictor's file with its description and its tensors changed."""
    layers = [
        fm.Embedding(3, 2, column=0),
        fm.WideAndDeep(1, "sigmoid", deep=[fm.Dense(4, "relu")], wide=[0], deep_columns=[1, 2]),
    ]
    fm.Sequential(layers, backend="numpy").build(3).freeze().save(path)
    tensors, metadata = sealed.read(path)
    description, arrays = json.loads(metadata["fastmlp"]), dict(tensors)
    edit(description, arrays)
    sealed.write(path, arrays, {"fastmlp": json.dumps(description)})


def put(*keys: Any, value: Any) -> Edit:
    """Change one entry of the description."""

    def edit(description: dict[str, Any], tensors: dict[str, Any]) -> None:
        at: Any = description
        for key in keys[:-1]:
            at = at[key]
        at[keys[-1]] = value

    return edit


def tensor(name: str, values: Any) -> Edit:
    """Change or add one tensor."""

    def edit(description: dict[str, Any], tensors: dict[str, Any]) -> None:
        tensors[name] = np.asarray(values, "f4")

    return edit


# Operations: embedding, select, select, dense, activation, dense, dense, add, activation.
EDITS: dict[str, Edit] = {
    "holds a predictor of version 2; this fastmlp reads version 1": put("version", value=2),
    "the dtype 'float16'": put("dtype", value="float16"),
    "targets of another network": put("targets", "units", value=2),
    "names of features that are no words": put("features", value=[1, 2, 3]),
    "X has 3 columns, but 2 names": put("features", value=["a", "b"]),
    "Z has 0 columns, but 1 name": put("features", value={"Z": ["a"]}),
    "an operation 'dropout'": put("ops", 3, "op", value="dropout"),
    "dense of 2 inputs": put("ops", 3, "x", value=[3, 2]),
    "two slots of number 3": put("ops", 3, "out", "index", value=3),
    "two inputs of one number": put("wide", value={"index": 0, "name": "w", "width": 1}),
    r"columns \[1, -2\] of 4": put("ops", 2, "columns", value=[1, -2]),
    r"columns \[1, 4\] of 4": put("ops", 2, "columns", value=[1, 4]),
    "a choice of columns of another width": put("ops", 2, "columns", value=[1]),
    "an activation that changes the width": put("ops", 4, "out", "width", value=5),
    "a MSE, which is no activation": put("ops", 4, "activation", value={"type": "MSE"}),
    "a sum of other widths": put("ops", 7, "x", value=[4, 7]),
    "embeddings of another width": put("ops", 0, "columns", value=[0, 1]),
    "an output that no operation makes": put("output", value=0),
    "no operations": put("ops", value=[]),
    "the tensor 1.0.weight has the shape": tensor("1.0.weight", np.ones((4, 2))),
    "the tensor 0.weight has the shape": tensor("0.weight", np.ones((0, 2))),
    "the tensor 1.bias is not of finite numbers": tensor("1.bias", [np.nan]),
    "there are tensors that the network does not have": tensor("2.weight", [1.0]),
}


@pytest.mark.parametrize("message", EDITS)
def test_what_does_not_fit_together_is_told(message: str, tmp_path: Path) -> None:
    edited(tmp_path / "p.safetensors", EDITS[message])
    with pytest.raises(fm.ModelFileError, match=message):
        fm.load_predictor(tmp_path / "p.safetensors")


def reading_wide(path: Path, number: int) -> None:
    """Write a predictor whose operation of this number reads X_wide in place of its input."""
    layers = [fm.WideAndDeep(1, deep=[fm.Dense(4, "tanh")])]
    fm.Sequential(layers, backend="numpy", random_state=0).build((4, 4)).freeze().save(path)
    tensors, metadata = sealed.read(path)
    description = json.loads(metadata["fastmlp"])
    description["ops"][number]["x"] = [description["wide"]["index"]]
    sealed.write(path, tensors, {"fastmlp": json.dumps(description)})


def test_an_activation_cannot_read_sparse_rows(tmp_path: Path) -> None:
    path = tmp_path / "p.safetensors"
    reading_wide(path, 1)
    with pytest.raises(fm.ModelFileError, match="an operation that cannot read sparse rows"):
        fm.load_predictor(path)


def test_a_dense_layer_with_a_bias_reads_sparse_rows(backend: str, tmp_path: Path) -> None:
    sparse = pytest.importorskip("scipy.sparse")
    path = tmp_path / "p.safetensors"
    reading_wide(path, 0)
    predictor = fm.load_predictor(path, backend=backend)
    assert isinstance(predictor.program.ops[0], DenseOp)
    assert predictor.program.ops[0].bias is not None
    X = np.round(np.random.default_rng(0).normal(size=(6, 4)))
    expected = predictor((X, X))
    np.testing.assert_allclose(predictor((sparse.csr_array(X), X)), expected, rtol=1e-5)


def test_the_file_that_was_not_edited_is_read(tmp_path: Path) -> None:
    edited(tmp_path / "p.safetensors", lambda description, tensors: None)
    assert fm.load_predictor(tmp_path / "p.safetensors")([0.0, 1.0, 2.0]).shape == (1,)


@pytest.mark.parametrize(
    ("features", "names"),
    [
        (["u", "v", "a", "b", "c"], {"X_wide": ("u", "v"), "X_deep": ("a", "b", "c")}),
        (["a", "b", "c"], {"X_deep": ("a", "b", "c")}),
        ({"X_wide": ["u", "v"]}, {"X_wide": ("u", "v")}),
        (None, {}),
    ],
)
def test_names_of_two_inputs_are_read_in_every_form(
    features: Any, names: dict[str, Any], tmp_path: Path
) -> None:
    path = tmp_path / "p.safetensors"
    layers = [fm.WideAndDeep(1, deep=[fm.Dense(2)])]
    fm.Sequential(layers, backend="numpy").build((2, 3)).freeze().save(path)
    tensors, metadata = sealed.read(path)
    description = json.loads(metadata["fastmlp"])
    sealed.write(path, tensors, {"fastmlp": json.dumps(description | {"features": features})})
    assert fm.load_predictor(path).column_names == names


BACKENDS = ["numpy", "numba"]


@pytest.mark.parametrize("to", BACKENDS)
@pytest.mark.parametrize("of", BACKENDS)
def test_files(of: str, to: str, tmp_path: Path) -> None:
    pytest.importorskip("numba")
    model, X = classifier(of)
    predictor = model.freeze()
    predictor.feature_names = ("a", "b", "c", "d", "é")
    predictor.save(tmp_path / "p.safetensors")
    model.save(tmp_path / "m.safetensors")
    for name in ("p", "m"):
        loaded = fm.load_predictor(tmp_path / f"{name}.safetensors", to)
        assert loaded.backend == to
        assert relative(loaded(X), predictor(X)) <= 1e-5
        assert np.array_equal(loaded.predict_classes(X), predictor.predict_classes(X))
        for key, values in predictor.weights.items():
            assert np.array_equal(loaded.weights[key], values)
    assert fm.load_predictor(tmp_path / "p.safetensors").feature_names == predictor.feature_names
    with pytest.raises(fm.ModelFileError, match=r"fastmlp\.load_predictor"):
        fm.load(tmp_path / "p.safetensors")


def every_operation() -> Any:
    layers = [
        fm.Embedding(3, 2, column=1),
        fm.Branch([fm.Dense(4, fm.LeakyReLU(0.2))], [fm.Activation("tanh")], []),
        fm.BatchNorm(),
        fm.Activation(fm.ELU(0.5)),
        fm.WideAndDeep(2, deep=[fm.Dense(3, "gelu")], wide=[0, 3]),
    ]
    return trained(layers, 4)


def test_a_file_holds_every_operation(tmp_path: Path) -> None:
    model, X = every_operation(), rows(4)
    X[:, 1] = np.arange(len(X)) % 3
    predictor = model.freeze()
    assert len(set(kinds(predictor))) == 7
    assert relative(predictor(X), model.predict(X)) <= 1e-5
    predictor.save(tmp_path / "p.safetensors")
    loaded = fm.load_predictor(tmp_path / "p.safetensors")
    assert np.array_equal(loaded(X), predictor(X))
    assert loaded.program == predictor.program


def test_damaged_files(tmp_path: Path) -> None:
    import json

    path, bad = tmp_path / "p.safetensors", tmp_path / "bad.safetensors"
    every_operation().freeze().save(path)
    tensors, metadata = sealed.read(path)
    rng = np.random.default_rng(0)
    refused = 0
    for _ in range(400):
        changed = json.loads(metadata["fastmlp"])
        weights = dict(tensors)
        changed = mutated(changed, rng)
        if rng.random() < 0.2:
            del weights[rng.choice(sorted(weights))]
        sealed.write(bad, weights, {"fastmlp": json.dumps(changed)})
        try:
            loaded = fm.load_predictor(bad)
        except fm.ModelFileError:
            refused += 1
        else:
            # What is accepted can be run.
            loaded(np.ones((2, loaded.n_features), "f4"))
    assert refused > 300
    bad.write_bytes(b"no such format")
    with pytest.raises(fm.ModelFileError):
        fm.load_predictor(bad)
    with pytest.raises(FileNotFoundError):
        fm.load_predictor(tmp_path / "none")


def mutated(value: Any, rng: Any) -> Any:
    """The description with one part of it changed to something else."""
    spots: list[tuple[Any, Any]] = []

    def collect(part: Any) -> None:
        keys = part if isinstance(part, dict) else range(len(part))
        for key in keys:
            spots.append((part, key))
            if isinstance(part[key], dict | list):
                collect(part[key])

    collect(value)
    part, key = spots[rng.integers(len(spots))]
    others = (None, -1, 0, 1, 2, 7, 10**30, 0.5, "", "dense", "add", "2.bias", [], [0], [99], {})
    if isinstance(part, dict) and rng.random() < 0.2:
        del part[key]
    else:
        part[key] = others[rng.integers(len(others))]
    return value


ISOLATED = """
import numpy as np

import fastmlp as fm

for name in ("p", "m"):
    predictor = fm.load_predictor({folder!r} + "/" + name + ".safetensors")
    print(predictor(np.arange(5) / 5).tolist(), predictor.predict_classes(np.arange(5) / 5))
    print(predictor(np.ones((3, 5))).shape)
print(sorted(name for name in {forbidden!r} if sys.modules.get(name)))
"""


@pytest.mark.parametrize("block", BLOCKS)
def test_numpy_is_enough_to_load_and_predict(block: str, tmp_path: Path) -> None:
    model, _ = classifier("numpy")
    predictor = model.freeze()
    predictor.save(tmp_path / "p.safetensors")
    model.save(tmp_path / "m.safetensors")
    code = BLOCKS[block] + ISOLATED.format(folder=str(tmp_path), forbidden=OPTIONAL)
    lines = output_of(code).splitlines()
    expected = (
        f"{predictor(np.arange(5) / 5).tolist()} {predictor.predict_classes(np.arange(5) / 5)}"
    )
    assert lines == [expected, "(3, 3)"] * 2 + ["[]"]
