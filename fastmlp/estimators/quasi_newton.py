"""Fits by L-BFGS: SciPy's optimizer on loss and gradient of all rows."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import numpy as np
import scipy
import scipy.optimize
from sklearn.utils.optimize import _check_optimize_result

from ..training.sources import FitData
from .network import Link, pack, unpack
from .objective import reports_mean
from .stochastic import reported

if TYPE_CHECKING:
    from ..kernels.typing import Array
    from .rows import Rows
    from .watchers import Watchers

_HAS_IPRINT = tuple(map(int, scipy.__version__.split(".")[:2])) < (1, 15)


class PackedObjective:
    """Loss of all rows, penalties included, and its gradient at packed vectors.

    See `fastmlp.estimators.network.pack` for these. The network's weights become those of the
    latest one.

    Parameters
    ----------
    link : Link
    rows : Rows
    as_mean : bool
        See `fastmlp.estimators.objective.reports_mean`.
    """

    def __init__(self, link: Link, rows: Rows, as_mean: bool) -> None:
        self._link, self._as_mean = link, as_mean
        self._objective = link.model.runner.objective(rows.x, rows.y, rows.weight)

    def __enter__(self) -> PackedObjective:
        return self

    def __exit__(self, *problem: object) -> None:
        self._objective.close()

    def __call__(self, packed: Array) -> tuple[float, Array]:
        """Return loss and gradient."""
        link = self._link
        unpack(packed, link.coefs, link.intercepts)
        found = self._objective.evaluate()
        state = link.model.training_state.state.sharing(gradients=found.gradients)
        parts = [state.gradient(tensor) for tensor in state.program.parameters]
        n_outputs = link.intercepts[-1].size
        loss = reported(found.loss, found.penalty, n_outputs, self._as_mean)
        return loss, pack(parts[0::2], parts[1::2])


def loss_and_gradient(link: Link, packed: Array, rows: Rows, as_mean: bool) -> tuple[float, Array]:
    """Return what a `PackedObjective` of these rows gives at one vector."""
    with PackedObjective(link, rows, as_mean) as objective:
        return objective(packed)


def fit_quasi_newton(estimator: Any, link: Link, rows: Rows, watchers: Watchers) -> None:
    """Minimize the loss; `n_iter_`, `loss_` and the network's weights become what was reached."""
    options: dict[str, Any] = {
        "maxfun": estimator.max_fun,
        "maxiter": estimator.max_iter,
        "gtol": estimator.tol,
    }
    if _HAS_IPRINT:
        options["iprint"] = 1 if estimator.verbose else -1
    try:
        watchers.begin(FitData(rows.x, rows.y, rows.weight), estimator.max_iter, ["loss"])
        with PackedObjective(link, rows, reports_mean(estimator)) as objective:
            course = _Course(estimator, link, objective, watchers)
            result = scipy.optimize.minimize(
                course.loss_and_gradient,
                pack(link.coefs, link.intercepts).astype(np.float64),
                method="L-BFGS-B",
                jac=True,
                options=options,
                callback=course.end_iteration,
            )
    finally:
        watchers.end()
    if course.is_stopped:
        estimator.n_iter_ = result.nit
    else:
        estimator.n_iter_ = _check_optimize_result("lbfgs", result, estimator.max_iter)
    estimator.loss_ = np.float64(result.fun)
    unpack(result.x, link.coefs, link.intercepts)


class _Course:
    """A fit in progress: each iteration is told as an epoch."""

    def __init__(
        self, estimator: Any, link: Link, objective: PackedObjective, watchers: Watchers
    ) -> None:
        self._estimator, self._objective, self._watchers = estimator, objective, watchers
        self._training = link.model.training_state
        self._loss, self._began = np.nan, 0.0
        self.is_stopped = False

    def loss_and_gradient(self, packed: Array) -> tuple[float, Array]:
        """Return what SciPy asks for; the last one before an iteration ends is where it ends."""
        if not self._began:
            self._began = time.perf_counter()
            self._watchers.begin_epoch(self._training.epoch)
        self._loss, gradient = self._objective(packed)
        return self._loss, gradient

    def end_iteration(self, packed: Array) -> None:
        """End an iteration, and the fit where a callback asks for it."""
        number = self._training.epoch
        logs = {"loss": self._loss, "seconds": time.perf_counter() - self._began}
        self._began = 0.0
        self._training.end_epoch(logs)
        self._estimator.history_.append(number, logs)
        self.is_stopped = self._watchers.end_epoch(number, logs)
        if self.is_stopped:
            raise StopIteration
