"""The network that a table gets without options, as a program of its own."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
from bent_table import BENT, TARGETS
from c_harness import compile_header
from commands import error_of, read_csv, train

import fastmlp as fm
from fastmlp.cli import frozen, main

CLASSES = {"large": ["yes"], "kind": ["high", "low", "middle"]}


def trained(folder: Path, target: str) -> tuple[str, str]:
    """The files of a model, which is not what it was held against, and of the table."""
    data = folder / "t.csv"
    with open(data, "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow([*BENT, target])
        writer.writerows(zip(*BENT.values(), TARGETS[target], strict=True))
    metrics = train(folder, "--data", str(data), "--target", target)
    assert metrics["weights"].startswith("the weights are those of epoch")
    assert metrics["weights"].endswith(
        "(one network made of 5, each judged on rows that it had not seen)"
    )
    path = folder / "model.safetensors"
    assert isinstance(fm.load(path), fm.Sequential)
    return str(path), str(data)


@pytest.mark.parametrize("target", TARGETS)
def test_the_program_predicts_what_the_command_does(target: str, tmp_path: Path) -> None:
    path, data = trained(tmp_path, target)
    header, out = tmp_path / "m.h", tmp_path / "p.csv"
    assert main(["export", path, "--format", "c", "-o", str(header)]) == 0
    assert main(["predict", path, "--data", data, "-o", str(out)]) == 0
    rows = frozen.read(path).rows(fm.read_table(data), data)[0].astype(np.float32)
    found, codes = compile_header(header)(rows)
    assert not codes.any()
    written = read_csv(out)
    names = [f"probability_{name}" for name in CLASSES.get(target, ())] or ["prediction"]
    expected = np.array([[float(row[name]) for name in names] for row in written])
    np.testing.assert_allclose(found, expected, atol=2e-5 * np.abs(expected).max())
    if target == "price":
        assert np.corrcoef(found[:, 0], TARGETS[target])[0, 1] > 0.95
    else:
        right = [row["prediction"] for row in written] == np.array(TARGETS[target])
        assert np.mean(right) > 0.95


def test_it_has_no_int8_form(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path, data = trained(tmp_path, "large")
    words = ["--format", "c-int8", "--calibration", data, "-o", str(tmp_path / "m.h")]
    capsys.readouterr()
    told = error_of(capsys, "export", path, *words)
    assert "does not know PeriodicEmbedding; it takes Dense, " in told
    assert "export this network in float, or train one of such layers (" in told
    assert "fastmlp train --layers 32 16" in told
    assert not (tmp_path / "m.h").exists()
    assert main(["inspect", path, "--no-latency"]) == 0
    printed = capsys.readouterr().out
    assert "as C in int8   not possible: int8 quantization does not know PeriodicEm" in printed

    # What the message says helps.
    train(tmp_path, "--data", data, "--target", "large", "--layers", "32", "16", "-e", "2")
    assert main(["export", path, *words]) == 0
