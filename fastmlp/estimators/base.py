"""What both estimators share: their arguments, the course of a fit, and the way to outputs."""

from __future__ import annotations

from numbers import Integral, Real
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from sklearn.base import _fit_context, is_regressor
from sklearn.utils import check_random_state, column_or_1d
from sklearn.utils._param_validation import Interval, Options, StrOptions
from sklearn.utils.validation import _check_sample_weight, validate_data

from .linked import LinkedEstimator, as_rows
from .named import with_names
from .network import draw_first_weights, layer_shapes, make_network, optimizer_of
from .quasi_newton import fit_quasi_newton, loss_and_gradient
from .rates import Rate
from .refusals import clear_refusals
from .stochastic import Rows, fit_stochastic

if TYPE_CHECKING:
    from typing_extensions import Self

    from ..declarations.optimizers import Optimizer
    from ..kernels.typing import Array

_STOCHASTIC = ("sgd", "adam")


def hidden_widths(hidden_layer_sizes: Any) -> list[int]:
    """Return the widths of the hidden layers; a number is one layer.

    Raises
    ------
    ValueError
        A width is not above 0.
    """
    listed = hasattr(hidden_layer_sizes, "__iter__")
    widths = list(hidden_layer_sizes) if listed else [hidden_layer_sizes]
    if any(width <= 0 for width in widths):
        raise ValueError(f"hidden_layer_sizes must be > 0, got {widths}.")
    return [int(width) for width in widths]


