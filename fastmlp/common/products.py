"""Products that do not depend on which BLAS library there is, nor on its settings."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from ..kernels.typing import Array


def weighted_sum(weights: Array, rows: Array) -> Array:
    """Return ``weights @ rows``, ``(n,)`` times ``(n, k)``, added by NumPy itself.

    NumPy's ``@`` calls OpenBLAS, which adds in another order for another ``OPENBLAS_CORETYPE``.
    """
    total: Array = np.einsum("i,ij->j", weights, rows)
    return total
