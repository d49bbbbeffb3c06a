"""Running the command line within a test."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import pytest

from fastmlp.cli import main


def error_of(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    """The one line on stderr with which the command ends."""
    try:
        code = main(words)
    except SystemExit as exit_:
        code = exit_.code
    assert code == 2
    error = capsys.readouterr().err
    assert error.startswith("fastmlp: error: ")
    assert error.count("\n") == 1
    return error


def train(folder: Path, *words: str) -> dict[str, Any]:
    """Train into a folder; the metrics that were written."""
    assert main(["train", "--output-dir", str(folder), *words]) == 0
    (path,) = folder.glob("metrics*.json")
    metrics: dict[str, Any] = json.loads(path.read_text())
    return metrics


def read_csv(path: Path) -> list[dict[str, str]]:
    with open(path, newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))
