"""Regressors of scaled targets: taken where the target's way back is linear, else refused."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import fastmlp as fm

pytest.importorskip("sklearn", reason="scikit-learn is not installed")

from sklearn.compose import TransformedTargetRegressor
from sklearn.linear_model import HuberRegressor, LinearRegression, Ridge
from sklearn.neural_network import MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import (
    FunctionTransformer,
    MinMaxScaler,
    PowerTransformer,
    RobustScaler,
    StandardScaler,
)

RNG = np.random.default_rng(0)
X = RNG.normal(size=(300, 3))
Y = X @ [30.0, -20.0, 5.0] + 400 + RNG.normal(size=300)


def taken(estimator: Any) -> fm.Sequential:
    return fm.from_sklearn(estimator, backend="numpy")


@pytest.mark.parametrize(
    "regressor",
    [
        None,
        Ridge(),
        MLPRegressor(hidden_layer_sizes=(6,), max_iter=5, random_state=0),
        make_pipeline(StandardScaler(), FunctionTransformer(), Ridge()),
    ],
    ids=["none", "Ridge", "MLPRegressor", "Pipeline"],
)
@pytest.mark.parametrize(
    "transformer",
    [
        None,
        StandardScaler(),
        FunctionTransformer(),
        make_pipeline(RobustScaler(), MinMaxScaler((2, 5))),
        make_pipeline("passthrough", StandardScaler()),
    ],
    ids=["none", "StandardScaler", "FunctionTransformer", "Pipeline", "passthrough"],
)
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_linear_ways_back_are_taken(regressor: Any, transformer: Any) -> None:
    estimator = TransformedTargetRegressor(regressor, transformer=transformer).fit(X, Y)
    expected = estimator.predict(X).reshape(-1, 1)
    np.testing.assert_allclose(taken(estimator).predict(X), expected, rtol=1e-9)


@pytest.mark.parametrize(
    ("estimator", "message"),
    [
        (TransformedTargetRegressor(Ridge()), "^TransformedTargetRegressor is not fitted; call"),
        (
            TransformedTargetRegressor(HuberRegressor(), transformer=StandardScaler()),
            "^TransformedTargetRegressor is not fitted",
        ),
        (TransformedTargetRegressor(HuberRegressor()).fit(X, Y), "^HuberRegressor cannot be taken"),
        (
            TransformedTargetRegressor(Ridge(), func=np.log1p, inverse_func=np.expm1).fit(X, Y),
            r"^the target's transformer \(FunctionTransformer\) cannot be taken: func and "
            r"inverse_func, here log1p and expm1, .*; what can be: StandardScaler, .* no transfor",
        ),
        (
            TransformedTargetRegressor(LinearRegression(), transformer=PowerTransformer()).fit(
                X, Y
            ),
            r"^the target's transformer \(PowerTransformer\) cannot be taken; what can be: Stand",
        ),
        (
            make_pipeline(FunctionTransformer(np.log1p, np.expm1), Ridge()).fit(np.exp(X), Y),
            r"^functiontransformer \(FunctionTransformer\) cannot be taken",
        ),
    ],
)
def test_others_are_refused_by_name(estimator: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        taken(estimator)
