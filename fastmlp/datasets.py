"""Well-known data sets by name, through scikit-learn's loaders."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from importlib.util import find_spec
from typing import Any, NamedTuple

import numpy as np

from .common.checks import find_name
from .common.error_state import own_error_state
from .errors import missing_extra
from .kernels.typing import Array

__all__ = ["NAMES", "Dataset", "load"]


class Dataset(NamedTuple):
    """A table and its target.

    Attributes
    ----------
    X : ndarray, shape (n_rows, n_features)
        The features: float64, float32 for the whole numbers of ``mnist_784``.
    y : ndarray, shape (n_rows,)
        The target: float64 for regression, labels (integers, strings for ``mnist_784``) for
        classification.
    feature_names : tuple of str
        A name for each column of `X`.
    target_names : tuple of str
        The classes in the order of the sorted labels, or the target of a regression where the
        data set names it.
    task : str
        ``"classification"`` or ``"regression"``.
    """

    X: Array
    y: Array
    feature_names: tuple[str, ...]
    target_names: tuple[str, ...]
    task: str


NAMES = (
    "breast_cancer",
    "california_housing",
    "diabetes",
    "digits",
    "iris",
    "mnist_784",
    "wine",
)
_REGRESSION = ("california_housing", "diabetes")


@own_error_state
def load(name: str) -> Dataset:
    """Load a data set.

    ``breast_cancer``, ``diabetes``, ``digits``, ``iris`` and ``wine`` come with scikit-learn.
    ``california_housing`` and ``mnist_784`` are read from scikit-learn's data folder (the
    environment variable ``SCIKIT_LEARN_DATA``, or ``scikit_learn_data`` in the home folder) and
    downloaded into it where they are not there.

    Parameters
    ----------
    name : str
        One of `NAMES`, in any case.

    Raises
    ------
    ValueError
        If there is no data set of that name.
    OSError
        If it is not in the data folder and cannot be downloaded.
    ImportError
        If scikit-learn or, for ``mnist_784``, pandas is not installed.
    """
    name = find_name("dataset", name, NAMES)
    try:
        from sklearn import datasets
    except ImportError as error:
        raise missing_extra("scikit-learn", "sklearn") from error

    if name == "mnist_784":
        return _load_mnist()
    if name == "california_housing":
        bunch = _fetch(name, lambda: datasets.fetch_california_housing(n_retries=1))
    else:
        bunch = getattr(datasets, f"load_{name}")()
    target_names = bunch.get("target_names", ())
    return Dataset(
        bunch["data"],
        bunch["target"],
        tuple(map(str, bunch["feature_names"])),
        tuple(map(str, target_names)),
        "regression" if name in _REGRESSION else "classification",
    )


def _load_mnist() -> Dataset:
    from sklearn.datasets import fetch_openml

    if find_spec("pandas") is None:
        raise missing_extra("pandas", "sklearn")
    bunch = _fetch(
        "mnist_784",
        lambda: fetch_openml("mnist_784", version=1, as_frame=False, parser="pandas", n_retries=1),
    )
    y = bunch["target"].astype(str)
    return Dataset(
        bunch["data"].astype(np.float32),
        y,
        tuple(bunch["feature_names"]),
        tuple(np.unique(y).tolist()),
        "classification",
    )


def _fetch(name: str, fetch: Callable[[], Any]) -> Any:
    from sklearn.datasets import get_data_home

    try:
        with warnings.catch_warnings():
            # A warning that it tries once more, before the error that says it all.
            warnings.simplefilter("ignore", UserWarning)
            return fetch()
    except OSError as error:
        raise OSError(
            f"dataset {name!r} is not in {get_data_home()} and cannot be downloaded ({error}); "
            "set SCIKIT_LEARN_DATA to a folder that holds it"
        ) from error
