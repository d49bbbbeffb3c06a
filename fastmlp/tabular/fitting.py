"""From the columns and the target of an estimator to trained networks: what a fit does."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ..tables.preparation import fit
from .distinct import distinct
from .folds import folds_of, several_folds
from .losses import mean, row_losses
from .model import TableModel
from .plan import SMALL, Recipe
from .recipe import train

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..kernels.typing import Array
    from ..tables.schema import Schema
    from ..tables.target import Target
    from ..training.callbacks import Callback
    from .deadline import Deadline
    from .judge import Judge
    from .recipe import Trained

# Of fewer rows the rest may all be the same.
_FEWEST = 20

__all__ = ["Fitted", "Request", "Rows", "fit_networks"]


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

    def merged(self) -> Rows:
        """Those of a small table, with copies of a row as one."""
        others = [self.y, *([] if self.groups is None else [self.groups])]
        if len(self) >= SMALL:
            return self
        copies = distinct(list(self.cells.values()), others, self.weight)
        if copies is None:
            return self
        found = self.take(copies[0])
        return Rows(found.cells, found.y, copies[1], found.groups)

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
    """What an estimator asks for.

    Attributes
    ----------
    recipe : Recipe
    n_members : int
        Networks whose outputs are averaged.
    share : float
        Of the validation rows, where they are drawn.
    crosses : bool
        Whether a single network of a small table is cross-fitted.
    callbacks : iterable of Callback
    judge : callable (target, y, weight) -> Judge or None
    deadline : Deadline
    """

    recipe: Recipe
    n_members: int
    share: float
    crosses: bool
    callbacks: Iterable[Callback]
    judge: Callable[[Target, Array, Array | None], Judge | None]
    deadline: Deadline


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
    """Train the networks of a table.

    Parameters
    ----------
    schema : Schema
    rows : Rows
        From which the preparation is fitted, and networks learn.
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
    # One network never sees the rows that it is judged by, its scales and medians included.
    one = len(folds) == 1 and request.n_members == 1 and len(rows) >= _FEWEST
    learned = folds[0][0] if one else np.arange(len(rows))
    if classes is None:
        target = target.fitted(every.y[learned])
    preparation = fit(schema, every.cells, learned, target)
    X = preparation.matrix(every.cells, request.recipe.dtype)
    y = every.y if classes is not None else target.transform(every.y).astype(request.recipe.dtype)
    weight = every.weight
    judge = request.judge(target, every.y, weight) if folds and len(folds[0][1]) else None
    trained = train(
        *(X, y, 0 if classes is None else len(classes), folds, request.recipe),
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
    score = _score(trained, judge, every, y, target, classes, request.recipe.loss)
    return Fitted(TableModel(trained.models, preparation), trained, score)


def _folds(
    rows: Rows, held: Rows | None, classes: Array | None, request: Request
) -> list[tuple[Array, Array]]:
    n, whole = request.n_members, np.arange(len(rows))
    if held is not None:
        return [(whole, len(rows) + np.arange(len(held)))] * n
    if not request.share:
        return [(whole, whole[:0])] * n if n > 1 else []
    seed = request.recipe.seed
    # Where no class has two rows, they cannot be shared out by class.
    by_class = classes is not None and int(np.bincount(rows.y).max()) > 1
    within: dict[str, Any] = {"classes": rows.y if by_class else None, "groups": rows.groups}
    if n > 1:
        return several_folds(len(rows), request.share, n, seed=seed, **within)
    return folds_of(len(rows), request.share, seed=seed, crosses=request.crosses, **within)


def _as_labels(classes: Array) -> Array:
    """Labels as a model's file can hold them."""
    return classes.astype(str) if classes.dtype == object else classes


def _score(
    trained: Trained,
    judge: Judge | None,
    every: Rows,
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
    weight = None if every.weight is None else every.weight[rows]
    found = mean(row_losses(outputs, learned[rows], n_classes, loss), weight)
    if n_classes:
        return found
    return found * (target.scale if loss == "absolute_error" else target.scale**2)
