"""Fits by L-BFGS: SciPy's optimizer on loss and gradient of all rows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import scipy
import scipy.optimize
from sklearn.utils.optimize import _check_optimize_result

from .network import Link, pack, unpack
from .stochastic import Rows, reported

if TYPE_CHECKING:
    from ..kernels.typing import Array

_HAS_IPRINT = tuple(map(int, scipy.__version__.split(".")[:2])) < (1, 15)


class PackedObjective:
    """Loss of all rows, penalties included, and its gradient at packed vectors.

    See `fastmlp.estimators.network.pack` for these. The network's weights become those of the
    latest one.

    Parameters
    ----------
    link : Link
    rows : Rows
    output : str
        The output activation.
    """

    def __init__(self, link: Link, rows: Rows, output: str) -> None:
        self._link, self._output = link, output
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
        loss = reported(found.loss, found.penalty, n_outputs, self._output)
        return loss, pack(parts[0::2], parts[1::2])


def loss_and_gradient(link: Link, packed: Array, rows: Rows, output: str) -> tuple[float, Array]:
    """Return what a `PackedObjective` of these rows gives at one vector."""
    with PackedObjective(link, rows, output) as objective:
        return objective(packed)


def fit_quasi_newton(estimator: Any, link: Link, rows: Rows) -> None:
    """Minimize the loss; `n_iter_`, `loss_` and the network's weights become what was reached."""
    options: dict[str, Any] = {
        "maxfun": estimator.max_fun,
        "maxiter": estimator.max_iter,
        "gtol": estimator.tol,
    }
    if _HAS_IPRINT:
        options["iprint"] = 1 if estimator.verbose else -1
    with PackedObjective(link, rows, estimator.out_activation_) as objective:
        result = scipy.optimize.minimize(
            objective,
            pack(link.coefs, link.intercepts).astype(np.float64),
            method="L-BFGS-B",
            jac=True,
            options=options,
        )
    estimator.n_iter_ = _check_optimize_result("lbfgs", result, estimator.max_iter)
    estimator.loss_ = result.fun
    unpack(result.x, link.coefs, link.intercepts)
