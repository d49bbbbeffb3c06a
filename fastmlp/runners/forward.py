"""The contract of forward passes: `CompiledForward`, `NumpyForward`, and int8's `predict`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from ..data.rows import Features
    from ..kernels.typing import Array

# Of so many rows, each call may be for a shape of its own and cost as little as for one row.
FEW_ROWS = 8


class Forward(Protocol):
    """Computes the values of one slot for rows of features, which the caller has checked."""

    def __call__(self, x: Features, out: Array | None = None) -> Array:
        """Compute the values for one row or for many.

        Parameters
        ----------
        x : ndarray, shape (n_features,) or (n, n_features), or FeaturePair
            Of float32, float64 or uint8 in native byte order. More than `FEW_ROWS` rows are
            C-contiguous and aligned. Both parts of a pair have as many rows and dimensions; a
            sparse one has two.
        out : ndarray, shape (units,) or (n, units), optional
            Of the network's dtype, C-contiguous; it may overlap x.

        Returns
        -------
        ndarray, shape (units,) or (n, units)
            `out` where it is given.

        Raises
        ------
        FloatingPointError
            An array is not finite in the network's dtype, or has a category that the network does
            not know, and this object was made to tell; a few rows then leave `out` as it was. A
            sparse part is not looked at.
        """
