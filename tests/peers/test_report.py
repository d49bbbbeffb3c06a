"""Results as tables in Markdown, short and in full, and as a picture."""

from __future__ import annotations

from pathlib import Path

import pytest
from results_by_hand import results_by_hand

from fastmlp.peers.report import draw, markdown, quartiles, short, table

PNG = b"\x89PNG\r\n\x1a\n"


def cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.strip("|").split("|")]


def test_quartiles_by_hand() -> None:
    assert quartiles([1.0, 2.0, 3.0, 4.0, 5.0]) == (2.0, 3.0, 4.0)
    assert quartiles([7.0]) == (7.0, 7.0, 7.0)


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
