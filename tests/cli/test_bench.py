"""``fastmlp bench``: from words to a table and files."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path
from typing import Any

import pytest
from commands import error_of

from fastmlp.cli import main
from fastmlp.peers import peer

PNG = b"\x89PNG\r\n\x1a\n"
QUICK = [
    *("--rows", "64", "--rounds", "1", "--epochs", "1", "--seconds", "0.01", "--limit", "0.05"),
    *("--pause", "0", "--threads", "1"),
]


def hide(monkeypatch: pytest.MonkeyPatch, *names: str) -> None:
    """Let packages look as if they were not installed."""

    def find_spec(name: str) -> Any:
        return None if name in names else importlib.util.find_spec(name)

    monkeypatch.setattr(peer, "find_spec", find_spec)


def test_command_from_words_to_files(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("numba")
    pytest.importorskip("sklearn")
    pytest.importorskip("matplotlib")
    words = ["--cases", "T", "--peers", "sklearn", *QUICK, "--output", str(tmp_path / "new")]
    assert main(["bench", *words]) == 0
    told = capsys.readouterr()
    assert "[1/1] T: 2-8-8-1" in told.err
    assert "| network           | threads | fastmlp" in told.out
    assert "scikit-learn" in told.out

    found = json.loads((tmp_path / "new" / "peers.json").read_text())
    (comparison,) = found["comparisons"]
    assert (comparison["case"], comparison["rows"]) == ("T", 64)
    ours, theirs = comparison["measurements"]
    assert (ours["library"], theirs["library"]) == ("fastmlp", "sklearn")
    for one in (ours, theirs):
        assert len(one["seconds"]) == 1
        assert one["seconds"][0] > 0
        assert one["agrees"]
    assert theirs["loss_same_order"] == pytest.approx(ours["loss_same_order"], rel=1e-4)
    assert "**T**: 2-8-8-1" in (tmp_path / "new" / "peers.md").read_text()
    assert (tmp_path / "new" / "peers.png").read_bytes().startswith(PNG)


def test_missing_peers_are_skipped_by_name(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("numba")
    hide(monkeypatch, "jax", "sklearn")
    assert main(["bench", "--cases", "P", "--peers", "jax", "sklearn", *QUICK]) == 0
    told = capsys.readouterr()
    assert "jax skipped: jax is not installed" in told.err
    assert "sklearn skipped: sklearn is not installed" in told.err
    assert "Not installed, so not measured: jax, sklearn." in told.out


def test_bad_options(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert "'X'" in error_of(capsys, "bench", "--cases", "X")
    assert "'tensorflow'" in error_of(capsys, "bench", "--peers", "tensorflow")
    assert "'two'" in error_of(capsys, "bench", "--threads", "two")
    assert "value must be an integer >= 1, got 0" in error_of(capsys, "bench", "--rounds", "0")
    assert "finite number" in error_of(capsys, "bench", "--pause", "-1")
    assert "10000 threads need as many cores" in error_of(capsys, "bench", "--threads", "10000")
    assert "beside 'auto'" in error_of(capsys, "bench", "--threads", "auto")
    (tmp_path / "file").write_text("")
    assert "file" in error_of(capsys, "bench", "--output", str(tmp_path / "file"))


def test_a_picture_needs_matplotlib_before_anything_is_measured(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("fastmlp.cli.bench.find_spec", lambda name: None)
    assert "matplotlib" in error_of(capsys, "bench", "--output", str(tmp_path / "new"))
    assert not (tmp_path / "new").exists()


def test_estimators_beside_those_of_scikit_learn(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("numba")
    pytest.importorskip("sklearn")
    from fastmlp.peers import estimators

    def measure(rounds: int, epochs: int, say: Any) -> list[estimators.Timed]:
        say(f"{rounds} rounds of {epochs} epochs")
        return [estimators.Timed("rows", "ms an epoch", [0.004], [0.002])]

    monkeypatch.setattr(estimators, "measure_estimators", measure)
    assert main(["bench", "--estimators", "--rounds", "1"]) == 0
    told = capsys.readouterr()
    assert told.err == "1 rounds of 10 epochs\n"
    assert "| rows, ms an epoch | 4            | 2       | 2.00" in told.out


def test_other_options_are_not_for_estimators(capsys: pytest.CaptureFixture[str]) -> None:
    words = ["bench", "--estimators", "--epochs", "2", "--peers", "jax"]
    assert "--peers is not for --estimators" in error_of(capsys, *words)


def test_methods_that_learn_from_tables(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("pandas")
    pytest.importorskip("sklearn")
    from fastmlp.peers.tabular.summary import Cell, Summary

    def measure(splits: int, rows: int, say: Any) -> Summary:
        say(f"{splits} splits of {rows} rows")
        result = {"error": 0.5, "classes": 2, "fit_cpu_seconds": 1.0, "predict_seconds": 0.1}
        return Summary({Cell("iris", "linear", 0): {**result, "rows": 150}})

    monkeypatch.setattr("fastmlp.cli.bench.measure_tabular", measure)
    assert main(["bench", "--tabular"]) == 0
    told = capsys.readouterr()
    assert told.err == "1 splits of 2000 rows\n"
    assert "| linear model | 50.0% |" in told.out
    assert main(["bench", "--tabular", "--rounds", "3", "--rows", "90"]) == 0
    assert capsys.readouterr().err == "3 splits of 90 rows\n"


def test_options_of_tabular(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["bench", "--tabular", "--epochs", "2"]
    assert "--epochs is not for --tabular" in error_of(capsys, *words)
    assert "give one of them" in error_of(capsys, "bench", "--tabular", "--estimators")
    monkeypatch.setattr("fastmlp.cli.bench.find_spec", lambda name: None)
    assert "fastmlp[sklearn]" in error_of(capsys, "bench", "--tabular")
