"""The forward pass of any program as lines of Python."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from architectures import random_run
from python_files import RNG, difference, passes_ruff, predictor_of, written
from random_weights import TOLERANCE
from scipy.sparse import issparse

import fastmlp as fm
from fastmlp.data.target_kinds import target_encoder
from fastmlp.inference.predictor import Predictor
from fastmlp.program.operation import Slot, Tensor
from fastmlp.program.ops import ConcatOp, EmbeddingOp, SelectOp
from fastmlp.program.program import InferenceProgram
from fastmlp.program.state import Weights


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
    targets = target_encoder("regression", "linear", program.output.width, "mse", program.dtype)
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
