"""The suite for asv.

asv imports this folder as a package by itself, named ``suite``, without a path to what lies beside
it: what is measured is what is installed, not this checkout. So the package `benchmarks`, from
which the modules here import, is taken from the folder above before any of them is imported.
"""

from __future__ import annotations

import sys
from importlib.machinery import PathFinder
from importlib.util import module_from_spec
from pathlib import Path

_BENCHMARKS = "benchmarks"


def _use_package_above() -> None:
    spec = PathFinder.find_spec(_BENCHMARKS, [str(Path(__file__).resolve().parents[2])])
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    sys.modules[_BENCHMARKS] = module
    spec.loader.exec_module(module)


if _BENCHMARKS not in sys.modules:
    _use_package_above()
