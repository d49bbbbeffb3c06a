"""Open tables by name: scikit-learn's own, and those in the folder that FASTMLP_TEST_DATA names."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from sklearn import datasets

Columns = dict[str, Any]
_DATASETS: dict[str, Callable[[], Any]] = {
    "iris": datasets.load_iris,
    "wine": datasets.load_wine,
    "breast cancer": datasets.load_breast_cancer,
    "digits": datasets.load_digits,
    "diabetes": datasets.load_diabetes,
}
_TARGETS = {
    "adult": "income",
    "diamonds": "price",
    "titanic": "survived",
    "california_raw_ocean": "median_house_value",
}
_CLASSES = {"covertype_93k", "electricity", "pendigits", "shuttle", "spambase"}


@dataclass(frozen=True)
class Columned:
    """A table by name; its last column is the target."""

    name: str
    columns: Columns
    is_regression: bool


def open_tables() -> Iterator[Columned]:
    """All that there are; cells are numbers, texts, or None."""
    import pyarrow.csv

    for name, load in _DATASETS.items():
        data = load()
        columns = {f"x{place}": data.data[:, place] for place in range(data.data.shape[1])}
        yield Columned(name, {**columns, "target": data.target}, name == "diabetes")
    folder = os.environ.get("FASTMLP_TEST_DATA")
    if folder is None:
        return
    for name, target in _TARGETS.items():
        found = pyarrow.csv.read_csv(Path(folder) / f"{name}.csv.gz")
        if "split" in found.column_names:
            found = found.drop_columns(["split"])
        columns = {
            column: np.array(found[column].to_pylist(), object) for column in found.column_names
        }
        columns["target"] = columns.pop(target)
        yield Columned(name, columns, name in ("diamonds", "california_raw_ocean"))
    for path in sorted(Path(folder).glob("*.npz")):
        with np.load(path) as data:
            columns = {f"x{place}": column for place, column in enumerate(data["X"].T)}
            columns["target"] = data["y"]
        yield Columned(path.stem, columns, path.stem not in _CLASSES)
