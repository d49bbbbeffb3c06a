"""Arguments of an op are checked by name."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("numba")

from fastmlp.kernels.compiled.machine.call import call


def test_arguments_are_checked_by_name() -> None:
    z = np.zeros((1, 1))
    with pytest.raises(TypeError, match="was called with z, out, ld, colums"):
        call(
            "activation_forward",
            z.dtype,
            member="relu",
            z=z,
            out=z,
            ld=1,
            colums=1,
        )
