"""Files of models that several tests export."""

from __future__ import annotations

from pathlib import Path

import pytest
from houses import QUICK, TARGETS, houses, write

from fastmlp.cli import main


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A table, and a model of each of its targets."""
    folder = tmp_path_factory.mktemp("export")
    data = write(folder / "houses.csv", houses())
    for target in TARGETS:
        others = [name for name in TARGETS if name != target]
        words = ["--data", str(data), "--target", target, "--drop", "id", *others]
        assert main(["train", *words, "--output_dir", str(folder), "-en", target, *QUICK]) == 0
    return folder
