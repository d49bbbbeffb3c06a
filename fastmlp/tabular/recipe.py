"""The training of a network for a table, judged on rows that it has not seen.

It ends at its best epoch, and is held against the best of a constant answer and some linear models.
Both are chosen by the mean loss of validation rows, each only where it is better by more than
chance is likely to make it: on a table of noise the constant answer is kept. By cross-fitting all
rows serve for both: one network for each part of the rows trains on the others, all side by side.
Then they become one, or are kept together, and their outputs averaged.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING

import numpy as np

from .average import merged
from .baselines import baselines
from .course import Course
from .deadline import Deadline
from .member import learned_rows
from .plan import SMALL, Recipe
from .temperature import scale_logits

if TYPE_CHECKING:
    from ..kernels.typing import Array
    from ..model.sequential import Sequential
    from ..training.callbacks import Callback
    from ..training.history import History
    from .course import Fold
    from .judge import Judge

__all__ = ["SMALL", "Recipe", "Trained", "train"]


@dataclass(frozen=True)
class Trained:
    """Trained networks, and how they came about.

    Attributes
    ----------
    models : tuple of Sequential
        One, or those of all folds.
    baseline : str
        ``"constant"`` or ``"linear"``: what the networks were held against.
    best_epoch : int
        How many epochs the weights have seen; 0 where the models are the baseline.
    history : History
        ``loss``, the mean of those of all folds' networks, ``val_loss`` of all validation rows, and
        what else judged, a line an epoch.
    rows, outputs : ndarray
        The validation rows, ascending, and what was predicted for them by networks that had not
        seen them, ``(n, units)``, on average where several had not; None without validation.
    n_trained : int
        How many networks the models are made of: one for each fold that there was time for.
    is_out_of_time : bool
        Whether the time limit has ended the training.
    """

    models: tuple[Sequential, ...]
    baseline: str
    best_epoch: int
    history: History
    rows: Array | None
    outputs: Array | None
    n_trained: int
    is_out_of_time: bool

    @property
    def model(self) -> Sequential:
        """The network; of several the first."""
        return self.models[0]


def train(
    X: Array,
    y: Array,
    n_classes: int,
    folds: Sequence[Fold],
    recipe: Recipe,
    callbacks: Iterable[Callback] = (),
    *,
    weight: Array | None = None,
    judge: Judge | None = None,
    deadline: Deadline | None = None,
    keeps_all: bool = False,
) -> Trained:
    """Train a network, or one for each fold.

    Parameters
    ----------
    X : ndarray, shape (n, n_features)
        Scaled columns.
    y : ndarray, shape (n,)
        Labels that sort as their classes do, or scaled numbers.
    n_classes : int
        How many different labels y has; 0 for a regression.
    folds : sequence of (training rows, validation rows)
        One pair, whose network is returned; more, whose networks are made one; or none, and the
        network trains on all rows for as many epochs as the recipe says.
    recipe : Recipe
    callbacks : iterable of Callback
        They watch the network of the first fold; losses are those of all.
    weight : ndarray, shape (n,), optional
        Of each row, in training, in validation and in the baselines.
    judge : Judge, optional
        Says which epoch is the best, in place of the mean loss.
    deadline : Deadline, optional
        The best that was found by then is returned.
    keeps_all : bool
        The networks of all folds are returned as they are. There is one fold at least, which may
        have no validation rows; y are the numbers of classes then.
    """
    deadline = deadline or Deadline()
    codes = np.unique(y, return_inverse=True)[1] if n_classes and not keeps_all else y
    crosses = len(folds) > 1 and not keeps_all
    whole = np.arange(len(X))
    # A part may lack a label; a network that is itself what is returned gets the labels themselves.
    learned = codes if crosses else y
    parts = list(folds) or [(whole, whole[:0])]
    recipe = recipe.of_rows(len(parts[0][0]))
    course = Course(X, learned, codes, n_classes, parts, recipe, weight, judge, deadline)
    course.open()
    course.choose_baseline()
    course.run(callbacks)
    models = tuple(member.model for member in course.members)
    for model in models:
        scale_logits(model, course.factor)
    if not keeps_all and (course.best_epoch or not crosses):
        models = (merged(models),)
    elif not keeps_all:
        models = (_on_all_rows(X, codes, n_classes, course, weight),)
    if crosses and n_classes:
        training = models[0].training_state
        training.targets = training.encoder().with_classes(np.unique(y))
    history, best, is_cut = course.history, course.best_epoch, course.is_out_of_time
    rows, outputs = course.validated() if folds and len(course.held) else (None, None)
    n_trained = len(course.members)
    return Trained(models, course.baseline, best, history, rows, outputs, n_trained, is_cut)


def _on_all_rows(
    X: Array, codes: Array, n_classes: int, course: Course, weight: Array | None
) -> Sequential:
    """Fit the baseline that was chosen."""
    options = baselines(X, codes, n_classes, np.arange(len(X)), weight)
    option = next(islice(options, course.place, None))
    model = option.network(course.recipe, course.recipe.seed)
    learned_rows(model, X, codes, weight)
    return model
