"""`MLPRegressor`, in the place of scikit-learn's class of this name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from sklearn.base import RegressorMixin, _fit_context
from sklearn.utils._param_validation import StrOptions

from .base import BaseMLP
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
    loss : {"squared_error", "poisson"}
        Half the squared error; or half the Poisson deviance, of rates that are the exponential of
        the last layer. Of several outputs the sum is trained. `loss_` is that of "poisson" and,
        as in scikit-learn, the mean over outputs of "squared_error".
    hidden_layer_sizes : array-like of int, or int
        Units of each hidden layer; none for a linear model.
    activation : {"identity", "logistic", "tanh", "relu"}
        Of the hidden layers.
    solver : {"lbfgs", "sgd", "adam"}
        "lbfgs" works on all rows at once, the others on batches.
    alpha : float
        This and all that follow are as those of `MLPClassifier`: the penalty.
    batch_size : int or "auto"
        Rows of a batch.
    learning_rate : {"constant", "invscaling", "adaptive"}
        Of "sgd".
    learning_rate_init, power_t : float
        The first learning rate, and the power of "invscaling".
    max_iter : int
        Epochs, or iterations of "lbfgs".
    shuffle : bool
        Each epoch in another order.
    random_state : int, RandomState or None
        Of first weights, held out rows and orders.
    tol : float
        The least improvement.
    verbose, warm_start : bool
        Print each epoch's loss; a further fit goes on from the weights there are.
    momentum : float
        Of "sgd".
    nesterovs_momentum : bool
        The momentum is Nesterov's.
    early_stopping : bool
        Judge epochs by the R2 of held out rows, and keep the weights of the best.
    validation_fraction, beta_1, beta_2, epsilon : float
        Share of the rows that is held out; the others are of "adam".
    n_iter_no_change, max_fun : int
        Epochs without improvement before the last; evaluations of "lbfgs".
    dtype : {"float32", "float64"} or None
        That in which the network computes. From here on scikit-learn has no such arguments.
    backend : {"auto", "numba", "numpy"}
        What computes.
    n_threads : int or "auto"
        See `Sequential`.

    Attributes
    ----------
    coefs_, intercepts_ : list of ndarray
        Views of the network's weights: what is written there is predicted with, and so are arrays
        that are put into their places.
    loss_, best_loss_, loss_curve_, validation_scores_, best_validation_score_ : float, list
        As scikit-learn's.
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
        "loss": [StrOptions({"squared_error", "poisson"})],
    }

    def __init__(
        self,
        loss: str = "squared_error",
        hidden_layer_sizes: Any = (100,),
        activation: str = "relu",
        *,
        solver: str = "adam",
        alpha: float = 0.0001,
        batch_size: int | str = "auto",
        learning_rate: str = "constant",
        learning_rate_init: float = 0.001,
        power_t: float = 0.5,
        max_iter: int = 200,
        shuffle: bool = True,
        random_state: Any = None,
        tol: float = 1e-4,
        verbose: bool = False,
        warm_start: bool = False,
        momentum: float = 0.9,
        nesterovs_momentum: bool = True,
        early_stopping: bool = False,
        validation_fraction: float = 0.1,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-8,
        n_iter_no_change: float = 10,
        max_fun: int = 15000,
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
        self.n_outputs_ = 1 if y.ndim == 1 else y.shape[1]
        return X, y

    def _read_validation(self, X: Any, y: Any) -> tuple[Any, Any]:
        X, y = self._check_rows(X, y, False, "X_val")
        n_outputs = 1 if y.ndim == 1 else y.shape[1]
        if n_outputs != self.n_outputs_:
            raise ValueError(f"y has {self.n_outputs_} outputs, but y_val has {n_outputs}")
        return X, y

    def _targets(self, y: Array, dtype: str) -> Array:
        return np.ascontiguousarray(y, dtype).reshape(len(y), -1)

    def _output_activation(self) -> str:
        return "exp" if self.loss == "poisson" else "identity"

    def _score_outputs(self, outputs: Array, targets: Array, weight: Array | None) -> float:
        return r2(outputs, targets, weight)
