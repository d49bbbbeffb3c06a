"""`Sequential.explain`: its numbers are those of the model, and its words cover all there is."""

from __future__ import annotations

import io
import sys
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from architectures import OPTIMIZERS, Run, optimizer, random_run
from states import contents

import fastmlp as fm
from fastmlp.declarations import activations, losses
from fastmlp.inspection.explanation import Explanation, shown
from fastmlp.kernels.typing import Array

RNG = np.random.default_rng(3)
X = RNG.normal(size=(30, 4))
Y = np.digitize(X[:, 0], [-0.4, 0.4])


def everything(backend: str, **arguments: Any) -> fm.Sequential:
    """A classifier with an operation of each kind, but the ones that need other inputs."""
    layers = [
        fm.Dense(6, l1=1e-3),
        fm.BatchNorm(),
        fm.Activation("relu"),
        fm.Dropout(0.3),
        fm.Residual([fm.Dense(5, "gelu"), fm.Dropout(0.2), fm.Dense(6)]),
        fm.Branch([fm.Dense(3, "tanh")], [fm.Dense(2, "softmax"), fm.BatchNorm()]),
        fm.WideAndDeep(3, "softmax", deep=[fm.Dense(4, "elu")], wide=[0, 2]),
    ]
    arguments = {"dtype": "float64", "random_state": 3, **arguments}
    return fm.Sequential(layers, backend=backend, **arguments)


def fitted(backend: str, **arguments: Any) -> fm.Sequential:
    model = everything(backend, **arguments)
    model.fit(X, Y, epochs=2, batch_size=10, verbose=0)
    return model


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


def by_hand() -> fm.Sequential:
    """Two inputs, a relu, a linear output, a mean squared error: z = (3, -3), prediction 7."""
    model = fm.Sequential(
        [fm.Dense(2, "relu"), fm.Dense(1)], optimizer=fm.SGD(0.5), dtype="float64", backend="numpy"
    ).build(2)
    model.parameters["0.weight"][...] = [[1.0, -2.0], [0.5, 0.25]]
    model.parameters["0.bias"][...] = [1.0, -1.5]
    model.parameters["1.weight"][...] = [[2.0], [3.0]]
    model.parameters["1.bias"][...] = [1.0]
    return model


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


def test_the_text_of_a_case_worked_by_hand() -> None:
    text = str(by_hand().explain([1.0, 2.0], 5.0))
    for line in (
        "  0.preactivation = input @ 0.weight + 0.bias",
        "      [0]: 1 * 1 + 2 * 0.5 + 1 = 3",
        "      [1]: 1 * (-2) + 2 * 0.25 + (-1.5) = -3",
        "  0.output = relu(z) = max(0, z), z = 0.preactivation",
        "      0.output        = [3 0]",
        "  loss = mean((p - t)**2), p = 1.preactivation, t = target",
        "      loss            = 4",
        "  d_0.weight = input.T @ d_0.preactivation",
        "  0.weight: w = w - rate * g",
        "      w        = [[  -3   -2]",
        "                  [-7.5 0.25]]",
    ):
        assert line in text.splitlines()


@pytest.mark.parametrize("nesterov", [False, True])
def test_formulas_of_momentum_give_the_numbers(nesterov: bool) -> None:
    model = fitted("numpy", optimizer=fm.SGD(0.1, momentum=0.8, nesterov=nesterov))
    v = model.explain(X[1], Y[1]).find("update", "0.weight").values
    np.testing.assert_allclose(v["velocity"], 0.8 * v["velocity before"] + v["g"], rtol=1e-12)
    step = v["g"] + 0.8 * v["velocity"] if nesterov else v["velocity"]
    np.testing.assert_allclose(v["w"], v["w before"] - 0.1 * step, rtol=1e-12)


@pytest.mark.parametrize("decay", [0.0, 0.3])
def test_formulas_of_adam_give_the_numbers(decay: float) -> None:
    model = fitted(
        "numpy", optimizer=fm.AdamW(0.01, weight_decay=decay) if decay else fm.Adam(0.01)
    )
    explanation = model.explain(X[1], Y[1])
    assert explanation.find("update", "AdamW" if decay else "Adam").values["t"] == 7
    v = explanation.find("update", "0.weight").values
    np.testing.assert_allclose(v["m"], 0.9 * v["m before"] + 0.1 * v["g"], rtol=1e-12)
    np.testing.assert_allclose(v["v"], 0.999 * v["v before"] + 0.001 * v["g"] ** 2, rtol=1e-12)
    moved = 0.01 * v["m_hat"] / (np.sqrt(v["v_hat"]) + 1e-8)
    np.testing.assert_allclose(v["w"], v["w before"] * (1 - 0.01 * decay) - moved, rtol=1e-12)


