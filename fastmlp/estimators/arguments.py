"""The arguments that both estimators share: their meaning, what each may be, what layers get."""

from __future__ import annotations

from collections.abc import Iterable
from numbers import Integral, Real
from typing import Any

import numpy as np
from sklearn.utils._param_validation import Interval, Options, StrOptions

from ..declarations.activations import Activation, get_activation
from ..declarations.learning_rate import Schedule
from ..declarations.optimizers import OPTIMIZERS, Optimizer

_DEFAULT_SIZES = (100,)
# scikit-learn's names of activations that have another one here.
_NAMES = {"identity": "linear", "logistic": "sigmoid"}

DOCUMENTATION = """\
Parameters
----------
hidden_layer_sizes : array-like of int, or int
    Units of each hidden layer; none for a linear model.
activation : {"identity", "logistic", "tanh", "relu"}, str, Activation, or a list of them
    Of the hidden layers; a list has one for each. Beyond scikit-learn's four, those of
    `Sequential`: names such as "gelu", or objects such as ``fm.LeakyReLU(0.1)``.
solver : {"lbfgs", "sgd", "adam"}, str or Optimizer
    "lbfgs" works on all rows at once, the others on batches. Beyond scikit-learn's, the
    optimizers of `Sequential`: names such as "adamw", with `learning_rate_init`, or objects
    such as ``fm.RMSprop(1e-3)``, with their own rate.
alpha : float
    ``alpha / 2 * sum W**2`` is added to the sum over a batch's rows of which the loss is the
    mean.
batch_size : int or "auto"
    "auto" is ``min(200, n_rows)``.
learning_rate : {"constant", "invscaling", "adaptive"} or Schedule
    Of every solver but "adam": constant; divided by ``(t_ + 1)**power_t`` after each epoch; or
    divided by 5 where the loss no longer falls, until it is 1e-6. A schedule such as
    ``fm.CosineDecay(1e-3, 200)`` goes with "adam" too, and needs no `learning_rate_init`.
learning_rate_init : float
    The first learning rate, or the one.
power_t : float
    Of "invscaling".
max_iter : int
    Epochs, or iterations of "lbfgs".
shuffle : bool
    Each epoch in another order.
random_state : int, RandomState or None
    Of first weights, held out rows and orders, in the order in which scikit-learn draws them.
tol : float
    An epoch that improves loss or score by less counts as one without improvement.
verbose : bool or int
    1, or True: a line an epoch. 2: a progress bar, where tqdm is installed.
warm_start : bool
    A further fit goes on from the weights there are.
momentum : float
    Of "sgd".
nesterovs_momentum : bool
    The momentum is Nesterov's.
early_stopping : bool, "loss", str or callable
    Judge epochs by the accuracy, or the R2, of held out rows, and keep the weights of the best.
    "loss": by their loss, whose negative `validation_scores_` are. Or by a scorer of
    scikit-learn's, such as "roc_auc", or a function of estimator, X and y.
validation_fraction : float
    Share of the rows that is held out, where `fit` is given no ``X_val``.
beta_1, beta_2, epsilon : float
    Of "adam".
n_iter_no_change : int
    The fit ends with one more epoch in a row without improvement.
max_fun : int
    Of "lbfgs": evaluations of the loss.
depth, width : int, optional
    In the place of `hidden_layer_sizes`: `depth` hidden layers, 1 by default, of `width` units,
    100 by default, so that a search can draw numbers. From here on scikit-learn has no such
    arguments.
dropout : float or a list of them
    Rate of the dropout after each hidden layer (Srivastava et al. 2014).
batch_norm : bool
    Batch normalization before the activation of each hidden layer (Ioffe and Szegedy 2015).
residual : bool
    Hidden layers that are as wide as what they read add it to what they give (He et al. 2016).
clip_norm, clip_value : float, optional
    Limits of the gradient's norm, and of its single numbers, before an update.
callbacks : iterable
    Of fastmlp (`Recorder`, `EarlyStopping`, `LambdaCallback` and others; they are shown
    `network_`), and of ``sklearn.callback`` where scikit-learn has it. `partial_fit` tells
    those of fastmlp alone.
dtype : {"float32", "float64"} or None
    That in which the network computes; None is that of X, double precision for "lbfgs" and for
    all but float32.
backend : {"auto", "numba", "numpy"}
    What computes; "auto" is numba where it is installed.
n_threads : int or "auto"
    "auto" is a rule over sizes and cores; the results are the same bits for any number. See
    `Sequential`.

Attributes
----------
coefs_, intercepts_ : list of ndarray
    Views of the network's weights: what is written there is predicted with, and so are arrays
    that are put into their places.
loss_, best_loss_, loss_curve_, validation_scores_, best_validation_score_ : float, list
    As scikit-learn's.
history_ : History
    Of all epochs: ``loss`` and, of classes, ``accuracy`` of the epoch's own passes, ``val_loss``
    (where rows to judge by are given, or wanted for it) and the score by its name, ``seconds``,
    ``learning_rate``. Of "lbfgs" the ``loss`` and ``seconds`` of iterations.
n_iter_, t_, n_layers_, n_outputs_, n_features_in_ : int
out_activation_ : str
feature_names_in_ : ndarray of str
    Where X was a data frame.
network_ : Sequential
    The network itself.
"""
"""Entries of docstrings."""

