"""The process of one fit: a pickled method, table and split come in, one JSON object goes out."""

from __future__ import annotations

import json
import os
import pickle
import sys
import time
import traceback
import warnings
from typing import TYPE_CHECKING, Any

import numpy as np

from ..machine import describe_machine, load_average
from .methods import METHODS, Request
from .tables import Table

if TYPE_CHECKING:
    from ...kernels.typing import Array

PREDICTED = 10_000
# A table that warms up has so many rows at most: as many as make a network be judged as in a longer
# one.
_WARM_ROWS = 2500
# A class needs some rows in each part of them.
_WARM_CLASS = 10


def measure(method: str, table: Table, split: int) -> dict[str, Any]:
    """What one fit reaches on the rows of the test, and what it takes.

    Returns
    -------
    dict
        ``error``, the root of the mean square or the share of wrong classes; of classes also
        ``log_loss`` and ``auc``, which of more than two is the mean over each against the others,
        and None where it is undefined; ``fit_cpu_seconds``, ``fit_seconds``; ``predict_seconds``,
        those of 10,000 rows; ``load_average`` before the fit; ``cpu``; ``measured``, names and
        versions.
    """
    known = METHODS[method]
    X, y = known.prepare(table.X), table.y
    train, test = table.split(split)
    if known.warms_up:
        _warm_up(method, X, y, train, table.is_regression)
    X_train, y_train = X.iloc[train], y[train]
    model = known.make(Request(X_train, table.is_regression, split))
    load, cpu, start = load_average(), _cpu_seconds(), time.perf_counter()
    model.fit(X_train, y_train)
    cpu, seconds = _cpu_seconds() - cpu, time.perf_counter() - start
    predict = model.predict if table.is_regression else model.predict_proba
    scores = _scores(y[test], np.asarray(predict(X.iloc[test]), np.float64), table.is_regression)
    many = X.iloc[np.resize(test, PREDICTED)]
    start = time.perf_counter()
    predict(many)
    return {
        **scores,
        "fit_cpu_seconds": round(cpu, 4),
        "fit_seconds": round(seconds, 4),
        "predict_seconds": round(time.perf_counter() - start, 6),
        "load_average": load,
        "cpu": describe_machine()["cpu"],
        "measured": known.measured(),
    }


def _warm_up(method: str, X: Any, y: Array, train: Array, is_regression: bool) -> None:
    rows = train[:_WARM_ROWS]
    if not is_regression:
        classes, counts = np.unique(y[rows], return_counts=True)
        rows = rows[np.isin(y[rows], classes[counts >= _WARM_CLASS])]
    model = METHODS[method].make(Request(X.iloc[rows], is_regression, 0, is_quick=True))
    targets = y[rows] if is_regression else np.unique(y[rows], return_inverse=True)[1]
    model.fit(X.iloc[rows], targets)
    (model.predict if is_regression else model.predict_proba)(X.iloc[rows])


def _cpu_seconds() -> float:
    """Seconds of all cores, of this process and of those that it has waited for."""
    times = os.times()
    return time.process_time() + times.children_user + times.children_system


def _scores(y: Array, predicted: Array, is_regression: bool) -> dict[str, float | None]:
    from sklearn.metrics import log_loss, roc_auc_score

    if not np.isfinite(predicted).all():
        raise ValueError("it predicts numbers that are not finite")
    if is_regression:
        return {"error": float(np.sqrt(np.mean((predicted.reshape(y.shape) - y) ** 2)))}
    classes = np.arange(predicted.shape[1])
    predicted = predicted / predicted.sum(axis=1, keepdims=True)
    auc = None
    if len(np.unique(y)) == len(classes):
        scores = predicted[:, 1] if len(classes) == 2 else predicted
        auc = float(roc_auc_score(y, scores, multi_class="ovr"))
    return {
        "error": float(np.mean(predicted.argmax(axis=1) != y)),
        "log_loss": float(log_loss(y, predicted, labels=classes)),
        "auc": auc,
    }


def main() -> None:
    """Answer the one request of this process."""
    channel = os.fdopen(os.dup(sys.stdout.fileno()), "w", encoding="utf-8")
    # What libraries print is no answer.
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    method, table, split = pickle.load(sys.stdin.buffer)
    warnings.simplefilter("ignore")
    try:
        answer = measure(method, Table(*table), split)
    except Exception as error:
        traceback.print_exc()
        answer = {"failure": f"{type(error).__name__}: {error}".partition("\n")[0]}
    channel.write(json.dumps(answer) + "\n")
    channel.flush()
