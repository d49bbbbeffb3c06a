"""From the arguments of a fit to the rows that it goes through; all is checked, then settled."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ..common.checks import describe
from ..data.batches import Validation
from .chunks import Chunks, ChunkSource
from .edges import fit_edges
from .examples import Examples, read_examples
from .first_rows import draw_from_rows
from .fit import FitArguments, check_monitors, logged_names
from .sources import ArraySource, FitData, Source

if TYPE_CHECKING:
    from ..data.rows import Features
    from .state import TrainingState

# What is drawn for validation is of a stream of its own below the seed.
_VALIDATION_STREAM = 4


def prepare_fit(
    training: TrainingState,
    arguments: FitArguments,
    X: object,
    y: object,
    *,
    sample_weight: object,
    class_weight: Mapping[Any, float] | str | None,
    validation_data: object,
) -> tuple[Source, Validation | None]:
    """Check all that `Sequential.fit` is given; then build the network and adopt the labels.

    Raises
    ------
    TypeError, ValueError
        Something is unusable; the training state is as before.
    """
    source: Source
    validation: Validation | None = None
    size, shuffle = arguments.batch_size, arguments.shuffle
    if y is None and not hasattr(X, "shape"):
        if arguments.validation_split or sample_weight is not None:
            raise ValueError(
                "validation_split and sample_weight do not go with chunks; give "
                "validation_data, and weights as the third part of each chunk"
            )
        source = ChunkSource(training, Chunks(X), size, shuffle)
        examples = source.scan(class_weight)
    else:
        examples = read_examples(
            training,
            X,
            y,
            sample_weight,
            learn=True,
            class_factors=lambda encoder, encoded: encoder.class_weights(class_weight, encoded),
        )
        seed = [training.seed, _VALIDATION_STREAM]
        data = FitData.split(examples, arguments.validation_split, seed)
        source, validation = ArraySource(training, data, size, shuffle), data.validation
    if validation_data is not None:
        if validation is not None:
            raise ValueError("give validation_data or validation_split, not both")
        validation = _validation(training, validation_data, examples)
    check_monitors(
        arguments.callbacks,
        training.schedules(examples.blueprint.program),
        logged_names(examples.encoder.task != "regression", validation is not None),
    )
    examples.adopt(training)
    fit_edges(training, lambda: rows_to_train_on(source.data()))
    draw_from_rows(training, lambda count, rng: source.data().sample(count, rng))
    return source, validation


def rows_to_train_on(data: FitData) -> Features:
    """Return those rows of X that are not for validation."""
    return data.x if data.held is None else data.first(len(data.x))[0]


def _validation(training: TrainingState, given: object, fitted: Examples) -> Validation:
    if not isinstance(given, tuple | list) or len(given) not in (2, 3):
        raise ValueError(
            "validation_data must be (X, y) or (X, y, sample_weight), got " + describe(given)
        )
    X, y, *weight = given
    sample_weight = weight[0] if weight else None
    found = read_examples(training, X, y, sample_weight, name="validation_data's X", like=fitted)
    return Validation(found.x, found.y, found.weight)
