"""Kernels that are measured by asv are compiled anew for each commit, and kept within one."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from paths import ROOT

pytest.importorskip("numba")

COMMITS = [digit * 40 for digit in "0123456789abcdef"]

COMPILES = """
import os
import benchmarks
from fastmlp.kernels import get_backend
import numpy as np
get_backend("numba").activation_forward(np.ones((1, 1), dtype=np.float32), "relu")
print(os.environ["NUMBA_CACHE_DIR"])
"""
IMPORTS = "import benchmarks"


def run(code: str, cache: Path, commit: str) -> str:
    """Run code as asv does, in an environment that it has built of a commit."""
    environment = {**os.environ, "NUMBA_CACHE_DIR": str(cache), "ASV_COMMIT": commit}
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=environment,
        cwd=ROOT,
        capture_output=True,
        check=True,
        text=True,
    )
    return done.stdout.strip()


def entries(folder: Path) -> dict[Path, int]:
    """Compiled code below a folder, and when each file was written."""
    return {path: path.stat().st_mtime_ns for path in folder.rglob("*.nbc")}


def test_commits_share_no_compiled_code(tmp_path: Path) -> None:
    one, other = COMMITS[:2]
    assert run(COMPILES, tmp_path, one) == str(tmp_path / one)
    compiled = entries(tmp_path)
    assert compiled
    assert all(path.is_relative_to(tmp_path / one) for path in compiled)

    assert run(COMPILES, tmp_path, other) == str(tmp_path / other)
    assert len(entries(tmp_path / other)) == len(compiled)
    assert entries(tmp_path / one) == compiled


def test_processes_of_a_commit_share_it(tmp_path: Path) -> None:
    run(COMPILES, tmp_path, COMMITS[0])
    compiled = entries(tmp_path)
    run(COMPILES, tmp_path, COMMITS[0])
    # A process that a benchmark starts is given the folder of the commit itself.
    assert run(COMPILES, tmp_path / COMMITS[0], COMMITS[0]) == str(tmp_path / COMMITS[0])
    assert entries(tmp_path) == compiled


def test_folders_of_old_commits_are_deleted(tmp_path: Path) -> None:
    (tmp_path / "not a commit").mkdir()
    for age, commit in enumerate(reversed(COMMITS)):
        folder = tmp_path / commit
        folder.mkdir()
        os.utime(folder, (1e9 + age, 1e9 + age))
    run(IMPORTS, tmp_path, COMMITS[-1])
    assert len(list(tmp_path.iterdir())) == len(COMMITS) + 1

    run(IMPORTS, tmp_path, "f" * 39 + "0")
    kept = {path.name for path in tmp_path.iterdir()}
    assert kept == {"not a commit", "f" * 39 + "0", COMMITS[-1], *COMMITS[:6]}
