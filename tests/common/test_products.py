"""Products with the same bits whatever OpenBLAS takes the processor for."""

from __future__ import annotations

import os
import subprocess
import sys

import numpy as np
from paths import ROOT

from fastmlp.common.products import weighted_sum

_CODE = """
import numpy as np
from fastmlp.common.products import weighted_sum
from fastmlp.kernels.reference.losses import mean_over_elements, softmax_cross_entropy

rng = np.random.default_rng(0)
weights, rows = rng.normal(size=317), rng.normal(size=(317, 23))
print(weighted_sum(weights, rows).tobytes().hex())
print(mean_over_elements(rows, rows, weights**2, None)[0].hex())
print(softmax_cross_entropy(rows, np.arange(317) % 23, weights**2)[0].hex())
"""


def _printed(**variables: str) -> str:
    environment = {**os.environ, "PYTHONPATH": str(ROOT), **variables}
    command = [sys.executable, "-c", _CODE]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    return done.stdout


def test_the_sum_is_that_of_numpy() -> None:
    rng = np.random.default_rng(0)
    weights, rows = rng.normal(size=317), rng.normal(size=(317, 23))
    np.testing.assert_allclose(weighted_sum(weights, rows), weights @ rows, rtol=1e-12, atol=1e-12)


def test_the_bits_do_not_depend_on_the_blas_kernels() -> None:
    here = _printed()
    assert [_printed(OPENBLAS_CORETYPE=name) for name in ("Prescott", "Zen")] == [here] * 2
