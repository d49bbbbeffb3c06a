"""Networks written as Python files that need only NumPy."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from architectures import random_run
from modules import load_module
from paths import ROOT
from random_weights import TOLERANCE, randomize
from scipy.sparse import issparse

import fastmlp as fm
from fastmlp.data.targets import target_encoder
from fastmlp.declarations.activations import ACTIVATIONS
from fastmlp.export.python.functions import FUNCTIONS
from fastmlp.inference.predictor import Predictor
from fastmlp.program.program import ConcatOp, EmbeddingOp, InferenceProgram, SelectOp, Slot, Tensor
from fastmlp.program.state import Weights

RNG = np.random.default_rng(5)


def written(predictor: Predictor, folder: Path, weights: str = "inside") -> ModuleType:
    predictor.export_python(folder / "net.py", weights)
    return load_module(folder / "net.py")


def predictor_of(*layers: Any, n: Any = 3, dtype: str = "float32", **arguments: Any) -> Predictor:
    model = fm.Sequential(list(layers), dtype=dtype, backend="numpy", random_state=1, **arguments)
    model.build(n)
    randomize(model, np.random.default_rng(1))
    return model.freeze()


def difference(a: Any, b: Any) -> float:
    return float(np.abs(a - b).max() / np.abs(b).max())


def passes_ruff(path: Path) -> None:
    ruff = shutil.which("ruff") or shutil.which("ruff", path=str(Path(sys.executable).parent))
    if ruff is None:
        pytest.skip("ruff is not installed")
    settings = ["--config", str(ROOT / "pyproject.toml"), "--no-cache", str(path)]
    for command in (["check", *settings], ["format", "--check", *settings]):
        run = subprocess.run([ruff, *command], capture_output=True, encoding="utf-8", check=False)
        assert run.returncode == 0, run.stdout + run.stderr


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("number", range(26))
def test_random_networks_give_what_the_predictor_gives(
    number: int, dtype: str, tmp_path: Path
) -> None:
    run = random_run(number)
    model = run.model("numpy", dtype)
    model.fit(run.X, run.y, epochs=1, batch_size=16, verbose=0)
    predictor = model.freeze()
    module = written(predictor, tmp_path, ("inside", "beside")[number % 2])
    X = run.X
    if isinstance(X, tuple):
        X = tuple(part.toarray() if issparse(part) else part for part in X)
    row = tuple(part[0] for part in X) if isinstance(X, tuple) else X[0]
    right = predictor(X)
    outputs = module.predict(X)
    assert outputs.dtype == dtype
    assert difference(outputs, right) <= TOLERANCE[dtype]
    one = module.predict(row)
    assert one.shape == right[0].shape
    assert np.abs(one - right[0]).max() <= TOLERANCE[dtype] * np.abs(right).max()
    if predictor.task == "regression":
        assert not hasattr(module, "predict_classes")
    else:
        labels = module.predict_classes(X)
        assert labels.dtype == predictor.predict_classes(X).dtype
        assert np.mean(labels == predictor.predict_classes(X)) > 0.98
        assert module.predict_classes(row).shape == labels[0].shape
    if number < 8 and dtype == "float32":
        passes_ruff(tmp_path / "net.py")


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", sorted(ACTIVATIONS))
def test_activations_at_every_size(name: str, dtype: str, tmp_path: Path) -> None:
    """Through weights of 1 the activation itself; no number gives a warning."""
    predictor = predictor_of(fm.Activation(name), fm.Dense(4, use_bias=False), n=4, dtype=dtype)
    module = written(predictor, tmp_path)
    limits = np.finfo(dtype)
    sizes = [0.0, limits.smallest_subnormal, limits.tiny, 1e-8, 1e-3, 0.5, 3.0, 6.0, 12.0, 40.0]
    sizes += [90.0, 700.0, 1e4, limits.max / 2]
    grid = np.array([sign * size for size in sizes for sign in (1, -1)], dtype)
    X = np.stack([grid, grid[::-1], np.roll(grid, 3), np.roll(grid, 8)], axis=1)
    with np.errstate(all="raise"):
        outputs = module.predict(X)
    right = predictor(X)
    # Where the products meet infinity, it is met in both.
    np.testing.assert_array_equal(np.isfinite(outputs), np.isfinite(right))
    for given, expected in zip(outputs, right, strict=True):
        if np.isfinite(expected).all() and expected.any():
            assert difference(given, expected) <= TOLERANCE[dtype]
    if name not in ("linear", "tanh", "exp"):
        assert f"def {name}(z" in (tmp_path / "net.py").read_text()
    others = {f"def {other}(" for other in FUNCTIONS if other != name}
    needed = {f"def {other}(" for other in FUNCTIONS.get(name, FUNCTIONS["relu"]).needs}
    found = {other for other in others if other in (tmp_path / "net.py").read_text()}
    assert found == needed


def test_far_left_gelu_keeps_its_digits(tmp_path: Path) -> None:
    model = fm.Sequential([fm.Dense(1, "gelu")], dtype="float64", backend="numpy").build(1)
    model.parameters["0.weight"][...] = 1.0
    module = written(model.freeze(), tmp_path)
    # -9 Phi(-9), to 16 digits, from mpmath.
    assert module.predict([-9.0])[0] == pytest.approx(-9 * 1.128588405953840e-19, rel=1e-13)


def test_what_a_person_would_write(tmp_path: Path) -> None:
    predictor = predictor_of(
        fm.Dense(4, "relu"),
        fm.Residual([fm.Dense(5, fm.LeakyReLU(0.2)), fm.Dense(4)]),
        fm.Branch([fm.Dense(2, "tanh")], []),
        fm.Dense(1, "sigmoid"),
    )
    written(predictor, tmp_path)
    text = (tmp_path / "net.py").read_text()
    assert text[text.index('    with np.errstate(all="ignore"):') :].split("\n")[1:7] == [
        "        h = relu(x @ W1 + b1)",
        "        h2 = leaky_relu(h @ W2 + b2, 0.2)",
        "        h = h + (h2 @ W3 + b3)",
        "        h2 = np.tanh(h @ W4 + b4)",
        "        h = np.concatenate([h2, h], axis=-1)",
        "        return sigmoid(h @ W5 + b5)",
    ]
    assert "    dense 4 -> 5, leaky_relu(0.2)\n" in text


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("place", ["inside", "beside"])
def test_weights_are_the_same_bits(dtype: str, place: str, tmp_path: Path) -> None:
    limits = np.finfo(dtype)
    model = fm.Sequential([fm.Dense(7), fm.Dense(3), fm.Dense(40)], dtype=dtype, backend="numpy")
    model.build(20)
    special = [0.0, -0.0, limits.smallest_subnormal, -limits.tiny, limits.max, 1 / 3, 1e23]
    model.parameters["0.bias"][...] = special
    rng = np.random.default_rng(0)
    for name in ("0.weight", "1.weight", "2.weight"):
        shape = model.parameters[name].shape
        exponents = rng.integers(limits.minexp, limits.maxexp, shape)
        model.parameters[name][...] = np.ldexp(rng.normal(size=shape) / 8, exponents)
    predictor = model.freeze()
    module = written(predictor, tmp_path, place)
    names = ["W1", "b1", "W2", "b2", "W3", "b3"]
    for name, values in zip(names, predictor.weights.values(), strict=True):
        read = getattr(module, name)
        assert (read.dtype, read.shape) == (values.dtype, values.shape)
        assert read.tobytes() == values.tobytes()
    text = (tmp_path / "net.py").read_text()
    assert ("decoded(" in text) == (place == "inside")


def test_two_files_or_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    predictor = predictor_of(fm.Dense(2))
    first = written(predictor, tmp_path, "beside").predict([1.0, 2.0, 3.0])
    assert {path.name for path in tmp_path.iterdir()} >= {"net.py", "net.npz"}
    # Both are found where they have gone, whatever the working folder.
    moved = tmp_path / "moved"
    moved.mkdir()
    for name in ("net.py", "net.npz"):
        (tmp_path / name).rename(moved / name)
    np.testing.assert_array_equal(load_module(moved / "net.py").predict([1.0, 2.0, 3.0]), first)

    def full(*arguments: object, **named: object) -> None:
        raise OSError("no space left")

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(OSError, match="no space"):
        predictor.export_python(tmp_path / "other.py", "beside")
    assert {path.name for path in tmp_path.iterdir()} - {"__pycache__"} == {"moved"}


def test_embeddings_and_chosen_columns(tmp_path: Path) -> None:
    n = 40
    columns = [3, 9, 11, 14, 15, 21, 26, 30, 31, 33, 37, 38]
    predictor = predictor_of(
        fm.WideAndDeep(
            2,
            "softmax",
            deep=[fm.Embedding(4, 3, 3), fm.Embedding(7, 2, 14), fm.Dense(5, "silu")],
            wide=list(range(20, 30)),
            deep_columns=columns,
        ),
        n=n,
    )
    module = written(predictor, tmp_path)
    X = RNG.normal(size=(9, n))
    X[:, 3], X[:, 14] = RNG.integers(0, 4, 9), RNG.integers(0, 7, 9)
    assert difference(module.predict(X), predictor(X)) < 1e-5
    text = (tmp_path / "net.py").read_text()
    assert "columns1 = [" in text
    assert "x[..., 20:30] @ W" in text
    passes_ruff(tmp_path / "net.py")
    for wrong in (-1.0, 0.5, 7.0):
        X[4, 14] = wrong
        message = f"column 14 must be a whole number from 0 to 6, got {wrong:g}"
        for rows in (X, X[4]):
            with pytest.raises(ValueError, match=message):
                module.predict(rows)


def test_many_parts_side_by_side(tmp_path: Path) -> None:
    """Lines too long for one, in the form that ruff gives them."""
    paths = [[fm.Dense(2, "relu")] for _ in range(30)]
    predictor = predictor_of(fm.Branch(*paths[:15]), fm.Branch(*paths), fm.Dense(1))
    predictor.feature_names = tuple(f"a rather long name, number {place}" for place in range(3))
    module = written(predictor, tmp_path)
    assert difference(module.predict(np.eye(3)), predictor(np.eye(3))) < 1e-5
    passes_ruff(tmp_path / "net.py")


def bare(program: InferenceProgram, tensors: Any = None) -> Predictor:
    """A predictor of any program, whose weights are 1, 2, 3, ..."""
    vector = np.arange(1, program.n_parameters + 1, dtype=program.dtype)
    targets = target_encoder("linear", program.output.width, "mse", program.dtype)
    return Predictor(Weights(program, vector), targets, "numpy")


def test_outputs_that_are_columns_of_the_input_are_copies(tmp_path: Path) -> None:
    x, out, more = Slot(0, "x", 3), Slot(1, "out", 2), Slot(2, "more", 5)
    table = Tensor("table", (4, 2), 0)
    common: dict[str, Any] = {"dtype": "float32", "input": x, "parameters": (), "n_parameters": 0}
    programs = [
        InferenceProgram(**common, ops=(SelectOp(x, out, (1, 2)),), output=out),
        InferenceProgram(**common, ops=(SelectOp(x, out, (2, 0)),), output=out),
        InferenceProgram(**common, ops=(ConcatOp((x,), Slot(1, "a", 3)),), output=Slot(1, "a", 3)),
        InferenceProgram(
            **common,
            ops=(SelectOp(x, out, (1, 2)), ConcatOp((out, x), more)),
            output=out,
        ),
        InferenceProgram(
            **{**common, "parameters": (table,), "n_parameters": 8},
            ops=(EmbeddingOp(x, out, (), (2,), (table,)),),
            output=out,
        ),
    ]
    X = np.array([[1, 2, 3], [0, 1, 2]], np.float32)
    for program in programs:
        predictor = bare(program)
        outputs = written(predictor, tmp_path).predict(X)
        np.testing.assert_array_equal(outputs, predictor(X))
        assert not np.shares_memory(outputs, X)
    passes_ruff(tmp_path / "net.py")


BAD_INPUT = [
    (np.zeros((2, 4)), r"X must have shape \(n, 3\) or \(3,\), got \(2, 4\)"),
    (np.zeros(4), r"got \(4,\)"),
    (np.zeros((2, 3, 1)), r"got \(2, 3, 1\)"),
    (np.zeros((0, 3)), r"got \(0, 3\)"),
    (1.0, r"got \(\)"),
    ([[1.0, np.nan, 2.0]], "NaN, infinity or a number too large for float32"),
    ([np.inf, 0.0, 0.0], "NaN, infinity"),
    ([1e39, 0.0, 0.0], "too large for float32"),
    (["1", "2", "3"], "X must be an array of numbers, got dtype <U1"),
    ([1j, 0, 0], "got dtype complex128"),
    ([[1.0, None, 2.0]], "got dtype object"),
]


@pytest.mark.parametrize(("X", "message"), BAD_INPUT)
def test_input_that_cannot_be_read(X: Any, message: str, tmp_path: Path) -> None:
    module = written(predictor_of(fm.Dense(2, "softmax")), tmp_path)
    for function in (module.predict, module.predict_classes):
        with pytest.raises(ValueError, match=message):
            function(X)


def test_two_inputs_that_cannot_be_read(tmp_path: Path) -> None:
    module = written(
        predictor_of(fm.WideAndDeep(1, deep=[fm.Dense(4, "relu")]), n=(2, 3)), tmp_path
    )
    assert module.N_FEATURES == (2, 3)
    assert module.predict((np.zeros((5, 2)), np.zeros((5, 3)))).shape == (5, 1)
    for X, message in [
        (np.zeros((5, 5)), "must be a tuple"),
        ((np.zeros((5, 2)), np.zeros((4, 3))), r"as many rows, got \(5, 2\) and \(4, 3\)"),
        ((np.zeros((5, 2)), np.zeros(3)), "as many rows"),
        ((np.zeros((5, 3)), np.zeros((5, 3))), "X_wide must have shape"),
        ((np.zeros((5, 2)), np.full((5, 3), np.nan)), "X_deep has NaN"),
    ]:
        with pytest.raises(ValueError, match=message):
            module.predict(X)


LABELS = [
    np.array(["no", "yes"]),
    np.array(["quote \" and ' both", "back\\slash\nline"]),
    np.array(["ä", "漢字 \u202e \x00 x"]),
    np.array([False, True]),
    np.array([3, 7], np.int16),
    np.array([-1.5, 2.0], np.float32),
    np.array([b"a", b"b'\xff"]),
    np.array(["2024-01-02", "2024-03-04"], "datetime64[D]"),
    np.array([1, 86400], "timedelta64[s]"),
    np.arange(120) * 1000,
    np.array([f"number {place:03}" for place in range(100)]),
]


@pytest.mark.parametrize("labels", LABELS, ids=[str(labels[0]) for labels in LABELS])
def test_labels_of_every_kind(labels: Any, tmp_path: Path) -> None:
    units = 1 if len(labels) == 2 else len(labels)
    output = fm.Dense(units, "sigmoid" if units == 1 else "softmax")
    model = fm.Sequential([output], backend="numpy", random_state=0)
    X = RNG.normal(size=(2 * len(labels), 3))
    model.fit(X, np.concatenate([labels, labels]), epochs=1, verbose=0)
    module = written(model.freeze(), tmp_path)
    assert module.LABELS.dtype == model.classes.dtype
    np.testing.assert_array_equal(module.LABELS, model.classes)
    np.testing.assert_array_equal(module.predict_classes(X), model.predict_classes(X))
    if labels[-1].dtype.kind != "U" or labels[1].isascii():
        passes_ruff(tmp_path / "net.py")


def test_classes_without_labels_are_numbers(tmp_path: Path) -> None:
    X = RNG.normal(size=(6, 3))
    for units, output in ((4, "softmax"), (1, "sigmoid"), (4, "sigmoid")):
        predictor = predictor_of(fm.Dense(units, output))
        module = written(predictor, tmp_path)
        assert not hasattr(module, "LABELS")
        outputs = predictor(X)
        right = outputs.argmax(axis=1) if output == "softmax" else (outputs >= 0.5).squeeze()
        np.testing.assert_array_equal(module.predict_classes(X), right)


NAMES = ('"""', "a\nb", "\\", "x\\", "#", "{x}", "\N{SNOWMAN}", "'", "\ud800")


