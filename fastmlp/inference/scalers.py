"""Linear scalers of scikit-learn, read as two vectors without scikit-learn."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ..common.checks import describe
from .folding import Scaling

if TYPE_CHECKING:
    from ..kernels.typing import Array

SCALERS = ("StandardScaler", "MinMaxScaler", "MaxAbsScaler", "RobustScaler")


def is_scaler(scaler: object) -> bool:
    """Tell whether an object is one of `SCALERS`."""
    # A class that derives from one of these may do something else in `transform`.
    kind = type(scaler)
    return kind.__name__ in SCALERS and kind.__module__.startswith("sklearn.")


def scaling_of(scaler: Any, n_features: int) -> Scaling:
    """Read a fitted scaler as ``x * scale + shift``.

    Parameters
    ----------
    scaler : sklearn.preprocessing.StandardScaler, MinMaxScaler, MaxAbsScaler or RobustScaler
    n_features : int
        Columns that the network reads.

    Raises
    ------
    TypeError
        It is none of these.
    ValueError
        It is not fitted, clips, or was fitted on another number of columns.
    """
    kind = type(scaler)
    if not is_scaler(scaler):
        raise TypeError(
            f"scaler must be a fitted scaler of scikit-learn ({', '.join(SCALERS)}), got "
            f"{describe(scaler)}"
        )
    fitted = getattr(scaler, "n_features_in_", None)
    if fitted is None:
        raise ValueError(f"the {kind.__name__} is not fitted; call scaler.fit(X) first")
    if fitted != n_features:
        raise ValueError(
            f"the {kind.__name__} was fitted on {fitted} columns, but the network reads "
            f"{n_features}"
        )
    if getattr(scaler, "clip", False):
        raise ValueError(f"a {kind.__name__} with clip=True is not linear and cannot be folded in")
    ones, zeros = np.ones(n_features), np.zeros(n_features)
    if kind.__name__ == "MinMaxScaler":
        return Scaling(_vector(scaler.scale_, ones), _vector(scaler.min_, zeros))
    scale = 1.0 / _vector(scaler.scale_, ones)
    center = {"StandardScaler": "mean_", "RobustScaler": "center_"}.get(kind.__name__)
    mean = zeros if center is None else _vector(getattr(scaler, center), zeros)
    # Scikit-learn keeps a mean that it does not subtract.
    if not getattr(scaler, "with_mean", True):
        mean = zeros
    return Scaling(scale, -mean * scale)


def feature_names_of(scaler: Any) -> tuple[str, ...] | None:
    """Return the names of the columns that a scaler was fitted on; None if they had none."""
    names = getattr(scaler, "feature_names_in_", None)
    return None if names is None else tuple(map(str, names))


def _vector(values: Any, absent: Array) -> Array:
    return absent if values is None else np.asarray(values, dtype=np.float64)
