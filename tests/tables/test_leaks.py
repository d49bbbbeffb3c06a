"""Notes on what makes a test easier than the use will be."""

from __future__ import annotations

import numpy as np
import pytest

from fastmlp.tables.infer import Wishes, understand

pytest.importorskip("pyarrow")
from fastmlp.tables.table import Table

N = 300


def notes(columns: dict, group: str | None = None) -> str:
    found = understand(Table.of(columns), target="y", wishes=Wishes(group=group))
    return "\n".join(note.in_shell() for note in found.schema.notes)


def noise(seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=N)


def test_a_column_that_gives_the_target() -> None:
    y = np.exp(noise())
    for leak in (2 * y + 1, np.log(y), np.round(y, 2), -(y**3)):
        text = notes({"a": noise(1), "leak": leak, "y": y})
        assert "the column 'leak' alone gives" in text
        assert "of the variance of the target 'y'" in text
        assert "--drop leak decides otherwise" in text
        assert "'a'" not in text
    assert "alone" not in notes({"a": noise(1), "b": y + 0.2 * noise(2), "y": y})


def test_a_column_that_gives_the_class() -> None:
    labels = np.where(noise() > 0, "yes", "no")
    for leak in (
        np.where(labels == "yes", "paid", "open"),
        np.where(labels == "yes", 1.0, 0.0) + 0.3 * np.abs(np.tanh(noise(3))),
    ):
        text = notes({"a": noise(1), "leak": leak, "y": labels})
        assert "the column 'leak' alone gives" in text
        assert "of the classes of the target 'y'" in text
    wrong = labels.copy()
    wrong[::10] = "no"
    assert "alone" not in notes({"a": noise(1), "b": wrong, "y": labels})


def test_one_column_is_expected_to_tell() -> None:
    y = noise()
    assert "alone" not in notes({"x": y * 2, "y": y})


def test_rows_in_the_order_of_the_target() -> None:
    labels = np.repeat(["a", "b", "c"], N // 3)
    assert "rows are sorted by the target 'y'" in notes({"x": noise(), "y": labels})
    assert "rows are sorted by the target 'y'" in notes({"x": noise(), "y": np.sort(noise(1))})
    shuffled = np.random.default_rng(0).permutation(labels)
    assert "sorted" not in notes({"x": noise(), "y": shuffled})
    assert "sorted" not in notes({"x": noise(), "y": np.cumsum(noise(1))})


def test_times_and_groups() -> None:
    days = np.datetime64("2024-01-01") + np.arange(N).astype("m8[D]")
    assert "the column 'when' holds times" in notes({"x": noise(), "when": days, "y": noise(1)})
    assert "--test-last decides" in notes({"x": noise(), "when": days.astype(str), "y": noise(1)})
    patients = [f"P{i // 6:03}" for i in range(N)]
    columns = {"x": noise(), "who": patients, "y": noise(1)}
    text = notes(columns)
    assert "the column 'who' has 50 different values, each in several rows" in text
    assert "--group who decides otherwise" in text
    assert "--group" not in notes(columns, "who")
    users = np.repeat(np.arange(N // 5), 5)
    assert "--group user_id" in notes({"x": noise(), "user_id": users, "y": noise(1)})


def test_few_rows_say_nothing() -> None:
    y = noise()[:15]
    assert "alone" not in notes({"a": noise(1)[:15], "b": y, "y": y})


def test_the_largest_numbers_have_squares() -> None:
    cells = [f"{n * n % 7}.5" for n in range(40)]
    table = Table.of({"x": list(range(40)), "z": cells, "y": [*cells[1:], "1e300"]})
    with np.errstate(all="raise"):
        assert understand(table, target="y").target is not None
