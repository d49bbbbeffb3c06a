"""`MLPClassifier`, in the place of scikit-learn's class of this name."""

from __future__ import annotations

from collections.abc import Iterable
from numbers import Real
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from sklearn.base import ClassifierMixin, _fit_context
from sklearn.preprocessing import LabelBinarizer
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.class_weight import compute_sample_weight
from sklearn.utils.metaestimators import available_if
from sklearn.utils.multiclass import _check_partial_fit_first_call, type_of_target, unique_labels

from ..common.inherited_docs import inherits_entries
from .arguments import DOCUMENTATION, keep_arguments
from .base import BaseMLP
from .scores import accuracy

if TYPE_CHECKING:
    from ..data.targets import TargetEncoder
    from ..kernels.typing import Array


def _is_stochastic(estimator: Any) -> bool:
    if estimator.solver == "lbfgs":
        raise AttributeError(
            "partial_fit is only available for stochastic optimizers. "
            f"{estimator.solver} is not stochastic."
        )
    return True


@inherits_entries(DOCUMENTATION)
class MLPClassifier(ClassifierMixin, BaseMLP):  # type: ignore[misc]
    """Multilayer perceptron for classes, as ``sklearn.neural_network.MLPClassifier``.

    Arguments, attributes and methods are those of scikit-learn's class, and so are the numbers:
    with the same arguments and the same `random_state` both end with the same weights, rounding
    aside.

    Parameters
    ----------
    label_smoothing : float
        ``e``: of each label's 1, a share ``e`` is spread over all classes.
    class_weight : dict, list of dict, "balanced" or None
        Factors by class, of labels for each column, with which the sample weights are multiplied;
        "balanced" is ``n / (n_classes * count)``.

    Attributes
    ----------
    classes_ : ndarray

    See Also
    --------
    MLPRegressor : The same for numbers.
    Sequential : Networks with more kinds of layers, losses and optimizers.

    Notes
    -----
    scikit-learn's class differs where a second fit of a warm start with early stopping never
    reaches the best score of the first: there the last weights stay, here the best come back. A
    batch whose sample weights sum to 0 is skipped, where it raises an error. Errors of rows that
    are refused go on with the columns.

    X may be a frame of pandas, polars or Arrow. Files of skops have one type to be trusted:
    ``skops.io.load(file, trusted=["fastmlp.estimators.classifier.MLPClassifier"])``.

    Examples
    --------
    >>> import fastmlp as fm
    >>> X, y = [[0.0], [1.0], [2.0], [3.0]], ["low", "low", "high", "high"]
    >>> fm.MLPClassifier(solver="lbfgs", random_state=0).fit(X, y).predict([[0.5], [2.5]])
    array(['low', 'high'], dtype='<U4')
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        **BaseMLP._parameter_constraints,
        "label_smoothing": [Interval(Real, 0, 1, closed="left")],
        "class_weight": [StrOptions({"balanced"}), dict, list, None],
    }

    def __init__(
        self,
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
        label_smoothing: float = 0.0,
        class_weight: Any = None,
        callbacks: Iterable[Any] = (),
        dtype: str | None = None,
        backend: str = "auto",
        n_threads: int | str = "auto",
    ) -> None:
        keep_arguments(self, locals())

    @available_if(_is_stochastic)  # type: ignore[untyped-decorator]
    @_fit_context(prefer_skip_nested_validation=True)  # type: ignore[untyped-decorator]
    def partial_fit(
        self, X: Any, y: Any, sample_weight: Any = None, classes: Any = None
    ) -> MLPClassifier:
        """Train for one epoch more; the optimizer goes on.

        Parameters
        ----------
        X : array-like or SciPy sparse matrix, shape (n, n_features)
            Rows of numbers.
        y : array-like, shape (n,) or (n, n_labels)
            Classes, or columns of 0 and 1 for each label.
        sample_weight : array-like, shape (n,), optional
            Factors of the rows' losses.
        classes : array-like, optional
            All classes that there will be; needed in the first call.

        Returns
        -------
        MLPClassifier
            The estimator itself.
        """
        if self.class_weight == "balanced":
            raise ValueError(
                "class_weight='balanced' does not go with partial_fit, which does not see all "
                "rows; give a dict, for all of them compute_class_weight('balanced', ...)"
            )
        if classes is not None and np.ndim(classes) != 1:
            raise ValueError(
                "classes must be a list of all labels that y will hold, such as [0, 1], got an "
                f"array of shape {np.shape(classes)}"
            )
        if _check_partial_fit_first_call(self, classes):
            is_multilabel = type_of_target(y).startswith("multilabel")
            self._label_binarizer = LabelBinarizer().fit(y if is_multilabel else classes)
        return self._fit(X, y, sample_weight, True)

    def predict(self, X: Any) -> Array:
        """Return the class of each row, or 0 and 1 for each label.

        Parameters
        ----------
        X : array-like or SciPy sparse matrix, shape (n, n_features)
            Rows of numbers.

        Returns
        -------
        ndarray, shape (n,) or (n, n_labels)
            Of the dtype of `classes_`.
        """
        return self._decide(self._outputs(X))

    def predict_proba(self, X: Any) -> Array:
        """Return the probability of each class.

        Parameters
        ----------
        X : array-like or SciPy sparse matrix, shape (n, n_features)
            Rows of numbers.

        Returns
        -------
        ndarray, shape (n, n_classes)
            In the order of `classes_`, in the network's dtype.
        """
        outputs = self._outputs(X)
        if self.n_outputs_ > 1:
            return outputs
        both = np.empty((len(outputs), 2), outputs.dtype)
        np.subtract(1.0, outputs[:, 0], out=both[:, 0])
        both[:, 1] = outputs[:, 0]
        return both

    def predict_log_proba(self, X: Any) -> Array:
        """Return the logarithms of `predict_proba`.

        Parameters
        ----------
        X : array-like or SciPy sparse matrix, shape (n, n_features)
            Rows of numbers.

        Returns
        -------
        ndarray, shape (n, n_classes)
            Minus infinity where a probability is 0.
        """
        probabilities = self.predict_proba(X)
        return np.log(probabilities, out=probabilities)

    def _decide(self, outputs: Array) -> Array:
        kind = self._label_binarizer.y_type_
        labels: Array
        if kind == "multilabel-indicator":
            labels = self._label_binarizer.inverse_transform(outputs)
        elif self.n_outputs_ > 1:
            labels = self.classes_[outputs.argmax(axis=1)]
        elif len(self.classes_) == 1:
            labels = np.repeat(self.classes_, len(outputs))
        else:
            labels = self.classes_[(outputs[:, 0] > 0.5).view(np.int8)]
        return labels

    def _read(self, X: Any, y: Any, incremental: bool, reset: bool) -> tuple[Any, Any]:
        X, y = self._check_rows(X, y, reset)
        if not hasattr(self, "classes_") or not (self.warm_start or incremental):
            self._label_binarizer = LabelBinarizer().fit(y)
            self.classes_ = self._label_binarizer.classes_
        else:
            self._check_kind(y, "y")
            check = self._check_same if self.warm_start else self._check_known
            check(unique_labels(y))
        n_classes, kind = len(self.classes_), self._label_binarizer.y_type_
        self.n_outputs_ = 1 if kind != "multilabel-indicator" and n_classes <= 2 else n_classes
        return X, y

    def _read_validation(self, X: Any, y: Any) -> tuple[Any, Any]:
        X, y = self._check_rows(X, y, False, "X_val")
        self._check_kind(y, "y_val")
        self._check_known(unique_labels(y), "y_val")
        return X, y

    def _check_kind(self, y: Any, name: str) -> None:
        """Refuse columns of labels where classes were learned, and the other way round."""
        n_labels = len(self.classes_)
        if self._label_binarizer.y_type_ != "multilabel-indicator":
            wanted, is_it = "one class for each row", y.ndim == 1
        else:
            wanted = f"{n_labels} columns of 0 and 1, one for each label"
            is_it = y.ndim == 2 and y.shape[1] == n_labels
        if not is_it:
            raise ValueError(f"{name} must be as in the first fit, {wanted}; got shape {y.shape}")

    def _check_same(self, classes: Array) -> None:
        if set(classes) != set(self.classes_):
            raise ValueError(
                "warm_start can only be used where `y` has the same classes as in the previous "
                f"call to fit. Previously got {self.classes_}, `y` has {classes}"
            )

    def _check_known(self, classes: Array, name: str = "y") -> None:
        if len(np.setdiff1d(classes, self.classes_, assume_unique=True)):
            raise ValueError(
                f"`{name}` has classes not in `self.classes_`. "
                f"`self.classes_` has {self.classes_}. '{name}' has {classes}."
            )

    def _targets(self, y: Array, dtype: str) -> Array:
        if self._label_binarizer.y_type_ == "multilabel-indicator":
            return np.ascontiguousarray(self._label_binarizer.transform(y), dtype)
        codes = np.searchsorted(self.classes_, y)
        if self.n_outputs_ > 1:
            return codes.astype(np.int64, copy=False)
        return codes.astype(dtype).reshape(-1, 1)

    def _class_factors(self, y: Array) -> Array | None:
        if self.class_weight is None:
            return None
        factors: Array = compute_sample_weight(self.class_weight, y)
        if not np.isfinite(factors).all():
            raise ValueError(
                f"class_weight must give each class a finite number, got {self.class_weight!r}"
            )
        return factors

    def _strata(self, targets: Array) -> Array | None:
        return targets > 0.5 if self.n_outputs_ == 1 else None

    def _output_activation(self) -> str:
        kind = self._label_binarizer.y_type_
        return "softmax" if kind == "multiclass" else "logistic"

    def _encoder(self, encoder: TargetEncoder) -> TargetEncoder:
        if encoder.n_classes == len(self.classes_):
            return encoder.with_classes(self.classes_)
        return encoder

    def _score_outputs(self, outputs: Array, targets: Array, weight: Array | None) -> float:
        # Of a single class, what is predicted does not depend on the output.
        return 1.0 if len(self.classes_) == 1 else accuracy(outputs, targets, weight)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_label = True
        return tags
