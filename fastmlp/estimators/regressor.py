"""`MLPRegressor`, in the place of scikit-learn's class of this name."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from sklearn.base import RegressorMixin, _fit_context

from ..declarations.losses import Loss
from .base import BaseMLP
from .objective import loss_of_numbers
from .scores import r2

if TYPE_CHECKING:
    from ..kernels.typing import Array


class MLPRegressor(RegressorMixin, BaseMLP):  # type: ignore[misc]
    """Multilayer perceptron for numbers, as ``sklearn.neural_network.MLPRegressor``.

    Arguments, attributes and methods are those of scikit-learn's class, and so are the numbers:
    with the same arguments and the same `random_state` both end with the same weights, rounding
    aside.

    Parameters
    ----------
    loss : {"squared_error", "poisson"}, str or Loss
        Half the squared error; or half the Poisson deviance, of rates that are the exponential of
        the last layer. Of several outputs the sum is trained. `loss_` is that of "poisson" and,
        as in scikit-learn, the mean over outputs of "squared_error". Beyond scikit-learn's two:
        "absolute_error", and what `Sequential` takes, such as "huber" or ``fm.Quantile(0.9)``,
        means over outputs.
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
        Judge epochs by the R2 of held out rows, and keep the weights of the best. "loss": by
        their loss, whose negative `validation_scores_` are. Or by a scorer of scikit-learn's, such
        as "neg_median_absolute_error", or a function of estimator, X and y.
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
        "auto" is a rule over sizes and cores; the results are the same bits for any number.

    Attributes
    ----------
    coefs_, intercepts_ : list of ndarray
        Views of the network's weights: what is written there is predicted with, and so are arrays
        that are put into their places.
    loss_, best_loss_, loss_curve_, validation_scores_, best_validation_score_ : float, list
        As scikit-learn's.
    history_ : History
        Of all epochs: ``loss``, ``val_loss`` (where rows to judge by are given, or wanted for it)
        and the score by its name, ``seconds``, ``learning_rate``. Of "lbfgs" the ``loss`` and
        ``seconds`` of iterations.
    n_iter_, t_, n_layers_, n_outputs_, n_features_in_ : int
    out_activation_ : str
    feature_names_in_ : ndarray of str
        Where X was a data frame.
    network_ : Sequential
        The network itself.

    See Also
    --------
    MLPClassifier : The same for classes.
    Sequential : Networks with more kinds of layers, losses and optimizers.

    Notes
    -----
    See `MLPClassifier` for what differs. Files of skops have one type to be trusted,
    "fastmlp.estimators.regressor.MLPRegressor".

    Examples
    --------
    >>> import fastmlp as fm
    >>> X, y = [[0.0], [1.0], [2.0], [3.0]], [0.0, 1.0, 2.0, 3.0]
    >>> model = fm.MLPRegressor(hidden_layer_sizes=(), solver="lbfgs", alpha=0, random_state=0)
    >>> model.fit(X, y).predict([[1.5]]).round(3)
    array([1.5])
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        **BaseMLP._parameter_constraints,
        "loss": [str, Loss],
    }

    def __init__(
        self,
        loss: Any = "squared_error",
        hidden_layer_sizes: Any = (100,),
        activation: Any = "relu",
        *,
        solver: Any = "adam",
        alpha: float = 0.0001,
        batch_size: int | str = "auto",
        learning_rate: Any = "constant",
        learning_rate_init: float = 0.001,
        power_t: float = 0.5,
        max_iter: int = 200,
        shuffle: bool = True,
        random_state: Any = None,
        tol: float = 1e-4,
        verbose: bool | int = False,
        warm_start: bool = False,
        momentum: float = 0.9,
        nesterovs_momentum: bool = True,
        early_stopping: Any = False,
        validation_fraction: float = 0.1,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-8,
        n_iter_no_change: float = 10,
        max_fun: int = 15000,
        depth: int | None = None,
        width: int | None = None,
        dropout: Any = 0.0,
        batch_norm: bool = False,
        residual: bool = False,
        clip_norm: float | None = None,
        clip_value: float | None = None,
        callbacks: Iterable[Any] = (),
        dtype: str | None = None,
        backend: str = "auto",
        n_threads: int | str = "auto",
    ) -> None:
        self._keep(locals())

    @_fit_context(prefer_skip_nested_validation=True)  # type: ignore[untyped-decorator]
    def partial_fit(self, X: Any, y: Any, sample_weight: Any = None) -> MLPRegressor:
        """Train for one epoch more; the optimizer goes on. "lbfgs" does a whole fit.

        Parameters
        ----------
        X : array-like or SciPy sparse matrix, shape (n, n_features)
            Rows of numbers.
        y : array-like, shape (n,) or (n, n_outputs)
            Numbers.
        sample_weight : array-like, shape (n,), optional
            Factors of the rows' losses.

        Returns
        -------
        MLPRegressor
            The estimator itself.
        """
        return self._fit(X, y, sample_weight, True)

    def predict(self, X: Any) -> Array:
        """Return the numbers of each row.

        Parameters
        ----------
        X : array-like or SciPy sparse matrix, shape (n, n_features)
            Rows of numbers.

        Returns
        -------
        ndarray, shape (n,) or (n, n_outputs_)
            In the network's dtype.
        """
        outputs = self._outputs(X)
        return outputs.ravel() if outputs.shape[1] == 1 else outputs

    def _read(self, X: Any, y: Any, incremental: bool, reset: bool) -> tuple[Any, Any]:
        X, y = self._check_rows(X, y, reset)
        _check_numbers(y, "y")
        n_outputs = _n_outputs(y)
        known = n_outputs if reset else getattr(self, "n_outputs_", n_outputs)
        if n_outputs != known:
            raise ValueError(
                f"y has {n_outputs} outputs, but the network that goes on has {known}; "
                "give as many, or fit anew with warm_start=False"
            )
        self.n_outputs_ = n_outputs
        return X, y

    def _read_validation(self, X: Any, y: Any) -> tuple[Any, Any]:
        X, y = self._check_rows(X, y, False, "X_val")
        _check_numbers(y, "y_val")
        n_outputs = _n_outputs(y)
        if n_outputs != self.n_outputs_:
            raise ValueError(f"y has {self.n_outputs_} outputs, but y_val has {n_outputs}")
        return X, y

    def _targets(self, y: Array, dtype: str) -> Array:
        return np.ascontiguousarray(y, dtype).reshape(len(y), -1)

    def _output_activation(self) -> str:
        return loss_of_numbers(self.loss)[1]

    def _check_arguments(self, n_hidden: int) -> None:
        super()._check_arguments(n_hidden)
        loss_of_numbers(self.loss)

    def _score_outputs(self, outputs: Array, targets: Array, weight: Array | None) -> float:
        return r2(outputs, targets, weight)


def _n_outputs(y: Array) -> int:
    return 1 if y.ndim == 1 else int(y.shape[1])


def _check_numbers(y: Any, name: str) -> None:
    """Refuse checked targets that are no numbers, which NumPy would make some of."""
    if hasattr(y, "tocsr"):
        raise TypeError(f"{name} is a sparse matrix; give {name}.toarray()")
    if y.dtype.kind in "SU":
        raise ValueError(
            f"{name} holds texts, such as {str(y.flat[0])!r}, and MLPRegressor takes numbers; "
            f"fm.MLPClassifier takes classes; texts of numbers become numbers by "
            f"{name}.astype(float)"
        )
    if y.dtype.kind not in "biuf":
        raise ValueError(
            f"{name} holds {y.dtype.name} values, such as {y.flat[0]}, and MLPRegressor takes "
            "numbers; make some of them, such as the days since a first date"
        )
