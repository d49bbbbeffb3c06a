"""Metrics of validation rows by name: the library's own, or scikit-learn's scorers."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin
from sklearn.metrics import get_scorer, get_scorer_names

from ..common.checks import unknown_name
from ..training.metrics import classification_metrics, regression_metrics
from .judge import Judge
from .outputs import probabilities_of

if TYPE_CHECKING:
    from ..kernels.typing import Array
    from ..tables.target import Target

_OF_CLASSES = ("accuracy", "log_loss", "roc_auc", "f1", "precision", "recall")
_OF_NUMBERS = ("rmse", "mse", "mae", "r2", "explained_variance", "pearson_r")
_FALLING = ("log_loss", "rmse", "mse", "mae")

__all__ = ["judge_of"]


def judge_of(
    metric: Any, target: Target, classes: Array | None, y: Array, weight: Array | None
) -> Judge | None:
    """Return what a metric's name, or a scorer, judges epochs by; None where there is none.

    Parameters
    ----------
    metric : str, callable (estimator, X, y) -> float, or None
    target : Target
        Scaled as it is learned.
    classes : ndarray, shape (k,), or None
        Of a classification.
    y : ndarray, shape (n,)
        The number of each row's class, or numbers in units of their own.
    weight : ndarray, shape (n,), optional

    Raises
    ------
    ValueError
        There is no such metric.
    """
    if metric is None:
        return None
    own, others = _OF_NUMBERS, _OF_CLASSES
    if classes is not None:
        own, others = others, own
    if isinstance(metric, str) and metric in others:
        what = "numbers" if classes is None else "classes"
        raise ValueError(
            f"eval_metric={metric!r} does not judge {what}; take one of {', '.join(own)}, or a "
            "scorer of scikit-learn's"
        )
    if not callable(metric) and metric not in own:
        names = get_scorer_names()
        if metric not in names:
            raise unknown_name("eval_metric", metric, [*own, *names])
        metric = get_scorer(metric)
        return _by_scorer(metric, metric._score_func.__name__, target, classes, y, weight)
    if callable(metric):
        name = getattr(metric, "__name__", type(metric).__name__)
        return _by_scorer(metric, name, target, classes, y, weight)

    def measure(rows: Array, outputs: Array) -> float:
        own_weight = None if weight is None else weight[rows]
        found: dict[str, float]
        if classes is None:
            values = target.inverse_transform(outputs)
            found = regression_metrics(y[rows], values, own_weight)
        else:
            task = "binary" if outputs.shape[1] == 1 else "multiclass"
            found = classification_metrics(task, y[rows], outputs, own_weight)
        return found[metric]

    return Judge(metric, measure, metric not in _FALLING)


def _by_scorer(
    scorer: Callable[..., float],
    name: str,
    target: Target,
    classes: Array | None,
    y: Array,
    weight: Array | None,
) -> Judge:
    labels = y if classes is None else classes[y]

    def measure(rows: Array, outputs: Array) -> float:
        said = _Numbers() if classes is None else _Labels()
        said.outputs = outputs
        if classes is None:
            said.outputs = target.inverse_transform(outputs)
        else:
            said.outputs, said.classes_ = probabilities_of(outputs), classes
        given = {} if weight is None else {"sample_weight": weight[rows]}
        return float(scorer(said, np.arange(len(rows))[:, None], labels[rows], **given))

    return Judge(name, measure)


class _Numbers(RegressorMixin, BaseEstimator):  # type: ignore[misc]
    """An estimator that has predicted already; its X are the numbers of rows."""

    outputs: Array

    def predict(self, X: Array) -> Array:
        return self.outputs[X[:, 0]]


class _Labels(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """As above, of classes."""

    outputs: Array
    classes_: Array

    def predict_proba(self, X: Array) -> Array:
        return self.outputs[X[:, 0]]

    def predict(self, X: Array) -> Array:
        labels: Array = self.classes_[self.outputs[X[:, 0]].argmax(axis=1)]
        return labels
