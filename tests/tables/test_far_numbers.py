"""What is far from all other numbers of a column is told."""

from __future__ import annotations

import numpy as np
import pytest

from fastmlp.tables.infer import understand

pytest.importorskip("pyarrow")
from fastmlp.tables.table import Table

RNG = np.random.default_rng(0)
N = 400


def told(x: np.ndarray) -> list[str]:
    table = Table.of({"x": x, "z": RNG.normal(size=N), "y": RNG.normal(size=N)})
    return [note.in_shell() for note in understand(table, target="y").schema.notes]


@pytest.mark.parametrize("sign", [-999.0, 999.0, -99.0, 9999.0])
def test_a_sign_of_missing_cells(sign: float) -> None:
    x = RNG.normal(size=N)
    x[::10] = sign
    (note,) = told(x)
    assert note == (
        f"the column 'x': 40 of 400 cells are {sign:g}, far from all others, and are learned from "
        f"as numbers; --na-values {sign:g} decides otherwise"
    )


@pytest.mark.parametrize("wrong", [[1e6], [1e6, -3e7], [1e40]])
def test_slips(wrong: list[float]) -> None:
    x = RNG.normal(size=N)
    x[7 : 7 + len(wrong)] = wrong
    (note,) = told(x)
    assert "far from all others" in note
    assert f"{wrong[0]:g} in row 7 (counted from 0)" in note


def test_a_lost_decimal_point() -> None:
    x = RNG.normal(50, 10, N).round(2)
    x[7] *= 100
    (note,) = told(x)
    assert f"1 number is far from all others, {x[7]:g} in row 7" in note
    x = np.where(RNG.random(N) < 0.7, 0.0, x)
    x[7] = -5000
    assert "-5000 in row 7" in told(x)[0]


def test_slips_in_several_columns_are_one_note() -> None:
    frame = {name: RNG.normal(size=N) for name in "abcdefy"}
    for name in "abcdef":
        frame[name][3] = 1e5
    notes = understand(Table.of(frame), target="y").schema.notes
    assert [note.text for note in notes] == [
        "the column 'a': 1 number is far from all others, 100000 in row 3 (counted from 0); so are "
        "some of 'b', 'c', 'd' and 2 more"
    ]


@pytest.mark.parametrize(
    "x",
    [
        RNG.normal(size=N),
        np.exp(2 * RNG.normal(size=N)),
        np.where(RNG.random(N) < 0.95, 0.0, 5e4 * RNG.random(N)),
        RNG.integers(0, 1000, N).astype(float),
        np.clip(RNG.normal(50, 30, N), -99, 99),
        np.where(RNG.random(N) < 0.1, -98.5, RNG.normal(size=N)),
        np.where(RNG.random(N) < 0.7, -999.0, RNG.normal(size=N)),
    ],
)
def test_usual_columns(x: np.ndarray) -> None:
    assert told(x) == []
