"""Docstrings of the estimators are in numpydoc's form, with every argument and result."""

from __future__ import annotations

import pytest
from numpydoc.validate import validate

import fastmlp as fm

ESTIMATORS = ("MLPClassifier", "MLPRegressor")
# Methods need neither a second paragraph nor examples of their own, nor links to each other.
NEED_NOT = {"ES01", "EX01", "SA01"}


def names() -> list[str]:
    """The estimators, and what is public of them that is written here."""
    found = list(ESTIMATORS)
    for each in ESTIMATORS:
        kind = getattr(fm, each)
        for owner in kind.__mro__:
            if owner.__module__.startswith("fastmlp."):
                public = [name for name, value in vars(owner).items() if _is_shown(name, value)]
                found += [f"{each}.{name}" for name in public]
    return sorted(set(found))


def _is_shown(name: str, value: object) -> bool:
    # Requests of metadata are written by scikit-learn.
    if name.startswith("_") or name.endswith("_request"):
        return False
    return callable(value) or hasattr(value, "__get__")


@pytest.mark.parametrize("name", names())
def test_docstrings(name: str) -> None:
    need_not = NEED_NOT if "." in name else set()
    errors = validate(f"fastmlp.{name}")["errors"]
    assert [f"{code}: {told}" for code, told in errors if code not in need_not] == []


def test_all_methods_are_looked_at() -> None:
    assert {
        "MLPClassifier",
        "MLPClassifier.fit",
        "MLPClassifier.partial_fit",
        "MLPClassifier.predict",
        "MLPClassifier.predict_proba",
        "MLPClassifier.predict_log_proba",
        "MLPClassifier.network_",
        "MLPRegressor",
        "MLPRegressor.fit",
        "MLPRegressor.predict",
    } <= set(names())


def test_a_class_says_what_differs_from_scikit_learn() -> None:
    for name in ESTIMATORS:
        text = getattr(fm, name).__doc__
        assert "scikit-learn" in text.partition("Notes")[0]
        assert "differs" in text.partition("Notes")[2]