def test_names_from_users_are_only_text(tmp_path: Path) -> None:
    predictor = predictor_of(fm.Dense(2), n=len(NAMES))
    predictor.feature_names = NAMES
    module = written(predictor, tmp_path, "beside")
    assert tuple(module.FEATURES) == NAMES
    assert str(module.__doc__).count("\n") == str(module.__doc__).rstrip("\n").count("\n") + 1
    assert "Features, in this order: " in str(module.__doc__)
    strange = tmp_path / 'a "b" \\ c\'.py'
    predictor.export_python(strange, "beside")
    row = np.ones(len(NAMES))
    np.testing.assert_array_equal(load_module(strange).predict(row), module.predict(row))


def test_it_needs_only_numpy(tmp_path: Path) -> None:
    predictor = predictor_of(fm.Dense(64, "gelu"), fm.BatchNorm(), fm.Dense(2, "mish"))
    predictor.export_python(tmp_path / "net.py")
    right = predictor(np.arange(6.0).reshape(2, 3))
    code = (
        "import sys\n"
        "blocked = 'fastmlp numba llvmlite scipy sklearn safetensors'.split()\n"
        "sys.modules.update(dict.fromkeys(blocked))\n"
        "import numpy as np, net\n"
        "np.save('out.npy', net.predict(np.arange(6.0).reshape(2, 3)))\n"
    )
    command = [sys.executable, "-W", "error", "-c", code]
    environment = {**os.environ, "PYTHONPATH": str(tmp_path)}
    subprocess.run(command, cwd=tmp_path, env=environment, check=True)
    assert difference(np.load(tmp_path / "out.npy"), right) < 1e-5