def test_formulas_of_ftrl_give_the_numbers() -> None:
    model = fitted("numpy", optimizer=fm.Ftrl(0.3, l1=1e-4, l2=0.1))
    v = model.explain(X[1], Y[1]).find("update", "6.weight").values
    g, root = v["g"], np.sqrt(v["n before"] + v["g"] ** 2)
    sigma = (root - np.sqrt(v["n before"])) / 0.3
    z = v["z before"] + g - sigma * v["w before"]
    np.testing.assert_allclose(v["z"], z, rtol=1e-9, atol=1e-14)
    w = -(z - np.sign(z) * 1e-4) / ((1.0 + root) / 0.3 + 0.1)
    np.testing.assert_allclose(v["w"], np.where(np.abs(z) <= 1e-4, 0.0, w), rtol=1e-9, atol=1e-14)


def test_clipping_is_told() -> None:
    model = fitted("numpy", optimizer=fm.SGD(1.0, clip_value=0.05, clip_norm=0.1))
    raw = model.gradients(X[:1], Y[:1])
    explanation = model.explain(X[0], Y[0])
    by_value = {name: np.clip(g, -0.05, 0.05) for name, g in raw.items()}
    beyond = sum(int((np.abs(g) > 0.05).sum()) for g in raw.values())
    norm = np.sqrt(sum((g**2).sum() for g in by_value.values()))
    step = explanation.find("update", "clip_value")
    assert beyond > 0
    assert step.values["elements that were beyond"] == beyond
    step = explanation.find("update", "clip_norm")
    assert float(step.values["norm"]) == pytest.approx(norm, rel=1e-12)
    assert float(step.values["factor"]) == pytest.approx(min(1.0, 0.1 / norm), rel=1e-12)
    for name, clipped in by_value.items():
        values = explanation.find("update", name).values
        np.testing.assert_allclose(values["g"], clipped * min(1.0, 0.1 / norm), rtol=1e-12)


def test_penalties_are_told() -> None:
    model = fm.Sequential(
        [fm.Dense(1, l1=0.1, l2=0.5)], dtype="float64", backend="numpy", random_state=0
    ).build(4)
    w = model.parameters["0.weight"]
    explanation = model.explain(X[0], 1.0)
    penalty = 0.1 * np.abs(w).sum() + 0.25 * (w**2).sum()
    values = explanation.find("loss", "penalty of 0.weight").values
    assert float(values["penalty"]) == pytest.approx(penalty, rel=1e-12)
    assert float(explanation.find("loss", "reported loss").values["loss"]) == pytest.approx(
        model.evaluate(X[:1], [1.0])["loss"], rel=1e-12
    )


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


def test_wide_layers_are_shortened() -> None:
    layers = [fm.Dense(200, "relu"), fm.Dense(150, "softmax")]
    model = fm.Sequential(layers, backend="numpy", random_state=0).build(300)
    x = RNG.normal(size=300)
    explanation = model.explain(x, 7)
    text = str(explanation)
    assert max(map(len, text.splitlines())) <= 125
    assert len(text.splitlines()) < 300
    # The first and last elements that are shown are those of the arrays.
    values = explanation.find("forward", "0.output").values["0.output"]
    assert values.shape == (1, 200)
    numbers = shown(values).strip("[]").split()
    assert numbers[3] == "..."
    shown_values = [float(number) for number in numbers if number != "..."]
    np.testing.assert_allclose(shown_values, values[0, [0, 1, 2, -3, -2, -1]], rtol=1e-3)


@pytest.mark.parametrize(
    "value",
    [np.zeros((0,)), np.array(3), np.array(0.1), np.arange(4), np.array([[1e-30, 1e30]]), X[:3]],
)
def test_all_digits_that_are_shown_are_right(value: Array) -> None:
    numbers = shown(value).replace("[", " ").replace("]", " ").split()
    np.testing.assert_allclose([float(n) for n in numbers], value.reshape(-1), rtol=1e-3)


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


def test_smoothed_targets() -> None:
    loss = fm.CategoricalCrossentropy(label_smoothing=0.3)
    model = everything("numpy", loss=loss).build(4)
    values = model.explain(X[0], 2).find("loss", "loss").values
    np.testing.assert_allclose(values["target"], [[0.1, 0.1, 0.8]])
    told = -(values["target"] * np.log(values["6.output"])).sum()
    assert float(values["loss"]) == pytest.approx(told, rel=1e-12)


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


def test_a_table_for_rich() -> None:
    console = pytest.importorskip("rich.console")
    explanation = by_hand().explain([1.0, 2.0], 5.0)
    screen = console.Console(width=120, file=io.StringIO())
    screen.print(explanation)
    text = screen.file.getvalue()
    assert "0.preactivation = input @ 0.weight + 0.bias" in text
    assert "[0]: 1 * 1 + 2 * 0.5 + 1 = 3" in text
    assert explanation.table().row_count == len(explanation.steps)


def test_without_rich(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name.partition(".")[0] == "rich"]:
        monkeypatch.setitem(sys.modules, name, None)
    monkeypatch.setitem(sys.modules, "rich", None)
    monkeypatch.setitem(sys.modules, "rich.table", None)
    explanation = by_hand().explain([1.0, 2.0])
    assert "relu" in str(explanation)
    with pytest.raises(ImportError, match=r"fastmlp\[rich\]"):
        explanation.table()
