"""The choice of a backend: what is missing or broken is named, and never replaced in silence."""

from __future__ import annotations

import os

import pytest
from blocked_imports import output_of
from paths import ROOT


@pytest.mark.parametrize("package", ["numba", "llvmlite"])
def test_one_missing_package_of_the_compiled_backend_is_named(package):
    code = f"""
import sys

sys.modules[{package!r}] = None
import fastmlp as fm

assert fm.kernels.available_backends() == ("numpy",)
assert fm.Sequential([fm.Dense(1)]).backend == "numpy"
try:
    fm.Sequential([fm.Dense(1)], backend="numba")
except ImportError as error:
    assert "'numba' backend needs {package}, which cannot be imported" in str(error), error
"""
    output_of(code)


def test_a_compiled_backend_that_fails_to_import_is_not_replaced_in_silence(tmp_path):
    """It is installed, so what is wrong with it must be seen."""
    (tmp_path / "numba").mkdir()
    broken = 'raise ImportError("numba needs another NumPy")\n'
    (tmp_path / "numba/__init__.py").write_text(broken, encoding="utf-8")
    code = """
import fastmlp as fm

try:
    fm.Sequential([fm.Dense(1)]).fit([[1.0], [2.0]], [1.0, 2.0], verbose=0)
except ImportError as error:
    print(error)
"""
    paths = os.pathsep.join([str(tmp_path), str(ROOT)])
    assert output_of(code, PYTHONPATH=paths) == "numba needs another NumPy\n"
