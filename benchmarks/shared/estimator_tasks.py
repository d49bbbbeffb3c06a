"""Data on which estimators are compared: of this machine's folders, with a reason where not there.

Numbers are scaled, categories one-hot; of large sets the first rows.
"""

from __future__ import annotations

import csv
import gzip
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from fastmlp import datasets
from fastmlp.peers.estimators import Task, scaled

_MOST_ROWS = 10_000
_TABLES = "FASTMLP_TEST_DATA"
_NUMBERS = ("age", "education_num", "capital_gain", "capital_loss", "hours_per_week")
_LEFT_OUT = ("fnlwgt", "income", "split")


class NotThereError(Exception):
    """Data that this machine has not; the message says where they were looked for."""


def _known(name: str) -> Task:
    try:
        data = datasets.load(name)
    except (OSError, ImportError) as error:
        raise NotThereError(str(error)) from error
    kind = "MLPRegressor" if data.task == "regression" else "MLPClassifier"
    return Task(name, kind, scaled(data.X[:_MOST_ROWS]), data.y[:_MOST_ROWS])


def _adult_rows() -> list[dict[str, str]]:
    path = Path(os.environ.get(_TABLES, ".")) / "adult.csv.gz"
    if not path.exists():
        raise NotThereError(f"there is no {path}; set {_TABLES} to a folder that holds it")
    with gzip.open(path, "rt", encoding="utf-8", newline="") as file:
        return [row for row in csv.DictReader(file) if row["split"] == "train"]


def _adult(sparse: bool) -> Task:
    from scipy.sparse import csr_matrix, hstack
    from sklearn.preprocessing import OneHotEncoder

    rows = _adult_rows()
    names = [name for name in rows[0] if name not in (*_NUMBERS, *_LEFT_OUT)]
    words = np.array([[row[name] for name in names] for row in rows])
    numbers = scaled([[float(row[name]) for name in _NUMBERS] for row in rows])
    X: Any = hstack([csr_matrix(numbers), OneHotEncoder().fit_transform(words)], format="csr")
    y = np.array([row["income"] for row in rows])
    name = "adult one-hot, sparse" if sparse else "adult one-hot"
    return Task(name, "MLPClassifier", X if sparse else X.toarray(), y)


TASKS: dict[str, Callable[[], Task]] = {
    "digits": lambda: _known("digits"),
    "adult": lambda: _adult(False),
    "adult_sparse": lambda: _adult(True),
    "california_housing": lambda: _known("california_housing"),
    "mnist_784": lambda: _known("mnist_784"),
}
"""What makes the data, by a name; it raises `NotThereError` where they are not there."""
