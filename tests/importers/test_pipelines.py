"""`freeze` of fitted pipelines: what they predict, from the rows that they read."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from prepared_tables import every_form, preparation, quiet_freeze, table
from scipy import sparse

import fastmlp as fm
from fastmlp.kernels.typing import Array

pytest.importorskip("sklearn", reason="scikit-learn is not installed")

from sklearn import neural_network
from sklearn.compose import ColumnTransformer, TransformedTargetRegressor
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import (
    FunctionTransformer,
    MaxAbsScaler,
    MinMaxScaler,
    OneHotEncoder,
    StandardScaler,
)

pytestmark = pytest.mark.filterwarnings(
    "ignore::sklearn.exceptions.ConvergenceWarning", "ignore:Found unknown categories"
)
TOLERANCE = {"float32": 1e-5, "float64": 1e-10}
RNG = np.random.default_rng(0)
X, NUMBERS, CATEGORIES = table(np.random.default_rng(8))
NOISY = X[:, NUMBERS[0]] / X[:, NUMBERS[0]].std() + X[:, CATEGORIES[0]] + RNG.normal(size=len(X))
TARGETS: dict[str, Any] = {
    "binary": np.where(np.median(NOISY) < NOISY, "yes", "no"),
    "multiclass": np.digitize(NOISY, np.quantile(NOISY, [0.3, 0.7])) + 5,
    "multilabel": (X[:, NUMBERS[:3]] > X[:, NUMBERS[:3]].mean(axis=0)).astype(int),
    "numbers": 3 * NOISY + 10,
    "several numbers": np.column_stack([NOISY, X[:, NUMBERS[1]]]),
}
QUICK: dict[str, Any] = {"hidden_layer_sizes": (6,), "max_iter": 5, "random_state": 0}


def estimator(task: str, **arguments: Any) -> Any:
    kind = fm.MLPRegressor if "numbers" in task else fm.MLPClassifier
    return kind(**{**QUICK, **arguments})


def outputs(fitted: Any, rows: Any) -> Array:
    """What a predictor gives in the place of ``predict_proba`` or ``predict``."""
    if not hasattr(fitted, "predict_proba"):
        found: Array = np.asarray(fitted.predict(rows)).reshape(len(rows), -1)
        return found
    found = fitted.predict_proba(rows)
    return found[:, 1:] if found.shape[1] == 2 else found


def check(fitted: Any, rows: Array, dtype: str = "float64", classes: bool = True) -> Any:
    predictor, _ = quiet_freeze(fm.freeze, fitted)
    expected = outputs(fitted, rows)
    assert predictor.dtype == dtype
    np.testing.assert_allclose(predictor(rows), expected, atol=TOLERANCE[dtype] * 30, rtol=1e-5)
    assert np.abs(predictor(rows) - expected).max() <= TOLERANCE[dtype] * np.abs(expected).max()
    if classes and hasattr(fitted, "predict_proba"):
        np.testing.assert_array_equal(predictor.predict_classes(rows), fitted.predict(rows))
    return predictor


@pytest.mark.parametrize("dtype", TOLERANCE)
@pytest.mark.parametrize("task", TARGETS)
@pytest.mark.parametrize("seed", range(3))
def test_random_pipelines(seed: int, task: str, dtype: str) -> None:
    rng = np.random.default_rng(10 * seed + len(task))
    rows = X.astype(dtype)
    made = preparation(rng, NUMBERS, CATEGORIES)
    # An encoder makes double precision of anything.
    pipeline = make_pipeline(made, estimator(task, dtype=dtype)).fit(rows, TARGETS[task])
    check(pipeline, rows, dtype)


@pytest.mark.parametrize("task", TARGETS)
def test_every_export_gives_the_same(task: str, tmp_path: Path) -> None:
    parts = [
        ("categories", OneHotEncoder(drop="if_binary", min_frequency=20), CATEGORIES[::-1]),
        ("numbers", make_pipeline(MinMaxScaler(), StandardScaler()), [NUMBERS[2], NUMBERS[0]]),
    ]
    pipeline = make_pipeline(ColumnTransformer(parts), estimator(task)).fit(X, TARGETS[task])
    predictor, expected = check(pipeline, X), outputs(pipeline, X)
    for form, found in every_form(predictor, X, tmp_path).items():
        np.testing.assert_allclose(found, expected[: len(found)], atol=1e-9, err_msg=form)


def test_frames_in_their_order_and_pipelines_that_hand_on_frames() -> None:
    pandas = pytest.importorskip("pandas")
    names = [f"c{place}" for place in range(X.shape[1])]
    frame = pandas.DataFrame(X, columns=names)
    parts = [
        ("c", OneHotEncoder(sparse_output=False), [names[place] for place in CATEGORIES[:2]]),
        ("n", StandardScaler(), [names[place] for place in NUMBERS]),
    ]
    for output in ("default", "pandas"):
        pipeline = make_pipeline(ColumnTransformer(parts), estimator("binary"))
        pipeline.set_output(transform=output).fit(frame, TARGETS["binary"])
        predictor = check(pipeline, frame)
        assert predictor.feature_names == tuple(names)
        with pytest.raises(ValueError, match="another order"):
            predictor(frame[names[::-1]])


def test_columns_of_texts_in_a_pipeline() -> None:
    pandas = pytest.importorskip("pandas")
    words = np.array(["red", "green", "blue"])[(X[:, CATEGORIES[0]] * 7).astype(int) % 3]
    frame = pandas.DataFrame({"color": words, "size": X[:, NUMBERS[0]]})
    parts = [("c", OneHotEncoder(), ["color"]), ("n", StandardScaler(), ["size"])]
    pipeline = make_pipeline(ColumnTransformer(parts), estimator("multiclass"))
    pipeline.fit(frame, TARGETS["multiclass"])
    with pytest.warns(UserWarning, match="in the place of the texts of 'color' it reads"):
        predictor = fm.freeze(pipeline)
    listed = list(dict.fromkeys(predictor.feature_names))
    assert listed == [*(f"color_{word}" for word in sorted(set(words))), "size"]
    inputs = pandas.get_dummies(frame).reindex(columns=listed, fill_value=0)
    np.testing.assert_allclose(predictor(inputs), pipeline.predict_proba(frame), atol=1e-12)


def test_sparse_rows_went_in() -> None:
    rows = np.where(X > 0, X, 0.0)
    pipeline = make_pipeline(MaxAbsScaler(), StandardScaler(with_mean=False), estimator("binary"))
    pipeline.fit(sparse.csr_matrix(rows), TARGETS["binary"])
    check(pipeline, rows)


@pytest.mark.parametrize("task", ["numbers", "several numbers"])
@pytest.mark.parametrize(
    "transformer",
    [StandardScaler(), MinMaxScaler((1, 3)), make_pipeline(StandardScaler(), MaxAbsScaler()), None],
)
def test_scaled_targets(task: str, transformer: Any, tmp_path: Path) -> None:
    inner = make_pipeline(StandardScaler(), estimator(task))
    fitted = TransformedTargetRegressor(inner, transformer=transformer).fit(X, TARGETS[task])
    predictor = check(fitted, X)
    assert sum(type(op).__name__ == "ScaleOp" for op in predictor.program.ops) == 0
    outer = make_pipeline(
        MinMaxScaler(), TransformedTargetRegressor(estimator(task), transformer=transformer)
    )
    check(outer.fit(X, TARGETS[task]), X)


def test_targets_scaled_twice_and_rates() -> None:
    within = TransformedTargetRegressor(estimator("numbers"), transformer=MinMaxScaler((2, 4)))
    fitted = TransformedTargetRegressor(within, transformer=StandardScaler())
    check(fitted.fit(X, TARGETS["numbers"]), X)
    counts = np.random.default_rng(0).poisson(2.0, len(X)).astype(float)
    rates = TransformedTargetRegressor(
        estimator("numbers", loss="poisson"), transformer=MaxAbsScaler()
    )
    check(make_pipeline(StandardScaler(), rates).fit(X, counts), X)
    logs = TransformedTargetRegressor(estimator("numbers"), func=np.log, inverse_func=np.exp)
    logs.fit(X, counts + 1)
    with pytest.raises(ValueError, match="here log and exp, may be any function"):
        fm.freeze(logs)


def test_searches() -> None:
    pipeline = Pipeline([("scale", StandardScaler()), ("network", estimator("binary"))])
    grid = {"network__hidden_layer_sizes": [(2,), (3,)]}
    search = GridSearchCV(pipeline, grid, cv=2).fit(X, TARGETS["binary"])
    check(search, X)
    ranked = GridSearchCV(pipeline, grid, cv=2, refit=False).fit(X, TARGETS["binary"])
    with pytest.raises(ValueError, match=r"no best_estimator_; make it with refit=True"):
        fm.freeze(ranked)


def test_estimators_models_and_networks_of_scikit_learn() -> None:
    y = TARGETS["multiclass"]
    ours = estimator("multiclass").fit(X, y)
    check(ours, X)
    np.testing.assert_array_equal(fm.freeze(ours.network_)(X), ours.predict_proba(X))
    theirs = neural_network.MLPClassifier(**QUICK)
    check(make_pipeline(StandardScaler(), OneHotEncoderOf(CATEGORIES), theirs).fit(X, y), X)
    line = LogisticRegression()
    check(make_pipeline(OneHotEncoderOf(CATEGORIES), line).fit(X, y), X)
    check(make_pipeline(estimator("binary")).fit(X, TARGETS["binary"]), X)
    check(Pipeline([("none", "passthrough"), ("n", estimator("binary"))]).fit(X, y), X)


def OneHotEncoderOf(columns: list[int]) -> Any:
    """What leaves all columns but one as they are."""
    return ColumnTransformer([("c", FunctionTransformer(), columns[:1])], remainder="passthrough")


def test_parts_by_hand_give_the_same() -> None:
    pipeline = make_pipeline(
        ColumnTransformer([("c", OneHotEncoder(), CATEGORIES)], remainder=StandardScaler()),
        estimator("binary"),
    ).fit(X, TARGETS["binary"])
    expected = fm.freeze(pipeline)(X)
    last = pipeline[-1]
    for predictor in (
        last.freeze(preparation=pipeline[:-1]),
        last.freeze(pipeline[0]),
        last.freeze(pipeline.steps[:-1]),
        last.network_.freeze(scaler=pipeline[:-1]),
    ):
        np.testing.assert_array_equal(predictor(X), expected)
    assert last.freeze().n_features == last.n_features_in_


def test_backends_and_threads_are_those_of_the_estimator() -> None:
    pipeline = make_pipeline(StandardScaler(), estimator("binary", backend="numpy", n_threads=1))
    predictor = fm.freeze(pipeline.fit(X, TARGETS["binary"]))
    assert (predictor.backend, predictor.n_threads) == ("numpy", 1)


def test_what_is_refused() -> None:
    with pytest.raises(ValueError, match="is not fitted"):
        fm.freeze(make_pipeline(StandardScaler(), estimator("binary")))
    with pytest.raises(TypeError, match="freeze takes an estimator of scikit-learn"):
        fm.freeze(X)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        clipped = make_pipeline(MinMaxScaler(clip=True), MaxAbsScaler(), estimator("binary"))
        clipped.fit(X, TARGETS["binary"])
    with pytest.raises(ValueError, match=r"clip=True is not linear"):
        fm.freeze(clipped)
