"""The parts of the example of wide and deep networks, on a small table of the same columns."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pandas
import pytest
from modules import load_module
from paths import ROOT

PATH = ROOT / "examples/wide_and_deep.py"


@pytest.fixture(scope="module")
def example() -> ModuleType:
    return load_module(PATH)


@pytest.fixture
def table(example: ModuleType) -> Any:
    """600 rows in which some pairs of education and occupation earn more."""
    rng = np.random.default_rng(0)
    n = 600
    columns = {name: rng.integers(2, size=n).astype(str) for name in example.CATEGORIES}
    columns |= {name: rng.integers(20, 60, n) for name in example.NUMBERS}
    columns |= {name: rng.integers(0, 20, n) // 19 * 5000 for name in example.AMOUNTS}
    pair = [
        int(a) + int(b) for a, b in zip(columns["education"], columns["occupation"], strict=True)
    ]
    columns["income"] = np.where(np.array(pair) % 2 == 0, ">50K", "<=50K")
    columns["split"] = np.where(np.arange(n) < 400, "train", "test")
    return pandas.DataFrame(columns)


def test_rows_are_those_of_the_official_split(
    example: ModuleType, table: Any, tmp_path: Path
) -> None:
    table.to_csv(tmp_path / "adult.csv.gz", index=False)
    train, test = example.read(tmp_path / "adult.csv.gz")
    assert (len(train), len(test)) == (400, 200)


def test_features_are_fitted_on_training_rows(example: ModuleType, table: Any) -> None:
    train, test = table[:400], table[400:].copy()
    test.loc[test.index[0], "sex"] = "never seen"
    rows, other = example.features(train, test)
    first = len(example.NUMBERS) + len(example.AMOUNTS)
    np.testing.assert_allclose(rows.deep[:, :first].mean(axis=0), 0.0, atol=1e-5)
    place = first + example.CATEGORIES.index("sex")
    assert rows.deep[:, place].min() == 1
    assert other.deep[0, place] == 0
    assert rows.deep[:, first:].max(axis=0).tolist() == [size - 1 for size in rows.sizes]
    assert len(rows.sizes) == len(example.CATEGORIES) + len(example.AMOUNTS)
    ones = len(example.NUMBERS + example.AMOUNTS + example.CATEGORIES) + len(example.CROSSES)
    assert (np.diff(rows.wide.indptr) == ones).all()
    assert rows.wide.shape[1] == other.wide.shape[1]


def test_crosses_are_found_by_all_but_the_linear_model(
    example: ModuleType, table: Any, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    monkeypatch.setattr(example, "SEEDS", range(2))
    monkeypatch.setattr(example, "EPOCHS", dict.fromkeys(example.EPOCHS, 30))
    scores = example.compare(table[:400], table[400:])
    assert {name: score.shape for name, score in scores.items()} == {
        "logistic regression": (1, 2),
        **dict.fromkeys(example.EPOCHS, (2, 2)),
    }
    areas = {name: score[:, 1] for name, score in scores.items()}
    assert areas["logistic regression"].max() < 0.65
    assert areas["wide only"].min() > 0.9
    assert areas["wide and deep"].min() > 0.9
    assert "wide weights are not 0" in capsys.readouterr().out


def test_without_the_data(
    example: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    monkeypatch.setenv("FASTMLP_TEST_DATA", str(tmp_path))
    monkeypatch.setattr("sys.argv", ["wide_and_deep.py"])
    example.main()
    assert capsys.readouterr().out == (
        f"skipped: there is no {tmp_path / 'adult.csv.gz'}; name the file with --data\n"
    )
