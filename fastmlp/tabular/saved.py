"""Estimators out of networks: those of a file, or that the command line has trained."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from ..data.labels import named_dtype
from ..errors import ModelFileError
from ..model.file import ESTIMATOR
from ..training.history import History
from .classifier import TabularClassifier
from .described import VERSION
from .model import TableModel
from .regressor import TabularRegressor

if TYPE_CHECKING:
    from ..kernels.typing import Array
    from ..model.sequential import Sequential
    from .fitting import Fitted

_MOST_BYTES = 2**25

__all__ = ["estimator_around", "estimator_of"]


def estimator_around(
    fitted: Fitted, names: tuple[str, ...], classes: Array | None, **arguments: Any
) -> Any:
    """Return an estimator with networks that were trained outside its `fit`.

    Parameters
    ----------
    fitted : Fitted
    names : tuple of str
        The columns of X.
    classes : ndarray, shape (k,), or None
        The sorted labels of a classification.
    **arguments
        Of the estimator.
    """
    estimator = (TabularRegressor if classes is None else TabularClassifier)(**arguments)
    estimator.n_features_in_ = len(names)
    estimator.feature_names_in_ = np.array(names, dtype=object)
    estimator._adopt(fitted, names, False, classes)
    preparation = fitted.model.preparation
    estimator.schema_ = replace(preparation.schema, target=preparation.target)
    return estimator


def estimator_of(networks: list[Sequential], path: str) -> Any:
    """Return the estimator that stands behind the networks of a file.

    Raises
    ------
    ModelFileError
        What the file says of it is damaged.
    """
    kinds = {kind.__name__: kind for kind in (TabularClassifier, TabularRegressor)}
    text = networks[0].metadata.pop(ESTIMATOR)
    try:
        description = json.loads(text)
        if description["version"] != VERSION:
            raise ValueError(f"version {description['version']!r}, expected {VERSION}")
        model = TableModel.of(networks)
        if model is None:
            raise ValueError("there is no preparation")
        return _restored(kinds[description["class"]], description, model)
    except (
        AttributeError,
        KeyError,
        OverflowError,
        RecursionError,
        TypeError,
        ValueError,
    ) as error:
        raise ModelFileError(
            f"{path}: damaged description of an estimator: {error!s:.2000}"
        ) from error


def _restored(kind: Any, description: Mapping[str, Any], model: TableModel) -> Any:
    params = {name: _restored_value(value) for name, value in description["params"].items()}
    estimator = kind(**params)
    estimator._validate_params()
    names = tuple(map(_word, description["names"]))
    read = {column.name for column in model.preparation.columns}
    if not read <= set(names):
        raise ValueError("the preparation reads columns that the estimator has not")
    if description["feature_names_in"] is not None:
        own = list(map(_word, description["feature_names_in"]))
        if len(own) != len(names):
            raise ValueError(f"{len(own)} names for {len(names)} columns")
        estimator.feature_names_in_ = np.array(own, dtype=object)
    estimator.n_features_in_ = len(names)
    _restore_classes(estimator, description["classes"], model)
    estimator._set_model(model, names, bool(description["from_numbers"]))
    estimator.history_ = History.from_dict(description["history"])
    estimator.best_epoch_ = int(description["best_epoch"])
    score = description["validation_score"]
    estimator.validation_score_ = None if score is None else float(score)
    estimator.schema_ = replace(model.preparation.schema, target=model.preparation.target)
    return estimator


def _restore_classes(estimator: Any, dtype: str | None, model: TableModel) -> None:
    if (dtype is None) != (model.classes is None) or hasattr(estimator, "class_weight") != (
        dtype is not None
    ):
        raise ValueError("the networks are of another task")
    if dtype is not None:
        assert model.classes is not None
        if len(model.preparation.target.classes) != len(model.classes):
            raise ValueError("the target has other classes than the networks")
        wanted = named_dtype(dtype)
        if wanted.itemsize * len(model.classes) > _MOST_BYTES:
            raise ValueError(f"classes of dtype {dtype!r}")
        estimator.classes_ = model.classes.astype(wanted)


def _word(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(f"a name of a column is {value!r}")
    return value


def _restored_value(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    ((kind, items),) = value.items()
    if kind == "dict":
        return {_restored_value(key): _restored_value(item) for key, item in items}
    return {"list": list, "tuple": tuple}[kind](_restored_value(item) for item in items)
