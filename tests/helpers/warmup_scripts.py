"""Scripts that compile a few kernels beforehand, as a user would."""

from __future__ import annotations

import os
import subprocess
import sys

from paths import ROOT

# A few kernels that compile fast, on two workers; without a guard, as a user's script may be.
SCRIPT = """
import sys

import fastmlp as fm
from fastmlp.runners.compiled import compile_all as warm, warmup_workers as warm_workers
from fastmlp.runners.compiled.all_kernels import Kernel

print("the script runs")
few = [Kernel(op, dtype) for dtype in ("float32", "float64") for op in ("sgd_update", "store_rows")]
warm.all_kernels = lambda: iter(few)
warm_workers.allowed_cores = lambda: 2
warm._WORTH_WORKERS = 2
"""
NO_WORKERS = """
import types


def refuse(*arguments, **options):
    raise AssertionError("a worker was started")


only_here = {**vars(warm_workers.subprocess), "Popen": refuse}
warm_workers.subprocess = types.SimpleNamespace(**only_here)
"""
# Each function that Numba compiles runs through passes.
COUNTED = """
from numba.core import event

compiled = set()


class Listener(event.Listener):
    def on_start(self, event):
        compiled.add(event.data["qualname"])

    def on_end(self, event):
        pass


event.register("numba:run_pass", Listener())
"""


def start(folder, code, cache, **environment):
    """Start a script of its own, as a user would."""
    script = folder / "script.py"
    script.write_text(code, encoding="utf-8")
    environment = {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        "NUMBA_CACHE_DIR": str(cache),
        **environment,
    }
    return subprocess.Popen(
        [sys.executable, "-W", "error", str(script)],
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def output_of(folder, code, cache, **environment):
    process = start(folder, code, cache, **environment)
    output, errors = process.communicate(timeout=300)
    assert process.returncode == 0, errors
    return output, errors
