"""The one door for rows: from what users pass as X, y and weights to what a runner takes."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from ..data.column_names import check_column_names, column_names
from ..data.features import check_codes, check_feature_pair, check_features, check_weights
from ..data.rows import FeaturePair, deep_part
from ..program.program import categories

if TYPE_CHECKING:
    from ..data.rows import Features
    from ..data.targets import TargetEncoder
    from ..kernels.typing import Array
    from ..network.build import Blueprint
    from .state import TrainingState

ClassFactors = Callable[["TargetEncoder", "Array"], "Array | None"]
"""The factor of each row that its class brings, from the encoder and the encoded targets."""


class Rows(NamedTuple):
    """Checked rows of X.

    Attributes
    ----------
    x : ndarray or FeaturePair
    n_features : int, or (int, int)
        Columns of X, or of both of its parts.
    names : dict of str to tuple of str
        Those of the columns, by the part of X, where it is a data frame.
    """

    x: Features
    n_features: int | tuple[int, int]
    names: dict[str, tuple[str, ...]]


class Examples(NamedTuple):
    """Checked rows with their targets and weights, and what they mean for the network.

    Nothing of the training state is changed until `adopt`.

    Attributes
    ----------
    rows : Rows
    y : ndarray
        Encoded.
    weight : ndarray or None
        In the network's dtype.
    encoder : TargetEncoder
        That y was read by; it knows the labels.
    blueprint : Blueprint
        The program that the rows go through.
    """

    rows: Rows
    y: Array
    weight: Array | None
    encoder: TargetEncoder
    blueprint: Blueprint

    @property
    def x(self) -> Features:
        return self.rows.x

    def adopt(self, training: TrainingState) -> None:
        """Build the network for these examples, and remember labels and names of columns."""
        training.build(self.blueprint)
        training.targets = self.encoder
        training.feature_names = {**self.rows.names, **training.feature_names}


def read_rows(
    training: TrainingState, X: object, name: str = "X", like: Rows | None = None
) -> Rows:
    """Check X, as far as it is known what X must be.

    `like` are other rows of the same call, whose columns' names these must have.

    Raises
    ------
    TypeError, ValueError
        X is unusable, or a data frame whose columns are not those of the first fit.
    """
    built_for = training.built_for
    if isinstance(X, tuple) and len(X) == 2 and training.takes_pair:
        n_wide, n_deep = built_for if isinstance(built_for, tuple) else (None, None)
        names = check_names(training, {"X_wide": X[0], "X_deep": X[1]}, "", like)
        dtype = training.network.dtype
        wide, deep = check_feature_pair(X, n_wide, n_deep, dtype=dtype)
        if training.categories:
            check_codes(deep, training.categories, "X_deep")
        return Rows(FeaturePair(wide, deep), (wide.shape[1], deep.shape[1]), names)
    if isinstance(built_for, tuple):
        given = "a list; pass a tuple of two" if isinstance(X, list) else "one array"
        raise ValueError(f"the model was built for X = (X_wide, X_deep), got {given}")
    # One row is predicted in 3 us; an array has no names to look for.
    names = {} if type(X) is np.ndarray else check_names(training, {"X": X}, name, like)
    x = check_features(X, built_for, dtype=training.network.dtype, name=name)
    if training.categories:
        check_codes(x, training.categories, name)
    return Rows(x, x.shape[1], names)


def check_names(
    training: TrainingState, parts: dict[str, object], name: str, like: Rows | None = None
) -> dict[str, tuple[str, ...]]:
    """Return the names of the columns of each part of X that has any; refuse unexpected ones."""
    known = training.feature_names if like is None else {**like.names, **training.feature_names}
    found = {}
    for part, values in parts.items():
        given = column_names(values)
        if given is not None:
            found[part] = given
            if part in known:
                attribute = "feature_names"
                if part == "X_wide":
                    attribute = "training_state.feature_names['X_wide']"
                check_column_names(given, known[part], name or part, "model", attribute)
    return found


def read_examples(
    training: TrainingState,
    X: object,
    y: object,
    sample_weight: object = None,
    *,
    name: str = "X",
    like: Examples | None = None,
    learn: bool = False,
    class_factors: ClassFactors | None = None,
    may_be_zero: bool = False,
) -> Examples:
    """Check and encode rows to train on or to judge; the training state stays as it is.

    Parameters
    ----------
    training : TrainingState
    X, y, sample_weight
        As users pass them.
    name : str
        That of X, for messages.
    like : Examples, optional
        Others of the same call, which have settled width, names and labels.
    learn : bool
        Whether y may settle what the labels are; otherwise it is held to what is known.
    class_factors : callable, optional
    may_be_zero : bool
        Whether all weights may be zero.

    Raises
    ------
    TypeError, ValueError
        Something is unusable.
    """
    rows = read_rows(training, X, name, None if like is None else like.rows)
    x = rows.x
    blueprint = training.plan(rows.n_features) if like is None else like.blueprint
    check_fits(rows, blueprint, training, name)
    encoder = training.encoder(blueprint.program) if like is None else like.encoder
    encoded = encoder.encode(y, len(x), fit=learn)
    factors = None if class_factors is None else class_factors(encoder, encoded)
    weight = row_weights(training, sample_weight, factors, len(x), may_be_zero)
    return Examples(rows, encoded, weight, encoder, blueprint)


def check_fits(rows: Rows, blueprint: Blueprint, training: TrainingState, name: str) -> None:
    """Hold rows to a program that may be planned only: its width, and its columns of codes."""
    expected = blueprint.program.n_features
    if rows.n_features != expected:
        raise ValueError(f"{name} has {rows.n_features} features, expected {expected}")
    # Of a network that is built, they were checked with all else.
    if training.blueprint is None:
        part = "X_deep" if isinstance(rows.x, FeaturePair) else name
        check_codes(deep_part(rows.x), categories(blueprint.program), part)


def row_weights(
    training: TrainingState,
    sample_weight: object,
    factors: Array | None,
    n_rows: int,
    may_be_zero: bool = False,
) -> Array | None:
    """Check sample weights and multiply them by the factors of classes, in the network's dtype."""
    weights = check_weights(sample_weight, n_rows)
    if factors is not None:
        weights = factors if weights is None else np.multiply(weights, factors, out=factors)
    if weights is None:
        return None
    dtype = training.network.dtype
    with np.errstate(all="ignore"):
        rounded: Array = weights.astype(dtype, copy=False)
        total = rounded.sum()
    if not np.isfinite(total) or (total <= 0 and not may_be_zero):
        raise ValueError(
            f"the products of sample_weight and class_weight sum to {total:g} in {dtype}; "
            "they must not be zero for every row, nor beyond the dtype's range"
        )
    return rounded
