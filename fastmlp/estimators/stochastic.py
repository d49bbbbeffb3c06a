"""Fits by mini-batches: scikit-learn's epochs, random numbers and stop rule around our sessions."""

from __future__ import annotations

import time
import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.exceptions import ConvergenceWarning

from ..data.batches import Batches, Validation
from ..training.sources import FitData, train_batches
from .judges import Judge
from .objective import reports_mean
from .rates import Rate
from .rows import Order, Rows, batch_rows, split
from .watchers import Watchers

if TYPE_CHECKING:
    from ..kernels.typing import Array
    from ..model.sequential import Sequential
    from ..runners.runner import Session


def reported(loss: float, penalty: float, n_outputs: int, as_mean: bool) -> float:
    """Return a loss with penalties as scikit-learn reports it; see `reports_mean`."""
    return (loss - penalty) / n_outputs + penalty if as_mean else loss


def fit_stochastic(
    estimator: Any,
    model: Sequential,
    rows: Rows,
    incremental: bool,
    held: Rows | None,
    watchers: Watchers,
) -> None:
    """Train for up to `max_iter` epochs, for one where `incremental`.

    Epochs are judged by rows that are held, or are held out of those where early stopping asks for
    it. The estimator's attributes become those that scikit-learn's would have.
    """
    if estimator.early_stopping and incremental:
        raise ValueError("partial_fit does not support early_stopping=True")
    rng = estimator._random_state
    order: Order | None = None
    train, chosen = np.arange(len(rows.x)), None
    if estimator.early_stopping and held is None:
        train, chosen = split(rows, estimator.validation_fraction, rng)
        held = rows.take(chosen)
    if estimator.shuffle or chosen is not None:
        order = Order(train, rng if estimator.shuffle else None)
    size = batch_rows(estimator.batch_size, len(train))
    batches = Batches(rows.x, rows.y, rows.weight, size, None if order is None else order.rows)
    judge = None
    if held is not None:
        shows_loss = bool(estimator.early_stopping is False or watchers.callbacks)
        judge = Judge(estimator, model, held, shows_loss)
        if estimator.validation_scores_ is None:
            estimator.validation_scores_ = []
    course = _Course(estimator, model, batches, order, judge, watchers)
    names = course.names()
    try:
        try:
            watchers.begin(
                _data(rows, held, chosen), 1 if incremental else estimator.max_iter, names
            )
            course.run(incremental)
        except KeyboardInterrupt:
            warnings.warn("Training interrupted by user.", stacklevel=2)
    finally:
        watchers.end()
    if estimator.early_stopping:
        state = model.training_state.state
        state.parameters[...], state.buffers[...] = estimator._best


def _data(rows: Rows, held: Rows | None, chosen: Array | None) -> FitData:
    """Return the rows as callbacks are shown them."""
    validation = None if held is None else Validation(held.x, held.y, held.weight)
    left_out = None if chosen is None else np.sort(chosen)
    return FitData(rows.x, rows.y, rows.weight, validation, left_out)


@dataclass
class _Course:
    """A fit in progress."""

    estimator: Any
    model: Sequential
    batches: Batches
    order: Order | None
    judge: Judge | None
    watchers: Watchers

    def __post_init__(self) -> None:
        self.says = bool(self.estimator.verbose) and not self.watchers.has_bar
        self.classifies = self.estimator.out_activation_ in ("softmax", "logistic")

    def names(self) -> list[str]:
        """Return the names of what the logs will hold."""
        names = ["loss", "accuracy"] if self.classifies else ["loss"]
        return names if self.judge is None else [*names, *self.judge.names]

    def run(self, incremental: bool) -> None:
        """Train until an epoch was the last."""
        training, rate = self.model.training_state, self.estimator._optimizer
        rates = rate.rates(training.rates(self.batches.count))
        session = self.model.runner.session(self.batches, rates, stops=False)
        try:
            self._epochs(session, incremental)
        finally:
            session.close()

    def _epochs(self, session: Session, incremental: bool) -> None:
        estimator, rate = self.estimator, self.estimator._optimizer
        estimator.n_iter_ = 0
        while estimator.n_iter_ < estimator.max_iter:
            stops = self._epoch(session, rate)
            rate.end_epoch(estimator.t_)
            if estimator._no_improvement_count > estimator.n_iter_no_change:
                if self._ends():
                    return
                estimator._no_improvement_count = 0
            if incremental or stops:
                return
        warnings.warn(
            f"Stochastic Optimizer: Maximum iterations ({estimator.max_iter:d}) reached and the "
            "optimization hasn't converged yet.",
            ConvergenceWarning,
            stacklevel=2,
        )

    def _epoch(self, session: Session, rate: Rate) -> bool:
        """Train on all rows once and judge; tell whether a callback asks for the fit to end."""
        estimator, training, watchers = self.estimator, self.model.training_state, self.watchers
        number, start, n_rows = training.epoch, time.perf_counter(), self.batches.n_rows
        watchers.begin_epoch(number)
        if self.order is not None:
            self.order.draw()
        session.start_epoch(rate.rates(training.rates(self.batches.count)))
        train_batches(session, self.batches, self.model.dtype, 0, watchers.progress)
        estimator.n_iter_ += 1
        loss = reported(
            session.loss_sum / n_rows,
            session.penalty_sum / n_rows,
            estimator.n_outputs_,
            reports_mean(estimator),
        )
        # NumPy's kind, as scikit-learn's is: programs may call its methods.
        estimator.loss_ = np.float64(loss)
        estimator.t_ += n_rows
        estimator.loss_curve_.append(estimator.loss_)
        if self.says:
            print(f"Iteration {estimator.n_iter_}, loss = {estimator.loss_:.8f}")
        logs = {"loss": float(loss)}
        if self.classifies:
            logs["accuracy"] = session.correct_sum / n_rows
        logs |= self._judge()
        logs |= {"seconds": time.perf_counter() - start, "learning_rate": rate.learning_rate}
        training.end_epoch(logs)
        estimator.history_.append(number, logs)
        return watchers.end_epoch(number, logs)

    def _judge(self) -> dict[str, float]:
        """Count the epochs without improvement, of the loss or of the score of held out rows."""
        estimator, tol = self.estimator, self.estimator.tol
        score = np.nan
        logs: dict[str, float] = {}
        if self.judge is not None:
            score, logs = self.judge.judge()
            estimator.validation_scores_.append(score)
            if self.says:
                print(f"Validation score: {score:f}")
        if estimator.early_stopping:
            worse = score < estimator.best_validation_score_ + tol
            if score > estimator.best_validation_score_:
                estimator.best_validation_score_ = score
                state = self.model.training_state.state
                estimator._best = state.parameters.copy(), state.buffers.copy()
        else:
            loss = estimator.loss_
            worse = loss > estimator.best_loss_ - tol
            # Not the least of both: a NaN is no best.
            if loss < estimator.best_loss_:
                estimator.best_loss_ = loss
        estimator._no_improvement_count = estimator._no_improvement_count + 1 if worse else 0
        return logs

    def _ends(self) -> bool:
        """Tell whether a fit that no longer improves ends, and say so where it is verbose."""
        estimator = self.estimator
        watched = "Validation score" if estimator.early_stopping else "Training loss"
        ends, action = estimator._optimizer.stalls()
        if self.says:
            print(
                f"{watched} did not improve more than tol={estimator.tol:f} for "
                f"{estimator.n_iter_no_change:.0f} consecutive epochs. {action}"
            )
        return bool(ends)
