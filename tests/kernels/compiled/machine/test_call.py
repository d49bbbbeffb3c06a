"""Arguments of an op are checked by name."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("numba")

from fastmlp.kernels.compiled.machine.call import call
from fastmlp.kernels.compiled.ops import activations


def test_arguments_are_checked_by_name() -> None:
    z = np.zeros((1, 1))
    wrong = "'columns' is missing, 'parameter' is missing, there is no 'colums'"
    with pytest.raises(TypeError, match=wrong):
        call(activations.activation_forward, z.dtype, member="relu", z=z, out=z, ld=1, colums=1)
