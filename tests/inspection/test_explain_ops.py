"""Each kind of operation, forward and backward, in numbers of the model."""

from __future__ import annotations

import numpy as np
import pytest
from architectures import Run, random_run
from explained_models import (
    RNG,
    X,
    Y,
    assert_is_the_model,
    by_hand,
    last_values,
    one,
)

import fastmlp as fm


@pytest.mark.parametrize("number", range(24))
def test_random_networks(number: int) -> None:
    run: Run = random_run(number)
    model = run.model("numpy", "float64")
    model.fit(run.X, run.y, verbose=0, **{**run.fit, "epochs": 1})
    assert str(model.explain(one(run.X, 2)))
    assert_is_the_model(model, run.X, run.y, 2)


def test_embeddings_and_their_rows() -> None:
    codes = np.column_stack([X[:, 0], np.arange(30) % 3, np.arange(30) % 2])
    layers = [fm.Embedding(3, 2, 1), fm.Dense(4, "relu"), fm.Dense(3, "softmax")]
    model = fm.Sequential(layers, backend="numpy", dtype="float64", random_state=0).build(3)
    explanation = model.explain(codes[5], Y[5])
    gradient = explanation.find("backward", "d_0.weight").values["d_0.weight"]
    assert gradient[2].any()
    assert not gradient[:2].any()
    assert_is_the_model(model, codes, Y, 5)


def test_two_inputs_dense_and_sparse() -> None:
    sparse = pytest.importorskip("scipy.sparse")
    wide = np.where(RNG.random((30, 5)) < 0.4, RNG.normal(size=(30, 5)), 0.0)
    layers = [fm.WideAndDeep(3, "softmax", deep=[fm.Dense(4, "relu")], wide_optimizer=fm.Ftrl())]
    model = fm.Sequential(layers, backend="numpy", dtype="float64", random_state=0).build((5, 4))
    dense = model.explain((wide[3], X[3]), Y[3])
    from_sparse = model.explain((sparse.csr_matrix(wide)[3], X[3]), Y[3])
    assert str(dense) == str(from_sparse)
    assert_is_the_model(model, (wide, X), Y, 3)


def test_a_case_worked_by_hand() -> None:
    explanation = by_hand().explain([1.0, 2.0], 5.0)
    forward = last_values(explanation, "forward")
    np.testing.assert_array_equal(forward["0.preactivation"], [[3.0, -3.0]])
    np.testing.assert_array_equal(forward["0.output"], [[3.0, 0.0]])
    np.testing.assert_array_equal(forward["1.preactivation"], [[7.0]])
    assert explanation.find("loss", "loss").values["loss"] == 4.0
    backward = last_values(explanation, "backward")
    np.testing.assert_array_equal(backward["d_1.preactivation"], [[4.0]])
    np.testing.assert_array_equal(backward["d_1.weight"], [[12.0], [0.0]])
    np.testing.assert_array_equal(backward["d_0.output"], [[8.0, 12.0]])
    np.testing.assert_array_equal(backward["d_0.preactivation"], [[8.0, 0.0]])
    np.testing.assert_array_equal(backward["d_0.weight"], [[8.0, 0.0], [16.0, 0.0]])
    update = explanation.find("update", "0.weight")
    np.testing.assert_array_equal(update.values["w"], [[-3.0, -2.0], [-7.5, 0.25]])
