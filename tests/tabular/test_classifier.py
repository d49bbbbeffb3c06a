"""Classes of tables of every size, and of those that people know."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import fastmlp as fm

FAST: dict[str, Any] = {"preset": "fast", "random_state": 0}
RNG = np.random.default_rng(0)
quiet = pytest.mark.filterwarnings("ignore::fastmlp.TableWarning")


def tables() -> dict[str, tuple[Any, Any]]:
    """X and y of the sizes and shapes at which something could break."""
    letters = RNG.choice(np.array(["a", "b", "c"], object), (400, 3))
    wide = RNG.normal(size=(80, 1000))
    hundred = np.arange(600) % 100
    rare = np.arange(1010) % 101 == 0
    gaps = RNG.normal(size=(200, 4))
    gaps[:, 1], gaps[:, 2] = np.nan, 3.0
    return {
        "50 rows": (RNG.normal(size=(50, 3)), np.arange(50) % 2),
        "3 rows": (RNG.normal(size=(3, 2)), ["a", "b", "a"]),
        "one column": (RNG.normal(size=(100, 1)), np.arange(100) % 2),
        "only categories": (letters, letters[:, 0] == "a"),
        "100 classes": (np.eye(100)[hundred] + 0.01, hundred),
        "one in a hundred": (np.column_stack([rare + 0.1, RNG.normal(size=1010)]), rare),
        "1,000 columns": (wide, wide[:, 0] > 0),
        "constant and empty columns": (gaps, gaps[:, 0] > 0),
    }


@quiet
@pytest.mark.parametrize("name", tables())
def test_tables_of_every_size(name: str) -> None:
    X, y = tables()[name]
    for arguments in (FAST, {"n_members": 2, **FAST}):
        model = fm.TabularClassifier(**arguments).fit(X, y)
        found = model.predict_proba(X)
        assert found.shape == (len(X), len(np.unique(y)))
        np.testing.assert_allclose(found.sum(axis=1), 1, rtol=1e-12)
        assert set(model.predict(X)) <= set(np.unique(y).tolist())
        if name in ("only categories", "100 classes", "one in a hundred"):
            assert model.score(X, y) > 0.99


@quiet
def test_a_column_without_a_cell_is_no_reason_to_stop() -> None:
    X = {"a": [None] * 60, "b": list(np.arange(60) % 2 + 0.5), "c": ["x"] * 60}
    model = fm.TabularClassifier(**FAST).fit(X, np.arange(60) % 2)
    assert [column.kind for column in model.schema_.columns] == ["left out", "number", "left out"]
    assert model.score(X, np.arange(60) % 2) == 1


def read(folder: Path, name: str, n: int) -> Any:
    pandas = pytest.importorskip("pandas")
    frame = pandas.read_csv(folder / f"{name}.csv.gz", na_values="?", keep_default_na=True)
    return frame.sample(min(n, len(frame)), random_state=0).reset_index(drop=True)


@quiet
@pytest.mark.parametrize(
    ("name", "target", "n", "score"),
    [("titanic", "survived", 891, 0.77), ("adult", "income", 3000, 0.82)],
)
def test_tables_that_people_know(
    tables: Path, name: str, target: str, n: int, score: float
) -> None:
    frame = read(tables, name, n)
    y = frame.pop(target)
    half = len(frame) // 2
    model = fm.TabularClassifier(random_state=0).fit(frame[:half], y[:half])
    assert model.score(frame[half:], y[half:]) > score
