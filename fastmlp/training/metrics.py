"""The metrics of a classification or a regression.

They are scikit-learn's by definition and in the tests, but computed here: to import
``sklearn.metrics`` takes a second, more than a small network's whole training.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ..common.error_state import own_error_state
from ..common.products import weighted_sum

if TYPE_CHECKING:
    from ..kernels.typing import Array

_OF_CLASSES = ("precision", "recall", "f1")


@own_error_state
def classification_metrics(
    task: str, y: Array, probabilities: Array, sample_weight: Array | None = None
) -> dict[str, float]:
    """Compare predicted probabilities with the right classes.

    Parameters
    ----------
    task : str
        "binary", "multiclass" or "multilabel".
    y : ndarray
        Class numbers (n,); for multilabel (n, k), where 0.5 and more counts as 1.
    probabilities : ndarray, shape (n, 1) for binary, (n, k) otherwise
        The network's output.
    sample_weight : ndarray, shape (n,), optional
        Rows of weight 0 are left out.

    Returns
    -------
    dict of str to float
        ``accuracy precision recall f1 roc_auc log_loss``. Of two classes, precision, recall, f1
        and roc_auc are those of the second. Of more, they are means over classes (each against
        the rest) weighted by how often a class occurs, and the plain means follow under
        ``precision_macro`` and so on. Multilabel has both means over labels; its accuracy and
        log_loss are means over all n * k entries. 0 / 0 counts as 0; roc_auc is NaN where one of
        the classes does not occur.
    """
    y, outputs, weights = _weighted_rows(y, probabilities, sample_weight)
    if task == "multilabel":
        y = (y >= 0.5).astype(np.int64)
        predicted = (outputs >= 0.5).astype(np.int64)
        counts, two_classes = _counts_of_labels(y, predicted, weights), False
        areas = [_area(y[:, k] == 1, outputs[:, k], weights) for k in range(y.shape[1])]
        # Entry by entry, each is a decision between two classes.
        entry_weights = np.repeat(weights, y.shape[1])
        overall = _overall(y.ravel(), outputs.reshape(-1, 1), entry_weights)
    else:
        rows = _rows(outputs)
        counts = _counts_of_classes(_confusion(y, _most_probable(outputs), rows.shape[1], weights))
        two_classes = rows.shape[1] == 2
        areas = [_area(y == k, rows[:, k], weights) for k in range(rows.shape[1])]
        overall = _overall(y, outputs, weights)

    def class_means(average: str) -> dict[str, float]:
        means = dict(zip(_OF_CLASSES, counts.means(average), strict=True))
        # Of two classes there is one area and no mean; a class that does not occur has none.
        means["roc_auc"] = areas[1] if two_classes else np.nan
        if not two_classes and not np.isnan(areas).any():
            means["roc_auc"] = counts.mean(np.array(areas), average)
        return means

    metrics = {"accuracy": overall[0], **class_means("binary" if two_classes else "weighted")}
    metrics["log_loss"] = overall[1]
    if not two_classes:
        metrics |= {f"{name}_macro": mean for name, mean in class_means("macro").items()}
    return {name: float(value) for name, value in metrics.items()}


@own_error_state
def regression_metrics(
    y: Array, prediction: Array, sample_weight: Array | None = None
) -> dict[str, float]:
    """Compare predicted numbers with the right ones.

    Parameters
    ----------
    y, prediction : ndarray, shape (n, k) or (n,)
    sample_weight : ndarray, shape (n,), optional
        Rows of weight 0 are left out.

    Returns
    -------
    dict of str to float
        ``mse rmse mae r2 explained_variance pearson_r``, each but rmse a mean over outputs;
        ``rmse = sqrt(mse)``. The last three are NaN for a single row, pearson_r is NaN where a
        column of y or of the prediction is constant.
    """
    y, prediction, weights = _weighted_rows(y, prediction, sample_weight)
    y, prediction = _columns(y), _columns(prediction)
    with np.errstate(all="ignore"):
        error = y - prediction
        mse = float(np.average(error**2, axis=0, weights=weights).mean())
        mae = float(np.average(np.abs(error), axis=0, weights=weights).mean())
        metrics = {"mse": mse, "rmse": np.sqrt(mse), "mae": mae}
        metrics |= dict.fromkeys(("r2", "explained_variance", "pearson_r"), np.nan)
        if len(y) > 1:
            metrics["r2"] = _explained(y, error, weights).mean()
            around = error - np.average(error, axis=0, weights=weights)
            metrics["explained_variance"] = _explained(y, around, weights).mean()
            metrics["pearson_r"] = _pearson(y, prediction, weights)
    return {name: float(value) for name, value in metrics.items()}


@own_error_state
def classification_details(y: Array, probabilities: Array) -> dict[str, Any]:
    """What `classification_metrics` leaves out of one class for each row.

    Parameters
    ----------
    y : ndarray, shape (n,)
        Class numbers.
    probabilities : ndarray, shape (n, 1) for one sigmoid unit, (n, k) otherwise

    Returns
    -------
    dict
        ``confusion_matrix``: a list of rows, one for each right class, that count the rows of each
        predicted class. Of two classes also ``precision recall f1`` as means over both,
        ``*_weighted`` by how often a class occurs and ``*_macro``.
    """
    predicted, n_classes = _most_probable(probabilities), max(2, probabilities.shape[1])
    matrix = _confusion(y, predicted, n_classes, np.ones(len(y)))
    details: dict[str, Any] = {}
    if n_classes == 2:
        for average in ("weighted", "macro"):
            means = _counts_of_classes(matrix).means(average)
            for name, mean in zip(_OF_CLASSES, means, strict=True):
                details[f"{name}_{average}"] = mean
    return {**details, "confusion_matrix": matrix.astype(np.int64).tolist()}


@own_error_state
def regression_details(y: Array, prediction: Array) -> dict[str, Any]:
    """What `regression_metrics` leaves out.

    Parameters
    ----------
    y, prediction : ndarray, shape (n, k) or (n,)

    Returns
    -------
    dict
        ``r2_raw``, a list of one number for each output, and ``r2_variance_weighted``, their mean
        weighted by the variance of each output of y. NaN for a single row.
    """
    y, prediction = _columns(y), _columns(prediction.astype(np.float64))
    if len(y) == 1:
        return {"r2_variance_weighted": np.nan, "r2_raw": [np.nan] * y.shape[1]}
    raw = _explained(y, y - prediction, np.ones(len(y)))
    variance = y.var(axis=0)
    weighted = np.average(raw, weights=variance if variance.any() else None)
    return {"r2_variance_weighted": float(weighted), "r2_raw": raw.tolist()}


@dataclass(frozen=True)
class _Counts:
    """Weights of the rows of each class: rightly predicted, predicted, and there.

    Attributes
    ----------
    right, predicted, present : (n_classes,) arrays
    counted : (n_classes,) array of bool
        Those that a plain mean is taken over.
    """

    right: Array
    predicted: Array
    present: Array
    counted: Array

    def mean(self, values: Array, average: str) -> float:
        """The plain mean over classes, or that weighted by how often each is there."""
        weights = self.present if average == "weighted" else self.counted
        return float(np.average(values, weights=weights)) if weights.any() else 0.0

    def means(self, average: str) -> tuple[float, float, float]:
        """Precision, recall and F1 of the second of two classes, or their means."""
        found = (
            _ratio(self.right, self.predicted),
            _ratio(self.right, self.present),
            _ratio(2 * self.right, self.predicted + self.present),
        )
        if average == "binary":
            precision, recall, f1 = (float(values[1]) for values in found)
        else:
            precision, recall, f1 = (self.mean(values, average) for values in found)
        return precision, recall, f1


def _counts_of_classes(matrix: Array) -> _Counts:
    predicted, present = matrix.sum(axis=0), matrix.sum(axis=1)
    return _Counts(np.diagonal(matrix), predicted, present, (predicted > 0) | (present > 0))


def _counts_of_labels(y: Array, predicted: Array, weights: Array) -> _Counts:
    right, found, present = (
        weighted_sum(weights, columns) for columns in (y * predicted, predicted, y)
    )
    return _Counts(right, found, present, np.ones(y.shape[1], np.bool_))


def _ratio(part: Array, whole: Array) -> Array:
    ratio: Array = np.divide(part, whole, out=np.zeros(len(whole)), where=whole != 0)
    return ratio


def _confusion(y: Array, predicted: Array, n_classes: int, weights: Array) -> Array:
    """Weights of rows by right class and predicted class, ``(n_classes, n_classes)``."""
    pairs = y.astype(np.int64) * n_classes + predicted
    return np.bincount(pairs, weights, minlength=n_classes**2).reshape(n_classes, n_classes)


def _area(positive: Array, scores: Array, weights: Array) -> float:
    """The area under the receiver operating characteristic; NaN where one side has no rows.

    It is the share of pairs of a positive and another row that the scores put into this order,
    equals counting half.
    """
    values, places = np.unique(scores, return_inverse=True)
    ones, zeros = (
        np.bincount(places, np.where(side, weights, 0.0), minlength=len(values))
        for side in (positive, ~positive)
    )
    if not ones.any() or not zeros.any():
        return np.nan
    below = np.cumsum(zeros) - zeros / 2
    return float((ones * below).sum() / (ones.sum() * zeros.sum()))


def _explained(y: Array, error: Array, weights: Array) -> Array:
    """The share of the variance of each output that an error leaves explained.

    Of a constant output it is 1 without any error, else 0.
    """
    around = y - np.average(y, axis=0, weights=weights)
    left, variance = (weighted_sum(weights, parts**2) for parts in (error, around))
    explained: Array = 1 - np.divide(left, variance, out=np.ones(len(left)), where=variance != 0)
    return np.where((variance == 0) & (left == 0), 1.0, explained)


def _columns(values: Array) -> Array:
    return values.reshape(len(values), -1).astype(np.float64, copy=False)


def _weighted_rows(
    y: Array, outputs: Array, sample_weight: Array | None
) -> tuple[Array, Array, Array]:
    outputs = outputs.astype(np.float64)
    if sample_weight is None:
        return y, outputs, np.ones(len(y))
    weighted = sample_weight > 0
    return y[weighted], outputs[weighted], sample_weight[weighted].astype(np.float64)


def _overall(y: Array, outputs: Array, weights: Array) -> tuple[float, float]:
    """Accuracy and log loss; no probability counts as smaller than float64's epsilon."""
    accuracy = np.average(_most_probable(outputs) == y, weights=weights)
    of_truth = _rows(outputs)[np.arange(len(y)), y.astype(np.int64)]
    smallest = np.finfo(np.float64).eps
    losses = -np.log(np.clip(of_truth, smallest, 1 - smallest))
    return float(accuracy), float(np.average(losses, weights=weights))


def _most_probable(outputs: Array) -> Array:
    one_unit = outputs.shape[1] == 1
    codes: Array = outputs[:, 0] >= 0.5 if one_unit else outputs.argmax(axis=1)
    return codes.astype(np.int64)


def _rows(outputs: Array) -> Array:
    """Return a column of probabilities for each class; rows sum to 1."""
    if outputs.shape[1] == 1:
        return np.hstack((1 - outputs, outputs))
    # Rows of float32 sum to 1 only as nearly as float32 can.
    rows: Array = outputs / outputs.sum(axis=1, keepdims=True)
    return rows


def _pearson(y: Array, prediction: Array, weights: Array) -> float:
    if (np.ptp(y, axis=0) == 0).any() or (np.ptp(prediction, axis=0) == 0).any():
        return np.nan
    a = y - np.average(y, axis=0, weights=weights)
    b = prediction - np.average(prediction, axis=0, weights=weights)
    ab, aa, bb = (np.average(product, axis=0, weights=weights) for product in (a * b, a * a, b * b))
    return float(np.mean(ab / (np.sqrt(aa) * np.sqrt(bb))))
