"""The arguments and attributes of an estimator as JSON in its networks' file, and back."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from ..common.warn import warn
from ..errors import ModelFileError, missing_extra
from ..model.file import ESTIMATOR
from ..training.history import History
from .model import TableModel

if TYPE_CHECKING:
    from ..model.sequential import Sequential

_VERSION = 1
_DAMAGE = (AttributeError, KeyError, OverflowError, RecursionError, TypeError, ValueError)

__all__ = ["described", "estimator_of"]


def described(estimator: Any) -> str:
    """Describe an estimator, but for what its networks and their preparation say.

    Warns
    -----
    UserWarning
        Of arguments that are objects.
    """
    params = estimator.get_params(deep=False)
    lost = [name for name, value in params.items() if not _is_plain(value)]
    found = {name: _plain(value) for name, value in params.items() if name not in lost}
    if lost:
        warn(
            f"the file does not hold {', '.join(lost)}, for they are objects; set_params sets them "
            "again after fastmlp.load"
        )
    classes = getattr(estimator, "classes_", None)
    names = getattr(estimator, "feature_names_in_", None)
    description = {
        "version": _VERSION,
        "class": type(estimator).__name__,
        "params": found,
        "names": list(estimator._names),
        "feature_names_in": None if names is None else list(names),
        "from_numbers": estimator._from_numbers,
        "classes": None if classes is None else classes.dtype.str,
        "history": estimator.history_.to_dict(),
        "best_epoch": estimator.best_epoch_,
        "validation_score": estimator.validation_score_,
    }
    return json.dumps(description)


def estimator_of(networks: list[Sequential], path: str) -> Any:
    """Return the estimator that stands behind the networks of a file.

    Raises
    ------
    ModelFileError
        What the file says of it is damaged.
    ImportError
        scikit-learn is not installed.
    """
    try:
        # It need not be there for networks alone.
        from .classifier import TabularClassifier
        from .regressor import TabularRegressor
    except ImportError as error:
        raise missing_extra("scikit-learn", "sklearn") from error
    kinds = {kind.__name__: kind for kind in (TabularClassifier, TabularRegressor)}
    text = networks[0].metadata.pop(ESTIMATOR)
    try:
        description = json.loads(text)
        if description["version"] != _VERSION:
            raise ValueError(f"version {description['version']!r}, expected {_VERSION}")
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
        raise ModelFileError(f"{path}: damaged description of an estimator: {error}") from error


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
        estimator.classes_ = model.classes.astype(np.dtype(dtype))


def _word(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(f"a name of a column is {value!r}")
    return value


def _is_plain(value: Any) -> bool:
    """Whether JSON can hold an argument."""
    if isinstance(value, np.ndarray):
        value = value.tolist()
    if isinstance(value, dict):
        return all(map(_is_plain, (*value.keys(), *value.values())))
    if isinstance(value, list | tuple):
        return all(map(_is_plain, value))
    return value is None or isinstance(value, bool | int | float | str | np.generic)


def _plain(value: Any) -> Any:
    """What JSON holds of an argument."""
    if isinstance(value, np.ndarray | np.generic):
        value = value.tolist()
    if isinstance(value, list | tuple):
        return {type(value).__name__: [_plain(item) for item in value]}
    if isinstance(value, dict):
        return {"dict": [[_plain(key), _plain(item)] for key, item in value.items()]}
    return value


def _restored_value(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    ((kind, items),) = value.items()
    if kind == "dict":
        return {_restored_value(key): _restored_value(item) for key, item in items}
    return {"list": list, "tuple": tuple}[kind](_restored_value(item) for item in items)
