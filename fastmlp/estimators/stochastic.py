"""Fits by mini-batches: scikit-learn's epochs, random numbers and stop rule around our sessions."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import train_test_split

from ..data.batches import Batches
from ..training.sources import train_batches
from .rates import Rate

if TYPE_CHECKING:
    from ..data.rows import Features
    from ..kernels.typing import Array
    from ..model.sequential import Sequential
    from ..runners.runner import Session

_AUTO_BATCH = 200


@dataclass(frozen=True)
class Rows:
    """Checked rows, with targets as the losses take them.

    Attributes
    ----------
    x : ndarray or SparseRows
    y : ndarray
    weight : ndarray or None
    strata : ndarray or None
        What the held out rows are stratified by.
    """

    x: Features
    y: Array
    weight: Array | None
    strata: Array | None = None

    def take(self, rows: Array) -> Rows:
        """Return copies of some rows."""
        weight = None if self.weight is None else self.weight[rows]
        return Rows(self.x[rows], self.y[rows], weight)


class Order:
    """The order in which an epoch reads rows: each shuffles that of the last one.

    Parameters
    ----------
    rows : ndarray of int64
        Numbers of the rows.
    rng : RandomState or None
        None leaves them as they are.
    """

    def __init__(self, rows: Array, rng: np.random.RandomState | None) -> None:
        self.rows, self._rng = rows, rng
        self._places = np.empty_like(rows)
        self._ascending = np.arange(len(rows))

    def draw(self) -> None:
        """Put the rows into the next epoch's order, in the same memory."""
        if self._rng is not None:
            self._places[...] = self._ascending
            self._rng.shuffle(self._places)
            self.rows[...] = self.rows[self._places]


def reported(loss: float, penalty: float, n_outputs: int, output: str) -> float:
    """Return a loss with penalties as scikit-learn reports it.

    Its squared error is a mean over outputs whose gradient is that of the sum over them, a fault
    that is known there (#8349); what is trained here is the sum.
    """
    if output != "identity":
        return loss
    return (loss - penalty) / n_outputs + penalty


def split(rows: Rows, fraction: float, rng: np.random.RandomState) -> tuple[Array, Array]:
    """Draw the rows that are held out; return the others', and their numbers.

    Raises
    ------
    ValueError
        There would be less than two of them; or what ``train_test_split`` refuses.
    """
    train, held = train_test_split(
        np.arange(len(rows.x)), random_state=rng, test_size=fraction, stratify=rows.strata
    )
    if len(held) < 2:
        raise ValueError(
            "The validation set is too small. Increase 'validation_fraction' or the size of your "
            "dataset."
        )
    return train, held


def batch_rows(batch_size: Any, n_rows: int) -> int:
    """Return the rows of a batch, with a warning where there are fewer than were asked for."""
    if isinstance(batch_size, str):
        return min(_AUTO_BATCH, n_rows)
    if batch_size > n_rows:
        warnings.warn(
            "Got `batch_size` less than 1 or larger than sample size. It is going to be clipped",
            stacklevel=2,
        )
    return int(min(batch_size, n_rows))


def fit_stochastic(
    estimator: Any, model: Sequential, rows: Rows, incremental: bool, held: Rows | None = None
) -> None:
    """Train for up to `max_iter` epochs, for one where `incremental`.

    Early stopping judges by rows that are held, or held out of those.

    The estimator's attributes become those that scikit-learn's would have.
    """
    if estimator.early_stopping and incremental:
        raise ValueError("partial_fit does not support early_stopping=True")
    rng = estimator._random_state
    order: Order | None = None
    train = np.arange(len(rows.x))
    if estimator.early_stopping and held is None:
        train, chosen = split(rows, estimator.validation_fraction, rng)
        held = rows.take(chosen)
    if estimator.shuffle or held is not None:
        order = Order(train, rng if estimator.shuffle else None)
    batches = Batches(
        rows.x,
        rows.y,
        rows.weight,
        batch_rows(estimator.batch_size, len(train)),
        None if order is None else order.rows,
    )
    session = model.runner.session(batches, [1.0], stops=False)
    try:
        _epochs(estimator, model, session, batches, order, held, incremental)
    except KeyboardInterrupt:
        warnings.warn("Training interrupted by user.", stacklevel=2)
    finally:
        session.close()
    if held is not None:
        model.training_state.state.parameters[...] = estimator._best_parameters


def _epochs(
    estimator: Any,
    model: Sequential,
    session: Session,
    batches: Batches,
    order: Order | None,
    held: Rows | None,
    incremental: bool,
) -> None:
    rate, n_rows = estimator._optimizer, batches.n_rows
    estimator.n_iter_ = 0
    while estimator.n_iter_ < estimator.max_iter:
        if order is not None:
            order.draw()
        session.start_epoch([rate.learning_rate])
        train_batches(session, batches, model.dtype, 0, _no_progress)
        estimator.n_iter_ += 1
        estimator.loss_ = reported(
            session.loss_sum / n_rows,
            session.penalty_sum / n_rows,
            estimator.n_outputs_,
            estimator.out_activation_,
        )
        estimator.t_ += n_rows
        estimator.loss_curve_.append(estimator.loss_)
        if estimator.verbose:
            print(f"Iteration {estimator.n_iter_}, loss = {estimator.loss_:.8f}")
        _judge(estimator, model, held)
        rate.end_epoch(estimator.t_)
        if estimator._no_improvement_count > estimator.n_iter_no_change:
            if _stops(estimator, held is not None):
                return
            estimator._no_improvement_count = 0
        if incremental:
            return
    warnings.warn(
        f"Stochastic Optimizer: Maximum iterations ({estimator.max_iter}) reached and the "
        "optimization hasn't converged yet.",
        ConvergenceWarning,
        stacklevel=2,
    )


def _no_progress(share: float) -> None:
    """Nobody is told within an epoch."""


def _judge(estimator: Any, model: Sequential, held: Rows | None) -> None:
    """Count the epochs without improvement, of the loss or of the score of held out rows."""
    tol = estimator.tol
    if held is None:
        loss = estimator.loss_
        worse = loss > estimator.best_loss_ - tol
        # Not the least of both: a NaN is no best.
        if loss < estimator.best_loss_:
            estimator.best_loss_ = loss
    else:
        score = estimator._score_outputs(model.runner.predict(held.x), held.y, held.weight)
        estimator.validation_scores_.append(score)
        if estimator.verbose:
            print(f"Validation score: {score:f}")
        worse = score < estimator.best_validation_score_ + tol
        if score > estimator.best_validation_score_:
            estimator.best_validation_score_ = score
            estimator._best_parameters[...] = model.training_state.state.parameters
    estimator._no_improvement_count = estimator._no_improvement_count + 1 if worse else 0


def _stops(estimator: Any, validates: bool) -> bool:
    """Tell whether a fit that no longer improves ends, and say so where it is verbose."""
    watched = "Validation score" if validates else "Training loss"
    rate: Rate = estimator._optimizer
    ends, action = rate.stalls()
    if estimator.verbose:
        print(
            f"{watched} did not improve more than tol={estimator.tol:f} for "
            f"{estimator.n_iter_no_change:.0f} consecutive epochs. {action}"
        )
    return ends
