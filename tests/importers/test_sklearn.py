"""Estimators fitted by scikit-learn: the same outputs and labels, the rest refused by name."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from taken_checks import assert_taken, kinds

import fastmlp as fm
from fastmlp.kernels.typing import Array

pytest.importorskip("sklearn", reason="scikit-learn is not installed")

from sklearn.compose import TransformedTargetRegressor
from sklearn.linear_model import (
    ElasticNet,
    ElasticNetCV,
    Lasso,
    LassoCV,
    LinearRegression,
    LogisticRegression,
    LogisticRegressionCV,
    Ridge,
    RidgeCV,
    SGDClassifier,
)
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import (
    MaxAbsScaler,
    MinMaxScaler,
    PolynomialFeatures,
    RobustScaler,
    StandardScaler,
)

RNG = np.random.default_rng(0)
# Columns of other means and scales, so that a scaler that is lost shows.
X = RNG.normal(size=(2000, 4)) * [1, 10, 0.1, 3] + [0, 20, 5, -2]
SUM = (X - X.mean(axis=0)) / X.std(axis=0) @ [1.0, 0.5, -1.0, 0.2]
TWO = np.where(SUM > 0, "yes", "no")
THREE = np.digitize(SUM, [-0.7, 0.7]) * 10
COLUMNS = np.column_stack([SUM > 0, X[:, 0] > 0, SUM > 1]).astype(int)
COUNTS = np.exp(SUM / 2)
QUICK: dict[str, Any] = {"hidden_layer_sizes": (7, 5), "max_iter": 3, "random_state": 0}

pytestmark = pytest.mark.filterwarnings(
    "ignore::sklearn.exceptions.ConvergenceWarning", "ignore::FutureWarning"
)


def taken(estimator: Any, **arguments: Any) -> fm.Sequential:
    return fm.from_sklearn(estimator, backend="numpy", **arguments)


def probabilities(estimator: Any, rows: Array = X) -> Array:
    """Those that fastmlp gives too: of two classes that of the second."""
    p: Array = estimator.predict_proba(rows)
    return p[:, 1] if p.shape[1] == 2 else p


@pytest.mark.parametrize("activation", ["identity", "logistic", "tanh", "relu"])
@pytest.mark.parametrize("y", [TWO, THREE], ids=["two", "three"])
def test_classifiers(activation: str, y: Array) -> None:
    network = MLPClassifier(activation=activation, **QUICK).fit(X / 10, y)
    model = taken(network)
    assert model.dtype == "float64"
    assert_taken(model, X / 10, probabilities(network, X / 10))
    np.testing.assert_array_equal(model.predict_classes(X / 10), network.predict(X / 10))
    np.testing.assert_array_equal(model.classes, network.classes_)


@pytest.mark.parametrize("activation", ["identity", "logistic", "tanh", "relu"])
@pytest.mark.parametrize("y", [SUM, np.column_stack([SUM, X])], ids=["one", "five"])
def test_regressors(activation: str, y: Array) -> None:
    network = MLPRegressor(activation=activation, **QUICK).fit(X, y)
    model = taken(network)
    assert_taken(model, X, network.predict(X))
    assert model.classes is None


def test_several_labels() -> None:
    network = MLPClassifier(**QUICK).fit(X, COLUMNS)
    model = taken(network)
    assert_taken(model, X, network.predict_proba(X))
    np.testing.assert_array_equal(model.predict_classes(X), network.predict(X))


def test_poisson() -> None:
    if "loss" not in MLPRegressor().get_params():
        pytest.skip("this scikit-learn has no Poisson loss for networks")
    network = MLPRegressor(loss="poisson", **QUICK).fit(X / 10, COUNTS)
    model = taken(network)
    assert model.loss == fm.Poisson()
    assert taken(network, loss="mse").loss == fm.MSE()
    assert_taken(model, X / 10, network.predict(X / 10))


def test_float32() -> None:
    rows = X.astype(np.float32)
    network = MLPClassifier(**QUICK).fit(rows, TWO)
    model = taken(network)
    assert model.dtype == "float32"
    assert_taken(model, rows, probabilities(network, rows))
    wide = taken(MLPClassifier(**QUICK).fit(X, TWO), dtype="float32")
    assert wide.dtype == "float32"


SCALERS = [
    *(StandardScaler(), StandardScaler(with_mean=False), StandardScaler(with_std=False)),
    *(MinMaxScaler(), MinMaxScaler((-1, 1)), MaxAbsScaler(), RobustScaler()),
    RobustScaler(with_centering=False),
]


@pytest.mark.parametrize("scaler", SCALERS, ids=repr)
def test_pipelines(scaler: Any) -> None:
    pipeline = make_pipeline(scaler, MLPClassifier(**QUICK)).fit(X, THREE)
    model = taken(pipeline)
    norm = scaler.get_params() == StandardScaler().get_params()
    assert kinds(model) == ["BatchNorm"] * norm + ["Dense"] * 3
    assert_taken(model, X, pipeline.predict_proba(X))
    np.testing.assert_array_equal(model.predict_classes(X), pipeline.predict(X))


def test_scalers_one_after_the_other() -> None:
    steps = [("a", MinMaxScaler()), ("b", None), ("c", StandardScaler()), ("d", "passthrough")]
    pipeline = Pipeline([*steps, ("e", RobustScaler()), ("f", MLPRegressor(**QUICK))]).fit(X, SUM)
    assert_taken(taken(pipeline), X, pipeline.predict(X))
    outer = make_pipeline(MaxAbsScaler(), make_pipeline(StandardScaler(), Ridge())).fit(X, SUM)
    assert_taken(taken(outer), X, outer.predict(X))


@pytest.mark.parametrize("transformer", [StandardScaler(), MinMaxScaler(), RobustScaler()])
@pytest.mark.parametrize("y", [SUM * 30 + 100, np.column_stack([SUM, X])], ids=["one", "five"])
def test_scaled_targets(transformer: Any, y: Array) -> None:
    network = make_pipeline(StandardScaler(), MLPRegressor(**QUICK))
    estimator = TransformedTargetRegressor(network, transformer=transformer).fit(X, y)
    model = taken(estimator)
    assert kinds(model) == ["BatchNorm", "Dense", "Dense", "Dense"]
    assert_taken(model, X, estimator.predict(X))


@pytest.mark.parametrize(
    "kind", [LinearRegression, Ridge, RidgeCV, Lasso, LassoCV, ElasticNet, ElasticNetCV]
)
def test_linear_models(kind: Any) -> None:
    estimator = kind().fit(X, SUM)
    model = taken(estimator)
    assert kinds(model) == ["Dense"]
    assert_taken(model, X, estimator.predict(X))


def test_linear_models_without_intercept_and_with_several_targets() -> None:
    for estimator in (LinearRegression(fit_intercept=False), Ridge()):
        estimator.fit(X, np.column_stack([SUM, X[:, ::2]]))
        assert_taken(taken(estimator), X, estimator.predict(X))


@pytest.mark.parametrize("y", [TWO, THREE], ids=["two", "three"])
@pytest.mark.parametrize("kind", [LogisticRegression, LogisticRegressionCV])
def test_logistic_regression(kind: Any, y: Array) -> None:
    arguments = {"Cs": 2, "cv": 2} if kind is LogisticRegressionCV else {}
    estimator = kind(max_iter=30, **arguments).fit(X, y)
    model = taken(estimator)
    assert_taken(model, X, probabilities(estimator))
    np.testing.assert_array_equal(model.predict_classes(X), estimator.predict(X))
    np.testing.assert_array_equal(taken(estimator.sparsify()).predict(X), model.predict(X))


def test_training_goes_on() -> None:
    pipeline = make_pipeline(StandardScaler(), MLPClassifier(**QUICK)).fit(X, TWO)
    model = taken(pipeline, optimizer=fm.Adam(0.01), random_state=0)
    before = model.evaluate(X, TWO)
    model.fit(X, TWO, epochs=10, verbose=0)
    after = model.evaluate(X, TWO)
    assert after["loss"] < before["loss"] / 2
    assert after["accuracy"] > 0.95


class Mine(MLPClassifier):  # type: ignore[misc,unused-ignore]
    """A class that may predict anything."""


def scaled(scaler: Any) -> Any:
    return make_pipeline(scaler, Ridge()).fit(X, SUM)


@pytest.mark.parametrize(
    ("estimator", "message"),
    [
        (MLPClassifier(), "MLPClassifier is not fitted; call its fit first"),
        (LinearRegression(), "LinearRegression is not fitted"),
        (TransformedTargetRegressor(Ridge()), "TransformedTargetRegressor is not fitted"),
        (make_pipeline(StandardScaler(), Ridge()), "StandardScaler is not fitted"),
        (Mine(), r"test_sklearn.Mine cannot be taken; .* MLPClassifier"),
        (SGDClassifier(), "SGDClassifier cannot be taken; what can be: MLPClassifier"),
        (StandardScaler(), "StandardScaler cannot be taken"),
        (scaled(PolynomialFeatures()), r"polynomialfeatures \(PolynomialFeatures\) cannot be"),
        (scaled(MinMaxScaler(clip=True)), "MinMaxScaler with clip=True is not linear"),
        (
            TransformedTargetRegressor(Ridge(), func=np.log1p, inverse_func=np.expm1).fit(
                X, COUNTS
            ),
            r"transformer \(FunctionTransformer\) cannot be taken",
        ),
    ],
)
def test_what_cannot_be_taken(estimator: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        taken(estimator)


def test_one_against_the_rest_is_no_softmax() -> None:
    estimator = LogisticRegression().fit(X, THREE)
    estimator.multi_class = "ovr"
    with pytest.raises(ValueError, match="LogisticRegression cannot be taken: one classifier"):
        taken(estimator)


def test_what_is_no_estimator() -> None:
    with pytest.raises(TypeError, match=r"takes an estimator of scikit-learn, got 3 \(int\)"):
        fm.from_sklearn(3)
    with pytest.raises(TypeError, match="optimiser"):
        taken(LinearRegression().fit(X, SUM), optimiser="sgd")