CONSTRAINTS: dict[str, list[Any]] = {
    "hidden_layer_sizes": ["array-like", Interval(Integral, 1, None, closed="left")],
    "activation": [str, Activation, "array-like"],
    "solver": [StrOptions({"lbfgs", "sgd", "adam", *OPTIMIZERS}), Optimizer],
    "alpha": [Interval(Real, 0, None, closed="left")],
    "batch_size": [StrOptions({"auto"}), Interval(Integral, 1, None, closed="left")],
    "learning_rate": [StrOptions({"constant", "invscaling", "adaptive"}), Schedule],
    "learning_rate_init": [Interval(Real, 0, None, closed="neither")],
    "power_t": [Interval(Real, 0, None, closed="left")],
    "max_iter": [Interval(Integral, 1, None, closed="left")],
    "shuffle": ["boolean"],
    "random_state": ["random_state"],
    "tol": [Interval(Real, 0, None, closed="left")],
    "verbose": ["verbose"],
    "warm_start": ["boolean"],
    "momentum": [Interval(Real, 0, 1, closed="both")],
    "nesterovs_momentum": ["boolean"],
    "early_stopping": ["boolean", str, callable],
    "validation_fraction": [Interval(Real, 0, 1, closed="left")],
    "beta_1": [Interval(Real, 0, 1, closed="left")],
    "beta_2": [Interval(Real, 0, 1, closed="left")],
    "epsilon": [Interval(Real, 0, None, closed="neither")],
    "n_iter_no_change": [Interval(Integral, 1, None, closed="left"), Options(Real, {np.inf})],
    "max_fun": [Interval(Integral, 1, None, closed="left")],
    "depth": [Interval(Integral, 0, None, closed="left"), None],
    "width": [Interval(Integral, 1, None, closed="left"), None],
    "dropout": [Interval(Real, 0, 1, closed="left"), "array-like"],
    "batch_norm": ["boolean"],
    "residual": ["boolean"],
    "clip_norm": [Interval(Real, 0, None, closed="neither"), None],
    "clip_value": [Interval(Real, 0, None, closed="neither"), None],
    "callbacks": [Iterable],
    "dtype": [StrOptions({"float32", "float64"}), None],
    "backend": [StrOptions({"auto", "numba", "numpy"})],
    "n_threads": [StrOptions({"auto"}), Interval(Integral, 1, None, closed="left")],
}
"""What scikit-learn checks before a fit."""


def keep_arguments(estimator: Any, arguments: dict[str, Any]) -> None:
    """Set the attributes of a constructor's arguments, its ``locals()``, unchanged.

    scikit-learn reads arguments off the constructor's signature, so each class spells them out.
    """
    for name in estimator._get_param_names():
        setattr(estimator, name, arguments[name])


def is_stochastic(estimator: Any) -> bool:
    """Tell whether a solver works on batches."""
    return bool(estimator.solver != "lbfgs")


