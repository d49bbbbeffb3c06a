"""Fitted scikit-learn networks, and linear models, as models."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ..common.checks import describe
from ..common.error_state import own_error_state
from ..inference.folding import Scaling
from ..inference.scalers import SCALERS, scaling_of
from ..model.copying import copy_of
from ..model.sequential import Sequential
from .activations import ForeignActivations, Row, UnfitError
from .assembly import take
from .parts import Part, Scale, Step, activation, cannot_take, dense, dtype_of, standardization

if TYPE_CHECKING:
    from ..kernels.typing import Array

_NETWORKS = ("MLPClassifier", "MLPRegressor")
_LOGISTIC = ("LogisticRegression", "LogisticRegressionCV")
_LINEAR = (
    *("LinearRegression", "Ridge", "RidgeCV", "Lasso", "LassoCV", "ElasticNet", "ElasticNetCV"),
)
_KNOWN = (
    *(*_NETWORKS, *_LOGISTIC, *_LINEAR),
    f"a Pipeline of {', '.join(SCALERS)} and one of these (fastmlp.freeze takes others)",
    "TransformedTargetRegressor of them",
)

ACTIVATIONS = ForeignActivations(
    "ACTIVATIONS in fastmlp/importers/sklearn.py",
    {
        "identity": Row("linear"),
        "logistic": Row("sigmoid"),
        "tanh": Row("tanh"),
        "relu": Row("relu"),
        "softmax": Row("softmax"),
        "exp": Row("exp"),
    },
)

_LOSSES = {"poisson": "poisson"}
"""From a regressor's losses to ours, but for those that ``"auto"`` stands for."""


@own_error_state
def from_sklearn(estimator: object, *, dtype: str | None = None, **arguments: Any) -> Sequential:
    """Make a model of a network that scikit-learn has fitted.

    `predict` gives what ``predict_proba`` or ``predict`` of the estimator do; for two classes the
    probability of the second alone. Labels are those of ``classes_``. A StandardScaler becomes a
    BatchNorm with its statistics, first in the network: large means cost no digits, and a further
    fit goes on from them. Other scalers are folded into the first Dense layer, a scaler of the
    target into the last. Penalties are not taken.

    Of the estimators of this library it is a copy of `network_`, the state of its optimizer and
    penalties included; with arguments, or in a Pipeline, a new model with its layers and weights.

    Parameters
    ----------
    estimator : fitted scikit-learn estimator
        MLPClassifier, MLPRegressor (of this library too), LogisticRegression, LinearRegression,
        Ridge, Lasso, ElasticNet (or with CV), or a Pipeline that ends in one of them after
        StandardScaler, MinMaxScaler, MaxAbsScaler or RobustScaler; or a
        TransformedTargetRegressor of one of these, whose
        transformer is such a scaler, a Pipeline of them, or none.
    dtype : {"float32", "float64"}, optional
        That of the coefficients by default.
    **arguments
        Of `Sequential`, but for its layers and dtype.

    Returns
    -------
    Sequential
        Built, with its weights and labels.

    Raises
    ------
    TypeError
        No estimator of scikit-learn.
    ValueError
        It is not fitted, or of a kind that cannot be taken; the message names it.

    Examples
    --------
    >>> import fastmlp as fm
    >>> from sklearn.linear_model import LinearRegression
    >>> line = LinearRegression().fit([[0.0], [1.0]], [1.0, 3.0])
    >>> model = fm.from_sklearn(line, random_state=0)
    >>> model.predict([[2.0]]).round(6).tolist()
    [[5.0]]
    """
    if not any(base.__module__.startswith("sklearn.") for base in type(estimator).__mro__):
        is_path = isinstance(estimator, str) or hasattr(estimator, "__fspath__")
        hint = "; read a file with joblib.load or pickle.load first" if is_path else ""
        raise TypeError(
            f"from_sklearn takes an estimator of scikit-learn, got {describe(estimator)}{hint}"
        )
    own = network_of(estimator)
    if own is not None and not arguments:
        return copy_of(own, dtype)
    reader = _Reader()
    parts = reader.parts(estimator)
    for name, value in reader.arguments.items():
        arguments.setdefault(name, value)
    return take(
        parts, reader.n_features, dtype or dtype_of(reader.arrays), reader.classes, **arguments
    )


def network_of(estimator: object) -> Sequential | None:
    """Return the network of an estimator of this library; None of all others.

    Raises
    ------
    ValueError
        It is not fitted.
    """
    if not isinstance(getattr(type(estimator), "network_", None), property):
        return None
    network: Any = getattr(estimator, "network_")  # noqa: B009
    return network if isinstance(network, Sequential) else None


