"""What both estimators share: their arguments, the course of a fit, and the way to outputs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from sklearn.base import _fit_context, is_regressor
from sklearn.utils import check_random_state, column_or_1d
from sklearn.utils.validation import _check_sample_weight, validate_data

from ..training.history import History
from .arguments import (
    CONSTRAINTS,
    check_lbfgs,
    dropout_rates,
    hidden_activations,
    hidden_widths,
    is_stochastic,
)
from .judges import check_judge
from .linked import LinkedEstimator, as_rows
from .named import with_names
from .network import Link, compare_widths, first_weights, kinds_of, layer_shapes, make_network
from .objective import optimizer_of, reports_mean
from .quasi_newton import fit_quasi_newton, loss_and_gradient
from .rates import Rate
from .refusals import clear_refusals
from .rows import Rows
from .stochastic import fit_stochastic
from .watchers import CallbackSupportMixin, Tasks, Watchers, sort_callbacks

if TYPE_CHECKING:
    from typing_extensions import Self

    from ..declarations.optimizers import Optimizer
    from ..kernels.typing import Array

_MOST_SEEDS = 2**31 - 1


class BaseMLP(CallbackSupportMixin, LinkedEstimator):  # type: ignore[misc]
    """The arguments, attributes and fits of `MLPClassifier` and `MLPRegressor`."""

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = CONSTRAINTS

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
            Rows that epochs are judged by, in place of some that are held out of X: early stopping
            goes by them, and `history_` has their loss.

        Returns
        -------
        MLPClassifier or MLPRegressor
            The estimator itself.

        Raises
        ------
        ValueError
            Arguments or data are unusable, or the weights have become infinite or NaN.
        """
        return self._fit(X, y, sample_weight, False, (X_val, y_val, sample_weight_val))

    def _checked_validation(self, given: tuple[Any, Any, Any]) -> tuple[Any, Any, Any] | None:
        """Check rows to judge by, which may be none."""
        X, y, weight = given
        if X is None and y is None and weight is None:
            return None
        if X is None or y is None:
            raise ValueError("X_val and y_val go together; give both, or neither")
        if not is_stochastic(self):
            raise ValueError(
                "X_val and y_val judge epochs, of which solver='lbfgs' has none; take solver='adam'"
            )
        X, y = self._read_validation(X, y)
        return X, y, None if weight is None else _check_sample_weight(weight, X)

    def _rows(self, X: Any, y: Any, weight: Array | None, dtype: str) -> Rows:
        """Return checked rows as the engine takes them."""
        targets = self._targets(y, dtype)
        weight = None if weight is None else weight.astype(dtype, copy=False)
        return Rows(as_rows(X), targets, weight, self._strata(targets), (X, y))

    def _check_arguments(self, n_hidden: int) -> None:
        """Refuse what is of no use or does not go together, before data are looked at."""
        hidden_activations(self.activation, n_hidden)
        dropout_rates(self.dropout, n_hidden)
        sort_callbacks(self.callbacks)
        if is_stochastic(self):
            check_judge(self)
            Rate.of(self)
        else:
            check_lbfgs(self)

    def _fit(
        self,
        X: Any,
        y: Any,
        sample_weight: Any,
        incremental: bool,
        validation: tuple[Any, Any, Any] = (None, None, None),
    ) -> Self:
        hidden = hidden_widths(self.hidden_layer_sizes, self.depth, self.width)
        self._check_arguments(len(hidden))
        first = not hasattr(self, "coefs_") or not (self.warm_start or incremental)
        given = X, y, sample_weight
        X, y = self._read(X, y, incremental, first)
        if sample_weight is not None:
            sample_weight = _check_sample_weight(sample_weight, X)
        factors = self._class_factors(y)
        if factors is not None:
            sample_weight = factors if sample_weight is None else sample_weight * factors
        checked = self._checked_validation(validation)
        self._random_state = check_random_state(self.random_state)
        anew = self._prepare(X, hidden, first, incremental)
        model = self._link.model
        # Callbacks show the network, and save it, with what its columns and outputs mean.
        self._label(model)
        rows = self._rows(X, y, sample_weight, model.dtype)
        tasks = None if incremental else self._tasks(*given)
        watchers = Watchers(self, model, tasks)
        if is_stochastic(self):
            if anew:
                self._optimizer = Rate.of(self)
            held = None if checked is None else self._rows(*checked, model.dtype)
            fit_stochastic(self, model, rows, incremental, held, watchers)
        else:
            fit_quasi_newton(self, self._link, rows, watchers)
        if not model.training_state.state.is_finite():
            raise ValueError(
                "Solver produced non-finite parameter weights. The input data may contain large "
                "values and need to be preprocessed."
            )
        if tasks is not None:
            tasks.end()
        return self

    def _tasks(self, X: Any, y: Any, weight: Any) -> Tasks | None:
        """Return what callbacks of scikit-learn are told by, where it has such."""
        theirs = sort_callbacks(self.callbacks)[1]
        has_some = theirs or "_skl_callbacks" in vars(self) or "_parent_callback_ctx" in vars(self)
        return Tasks(self, theirs, X, y, weight) if has_some else None

    def _prepare(self, X: Array, hidden: list[int], first: bool, incremental: bool) -> bool:
        """Make the network, or let it go on; tell whether its optimizer begins anew."""
        kept = incremental and is_stochastic(self) and hasattr(self, "_optimizer")
        if first:
            self._begin(X, hidden)
            return True
        compare_widths(self.coefs_, hidden)
        if kept:
            self._continue(self._current().model.optimizer, forget=False)
        else:
            self._continue(optimizer_of(self), forget=True)
        if not hasattr(self, "history_"):
            # Coefficients may have been set by hand.
            self.history_ = History()
        self._count_anew()
        return not kept

    def _begin(self, X: Array, hidden: list[int]) -> None:
        """Draw first weights, and set what the fits of warm starts count on."""
        self.n_iter_, self.t_ = 0, 0
        self.n_layers_ = len(hidden) + 2
        self.out_activation_ = self._output_activation()
        dtype = self._network_dtype(X.dtype.name)
        shapes = layer_shapes(X.shape[1], hidden, self.n_outputs_)
        drawn = first_weights(self, shapes, self._random_state)
        # Nothing more is drawn where scikit-learn's class has no such argument.
        drops = np.any(np.asarray(self.dropout) > 0)
        seed = int(self._random_state.randint(_MOST_SEEDS)) if drops else 0
        link = Link(make_network(self, shapes, dtype, optimizer_of(self), seed))
        link.update(*drawn)
        state = link.model.training_state.state
        if self.dtype is None:
            state.parameters[...] = state.parameters.astype(X.dtype)
        self._adopt(link.model)
        self.history_ = History()
        if not is_stochastic(self):
            return
        self._best = state.parameters.copy(), state.buffers.copy()
        self.loss_curve_: list[float] = []
        self._count_from_none()

    def _count_from_none(self) -> None:
        """Begin to count epochs without improvement, of the score or of the loss."""
        validates = bool(self.early_stopping)
        self._no_improvement_count = 0
        self.best_loss_ = None if validates else np.inf
        self.validation_scores_: list[float] | None = [] if validates else None
        self.best_validation_score_ = -np.inf if validates else None

    def _count_anew(self) -> None:
        """Begin to count where the fits before have counted something else, or nothing."""
        if not is_stochastic(self):
            return
        if not hasattr(self, "loss_curve_"):
            self.loss_curve_ = []
        best = "best_validation_score_" if self.early_stopping else "best_loss_"
        if getattr(self, best, None) is None:
            state = self._link.model.training_state.state
            self._best = state.parameters.copy(), state.buffers.copy()
            self._count_from_none()

    def _network_dtype(self, given: str) -> str:
        """Return the network's dtype where X, or the network so far, has a given one."""
        if self.dtype is not None:
            return str(self.dtype)
        # What SciPy minimizes is in double precision.
        return "float64" if self.solver == "lbfgs" else given

    def _continue(self, optimizer: Optimizer, forget: bool) -> None:
        """Go on from the weights there are, under the arguments of today.

        `forget` tells whether the optimizer begins anew.

        Raises
        ------
        ValueError
            The arguments describe layers with other parameters.
        """
        link = self._current()
        model, training = link.model, link.model.training_state
        shapes = [array.shape for array in link.coefs]
        dtype = self._network_dtype(model.dtype)
        fresh = make_network(self, shapes, dtype, optimizer, training.seed)
        if fresh.training_state.network != training.network or (
            fresh.backend,
            fresh.n_threads,
        ) != (model.backend, model.n_threads):
            if kinds_of(fresh) != kinds_of(model):
                raise ValueError(
                    "warm_start and partial_fit go on with the same layers, but batch_norm, "
                    "residual or hidden layers have changed since the first fit; set them back, or "
                    "fit anew with warm_start=False"
                )
            other = fresh.training_state
            other.state.parameters[...] = training.state.parameters
            other.state.buffers[...] = training.state.buffers
            if not forget:
                other.state.moments[...], other.state.step = (
                    training.state.moments,
                    training.state.step,
                )
                other.epoch, other.schedule_states = training.epoch, training.schedule_states
            self._adopt(fresh)
        elif forget:
            training.state.forget_training()
            training.epoch, training.schedule_states = 0, None
            self._adopt(model)

    def _loss_grad_lbfgs(
        self, packed: Array, X: Array, y: Array, sample_weight: Array | None, *buffers: Any
    ) -> tuple[float, Array]:
        """Return loss and gradient at a packed vector, as scikit-learn's method of this name."""
        link = self._current()
        targets = np.ascontiguousarray(y, link.model.dtype)
        rows = Rows(as_rows(X), targets, sample_weight)
        return loss_and_gradient(link, packed, rows, reports_mean(self))

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        return tags
