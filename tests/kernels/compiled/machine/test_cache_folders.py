"""The folder that is announced before a kernel is compiled holds what is then written."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from paths import ROOT

pytest.importorskip("numba")

# One op and one function of the machine, for Numba has a folder for those of each.
COMPILE = """
import json
import sys

from numba.core.caching import InTreeCacheLocator

if sys.argv[1] == "home":
    InTreeCacheLocator.from_function = classmethod(lambda cls, function, file: None)

from fastmlp.kernels.compiled.machine.cache import cache_folder
from fastmlp.kernels.compiled.machine.runner import runner
from fastmlp.kernels.compiled.ops.rows import sum_weights
from fastmlp.kernels.compiling import before_compiling

told = []
with before_compiling(told.append):
    sum_weights.address("float32")
    runner()
print(json.dumps([str(folder) for folder in (*told, cache_folder())]))
"""


@pytest.mark.parametrize("place", ["sources", "home", "NUMBA_CACHE_DIR"])
def test_one_folder_holds_what_is_compiled_wherever_that_is(place: str, tmp_path: Path) -> None:
    sources = tmp_path / "sources"
    ignore = shutil.ignore_patterns("__pycache__")
    for name in ("fastmlp", "kernels"):
        shutil.copytree(ROOT / name, sources / name, symlinks=True, ignore=ignore)
    environment: dict[str, Any] = {**os.environ, "PYTHONPATH": str(sources)}
    for name in ("NUMBA_CACHE_DIR", "XDG_CACHE_HOME"):
        environment.pop(name, None)
    environment |= {"HOME": str(tmp_path / "home"), "LOCALAPPDATA": str(tmp_path / "home")}
    if place == "NUMBA_CACHE_DIR":
        environment["NUMBA_CACHE_DIR"] = str(tmp_path / "NUMBA_CACHE_DIR")
    finished = subprocess.run(
        [sys.executable, "-c", COMPILE, place],
        cwd=sources,
        env=environment,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert finished.returncode == 0, finished.stderr
    folders = json.loads(finished.stdout)
    assert len(folders) == 3
    assert len(set(folders)) == 1
    below = Path(folders[0])
    assert below.resolve().is_relative_to((tmp_path / place).resolve())
    written = list(tmp_path.rglob("*.nbc"))
    assert len({path.parent for path in written}) == 2
    assert all(path.resolve().is_relative_to(below.resolve()) for path in written)
    # It is the innermost of such folders.
    assert len({path.resolve().relative_to(below.resolve()).parts[0] for path in written}) == 2
