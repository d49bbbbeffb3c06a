"""Processes in which optional packages cannot be imported."""

from __future__ import annotations

import os
import subprocess
import sys

from paths import ROOT

OPTIONAL = ("numba", "llvmlite", "scipy", "sklearn", "safetensors", "threadpoolctl")

# Two ways in which an import fails: a finder that refuses, and an entry that says "not there".
FINDER = f"""
import sys


class Refuse:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {OPTIONAL!r}:
            raise ImportError(f"{{name}} is blocked", name=name)
        return None


sys.meta_path.insert(0, Refuse())
"""
ENTRIES = f"""
import sys

for name in {OPTIONAL!r}:
    sys.modules[name] = None
"""
BLOCKS = {"finder": FINDER, "entries": ENTRIES}


def run(code, *options, **environment):
    environment = {**os.environ, "PYTHONPATH": str(ROOT), **environment}
    command = [sys.executable, "-W", "error", *options, "-c", code]
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120)


def output_of(code, *options, **environment):
    finished = run(code, *options, **environment)
    assert finished.returncode == 0, finished.stderr
    return finished.stdout
