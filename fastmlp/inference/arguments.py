"""What predictors are called with: one row or many, and an array for the result."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ..common.checks import describe
from ..data.features import as_array, check_features

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import DTypeLike

    from ..data.targets import TargetEncoder
    from ..kernels.typing import Array


def one_or_many(
    x: object, n_features: int, dtype: DTypeLike, names: Sequence[str] | None = None
) -> tuple[Array, bool]:
    """Rows ``(n, n_features)``, checked as `check_features` does, and whether x was one row.

    Raises
    ------
    TypeError, ValueError
        x is neither a row nor rows of finite numbers; it is a data frame whose columns are those of
        `names` in another order.
    """
    given = list(getattr(x, "columns", ()))
    if names is not None and given != list(names) and sorted(map(str, given)) == sorted(names):
        raise ValueError(
            f"x has its columns in another order, {', '.join(map(str, given))}, than the predictor "
            f"reads them, {', '.join(names)}; pass x[list(predictor.feature_names)]"
        )
    array = as_array(x, "x")
    if array.ndim == 0:
        raise ValueError(
            f"x must be one row, ({n_features},), or rows, (n, {n_features}), got {describe(x)}"
        )
    single = array.ndim == 1
    if single:
        if len(array) != n_features:
            raise ValueError(
                f"x has {len(array)} numbers, but a row of this network has {n_features}; pass one "
                f"row, ({n_features},), or rows, (n, {n_features})"
            )
        array = array.reshape(1, -1)
    return check_features(array, n_features, dtype=dtype, name="x"), single


def check_out(out: object, shape: tuple[int, ...], dtype: np.dtype[Any] | str) -> None:
    """Check that a result can be written into `out`.

    Raises
    ------
    TypeError, ValueError
        It is no array, or of another shape, dtype or layout.
    """
    if not isinstance(out, np.ndarray):
        raise TypeError(f"out must be an array, got {describe(out)}")
    if out.shape != shape or out.dtype != dtype:
        raise ValueError(f"out must be {dtype}{list(shape)}, got {out.dtype}{list(out.shape)}")
    if not (out.flags.c_contiguous and out.flags.writeable and out.flags.aligned):
        raise ValueError("out must be C-contiguous, aligned and writable")


def labels_for(outputs: Array, targets: TargetEncoder) -> Array:
    """The labels for the outputs of rows, or the label for those of one row."""
    labels = targets.decode(np.atleast_2d(outputs))
    row: Array = labels[0]
    return row if outputs.ndim == 1 else labels
