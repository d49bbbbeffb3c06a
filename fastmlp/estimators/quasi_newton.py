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


def loss_and_gradient(link: Link, packed: Array, rows: Rows, output: str) -> tuple[float, Array]:
    """Return the loss of all rows, penalties included, and its gradient at a packed vector.

    The network's weights become those of the vector.

    Parameters
    ----------
    link : Link
    packed : ndarray
        See `fastmlp.estimators.network.pack`.
    rows : Rows
    output : str
        The output activation.
    """
    unpack(packed, link.coefs, link.intercepts)
    model = link.model
    found = model.runner.evaluate_batch(rows.x, rows.y, rows.weight)
    state = model.training_state.state
    parts = [state.sharing(gradients=found.gradients).gradient(t) for t in state.program.parameters]
    n_outputs = link.intercepts[-1].size
    loss = reported(found.loss, found.penalty, n_outputs, output)
    return loss, pack(parts[0::2], parts[1::2])


def fit_quasi_newton(estimator: Any, link: Link, rows: Rows) -> None:
    """Minimize the loss; `n_iter_`, `loss_` and the network's weights become what was reached."""
    options: dict[str, Any] = {
        "maxfun": estimator.max_fun,
        "maxiter": estimator.max_iter,
        "gtol": estimator.tol,
    }
    if _HAS_IPRINT:
        options["iprint"] = 1 if estimator.verbose else -1
    output = estimator.out_activation_
    result = scipy.optimize.minimize(
        lambda packed: loss_and_gradient(link, packed, rows, output),
        pack(link.coefs, link.intercepts).astype(np.float64),
        method="L-BFGS-B",
        jac=True,
        options=options,
    )
    estimator.n_iter_ = _check_optimize_result("lbfgs", result, estimator.max_iter)
    estimator.loss_ = result.fun
    unpack(result.x, link.coefs, link.intercepts)
