"""The text and the table of an explanation."""

from __future__ import annotations

import io
import sys

import numpy as np
import pytest
from explained_models import RNG, X, by_hand

import fastmlp as fm
from fastmlp.inspection.explanation import shown
from fastmlp.kernels.typing import Array


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
