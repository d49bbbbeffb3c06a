"""The comparison on tables: its file goes on, its fits take turns, its page says what it holds."""

from __future__ import annotations

import json
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("matplotlib")
pytest.importorskip("pandas")
pytest.importorskip("pyarrow")
pytest.importorskip("sklearn")

import pandas as pd

from benchmarks.shared.open_tables import Columned
from benchmarks.tabular import __main__ as program
from benchmarks.tabular import measuring
from benchmarks.tabular.labels import PLACES, Obstacles, chosen_places
from benchmarks.tabular.measuring import measure, remove_stale
from benchmarks.tabular.page import page
from benchmarks.tabular.results import ResultsFile
from benchmarks.tabular.tables import framed, tables
from fastmlp.peers.tabular.summary import Cell, Summary
from fastmlp.peers.tabular.tables import Table

METHODS = ["linear", "hist_gradient_boosting", "default", "realmlp_td"]
TABLES = {
    name: Table.of(name, pd.DataFrame({"x": np.arange(float(n))}), np.arange(n) % 2, False)
    for name, n in (("few", 20), ("many", 200))
}


def result(error: float, **more: Any) -> dict[str, Any]:
    return {
        "rows": 20,
        "columns": 1,
        "classes": 2,
        "error": error,
        "log_loss": 0.5,
        "auc": 0.5,
        "fit_cpu_seconds": 2.0,
        "fit_seconds": 2.0,
        "predict_seconds": 0.01,
        "load_average": 1.0,
        "cpu": "a processor",
        "measured": "scikit-learn 1.9",
        **more,
    }


@pytest.fixture
def fits(monkeypatch: pytest.MonkeyPatch) -> list[Cell]:
    """What is measured, by a method that is as good as its table is long."""
    found: list[Cell] = []

    def measured(method: str, table: Table, split: int) -> dict[str, Any]:
        found.append(Cell(table.name, method, split))
        return result(1 / len(table.y))

    monkeypatch.setattr(measuring, "measure_apart", measured)
    monkeypatch.setattr(measuring, "say", lambda line: None)
    monkeypatch.setattr(measuring, "installed", lambda names, say: list(names))
    return found


def test_what_is_there_is_not_measured_again(tmp_path: Path, fits: list[Cell]) -> None:
    path = tmp_path / "results.jsonl"
    measure(ResultsFile(path), TABLES, ["linear"], [0])
    assert fits == [Cell("few", "linear", 0), Cell("many", "linear", 0)]
    # The process ended while it wrote.
    text = path.read_text()
    path.write_text(text + '{"table": "few", "meth')
    again = ResultsFile(path)
    assert list(again.found) == fits
    assert path.read_text() == text
    fits.clear()
    measure(again, TABLES, ["linear", "hist_gradient_boosting"], [0, 1])
    assert fits == [
        *(Cell("few", "hist_gradient_boosting", 0), Cell("many", "hist_gradient_boosting", 0)),
        *(Cell("few", "linear", 1), Cell("many", "linear", 1)),
        *(Cell("few", "hist_gradient_boosting", 1), Cell("many", "hist_gradient_boosting", 1)),
    ]
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    assert len(lines) == 8
    assert lines[0] == {"table": "few", "method": "linear", "split": 0, **result(1 / 20)}


@pytest.mark.usefixtures("fits")
def test_stale_results_go(tmp_path: Path) -> None:
    results = ResultsFile(tmp_path / "results.jsonl")
    today = measuring.METHODS["linear"].measured()
    kept = {
        Cell("few", "linear", 0): result(0.1, measured=today),
        Cell("few", "default", 0): result(0.1),
        Cell("many", "linear", 0): result(0.1),
    }
    stale = {
        Cell("few", "linear", 1): result(0.1, measured="older"),
        Cell("few", "linear", 2): {"failure": "no", "rows": 20},
    }
    for cell, each in {**kept, **stale}.items():
        results.add(cell, each)
    remove_stale(results, ["few"], ["linear"], [0, 1, 2])
    assert results.found.keys() == kept.keys()
    assert ResultsFile(results.path).found == results.found


def test_a_page_by_hand() -> None:
    found = {
        Cell("few", "linear", 0): result(0.5),
        Cell("few", "hist_gradient_boosting", 0): result(0.25),
        Cell("few", "hist_gradient_boosting", 1): result(0.25),
        Cell("few", "default", 0): result(0.0, fit_cpu_seconds=1.0, measured="fastmlp 1 abc"),
        Cell("few", "realmlp_td", 0): {"failure": "no memory", "rows": 20},
    }
    text = page(Summary(found), "picture.png")
    assert "1 tables, 4 fits" in text
    assert "scikit-learn 1.9; fastmlp 1 abc (with a digest" in text
    assert "![Errors over CPU seconds](picture.png)" in text
    assert "| fastmlp default | 1 | 1 | 1.0 ± 0.0 | 0.333 ± 0.0% |" in text
    assert "| few | 20 | 25% | (1.667) | (**0.333**) |" in text
    assert "Fits that failed: RealMLP-TD on few (no memory)." in text


def test_command_from_words_to_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fits: list[Cell]
) -> None:
    monkeypatch.setattr(program, "tables", lambda: TABLES)
    results = ["--results", str(tmp_path / "results.jsonl")]
    words = ["--methods", *METHODS[:3], "--splits", "0", "1"]
    program.main([*results, *words, "--tables", "few"])
    assert len(fits) == 6
    program.main([*results, *words, "--again", "default"])
    assert len(fits) == 6 + 6 + 2
    document = tmp_path / "page.md"
    begin = "<!-- written by python -m benchmarks.tabular --write -->"
    document.write_text(f"above\n{begin}\n<!-- end of it -->\nbelow\n<!-- end of it -->\n")
    program.main([*results, "--write", str(document)])
    assert len(fits) == 14
    text = document.read_text()
    assert text.startswith(f"above\n{begin}\n\n2 tables, 12 fits")
    assert text.endswith("<!-- end of it -->\nbelow\n<!-- end of it -->\n")
    assert (tmp_path / "page.png").read_bytes().startswith(b"\x89PNG\r\n\x1a\n")


def test_labels_cover_nothing() -> None:
    from matplotlib.transforms import Bbox

    points = np.array([(50.0, 50.0), (60.0, 50.0), (75.0, 52.0)])
    steps = np.array([place[:2] for place in PLACES])
    boxes = []
    for point in points:
        corners = point + steps - np.where(steps < 0, (12, 6), 0)
        boxes.append([Bbox.from_bounds(*corner, 12, 6) for corner in corners])
    inside = Bbox.from_extents(0, 0, 100, 100)
    places = chosen_places(boxes, Obstacles(points, np.empty((0, 2, 2)), [], inside))
    found = [row[place] for row, place in zip(boxes, places, strict=True)]
    assert not any(one.overlaps(other) for one, other in combinations(found, 2))


def test_tables_as_frames(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("FASTMLP_TEST_DATA", raising=False)
    tables.cache_clear()
    found = tables()
    tables.cache_clear()
    assert list(found) == ["iris", "wine", "diabetes", "breast_cancer", "digits"]
    assert not found["iris"].is_regression


def test_gaps_of_the_census_are_gaps() -> None:
    columns = {
        "age": np.array([30, None, 50], object),
        "work": np.array(["?", "none", None], object),
        "target": np.array(["yes", "no", "yes"], object),
    }
    table = framed(Columned("a census", columns, False))
    assert table.name == "a_census"
    assert table.X["age"].dtype == np.float64
    assert table.X["work"].isna().tolist() == [True, False, True]
    assert table.y.tolist() == [1, 0, 1]
