"""`MLPRegressor`, in the place of scikit-learn's class of this name."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from sklearn.base import RegressorMixin, _fit_context

from ..common.inherited_docs import inherits_entries
from ..declarations.losses import Loss
from .arguments import DOCUMENTATION, keep_arguments
from .base import BaseMLP
from .objective import loss_of_numbers
from .scores import r2

if TYPE_CHECKING:
    from ..kernels.typing import Array


@inherits_entries(DOCUMENTATION)
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
        keep_arguments(self, locals())

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
