"""scikit-learn's checks of estimators, all of them, and three that it does not run on its own."""

from __future__ import annotations

from typing import Any
from unittest import SkipTest

import pytest
from sklearn.utils import estimator_checks
from sklearn.utils.estimator_checks import parametrize_with_checks

import fastmlp as fm

ESTIMATORS = [
    each(**arguments)
    for each in (fm.MLPClassifier, fm.MLPRegressor)
    for arguments in ({"max_iter": 100}, {"solver": "sgd", "max_iter": 100})
]
# Their own settings: a fit that is cut short warns.
pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


# What scikit-learn leaves out of its own: arrays of other libraries, where an experimental mode is
# not on, and a method that these estimators have not.
NOT_THEIRS = ("SCIPY_ARRAY_API is not set", "does not have a decision_function method")


@parametrize_with_checks(ESTIMATORS)
def test_checks(estimator: Any, check: Any) -> None:
    try:
        check(estimator)
    except SkipTest as reason:
        assert any(words in str(reason) for words in NOT_THEIRS), reason  # noqa: PT017


@pytest.mark.parametrize("estimator", ESTIMATORS, ids=repr)
def test_further_checks(estimator: Any) -> None:
    name = type(estimator).__name__
    estimator_checks.check_param_validation(name, estimator)
    estimator_checks.check_dataframe_column_names_consistency(name, estimator)
