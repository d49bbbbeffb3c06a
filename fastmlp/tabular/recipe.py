"""The training of a network for a table, judged on rows that it has not seen.

It begins at the best of a constant answer and some linear models, and ends at its best epoch. Both
are chosen by the mean loss of validation rows, each only where it is better by more than chance is
likely to make it: on a table of noise the constant answer is kept. Of small tables all rows serve
for both, by cross-fitting: one network for each part of the rows trains on the others, all side by
side, and one more then trains on all rows for as many epochs. Or the networks of the parts are kept
together, and their outputs averaged.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from .course import Course, Member
from .deadline import Deadline, OutOfTimeError
from .head import begin_at, starts
from .plan import SMALL, Recipe

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
    start : str
        ``"constant"`` or ``"linear"``: where the training began.
    best_epoch : int
        How many epochs the weights have seen; 0 where none was better than the start.
    history : History
        ``loss`` and ``val_loss``, and what else judged, of the networks of all folds, a line an
        epoch.
    rows, outputs : ndarray
        The validation rows, ascending, and what was predicted for them by networks that had not
        seen them, ``(n, units)``, on average where several had not; None without validation.
    is_out_of_time : bool
        Whether the time limit has ended the training.
    """

    models: tuple[Sequential, ...]
    start: str
    best_epoch: int
    history: History
    rows: Array | None
    outputs: Array | None
    is_out_of_time: bool = False

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
        One pair, whose network is returned; more, which are cross-fitted; or none, and the network
        trains on all rows for as many epochs as the recipe says.
    recipe : Recipe
    callbacks : iterable of Callback
        They watch the network of the first fold; its ``val_loss`` is the mean over all.
    weight : ndarray, shape (n,), optional
        Of each row, in training, in validation and in where the training begins.
    judge : Judge, optional
        Says which epoch is the best, in place of the mean loss.
    deadline : Deadline, optional
        The best that was found by then is returned.
    keeps_all : bool
        The networks of all folds are returned, each from first weights of its own, and none is
        trained on all rows. There is one fold at least, which may have no validation rows; y are
        the numbers of classes then.
    """
    deadline = deadline or Deadline()
    codes = np.unique(y, return_inverse=True)[1] if n_classes and not keeps_all else y
    crosses = len(folds) > 1 and not keeps_all
    whole = np.arange(len(X))
    # A network that is itself what is returned gets the labels themselves.
    learned = codes if crosses else y
    parts = list(folds) or [(whole, whole[:0])]
    course = Course(X, learned, codes, n_classes, parts, recipe, weight, judge, deadline)
    course.open(keeps_all)
    course.choose_start()
    course.run(callbacks, crosses)
    models, is_cut = tuple(member.model for member in course.members), course.is_out_of_time
    if crosses:
        models = (_on_all_rows(X, y, codes, n_classes, course, recipe, weight, deadline),)
        is_cut |= models[0].training_state.epoch < course.best_epoch
    rows, outputs = course.validated() if folds and len(course.held) else (None, None)
    return Trained(models, course.start, course.best_epoch, course.history, rows, outputs, is_cut)


def _on_all_rows(
    X: Array,
    y: Array,
    codes: Array,
    n_classes: int,
    course: Course,
    recipe: Recipe,
    weight: Array | None,
    deadline: Deadline,
) -> Sequential:
    """Train on all rows from the same kind of start for as many epochs."""
    member = Member(X, y, n_classes, np.arange(len(X)), np.arange(0), recipe, weight, recipe.seed)
    for place, option in enumerate(starts(X, codes, n_classes, weight)):
        begin_at(member.model, option.linear)
        if place == course.place:
            break
    # As much as the time allows: the course has left enough of it, as far as it could tell.
    with suppress(OutOfTimeError):
        if course.best_epoch:
            member.fit(course.best_epoch, deadline)
    return member.model
