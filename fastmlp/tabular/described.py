"""The arguments and attributes of an estimator as JSON for its networks' file."""

from __future__ import annotations

import json
from typing import Any

import numpy as np

from ..common.warn import warn

VERSION = 1

__all__ = ["VERSION", "described"]


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
        "version": VERSION,
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