class _Reader:
    """Reads nested estimators, and collects their arrays, labels and arguments."""

    def __init__(self) -> None:
        self.arrays: list[Array] = []
        self.classes: Array | None = None
        self.arguments: dict[str, Any] = {}
        self.n_features: int | None = None

    def parts(self, estimator: Any) -> list[Part]:
        """The parts of a predictor."""
        name = _name(estimator)
        if name == "Pipeline":
            return self._pipeline(estimator)
        if name == "TransformedTargetRegressor":
            _check_fitted(estimator, name, "regressor_")
            return [*self.parts(estimator.regressor_), *_unscaled(estimator.transformer_)]
        own = network_of(estimator)
        if own is not None:
            return self._own(own)
        if name not in (*_NETWORKS, *_LOGISTIC, *_LINEAR):
            raise cannot_take(name, "", _KNOWN)
        _check_fitted(estimator, name)
        self.n_features = int(estimator.n_features_in_)
        if name in _NETWORKS:
            return self._network(estimator)
        coefficients = estimator.coef_
        if hasattr(coefficients, "toarray"):
            coefficients = coefficients.toarray()
        weight = np.atleast_2d(coefficients).T
        bias = np.broadcast_to(np.asarray(estimator.intercept_, weight.dtype), weight.shape[1:])
        self.arrays.append(weight)
        if name in _LINEAR:
            return [dense(weight, bias)]
        return self._logistic(estimator, name, weight, bias)

    def _pipeline(self, pipeline: Any) -> list[Part]:
        *before, (_, last) = pipeline.steps
        parts: list[Part] = []
        for name, step in before:
            if _does_nothing(step):
                continue
            if _name(step) not in SCALERS:
                raise cannot_take(f"{name} ({_name(step)})", "", _KNOWN)
            parts.append(_scaled(step))
        return [*parts, *self.parts(last)]

    def _own(self, model: Sequential) -> list[Part]:
        """The layers of a network of ours, with its loss and its update rule."""
        self.n_features = model.training_state.program.input.width
        self.classes = model.classes
        self.arguments.update(loss=model.loss, optimizer=model.optimizer)
        tensors: dict[str, dict[str, Array]] = {}
        for path, array in (*model.parameters.items(), *model.buffers.items()):
            place, _, name = path.partition(".")
            tensors.setdefault(place, {})[name] = array
            self.arrays.append(array)
        return [
            Step(layer, tensors.get(str(place), {})) for place, layer in enumerate(model.layers)
        ]

    def _network(self, network: Any) -> list[Part]:
        try:
            hidden, output = (
                activation(ACTIVATIONS.take(name, {}))
                for name in (network.activation, network.out_activation_)
            )
        except UnfitError as error:
            raise cannot_take(_name(network), str(error), (*_KNOWN, str(ACTIVATIONS))) from None
        parts: list[Part] = []
        for weight, bias in zip(network.coefs_, network.intercepts_, strict=True):
            self.arrays.append(weight)
            parts += [dense(weight, bias), hidden]
        parts[-1] = output
        if getattr(network, "loss", None) in _LOSSES:
            self.arguments["loss"] = _LOSSES[network.loss]
        several_labels = network.out_activation_ == "logistic" and network.n_outputs_ > 1
        if _name(network) == "MLPClassifier" and not several_labels:
            self.classes = network.classes_
        return parts

    def _logistic(self, model: Any, name: str, weight: Array, bias: Array) -> list[Part]:
        # Older versions have other models than the multinomial one, behind these two names.
        form = getattr(model, "multi_class", "auto")
        self.classes = model.classes_
        if weight.shape[1] == 1:
            # Its softmax over -z and z is a sigmoid of 2 z.
            factor = 2.0 if form == "multinomial" else 1.0
            return [dense(factor * weight, factor * bias), activation("sigmoid")]
        if form == "ovr" or model.solver == "liblinear":
            why = "one classifier against the rest for each class is no softmax"
            raise cannot_take(name, why, _KNOWN)
        return [dense(weight, bias), activation("softmax")]


def _name(estimator: object) -> str:
    """The class of an estimator of scikit-learn itself; a class of one's own may do anything."""
    kind = type(estimator)
    if kind.__module__.partition(".")[0] == "sklearn":
        return kind.__name__
    return f"{kind.__module__}.{kind.__name__}"


def _check_fitted(estimator: object, label: str, attribute: str = "n_features_in_") -> None:
    if not hasattr(estimator, attribute):
        raise ValueError(f"{label} is not fitted; call its fit first")


def _scale(scaler: Any) -> Scale:
    scaling = scaling_of(scaler, getattr(scaler, "n_features_in_", 0))
    return Scale(scaling.scale, scaling.shift)


def _scaled(scaler: Any) -> Part:
    scale = _scale(scaler)
    if _name(scaler) == "StandardScaler" and scaler.with_mean and scaler.with_std:
        return standardization(scaler.mean_, scaler.scale_)
    return scale


def _does_nothing(step: Any) -> bool:
    """Whether a step passes on what it gets; a function of the user's own may do anything."""
    if _name(step) == "FunctionTransformer":
        return step.func is None and step.inverse_func is None
    return step is None or step == "passthrough"


def unscaling(transformer: Any) -> Scaling | None:
    """Return the way back from a fitted transformer of the target; None where it does nothing.

    Raises
    ------
    ValueError
        It is not linear.
    """
    found: Scaling | None = None
    for part in _unscaled(transformer):
        step = Scaling(np.atleast_1d(part.scale), np.atleast_1d(part.shift))
        found = step if found is None else found.then(step)
    return found


def _unscaled(transformer: Any) -> list[Scale]:
    """The inverse of what a target went through: of a scaler, or of several."""
    name = _name(transformer)
    if _does_nothing(transformer):
        return []
    if name == "Pipeline":
        return [part for _, step in reversed(transformer.steps) for part in _unscaled(step)]
    if name not in SCALERS:
        why = ""
        if name == "FunctionTransformer":
            functions = (transformer.func, transformer.inverse_func)
            names = (getattr(function, "__name__", repr(function)) for function in functions)
            why = f"func and inverse_func, here {' and '.join(names)}, may be any function"
        known = (*SCALERS, "a Pipeline of them", "no transformer")
        raise cannot_take(f"the target's transformer ({name})", why, known)
    scale = _scale(transformer)
    return [Scale(1 / scale.scale, -scale.shift / scale.scale)]
