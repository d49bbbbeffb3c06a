"""From the columns and the target of an estimator to trained networks: what a fit does."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ..tables.preparation import fit
from .distinct import Distinct, distinct
from .folds import folds_for
from .losses import mean, row_losses
from .model import TableModel
from .plan import SMALL, Recipe
from .recipe import train

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..kernels.typing import Array
    from ..tables.preparation import Preparation
    from ..tables.schema import Schema
    from ..tables.target import Target
    from ..training.callbacks import Callback
    from .deadline import Deadline
    from .judge import Judge
    from .recipe import Trained

    Fold = tuple[Array, Array]

# Of fewer rows the rest may all be the same.
_FEWEST = 20

__all__ = ["Fitted", "Request", "Rows", "fit_networks", "prepared_from", "train_networks"]


@dataclass(frozen=True, eq=False)
class Rows:
    """Rows that are complete.

    Attributes
    ----------
    cells : dict from str to ndarray, shape (n,)
        As `Schema.read` returns them.
    y : ndarray, shape (n,)
        The number of each row's class, or numbers in units of their own.
    weight : ndarray of float64, shape (n,), optional
    groups : ndarray of int, shape (n,), optional
    """

    cells: dict[str, Array]
    y: Array
    weight: Array | None = None
    groups: Array | None = None

    def __len__(self) -> int:
        return len(self.y)

    def take(self, rows: Array) -> Rows:
        """Some of them."""
        return Rows(
            {name: values[rows] for name, values in self.cells.items()},
            self.y[rows],
            None if self.weight is None else self.weight[rows],
            None if self.groups is None else self.groups[rows],
        )

    def distinct(self) -> Distinct | None:
        """One of the rows of a small table that are copies; None where there are none."""
        others = [self.y, *([] if self.groups is None else [self.groups])]
        if len(self) >= SMALL:
            return None
        return distinct(list(self.cells.values()), others, self.weight)

    def merged(self) -> Rows:
        """Those of a small table, with copies of a row as one."""
        copies = self.distinct()
        if copies is None:
            return self
        found = self.take(copies.rows)
        return Rows(found.cells, found.y, copies.weight, found.groups)

    def followed_by(self, others: Rows) -> Rows:
        """These, and others behind them; without groups."""
        weight = None
        if self.weight is not None or others.weight is not None:
            parts = (np.ones(len(r)) if r.weight is None else r.weight for r in (self, others))
            weight = np.concatenate(list(parts))
        cells = {k: np.concatenate([values, others.cells[k]]) for k, values in self.cells.items()}
        return Rows(cells, np.concatenate([self.y, others.y]), weight)


@dataclass(frozen=True, eq=False)
class Request:
    """What an estimator or the command line asks for.

    Attributes
    ----------
    recipe : Recipe
    n_members : int
        Networks whose outputs are averaged.
    callbacks : iterable of Callback
    deadline : Deadline
    judge : callable (target, y, weight) -> Judge or None, optional
    share : float
        Of the validation rows, where they are drawn.
    crosses : bool
        Whether a single network is that of several, which are cross-fitted.
    """

    recipe: Recipe
    n_members: int
    callbacks: Iterable[Callback]
    deadline: Deadline
    judge: Callable[[Target, Array, Array | None], Judge | None] | None = None
    share: float = 0.0
    crosses: bool = True


@dataclass(frozen=True, eq=False)
class Fitted:
    """Trained networks behind a preparation.

    Attributes
    ----------
    model : TableModel
    trained : Trained
    score : float or None
        Of the validation rows: what judged, or the mean loss, of a regression in units of its own.
    """

    model: TableModel
    trained: Trained
    score: float | None


def fit_networks(
    schema: Schema,
    rows: Rows,
    held: Rows | None,
    target: Target,
    classes: Array | None,
    request: Request,
) -> Fitted:
    """Cut the rows of a table, fit the preparation of its columns, and train its networks.

    Parameters
    ----------
    schema : Schema
    rows : Rows
        From which the preparation is fitted, and networks learn. Their cells are given up.
    held : Rows, optional
        Validation rows; without them some of `rows` are drawn.
    target : Target
        Of a regression not scaled yet.
    classes : ndarray, shape (k,), or None
        The sorted labels of a classification.
    request : Request
    """
    rows = rows.merged()
    folds = _folds(rows, held, classes, request)
    every = rows if held is None else rows.followed_by(held)
    learned = prepared_from(folds, len(rows), request.n_members)
    if classes is None:
        target = target.fitted(every.y[learned])
    preparation = fit(schema, every.cells, learned, target)
    y, weight = every.y, every.weight
    if every is not rows:
        rows.cells.clear()
    X = preparation.matrix_taking(every.cells, request.recipe.dtype)
    every.cells.clear()
    return train_networks(X, y, weight, folds, preparation, classes, request)


def prepared_from(folds: list[Fold], n_rows: int, n_members: int) -> Array:
    """Return the rows from which the preparation is fitted.

    One network never sees the rows that it is judged by, its scales and medians included.
    """
    one = len(folds) == 1 and n_members == 1 and n_rows >= _FEWEST
    return folds[0][0] if one else np.arange(n_rows)


def train_networks(
    X: Array,
    y: Array,
    weight: Array | None,
    folds: list[Fold],
    preparation: Preparation,
    classes: Array | None,
    request: Request,
) -> Fitted:
    """Train the networks of a table that is prepared and cut.

    Parameters
    ----------
    X : ndarray, shape (n, n_features)
        Prepared rows.
    y : ndarray, shape (n,)
        The number of each row's class, or numbers in units of their own.
    weight : ndarray, shape (n,), optional
    folds : list of (training rows, validation rows)
        As `train` takes them.
    preparation : Preparation
    classes : ndarray, shape (k,), or None
        The sorted labels of a classification.
    request : Request
        Its `share` and `crosses` are not looked at.
    """
    target, recipe = preparation.target, request.recipe
    learned = y if classes is not None else target.transform(y).astype(recipe.dtype)
    judge = None
    if request.judge is not None and folds and len(folds[0][1]):
        judge = request.judge(target, y, weight)
    trained = train(
        *(X, learned, 0 if classes is None else len(classes), folds, recipe),
        callbacks=request.callbacks,
        weight=weight,
        judge=judge,
        deadline=request.deadline,
        keeps_all=request.n_members > 1,
    )
    labels = None if classes is None else _as_labels(classes)
    for model in trained.models:
        training = model.training_state
        training.feature_names = {"X": preparation.features}
        if labels is not None:
            training.targets = training.encoder().with_classes(labels)
    score = _score(trained, judge, weight, learned, target, classes, recipe.loss)
    return Fitted(TableModel(trained.models, preparation), trained, score)


def _folds(rows: Rows, held: Rows | None, classes: Array | None, request: Request) -> list[Fold]:
    n = request.n_members
    if held is not None:
        return [(np.arange(len(rows)), len(rows) + np.arange(len(held)))] * n
    return folds_for(
        *(len(rows), request.share, n),
        seed=request.recipe.seed,
        crosses=request.crosses,
        classes=None if classes is None else rows.y,
        groups=rows.groups,
    )


def _as_labels(classes: Array) -> Array:
    """Labels as a model's file can hold them."""
    return classes.astype(str) if classes.dtype == object else classes


def _score(
    trained: Trained,
    judge: Judge | None,
    weight: Array | None,
    learned: Array,
    target: Target,
    classes: Array | None,
    loss: str,
) -> float | None:
    if trained.rows is None or trained.outputs is None:
        return None
    rows, outputs = trained.rows, trained.outputs
    if judge is not None:
        return judge.measure(rows, outputs)
    n_classes = 0 if classes is None else len(classes)
    own = None if weight is None else weight[rows]
    found = mean(row_losses(outputs, learned[rows], n_classes, loss), own)
    if n_classes:
        return found
    return found * (target.scale if loss == "absolute_error" else target.scale**2)
