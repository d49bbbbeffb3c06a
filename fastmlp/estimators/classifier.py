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


class MLPClassifier(ClassifierMixin, BaseMLP):  # type: ignore[misc]
    """Multilayer perceptron for classes, as ``sklearn.neural_network.MLPClassifier``.

    Arguments, attributes and methods are those of scikit-learn's class, and so are the numbers:
    with the same arguments and the same `random_state` both end with the same weights, rounding
    aside.

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
        Judge epochs by the accuracy of held out rows, and keep the weights of the best. "loss": by
        their loss, whose negative `validation_scores_` are. Or by a scorer of scikit-learn's, such
        as "roc_auc", or a function of estimator, X and y.
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
    label_smoothing : float
        ``e``: of each label's 1, a share ``e`` is spread over all classes.
    class_weight : dict, list of dict, "balanced" or None
        Factors by class, of labels for each column, with which the sample weights are multiplied;
        "balanced" is ``n / (n_classes * count)``.
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
    classes_ : ndarray
    coefs_, intercepts_ : list of ndarray
        Views of the network's weights: what is written there is predicted with, and so are arrays
        that are put into their places.
    loss_, best_loss_, loss_curve_, validation_scores_, best_validation_score_ : float, list
        As scikit-learn's.
    history_ : History
        Of all epochs: ``loss``, ``accuracy`` of the epoch's own passes, ``val_loss`` (where rows
        to judge by are given, or wanted for it) and the score by its name, ``seconds``,
        ``learning_rate``. Of "lbfgs" the ``loss`` and ``seconds`` of iterations.
    n_iter_, t_, n_layers_, n_outputs_, n_features_in_ : int
    out_activation_ : str
    feature_names_in_ : ndarray of str
        Where X was a data frame.
    network_ : Sequential
        The network itself.

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
        self._keep(locals())

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