def piped(folder: Path, text: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-W", "error::RuntimeWarning", str(folder / "net.py")]
    return subprocess.run(command, input=text, capture_output=True, encoding="utf-8", check=False)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_rows_from_standard_input(dtype: str, tmp_path: Path) -> None:
    layers = fm.WideAndDeep(2, deep=[fm.Dense(4, "relu")])
    module = written(predictor_of(layers, n=(1, 2), dtype=dtype), tmp_path)
    run = piped(tmp_path, "1,2,3\n0.5,-1e3,4\n")
    assert (run.returncode, run.stderr) == (0, "")
    printed = np.loadtxt(run.stdout.splitlines(), delimiter=",", dtype=dtype)
    X = np.array([[1, 2, 3], [0.5, -1e3, 4]])
    assert np.array_equal(printed, module.predict((X[:, :1], X[:, 1:])))
    assert not hasattr(module, "codes"), "a network without embeddings needs no such function"
    for text in ("a,b,c\n", "1,2\n", "1,2,nan\n"):
        run = piped(tmp_path, text)
        assert run.returncode == 1
        assert run.stderr.startswith("error: ")
        assert run.stderr.count("\n") <= 2


def test_registered_activations_are_refused_by_name(tmp_path: Path) -> None:
    fm.register_activation("written_cube", lambda z: z * z * z, lambda z: 3 * z * z)
    predictor = predictor_of(fm.Dense(2, "written_cube"))
    with pytest.raises(ValueError, match="'written_cube' is a registered Python function"):
        predictor.export_python(tmp_path / "net.py")
    assert not list(tmp_path.iterdir())


def test_other_arguments_that_do_not_fit(tmp_path: Path) -> None:
    predictor = predictor_of(fm.Dense(2))
    with pytest.raises(ValueError, match="weights must be 'inside' or 'beside', got 'outside'"):
        predictor.export_python(tmp_path / "net.py", "outside")
    with pytest.raises(IsADirectoryError, match="is a folder"):
        predictor.export_python(tmp_path)
    with pytest.raises(FileNotFoundError, match="there is no folder"):
        predictor.export_python(tmp_path / "none" / "net.py")
    for name in ("net.npz", "folder.py"):
        (tmp_path / "folder.npz").mkdir(exist_ok=True)
        with pytest.raises(ValueError, match="is where the weights go"):
            predictor.export_python(tmp_path / name, "beside")
