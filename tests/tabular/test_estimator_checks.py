"""scikit-learn's checks of estimators, all of them, for both."""

from __future__ import annotations

from typing import Any
from unittest import SkipTest

import pytest
from sklearn.utils import estimator_checks
from sklearn.utils.estimator_checks import parametrize_with_checks

import fastmlp as fm

ESTIMATORS = [fm.TabularClassifier(preset="fast"), fm.TabularRegressor(preset="fast")]

CHECKS = parametrize_with_checks(ESTIMATORS)


# Some versions give a generator, which pytest no longer takes.
@pytest.mark.parametrize(CHECKS.args[0], list(CHECKS.args[1]), **CHECKS.kwargs)
def test_checks(estimator: Any, check: Any) -> None:
    name = getattr(check, "func", check).__name__
    try:
        check(estimator)
    except SkipTest:
        # Of what an estimator need not have.
        assert name == "check_array_api_input"


@pytest.mark.parametrize("estimator", ESTIMATORS, ids=repr)
def test_further_checks(estimator: Any) -> None:
    name = type(estimator).__name__
    estimator_checks.check_param_validation(name, estimator)
    if name == "TabularClassifier":
        estimator_checks.check_class_weight_classifiers(name, estimator)
