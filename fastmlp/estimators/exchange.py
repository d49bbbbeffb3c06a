"""An estimator as scikit-learn's own class, fitted, that predicts and goes on as ours would."""

from __future__ import annotations

from copy import deepcopy
from numbers import Number
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.base import is_classifier
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.neural_network._stochastic_optimizers import AdamOptimizer, SGDOptimizer
from sklearn.utils._param_validation import InvalidParameterError, validate_parameter_constraints
from sklearn.utils.validation import check_is_fitted

from .network import Link

if TYPE_CHECKING:
    from ..kernels.typing import Array
    from ..program.state import State

# Arguments of ours that change neither predictions nor training, rounding aside.
_ONLY_HOW = ("backend", "n_threads")
# What their fits set and read, but for arrays of weights and the optimizer.
_ATTRIBUTES = (
    *("n_features_in_", "feature_names_in_", "n_layers_", "n_outputs_", "out_activation_"),
    *("classes_", "_label_binarizer", "n_iter_", "t_", "loss_", "best_loss_", "loss_curve_"),
    *("validation_scores_", "best_validation_score_", "_no_improvement_count", "_random_state"),
)
_TRIED_ROWS = 32


def to_sklearn(estimator: Any) -> Any:
    """Make scikit-learn's class of a fitted estimator.

    See `fastmlp.estimators.linked.LinkedEstimator.to_sklearn`.
    """
    check_is_fitted(estimator, "coefs_")
    kind = MLPClassifier if is_classifier(estimator) else MLPRegressor
    given = estimator.get_params(deep=False)
    defaults = type(estimator)().get_params(deep=False)
    _refuse(_foreign(given, defaults, kind), given, defaults)
    link = estimator._current()
    names = kind._get_param_names()
    other = kind(**{name: deepcopy(given[name]) for name in names if name in given})
    own = vars(estimator)
    for name in _ATTRIBUTES:
        if name in own:
            setattr(other, name, deepcopy(own[name]))
    other.coefs_, other.intercepts_ = _copies(link.coefs), _copies(link.intercepts)
    _compare(other, link)
    # A fit that has judged epochs ends with the best.
    other._best_coefs, other._best_intercepts = _copies(link.coefs), _copies(link.intercepts)
    if "_optimizer" in own and estimator.solver in ("adam", "sgd"):
        other._optimizer = _optimizer(estimator, other, link)
    return other


def _foreign(given: dict[str, Any], defaults: dict[str, Any], kind: Any) -> list[str]:
    """List the arguments that scikit-learn's class lacks, or does not take with these values."""
    known = set(kind._get_param_names())
    found = []
    for name, value in given.items():
        if name in _ONLY_HOW:
            continue
        if name not in known:
            # What computes in double precision there does so here.
            if not _same(value, defaults[name]) and (name, value) != ("dtype", "float64"):
                found.append(name)
            continue
        try:
            validate_parameter_constraints(
                {name: kind._parameter_constraints[name]}, {name: value}, kind.__name__
            )
        except InvalidParameterError:
            found.append(name)
    return found


def _same(value: Any, default: Any) -> bool:
    """Tell whether an argument is its default; an array is none."""
    alike = type(value) is type(default) or all(isinstance(v, Number) for v in (value, default))
    try:
        return value is default or (alike and bool(value == default))
    except ValueError:
        return False


def _refuse(names: list[str], given: dict[str, Any], defaults: dict[str, Any]) -> None:
    if names:
        listed, reset = (
            ", ".join(f"{name}={values[name]!r}" for name in names) for values in (given, defaults)
        )
        raise ValueError(
            f"scikit-learn's class does not know {listed}. For predictions elsewhere use freeze() "
            "and its exports. What has shaped the training alone can be set back first: "
            f"set_params({reset})"
        )


def _compare(other: Any, link: Link) -> None:
    """Refuse a network that is more than its coefficients."""
    model = link.model
    X = np.random.default_rng(0).normal(size=(_TRIED_ROWS, len(link.coefs[0])))
    X = X.astype(model.dtype)
    expected = model.predict(X)
    with np.errstate(all="ignore"):
        found = other._forward_pass_fast(X, check_input=False) if _is_plain(link) else None
    tolerance = 1e-3 if model.dtype == "float32" else 1e-9
    if found is None or not np.allclose(
        found, expected, rtol=tolerance, atol=tolerance, equal_nan=True
    ):
        raise ValueError(
            "the network behind this estimator computes something else than scikit-learn's class "
            "would with its coefs_ and intercepts_; for predictions elsewhere use freeze() and its "
            "exports"
        )


def _is_plain(link: Link) -> bool:
    """Tell whether coefficients chain: the columns of each layer are the rows of the next."""
    parameters = len(link.model.parameters) + len(link.model.buffers)
    chained = all(
        before.shape[1] == after.shape[0]
        for before, after in zip(link.coefs, link.coefs[1:], strict=False)
    )
    return parameters == 2 * len(link.coefs) and chained


def _optimizer(estimator: Any, other: Any, link: Link) -> Any:
    """Return their optimizer with the moments of ours, whose velocity has the other sign."""
    rule: Any = link.model.optimizer
    state, first = link.model.training_state.state, estimator.learning_rate_init
    parameters = [*other.coefs_, *other.intercepts_]
    optimizer: Any
    if estimator.solver == "adam":
        optimizer = AdamOptimizer(parameters, first, rule.beta_1, rule.beta_2, rule.epsilon)
        optimizer.t = state.step
        optimizer.ms, optimizer.vs = (_flat(state, moments) for moments in state.moments)
    else:
        optimizer = SGDOptimizer(
            parameters,
            first,
            estimator.learning_rate,
            estimator.momentum,
            estimator.nesterovs_momentum,
            estimator.power_t,
        )
        if len(state.moments):
            optimizer.velocities = [-array for array in _flat(state, state.moments[0])]
    optimizer.learning_rate = estimator._optimizer.learning_rate
    return optimizer


def _flat(state: State, vector: Array) -> list[Array]:
    """Return copies of the parts of a flat vector: those of all weights, then of all biases."""
    parts = state.sharing(parameters=vector)
    arrays = [parts.parameter(tensor).copy() for tensor in state.program.parameters]
    return [*arrays[0::2], *arrays[1::2]]


def _copies(arrays: list[Array]) -> list[Array]:
    return [np.array(array) for array in arrays]
