"""A trained network and what rows went through before it, as one predictor."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..common.warn import warn
from ..data.column_names import check_column_names
from ..inference.freezing import warn_of_lost_digits
from ..inference.predictor import Predictor, freeze
from ..inference.scalers import feature_names_of, is_scaler, scaling_of
from ..inference.transformers import preparation_of, steps_of

if TYPE_CHECKING:
    from ..inference.folding import Scaling
    from ..training.state import TrainingState


def freeze_training(
    training: TrainingState,
    backend: str,
    n_threads: int | str,
    before: Any = None,
    after: Scaling | None = None,
) -> Predictor:
    """Make the predictor of a network.

    Parameters
    ----------
    training : TrainingState
    backend : {"numpy", "numba"}
    n_threads : int or "auto"
    before : fitted transformer of scikit-learn, or list of (str, transformer), optional
        What X went through in training; see `fastmlp.inference.transformers`.
    after : Scaling, optional
        Of the output.

    Raises
    ------
    ValueError, TypeError
        `before` cannot be part of the network, or does not fit it.
    """
    steps = steps_of(before)
    if not steps or (len(steps) == 1 and is_scaler(steps[0][1])):
        scaler = steps[0][1] if steps else None
        return _with_scaler(training, backend, n_threads, scaler, after)
    program, preparation = training.program, preparation_of(steps)
    width, made = program.input.width, len(preparation.columns)
    if made != width:
        raise ValueError(
            f"the preparation makes {made} columns, but the network reads {width}; pass the one "
            "that its training rows went through"
        )
    scaling, names = preparation.scaling(), preparation.names
    part = "X" if program.wide is None else "X_deep"
    if scaling is None and part != "X":
        raise ValueError(
            "of a network with two inputs only scalers of X_deep can be folded in; freeze it "
            "alone, and prepare rows before"
        )
    for note in preparation.notes:
        warn(note)
    warn_of_lost_digits(program, preparation.distances(), names)
    by_part = {**training.feature_names}
    by_part.pop(part, None)
    if names is not None:
        by_part[part] = names
    targets, where = training.encoder(), (backend, n_threads)
    if scaling is not None:
        return freeze(training.state, targets, *where, scaling, after, by_part)
    return freeze(
        *(training.state, targets, *where),
        after=after,
        feature_names=by_part,
        preparation=preparation,
    )


def _with_scaler(
    training: TrainingState,
    backend: str,
    n_threads: int | str,
    scaler: Any,
    after: Scaling | None,
) -> Predictor:
    program = training.program
    names = training.feature_names.get("X", training.feature_names.get("X_deep"))
    before = None
    if scaler is not None:
        before, fitted = scaling_of(scaler, program.input.width), feature_names_of(scaler)
        if names is not None and fitted is not None:
            check_column_names(fitted, names, "the scaler", "model")
        names = names if fitted is None else fitted
        warn_of_lost_digits(program, before.shift, names)
    by_part = training.feature_names
    if names is not None:
        by_part = {**by_part, "X" if program.wide is None else "X_deep": names}
    targets = training.encoder()
    return freeze(training.state, targets, backend, n_threads, before, after, by_part)
