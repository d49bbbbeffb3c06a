"""`Sequential.explain` tells the model's own numbers, and changes nothing."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from architectures import OPTIMIZERS, Run, optimizer, random_run
from explained_models import RNG, X, Y, by_hand, everything, fitted
from states import contents

import fastmlp as fm
from fastmlp.declarations import activations, losses
from fastmlp.inspection.explanation import Explanation
from fastmlp.kernels.typing import Array


def one(X: Any, i: int) -> Any:
    return tuple(part[i] for part in X) if isinstance(X, tuple) else X[i]


def batch(X: Any, i: int) -> Any:
    return tuple(part[i : i + 1] for part in X) if isinstance(X, tuple) else X[i : i + 1]


def last_values(explanation: Explanation, part: str) -> dict[str, Array]:
    """What each step of a part works out; of several with one name the last."""
    steps = [step for step in explanation.steps if step.part == part]
    return {step.name: step.values[step.name] for step in steps if step.name in step.values}


def assert_is_the_model(model: fm.Sequential, X: Any, y: Any, i: int) -> None:
    """Compare a step's explanation with activations, gradients and a real update."""
    tolerance = {"rtol": 1e-9, "atol": 1e-12} if model.dtype == "float64" else {"rtol": 1e-3}
    explanation = model.explain(one(X, i), y[i])
    x, target = batch(X, i), y[i : i + 1]

    found = last_values(explanation, "forward")
    for name, value in model.activations(x, training=True).items():
        # Two names of one slot are explained under the first.
        if name in found:
            np.testing.assert_array_equal(found[name], value, err_msg=name)
    found = last_values(explanation, "backward")
    gradients = model.gradients(x, target)
    scale = max(np.abs(gradient).max() for gradient in gradients.values())
    for name, gradient in gradients.items():
        np.testing.assert_allclose(
            found[f"d_{name}"], gradient, rtol=tolerance["rtol"], atol=1e-6 * scale, err_msg=name
        )

    before = {name: value.copy() for name, value in model.parameters.items()}
    loss = model.train_step(x, target)
    told = [step for step in explanation.steps if step.part == "loss"][-1].values["loss"]
    assert float(told) == pytest.approx(loss, rel=1e-6)
    for name, value in model.parameters.items():
        step = explanation.find("update", name)
        np.testing.assert_array_equal(step.values["w before"], before[name], err_msg=name)
        np.testing.assert_array_equal(step.values["w"], value, err_msg=name)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("kind", OPTIMIZERS)
def test_numbers_are_those_of_the_model(kind: str, dtype: str) -> None:
    model = fitted("numpy", optimizer=optimizer(kind, "OneCycle", {}), dtype=dtype)
    assert_is_the_model(model, X, Y, 4)


def test_numbers_are_those_of_the_model_in_numba() -> None:
    pytest.importorskip("numba")
    clip = {"clip_value": 0.05, "clip_norm": 0.1}
    assert_is_the_model(fitted("numba", optimizer=fm.Adam(0.01, **clip)), X, Y, 4)


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


def test_a_prediction_is_explained_without_a_target(backend: str) -> None:
    model = fitted(backend)
    explanation = model.explain(X[7])
    assert {step.part for step in explanation.steps} == {"forward"}
    activations = model.activations(X[7:8])
    found = last_values(explanation, "forward")
    assert found.keys() <= {"input", *activations, "6.weight product", "6.wide_weight product"} | {
        name for name in found if name.startswith("value ")
    }
    for name in found.keys() & activations.keys():
        np.testing.assert_array_equal(found[name], activations[name])
    np.testing.assert_allclose(found["6.output"], model.predict(X[7:8]), rtol=1e-12)


def test_nothing_changes(backend: str) -> None:
    model, plain = fitted(backend), fitted(backend)
    before = contents(model)
    for y in (None, Y[0]):
        str(model.explain(X[0], y))
    np.testing.assert_equal(contents(model), before)
    for each in (model, plain):
        each.fit(X, Y, epochs=2, batch_size=10, verbose=0)
    np.testing.assert_equal(contents(model), contents(plain))


def test_changing_the_model_leaves_an_explanation_as_it_was() -> None:
    model = fitted("numpy")
    explanation = model.explain(X[0], Y[0])
    text = str(explanation)
    model.fit(X, Y, epochs=2, verbose=0)
    assert str(explanation) == text


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


@pytest.fixture
def registrations() -> Iterator[None]:
    """Registrations last for a process; those of a test end with it."""
    tables: list[dict[str, Any]] = [activations.ACTIVATIONS, losses.LOSSES]
    before = [dict(table) for table in tables]
    yield
    for table, entries in zip(tables, before, strict=True):
        table.clear()
        table.update(entries)


@pytest.mark.usefixtures("registrations")
def test_functions_of_users_own(backend: str) -> None:
    fm.register_activation("explained_soft", lambda z: z / (1 + abs(z)), soft_slope)
    fm.register_loss("explained_fourth", lambda p, y: (p - y) ** 4, lambda p, y: 4 * (p - y) ** 3)
    layers = [fm.Dense(3, "explained_soft"), fm.Dense(1)]
    model = fm.Sequential(layers, loss="explained_fourth", backend=backend, random_state=0).build(4)
    text = str(model.explain(X[0], 0.5))
    assert "0.output = explained_soft(z), z = 0.preactivation" in text
    assert "loss = explained_fourth(p, t)" in text
    assert_is_the_model(model, X, Y.astype(float), 0)


def soft_slope(z: float) -> float:
    return 1 / (1 + abs(z)) ** 2


def test_one_example_in_any_form() -> None:
    pandas = pytest.importorskip("pandas")
    model = fitted("numpy")
    expected = str(model.explain(X[0], Y[0]))
    frame = pandas.DataFrame(X, columns=list("abcd"))
    for x, y in ((X[:1], Y[:1]), (X[0].tolist(), int(Y[0])), (frame.iloc[0], Y[0]), (X[0], [Y[0]])):
        assert str(model.explain(x, y)) == expected
    shares = np.zeros(3)
    shares[Y[0]] = 1.0
    assert str(model.explain(X[0], shares)) == expected


def test_labels_as_they_were() -> None:
    names = np.array(["low", "mid", "up"])[Y]
    model = everything("numpy")
    model.fit(X, names, epochs=1, verbose=0)
    target = model.explain(X[0], "mid").find("loss", "loss").values["target"]
    np.testing.assert_array_equal(target, [[0, 1, 0]])
    with pytest.raises(ValueError, match="does not know: 'other'"):
        model.explain(X[0], "other")


def test_refusals() -> None:
    model = everything("numpy")
    with pytest.raises(ValueError, match="no parameters yet"):
        model.explain(X[0])
    model.build(4)
    with pytest.raises(ValueError, match=r"one example, got 2 rows; pass X\[i\]"):
        model.explain(X[:2])
    with pytest.raises(ValueError, match="3 columns, expected 4"):
        model.explain(X[0, :3])
    with pytest.raises(ValueError, match="two-dimensional"):
        model.explain(3.0)
    with pytest.raises(KeyError, match="no step '9.output' in the part 'forward'"):
        model.explain(X[0]).find("forward", "9.output")
