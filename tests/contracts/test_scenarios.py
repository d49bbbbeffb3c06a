"""The scenarios in ``examples/scenarios`` reach what is to be expected of them."""

from __future__ import annotations

import json
import math
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from paths import ROOT

from fastmlp.cli import main

SCENARIOS = ROOT / "examples" / "scenarios"


def run(name: str, folder: Path) -> dict[str, Any]:
    words = ["--config", str(SCENARIOS / f"{name}.toml"), "--output_dir", str(folder)]
    assert main(["train", *words]) == 0
    metrics: dict[str, Any] = json.loads((folder / "metrics.json").read_text())["test"]
    return metrics


def test_iris_baseline(tmp_path: Path) -> None:
    metrics = run("iris-baseline", tmp_path)
    assert min(metrics[name] for name in ("accuracy", "precision", "recall", "f1")) >= 0.95


def test_diabetes_linear_ridge(tmp_path: Path) -> None:
    assert run("diabetes-linear-ridge", tmp_path)["r2"] >= 0.40


@pytest.mark.slow
def test_one_command_runs_them_all(tmp_path: Path) -> None:
    names = {path.stem for path in SCENARIOS.glob("*.toml")}
    assert len(names) == 10
    command = [sys.executable, str(SCENARIOS / "run.py"), "--output_dir", str(tmp_path)]
    finished = subprocess.run(command, capture_output=True, text=True)
    assert finished.returncode == 0, finished.stderr
    rows = {line.split()[0]: line.split()[1:] for line in finished.stdout.splitlines() if line}
    assert names <= set(rows)
    assert all(math.isfinite(float(cell)) for name in names for cell in rows[name])
    assert {path.name for path in tmp_path.iterdir()} == names


@pytest.mark.slow
def test_only_those_of_a_task(tmp_path: Path) -> None:
    command = [sys.executable, str(SCENARIOS / "run.py"), "--output_dir", str(tmp_path)]
    finished = subprocess.run([*command, "--only", "classification"], capture_output=True)
    assert finished.returncode == 0
    assert all(path.name.startswith("iris") for path in tmp_path.iterdir())
    assert len(list(tmp_path.iterdir())) == 5
