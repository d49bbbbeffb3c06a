"""The metrics of a classification or a regression, by scikit-learn's functions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ..common.error_state import own_error_state
from ..errors import missing_extra

if TYPE_CHECKING:
    from ..kernels.typing import Array


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

    Raises
    ------
    ImportError
        scikit-learn is not installed.
    """
    sklearn = _sklearn_metrics()
    y, outputs, weights = _weighted_rows(y, probabilities, sample_weight)
    if task == "multilabel":
        y = (y >= 0.5).astype(np.int64)
        predicted = (outputs >= 0.5).astype(np.int64)
        scores = outputs
        two_classes = False
        all_occur = bool((y.any(axis=0) & ~y.all(axis=0)).all())
        # Entry by entry, each is a decision between two classes.
        entry_weights = None if weights is None else np.repeat(weights, y.shape[1])
        accuracy, log_loss = _overall(sklearn, y.ravel(), outputs.reshape(-1, 1), entry_weights)
    else:
        predicted = _most_probable(outputs)
        rows = _rows(outputs)
        two_classes = rows.shape[1] == 2
        scores = rows[:, 1] if two_classes else rows
        all_occur = np.unique(y).size == rows.shape[1]
        accuracy, log_loss = _overall(sklearn, y, outputs, weights)

    def class_means(average: str) -> dict[str, float]:
        precision, recall, f1, _ = sklearn.precision_recall_fscore_support(
            y, predicted, average=average, sample_weight=weights, zero_division=0
        )
        roc_auc = np.nan
        if all_occur:
            # Of two classes there is one area and no mean.
            mean = {} if two_classes else {"average": average, "multi_class": "ovr"}
            roc_auc = sklearn.roc_auc_score(y, scores, sample_weight=weights, **mean)
        return {"precision": precision, "recall": recall, "f1": f1, "roc_auc": roc_auc}

    metrics = {"accuracy": accuracy, **class_means("binary" if two_classes else "weighted")}
    metrics["log_loss"] = log_loss
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

    Raises
    ------
    ImportError
        scikit-learn is not installed.
    """
    sklearn = _sklearn_metrics()
    y, prediction, weights = _weighted_rows(y, prediction, sample_weight)
    with np.errstate(all="ignore"):
        mse = sklearn.mean_squared_error(y, prediction, sample_weight=weights)
        metrics = {
            "mse": mse,
            "rmse": np.sqrt(mse),
            "mae": sklearn.mean_absolute_error(y, prediction, sample_weight=weights),
            "r2": np.nan,
            "explained_variance": np.nan,
            "pearson_r": np.nan,
        }
        if len(y) > 1:
            metrics["r2"] = sklearn.r2_score(y, prediction, sample_weight=weights)
            metrics["explained_variance"] = sklearn.explained_variance_score(
                y, prediction, sample_weight=weights
            )
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

    Raises
    ------
    ImportError
        scikit-learn is not installed.
    """
    sklearn = _sklearn_metrics()
    predicted, n_classes = _most_probable(probabilities), max(2, probabilities.shape[1])
    details: dict[str, Any] = {}
    if n_classes == 2:
        for average in ("weighted", "macro"):
            means = sklearn.precision_recall_fscore_support(
                y, predicted, average=average, zero_division=0
            )
            for name, mean in zip(("precision", "recall", "f1"), means[:3], strict=True):
                details[f"{name}_{average}"] = float(mean)
    labels = np.arange(n_classes)
    matrix = sklearn.confusion_matrix(y, predicted, labels=labels)
    return {**details, "confusion_matrix": matrix.tolist()}


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

    Raises
    ------
    ImportError
        scikit-learn is not installed.
    """
    sklearn = _sklearn_metrics()
    y, prediction = y.reshape(len(y), -1), prediction.reshape(len(y), -1)
    if len(y) == 1:
        return {"r2_variance_weighted": np.nan, "r2_raw": [np.nan] * y.shape[1]}
    weighted = sklearn.r2_score(y, prediction, multioutput="variance_weighted")
    raw = sklearn.r2_score(y, prediction, multioutput="raw_values")
    return {"r2_variance_weighted": float(weighted), "r2_raw": raw.tolist()}


def _sklearn_metrics() -> Any:
    try:
        from sklearn import metrics
    except ImportError as error:
        raise missing_extra("sklearn", "sklearn") from error
    return metrics


def _weighted_rows(
    y: Array, outputs: Array, sample_weight: Array | None
) -> tuple[Array, Array, Array | None]:
    outputs = outputs.astype(np.float64)
    if sample_weight is None:
        return y, outputs, None
    weighted = sample_weight > 0
    return y[weighted], outputs[weighted], sample_weight[weighted]


def _overall(sklearn: Any, y: Array, outputs: Array, weights: Array | None) -> tuple[float, float]:
    accuracy = sklearn.accuracy_score(y, _most_probable(outputs), sample_weight=weights)
    rows = _rows(outputs)
    labels = np.arange(rows.shape[1])
    return accuracy, sklearn.log_loss(y, rows, labels=labels, sample_weight=weights)


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


def _pearson(y: Array, prediction: Array, weights: Array | None) -> float:
    y, prediction = y.reshape(len(y), -1), prediction.reshape(len(y), -1)
    if (np.ptp(y, axis=0) == 0).any() or (np.ptp(prediction, axis=0) == 0).any():
        return np.nan
    a = y - np.average(y, axis=0, weights=weights)
    b = prediction - np.average(prediction, axis=0, weights=weights)
    ab, aa, bb = (np.average(product, axis=0, weights=weights) for product in (a * b, a * a, b * b))
    return float(np.mean(ab / (np.sqrt(aa) * np.sqrt(bb))))
