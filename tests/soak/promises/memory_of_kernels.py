"""Compiled kernels read and write what they are given, and nothing beside it.

They work on addresses, where Numba's own checks of bounds see nothing; valgrind's memcheck watches
the machine code itself, each read and write of it.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from pathlib import Path

import pytest

from .. import ROOT
from ..promise import Trial, promise

# valgrind 3.19 knows no AVX-512.
_MACHINE = {"NUMBA_CPU_NAME": "haswell", "NUMBA_CPU_FEATURES": "+avx,+avx2,+bmi,+bmi2,+fma,+popcnt"}

_VALGRIND = ("valgrind", "--tool=memcheck", "--smc-check=all-non-file", "--leak-check=no")
_VALGRIND += ("--partial-loads-ok=no", "--xml=yes")

# An op that reads a number behind its array: what the watching must find.
_FAULT = """
import numpy as np
from fastmlp.kernels.compiled.machine.call import call
from fastmlp.kernels.compiled.machine.arguments import Pointer
from fastmlp.kernels.compiled.machine.op import ROWS, op

@op()
def behind(variant, *, rows=ROWS, x: Pointer, out: Pointer):
    out[0] = x[rows]

x = np.frombuffer(bytearray(4 * 1000), np.float32)
call(behind, x.dtype, 1000, x=x, out=np.zeros(1, np.float32))
"""

FILES = (
    "tests/contracts/test_kernel_table.py",
    *sorted(
        path.relative_to(ROOT).as_posix()
        for folder in ("tests/kernels/compiled", "tests/runners/compiled")
        for path in (ROOT / folder).rglob("test_*.py")
    ),
    "tests/contracts/test_every_layer.py",
    "tests/contracts/test_mixed_networks.py",
    "tests/contracts/test_gradients.py",
)


def errors_of_kernels(report: Path) -> list[str]:
    """What valgrind found in machine code that lies in no file, which is what Numba made."""
    found = []
    for error in ET.parse(report).getroot().iter("error"):
        stack = error.find("stack")
        assert stack is not None
        # A kernel, or a copy of memory that it calls.
        if any(frame.find("obj") is None for frame in list(stack)[:2]):
            found.append(f"{error.findtext('kind')}: {error.findtext('what') or ''}")
    return found


def watched(folder: Path, *command: str) -> list[str]:
    """Run Python under valgrind; what it found in kernels."""
    if shutil.which("valgrind") is None:
        pytest.skip("valgrind is not installed")
    report = folder / "report.xml"
    environment = {
        **os.environ,
        **_MACHINE,
        # Python's own heap would hide where its blocks end.
        "PYTHONMALLOC": "malloc",
        "NUMBA_CACHE_DIR": str(folder / "cache"),
        "PYTHONPATH": os.pathsep.join((str(ROOT), os.environ.get("PYTHONPATH", ""))),
    }
    # Numba compiles without the watch, which takes several times as long.
    for watch in ([], [*_VALGRIND, f"--xml-file={report}"]):
        run = subprocess.run(
            [*watch, sys.executable, *command],
            cwd=ROOT,
            env=environment,
            capture_output=True,
            text=True,
        )
        assert run.returncode == 0, run.stdout[-3000:] + run.stderr[-3000:]
    return errors_of_kernels(report)


@promise(
    "Compiled kernels read and write nothing beside what they are given, nor what nobody wrote.",
    unit="files of tests under valgrind",
    full=1 + len(FILES),
    quick=1,
)
def memory_of_kernels(folder: Path) -> Iterator[Trial]:
    def trial(number: int) -> str:
        if number == 0:
            assert watched(folder, "-c", _FAULT) != [], "an op that reads too far was not found"
            return "a planted fault found"
        quiet = ("-m", "pytest", "-q", "-p", "no:cacheprovider", FILES[number - 1])
        assert watched(folder, *quiet) == []
        return "clean"

    yield trial
