"""scikit-learn's checks of estimators, all of them, and three that it does not run on its own."""

from __future__ import annotations

from typing import Any
from unittest import SkipTest

import pytest
from estimator_counts import NOT_ASKED
from sklearn.utils import estimator_checks
from sklearn.utils.estimator_checks import parametrize_with_checks

import fastmlp as fm

ESTIMATORS = [
    each(**arguments)
    for each in (fm.MLPClassifier, fm.MLPRegressor)
    for arguments in ({"max_iter": 100}, {"solver": "sgd", "max_iter": 100})
]
MULTILABEL_DECISIONS = "check_classifiers_multilabel_output_format_decision_function"
# Their own settings: a fit that is cut short warns.
pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


CHECKS = parametrize_with_checks(ESTIMATORS)


# Some versions give a generator, which pytest no longer takes.
@pytest.mark.parametrize(CHECKS.args[0], list(CHECKS.args[1]), **CHECKS.kwargs)
def test_checks(estimator: Any, check: Any, record_property: Any) -> None:
    name = getattr(check, "func", check).__name__
    try:
        check(estimator)
    except SkipTest:
        # Of what an estimator need not have.
        assert name in ("check_array_api_input", MULTILABEL_DECISIONS)
        record_property(NOT_ASKED, name)


@pytest.mark.parametrize("estimator", ESTIMATORS, ids=repr)
def test_further_checks(estimator: Any) -> None:
    name = type(estimator).__name__
    estimator_checks.check_param_validation(name, estimator)
    estimator_checks.check_dataframe_column_names_consistency(name, estimator)
    if name == "MLPClassifier":
        estimator_checks.check_class_weight_classifiers(name, estimator)