def hidden_widths(
    hidden_layer_sizes: Any, depth: int | None = None, width: int | None = None
) -> list[int]:
    """Return the widths of the hidden layers.

    Parameters
    ----------
    hidden_layer_sizes : sequence of int, or int
        A number is one layer.
    depth, width : int, optional
        In its place, so many layers, by default 1, of so many units, by default 100.

    Raises
    ------
    TypeError
        A width is no whole number.
    ValueError
        A width is not above 0; or both ways are used at once.
    """
    listed = hasattr(hidden_layer_sizes, "__iter__")
    widths = list(hidden_layer_sizes) if listed else [hidden_layer_sizes]
    if depth is not None or width is not None:
        if tuple(widths) != _DEFAULT_SIZES:
            raise ValueError(
                "give hidden_layer_sizes or depth and width, not both; got "
                f"hidden_layer_sizes={hidden_layer_sizes!r}, depth={depth}, width={width}"
            )
        layers = 1 if depth is None else int(depth)
        widths = [_DEFAULT_SIZES[0] if width is None else width] * layers
    if not all(map(_is_whole, widths)):
        raise TypeError(
            "hidden_layer_sizes must be whole numbers, the units of each hidden layer, such as "
            f"(64, 32), got {hidden_layer_sizes!r}"
        )
    if any(each <= 0 for each in widths):
        raise ValueError(f"hidden_layer_sizes must be > 0, got {widths}.")
    return [int(each) for each in widths]


def _is_whole(value: Any) -> bool:
    """Tell whether a width is a whole number; that of a search may be a float such as 64.0."""
    return (
        isinstance(value, Real)
        and not isinstance(value, bool | np.bool_)
        and float(value).is_integer()
    )


def hidden_activations(activation: Any, n_layers: int) -> list[Activation]:
    """Return the activation of each hidden layer.

    Parameters
    ----------
    activation : str, Activation or a sequence of them
        By scikit-learn's names or ours; one for all layers, or one for each.
    n_layers : int

    Raises
    ------
    ValueError
        A name is unknown, or there are not as many as layers.
    """
    if isinstance(activation, str | Activation):
        return [_find(activation)] * n_layers
    given = [_find(each) for each in activation]
    _check_count("activation", len(given), n_layers)
    return given


def _find(activation: Any) -> Activation:
    name = _NAMES.get(activation, activation) if isinstance(activation, str) else activation
    return get_activation(name)


def dropout_rates(dropout: Any, n_layers: int) -> list[float]:
    """Return the rate of the dropout after each hidden layer; one number is that of all.

    Raises
    ------
    ValueError
        There are not as many as layers, or one is not in [0, 1).
    """
    if isinstance(dropout, Real):
        return [float(dropout)] * n_layers
    rates = [float(rate) for rate in dropout]
    _check_count("dropout", len(rates), n_layers)
    for rate in rates:
        if not 0.0 <= rate < 1.0:
            raise ValueError(f"dropout must be at least 0 and below 1, got {rate}")
    return rates


def _check_count(name: str, count: int, n_layers: int) -> None:
    if count != n_layers:
        raise ValueError(
            f"{name} must be one value, or one for each of the {n_layers} hidden layers, got "
            f"{count} values"
        )


def check_lbfgs(estimator: Any) -> None:
    """Refuse what "lbfgs", which works on all rows at once, cannot do.

    Raises
    ------
    ValueError
        An argument makes the loss another one in each pass, or is about batches.
    """
    unfit = {
        "dropout": bool(np.any(np.asarray(estimator.dropout) > 0)),
        "batch_norm": bool(estimator.batch_norm),
        "clip_norm": estimator.clip_norm is not None,
        "clip_value": estimator.clip_value is not None,
        "learning_rate": isinstance(estimator.learning_rate, Schedule),
    }
    names = [name for name, is_set in unfit.items() if is_set]
    if names:
        raise ValueError(
            f"solver='lbfgs' does not go with {', '.join(names)}; leave that at its default, or "
            "take solver='adam'"
        )