class BaseMLP(LinkedEstimator):
    """The arguments, attributes and fits of `MLPClassifier` and `MLPRegressor`."""

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "hidden_layer_sizes": ["array-like", Interval(Integral, 1, None, closed="left")],
        "activation": [StrOptions({"identity", "logistic", "tanh", "relu"})],
        "solver": [StrOptions({"lbfgs", "sgd", "adam"})],
        "alpha": [Interval(Real, 0, None, closed="left")],
        "batch_size": [StrOptions({"auto"}), Interval(Integral, 1, None, closed="left")],
        "learning_rate": [StrOptions({"constant", "invscaling", "adaptive"})],
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
        "early_stopping": ["boolean"],
        "validation_fraction": [Interval(Real, 0, 1, closed="left")],
        "beta_1": [Interval(Real, 0, 1, closed="left")],
        "beta_2": [Interval(Real, 0, 1, closed="left")],
        "epsilon": [Interval(Real, 0, None, closed="neither")],
        "n_iter_no_change": [
            Interval(Integral, 1, None, closed="left"),
            Options(Real, {np.inf}),
        ],
        "max_fun": [Interval(Integral, 1, None, closed="left")],
        "dtype": [StrOptions({"float32", "float64"}), None],
        "backend": [StrOptions({"auto", "numba", "numpy"})],
        "n_threads": [StrOptions({"auto"}), Interval(Integral, 1, None, closed="left")],
    }

    # scikit-learn reads arguments off the constructor's signature, which each class spells out.

    def _keep(self, arguments: dict[str, Any]) -> None:
        """Set the attributes of a constructor's arguments, its ``locals()``, unchanged."""
        for name in self._get_param_names():
            setattr(self, name, arguments[name])

    # What the two kinds say of themselves.

    def _read(self, X: Any, y: Any, incremental: bool, reset: bool) -> tuple[Any, Any]:
        """Check X and y, and learn what y means."""
        raise NotImplementedError

    def _read_validation(self, X: Any, y: Any) -> tuple[Any, Any]:
        """Check rows to judge by, of the columns and classes that are known by now."""
        raise NotImplementedError

    def _targets(self, y: Array, dtype: str) -> Array:
        """Return checked y as the loss takes it."""
        raise NotImplementedError

    def _strata(self, targets: Array) -> Array | None:
        """Return what held out rows are stratified by."""
        return None

    def _class_factors(self, y: Array) -> Array | None:
        """Return the factor of each row's weight that its class brings."""
        return None

    def _output_activation(self) -> str:
        raise NotImplementedError

    def _score_outputs(self, outputs: Array, targets: Array, weight: Array | None) -> float:
        """Return the score of held out rows."""
        raise NotImplementedError

    def _check_rows(self, X: Any, y: Any, reset: bool, name: str = "X") -> tuple[Any, Any]:
        """Check X and y as scikit-learn does; one column of y counts as none."""
        with clear_refusals(self, X, name):
            X, y = validate_data(
                self,
                with_names(X),
                y,
                multi_output=True,
                y_numeric=is_regressor(self),
                accept_sparse=["csr", "csc"],
                dtype=(np.float64, np.float32),
                reset=reset,
            )
        if y.ndim == 2 and y.shape[1] == 1:
            y = column_or_1d(y, warn=True)
        return X, y

    # Fits

    @_fit_context(prefer_skip_nested_validation=True)  # type: ignore[untyped-decorator]
    def fit(
        self,
        X: Any,
        y: Any,
        sample_weight: Any = None,
        *,
        X_val: Any = None,
        y_val: Any = None,
        sample_weight_val: Any = None,
    ) -> Self:
        """Train the network.

        Parameters
        ----------
        X : array-like or SciPy sparse matrix, shape (n, n_features)
            Rows of numbers.
        y : array-like, shape (n,) or (n, n_outputs)
            Classes, or columns of 0 and 1 for each label; numbers for a regressor.
        sample_weight : array-like, shape (n,), optional
            Factors of the rows' losses.
        X_val, y_val, sample_weight_val : array-like, optional
            Rows that early stopping judges by, in place of some that are held out of X.

        Returns
        -------
        MLPClassifier or MLPRegressor
            The estimator itself.

        Raises
        ------
        ValueError
            Arguments or data are unusable, or the weights have become infinite or NaN.
        """
        validation = self._validation(X_val, y_val, sample_weight_val)
        return self._fit(X, y, sample_weight, False, validation)

    def _validation(self, X: Any, y: Any, weight: Any) -> tuple[Any, Any, Any] | None:
        """Return rows to judge by that are complete and of use, or None."""
        given = [part is not None for part in (X, y, weight)]
        if not any(given):
            return None
        if not all(given[:2]):
            raise ValueError("X_val and y_val go together; give both, or neither")
        if not self.early_stopping or self.solver not in _STOCHASTIC:
            raise ValueError(
                "X_val and y_val are for early stopping; set early_stopping=True and solver='adam' "
                f"or 'sgd', got early_stopping={self.early_stopping}, solver={self.solver!r}"
            )
        return X, y, weight

    def _held_out(self, validation: tuple[Any, Any, Any], dtype: str) -> Rows:
        """Check rows to judge by."""
        X, y, weight = validation
        X, y = self._read_validation(X, y)
        if weight is not None:
            weight = _check_sample_weight(weight, X).astype(dtype, copy=False)
        return Rows(as_rows(X), self._targets(y, dtype), weight)

    def _fit(
        self,
        X: Any,
        y: Any,
        sample_weight: Any,
        incremental: bool,
        validation: tuple[Any, Any, Any] | None = None,
    ) -> Self:
        hidden = hidden_widths(self.hidden_layer_sizes)
        first = not hasattr(self, "coefs_") or not (self.warm_start or incremental)
        X, y = self._read(X, y, incremental, first)
        if sample_weight is not None:
            sample_weight = _check_sample_weight(sample_weight, X)
        factors = self._class_factors(y)
        if factors is not None:
            sample_weight = factors if sample_weight is None else sample_weight * factors
        self._random_state = check_random_state(self.random_state)
        stochastic = self.solver in _STOCHASTIC
        kept = getattr(self, "_optimizer", None) if incremental and stochastic else None
        if first:
            self._begin(X, hidden)
        elif not stochastic or kept is None:
            self._continue(optimizer_of(self), forget=True)
        else:
            self._continue(self._current().model.optimizer, forget=False)
        model = self._link.model
        weight = None if sample_weight is None else sample_weight.astype(model.dtype, copy=False)
        targets = self._targets(y, model.dtype)
        rows = Rows(as_rows(X), targets, weight, self._strata(targets))
        if stochastic:
            if kept is None:
                self._optimizer = Rate.of(self)
            held = None if validation is None else self._held_out(validation, model.dtype)
            fit_stochastic(self, model, rows, incremental, held)
        else:
            fit_quasi_newton(self, self._link, rows)
        self._label(model)
        if not model.training_state.state.is_finite():
            raise ValueError(
                "Solver produced non-finite parameter weights. The input data may contain large "
                "values and need to be preprocessed."
            )
        return self

    def _begin(self, X: Array, hidden: list[int]) -> None:
        """Draw first weights, and set what the fits of warm starts count on."""
        self.n_iter_, self.t_ = 0, 0
        self.n_layers_ = len(hidden) + 2
        self.out_activation_ = self._output_activation()
        dtype = self._network_dtype(X.dtype.name)
        shapes = layer_shapes(X.shape[1], hidden, self.n_outputs_)
        model = make_network(self, shapes, dtype, optimizer_of(self))
        draw_first_weights(model, self.activation, self._random_state)
        parameters = model.training_state.state.parameters
        if self.dtype is None:
            parameters[...] = parameters.astype(X.dtype)
        self._adopt(model)
        if self.solver not in _STOCHASTIC:
            return
        self._best_parameters = parameters.copy()
        self.loss_curve_: list[float] = []
        self._no_improvement_count = 0
        validates = self.early_stopping
        self.best_loss_ = None if validates else np.inf
        self.validation_scores_: list[float] | None = [] if validates else None
        self.best_validation_score_ = -np.inf if validates else None

    def _network_dtype(self, given: str) -> str:
        """Return the network's dtype where X, or the network so far, has a given one."""
        if self.dtype is not None:
            return str(self.dtype)
        # What SciPy minimizes is in double precision.
        return "float64" if self.solver == "lbfgs" else given

    def _continue(self, optimizer: Optimizer, forget: bool) -> None:
        """Go on from the weights there are, under the arguments of today.

        `forget` tells whether the optimizer begins anew.
        """
        link = self._current()
        model, state = link.model, link.model.training_state.state
        shapes = [array.shape for array in link.coefs]
        fresh = make_network(self, shapes, self._network_dtype(model.dtype), optimizer)
        if fresh.training_state.network != model.training_state.network or (
            fresh.backend,
            fresh.n_threads,
        ) != (model.backend, model.n_threads):
            other = fresh.training_state.state
            other.parameters[...] = state.parameters
            if not forget:
                other.moments[...], other.step = state.moments, state.step
            self._adopt(fresh)
        elif forget:
            state.forget_training()
            self._adopt(model)

    def _loss_grad_lbfgs(
        self, packed: Array, X: Array, y: Array, sample_weight: Array | None, *buffers: Any
    ) -> tuple[float, Array]:
        """Return loss and gradient at a packed vector, as scikit-learn's method of this name."""
        link = self._current()
        targets = np.ascontiguousarray(y, link.model.dtype)
        rows = Rows(as_rows(X), targets, sample_weight)
        return loss_and_gradient(link, packed, rows, self.out_activation_)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        return tags
