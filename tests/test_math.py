"""`fastmlp.math`: one set of functions, NumPy's from Python, polynomials in compiled code."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from fastmlp import math as elementary


def test_they_need_numpy_alone() -> None:
    program = (
        "import sys\n"
        "for name in ('numba', 'llvmlite', 'scipy', 'threadpoolctl'):\n"
        "    sys.modules[name] = None\n"
        "from fastmlp.math import erf, exp, expm1, log, log1p, tanh\n"
        "print(float(exp(0.0)), float(log(1.0)), erf(0.5).dtype)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, check=True, text=True
    )
    assert done.stdout.split() == ["1.0", "0.0", "float64"]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_values_and_dtypes(dtype: type) -> None:
    x = np.array([0.25, 0.5], dtype)
    for name in ("exp", "expm1", "log", "log1p", "tanh"):
        result = getattr(elementary, name)(x)
        np.testing.assert_array_equal(result, getattr(np, name)(x))
        assert result.dtype == dtype
    np.testing.assert_allclose(elementary.erf(x), [0.2763263901682369, 0.5204998778130465], 1e-6)
    assert elementary.erf(x).dtype == dtype


def test_limits_give_no_warnings() -> None:
    assert elementary.exp(1e4) == np.inf
    assert elementary.log(0.0) == -np.inf
    assert np.isnan(elementary.log1p(-2.0))


def test_compiled_code_knows_these_very_functions() -> None:
    pytest.importorskip("numba")
    from fastmlp.kernels.compiled.machine import math as compiled

    for name in elementary.__all__:
        assert getattr(elementary, name) is getattr(compiled, name)
