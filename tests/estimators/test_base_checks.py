"""scikit-learn's checks of estimators, all of them, and three that it does not run on its own."""

from __future__ import annotations

from typing import Any

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


@parametrize_with_checks(ESTIMATORS)
def test_checks(estimator: Any, check: Any) -> None:
    check(estimator)


@pytest.mark.parametrize("estimator", ESTIMATORS, ids=repr)
def test_further_checks(estimator: Any) -> None:
    name = type(estimator).__name__
    estimator_checks.check_param_validation(name, estimator)
    estimator_checks.check_dataframe_column_names_consistency(name, estimator)
