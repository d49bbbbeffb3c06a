"""``fastmlp bench``: from words to a table and files, and what the tables say."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path
from typing import Any

import pytest
from commands import error_of

from fastmlp.cli import main
from fastmlp.peers import peer
from fastmlp.peers.measure import Comparison, Measurement, Results, measure
from fastmlp.peers.options import Options
from fastmlp.peers.process import PeerError, Process
from fastmlp.peers.report import draw, markdown, quartiles, short, table

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


def measured(library: str, threads: int | str, seconds: list[float], **others: Any) -> Measurement:
    values: dict[str, Any] = {
        "fixed_seconds": 2e-4,
        "loss_same_order": 0.5,
        "loss_random_order": 0.25,
        **others,
    }
    return Measurement(library, threads, "fit", {"fit": 1.0}, {}, 20, seconds, **values)


def results_by_hand() -> Results:
    """One case: fastmlp beside JAX, which is better with one thread, and a PyTorch that differs."""
    comparison = Comparison(
        "T",
        rows=800,
        compared_epochs=20,
        first_loss=0.7,
        variants={"fastmlp": 1, "jax": 16, "torch": 4},
        measurements=[
            measured("fastmlp", 1, [2e-6, 2e-6, 4e-6]),
            measured("jax", 1, [4e-6, 5e-6, 16e-6]),
            measured("torch", 1, [1e-3, 1e-3, 1e-3], agrees=False),
            measured("fastmlp", 2, [1e-6, 1e-6, 1e-6]),
            measured("jax", 2, [6e-6, 6e-6, 6e-6]),
            measured("fastmlp", "auto", [1e-6, 1e-6, 2e-6]),
        ],
        skipped={"onnxruntime": "it only predicts", "torch, 2 threads": "it broke"},
    )
    machine = {
        "cpu": "A processor",
        "cores": 4,
        "available_cores": 2,
        "memory_gib": 8.0,
        "system": "A system",
        "python": "3.11.0",
        "variables": {"OPENBLAS_CORETYPE": "Haswell", "OMP_NUM_THREADS": "7"},
    }
    return Results(
        machine,
        {"jax": "0.10.2", "fastmlp": "0.1.0"},
        Options(rounds=3, rows=800, variants=2),
        {"start": 0.25, "end": 1.5},
        {"keras": "keras"},
        [comparison],
    )


def cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.strip("|").split("|")]


def test_quartiles_by_hand() -> None:
    assert quartiles([1.0, 2.0, 3.0, 4.0, 5.0]) == (2.0, 3.0, 4.0)
    assert quartiles([7.0]) == (7.0, 7.0, 7.0)


def test_ratios_are_of_the_same_round_and_of_the_best_beside_auto() -> None:
    (comparison,) = results_by_hand().comparisons
    best = comparison.best("jax")
    assert best is comparison.of("jax")[1]
    assert best is not None
    assert comparison.ratios(best, 1) == pytest.approx([2.0, 2.5, 4.0])
    assert comparison.ratios(best, "auto") == pytest.approx([4.0, 5.0, 8.0])
    assert comparison.ratios(best, 3) is None
    assert comparison.best("keras") is None


def test_short_table_by_hand() -> None:
    lines = table(results_by_hand())
    assert len({len(line) for line in lines}) == 1
    head, _, *rows = map(cells, lines)
    assert head == ["network", "threads", "fastmlp", "JAX", "PyTorch"]
    assert rows == [
        ["2-8-8-1, batch 32", "1", "2 us a step", "2.5", "500*"],
        ["2-8-8-1, batch 32", "2", "1 us a step", "6", ""],
        ["2-8-8-1, batch 32", "auto", "1 us a step", "5", "1000*"],
    ]


def test_short_report_tells_the_conditions() -> None:
    text = short(results_by_hand())
    for words in (
        *(
            "A processor, 2 of 4 cores, 8.0 GiB; A system; Python 3.11.0",
            "fastmlp 0.1.0, jax 0.10.2",
        ),
        *("load average 0.25 at the start, 1.5 at the end", "`OPENBLAS_CORETYPE=Haswell`"),
        *("3 rounds", "At most 800 rows", "at most 2 ways", "*: its losses"),
        *("Not installed, so not measured: keras.", "T: torch, 2 threads failed: it broke"),
    ):
        assert words in " ".join(text.split())
    # It is set anew for each process.
    assert "OMP_NUM_THREADS" not in text
    # What a library is not for is no failure.
    assert "onnxruntime" not in text


def test_full_report_by_hand() -> None:
    text = markdown(results_by_hand())
    jax = next(line for line in text.splitlines() if line.startswith("| JAX "))
    assert cells(jax) == [
        *("JAX", "1", "**5** (4.5 to 10.5)", "**2.5** (2.25 to 3.25)", "**5** (4.5 to 6.5)"),
        *("0.2", "0.500000", "0.25000", "yes", "fit", "1 of 16"),
    ]
    assert "loss, 20 epochs" in text
    assert "* onnxruntime: it only predicts" in text


def test_picture_is_drawn(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    draw(results_by_hand(), tmp_path / "peers.png")
    assert (tmp_path / "peers.png").read_bytes().startswith(PNG)


def test_results_are_plain_values() -> None:
    as_json = json.loads(json.dumps(results_by_hand().to_dict()))
    assert as_json["comparisons"][0]["measurements"][5]["threads"] == "auto"
    assert as_json["options"]["rounds"] == 3


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


def test_unknown_names_are_refused() -> None:
    with pytest.raises(ValueError, match="unknown case 'X'; known: B1"):
        measure(["X"])
    with pytest.raises(ValueError, match="unknown library 'caffe'; known: fastmlp"):
        measure(["T"], [1], ["caffe"])


def test_a_worker_tells_its_errors_in_a_line_and_goes_on() -> None:
    pytest.importorskip("numba")
    with Process("fastmlp", 1) as process:
        with pytest.raises(PeerError, match=r"^ValueError: unknown case 'X'; known: B1, .*$"):
            process.ask("setup", case="X", rows=8, variants=None)
        assert process.is_alive()
        assert "fastmlp" in process.ask("versions")
