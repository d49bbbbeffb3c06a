"""Fitted transformers as part of a network: what it computes on rows as they were before them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from prepared_tables import dense_rows, every_form, network, preparation, quiet_freeze, table

import fastmlp as fm
from fastmlp.inference.transformers import preparation_of, steps_of

pytest.importorskip("sklearn", reason="scikit-learn is not installed")

from sklearn import preprocessing
from sklearn.compose import ColumnTransformer, make_column_selector
from sklearn.decomposition import PCA
from sklearn.impute import SimpleImputer
from sklearn.pipeline import FeatureUnion, Pipeline, make_pipeline
from sklearn.preprocessing import MaxAbsScaler, OneHotEncoder, OrdinalEncoder, StandardScaler

TOLERANCE = {"float32": 2e-5, "float64": 1e-12}


def check(transformer: Any, X: Any, dtype: str = "float64", layers: Any = None) -> Any:
    """Fold a fitted transformer into a network, and compare both."""
    rows = dense_rows(transformer, X)
    model = network(rows.shape[1], dtype, layers)
    expected = model.predict(rows)
    predictor, _ = quiet_freeze(model.freeze, transformer)
    found = predictor(np.asarray(X, np.float64))
    assert np.abs(found - expected).max() <= TOLERANCE[dtype]
    return predictor


@pytest.mark.parametrize("dtype", TOLERANCE)
@pytest.mark.parametrize("seed", range(60))
def test_random_preparations(seed: int, dtype: str) -> None:
    rng = np.random.default_rng(seed)
    X, numbers, categories = table(rng)
    transformer = preparation(rng, numbers, categories).fit(X, X[:, 0])
    predictor = check(transformer, X, dtype)
    assert predictor.n_features == X.shape[1]
    assert predictor.feature_names is None
    kinds = [type(op).__name__ for op in predictor.program.ops]
    assert [kind for kind in kinds if kind != "OneHotOp"] == [
        *("DenseOp", "ActivationOp", "DenseOp", "ActivationOp")
    ], "nothing is left of it but what compares categories"


@pytest.mark.parametrize("seed", range(20))
def test_unknown_categories_are_what_the_encoder_makes_of_them(seed: int) -> None:
    rng = np.random.default_rng(1000 + seed)
    X, numbers, categories = table(rng)
    transformer = preparation(rng, numbers, categories).fit(X, X[:, 0])
    model = network(dense_rows(transformer, X).shape[1], "float64")
    predictor = model.freeze(transformer)
    for column in categories:
        strange = X[:3].copy()
        strange[:, column] = [0.125, 99.0, -50.0]
        rows = known_rows(transformer, strange)
        if rows is None:
            with pytest.raises(ValueError, match=f"category .* column {column}, where training"):
                predictor(strange)
        else:
            np.testing.assert_allclose(predictor(strange), model.predict(rows), atol=1e-12)


def known_rows(transformer: Any, X: Any) -> Any:
    """Rows as a transformer makes them; None where it refuses their categories."""
    try:
        return dense_rows(transformer, X)
    except ValueError as error:
        if "Found unknown categories" not in str(error):
            raise
        return None


@pytest.mark.parametrize("dtype", TOLERANCE)
@pytest.mark.parametrize("seed", range(6))
def test_every_export_gives_the_same(seed: int, dtype: str, tmp_path: Path) -> None:
    rng = np.random.default_rng(2000 + seed)
    X, numbers, categories = table(rng)
    transformer = preparation(rng, numbers, categories).fit(X, X[:, 0])
    predictor = check(transformer, X, dtype)
    expected = predictor(X)
    for form, outputs in every_form(predictor, X, tmp_path).items():
        found = outputs - expected[: len(outputs)]
        assert np.abs(found).max() <= TOLERANCE[dtype], form


NETWORKS = {
    "batch norm first": [fm.BatchNorm(), fm.Dense(3, "tanh"), fm.Dense(2)],
    "branches": [fm.Branch([fm.Dense(2, "tanh")], []), fm.Dense(2)],
    "residual": [fm.Residual([fm.Dense(8)]), fm.Activation("tanh"), fm.Dense(1)],
    "wide and deep": [fm.WideAndDeep(2, deep=[fm.Dense(3, "relu")], wide=[0, 2])],
    "activation": [fm.Activation("tanh"), fm.Dense(2)],
    "no bias": [fm.Dense(3, use_bias=False), fm.Dense(1)],
}


@pytest.mark.parametrize("encoder", [OneHotEncoder(), OrdinalEncoder(), "passthrough"])
@pytest.mark.parametrize("name", NETWORKS)
def test_networks_that_begin_otherwise(name: str, encoder: Any, tmp_path: Path) -> None:
    X, numbers, categories = table(np.random.default_rng(3))
    parts = [("c", encoder, categories[:2]), ("n", StandardScaler(), numbers)]
    transformer = ColumnTransformer(parts).fit(X)
    layers = NETWORKS[name]
    if name == "residual":
        layers = [fm.Dense(8), *layers]
    predictor = check(transformer, X, layers=layers)
    expected = predictor(X)
    for form, outputs in every_form(predictor, X, tmp_path).items():
        np.testing.assert_allclose(outputs, expected[: len(outputs)], atol=1e-10, err_msg=form)


def test_codes_of_an_embedding_go_through() -> None:
    rng = np.random.default_rng(0)
    X = np.column_stack([rng.normal(5, 2, 50), rng.integers(0, 4, 50), rng.normal(size=50)])
    layers = [fm.Embedding(4, 2, 0), fm.Dense(2, "tanh")]
    parts = [("codes", "passthrough", [1]), ("rest", StandardScaler(), [2, 0])]
    transformer = ColumnTransformer(parts).fit(X)
    predictor = check(transformer, X, layers=layers)
    with pytest.raises(ValueError, match=r"has 4 in row 0, column 1, where an Embedding expects"):
        predictor([[0.0, 4.0, 0.0]])
    scaled = ColumnTransformer([("all", MaxAbsScaler(), [1, 0, 2])]).fit(X)
    with pytest.raises(ValueError, match="holds the codes of an Embedding, which must not be"):
        network(3, "float64", layers).freeze(scaled)
    one_hot = ColumnTransformer([("c", OneHotEncoder(), [1])], remainder="passthrough").fit(X)
    check(one_hot, X, layers=[fm.Embedding(2, 3, 0), fm.Dense(1)])


@pytest.mark.parametrize("chosen", [["b", "a"], slice("b", "c"), [False, True, True, False]])
def test_columns_by_name(chosen: Any) -> None:
    pandas = pytest.importorskip("pandas")
    rng = np.random.default_rng(0)
    frame = pandas.DataFrame(rng.normal(size=(40, 4)), columns=list("abcd"))
    transformer = ColumnTransformer([("s", StandardScaler(), chosen)], remainder=MaxAbsScaler())
    transformer.fit(frame)
    predictor = check(transformer, frame)
    assert predictor.feature_names == tuple("abcd")
    np.testing.assert_array_equal(predictor(frame), predictor(frame.to_numpy()))
    with pytest.raises(ValueError, match="another order"):
        predictor(frame[list("dcba")])


def test_columns_by_negative_numbers_and_by_selectors() -> None:
    pandas = pytest.importorskip("pandas")
    rng = np.random.default_rng(0)
    X = rng.normal(size=(40, 4))
    check(ColumnTransformer([("s", StandardScaler(), [-1, 0])]).fit(X), X)
    frame = pandas.DataFrame({"a": X[:, 0], "k": rng.integers(0, 3, 40), "b": X[:, 1]})
    parts = [
        ("n", StandardScaler(), make_column_selector(dtype_include=float)),
        ("c", OneHotEncoder(), make_column_selector(dtype_include=int)),
    ]
    transformer = ColumnTransformer(parts).set_output(transform="default").fit(frame)
    check(transformer, frame)


def test_frames_within_and_booleans() -> None:
    pandas = pytest.importorskip("pandas")
    rng = np.random.default_rng(1)
    frame = pandas.DataFrame({"a": rng.normal(size=60), "yes": rng.random(60) < 0.5})
    frame["k"] = rng.choice([3, 5], 60)
    inner = ColumnTransformer(
        [("c", OneHotEncoder(sparse_output=False), ["yes", "k"])],
        remainder="passthrough",
        verbose_feature_names_out=False,
    )
    second = ColumnTransformer([("s", StandardScaler(), ["a", "yes_True"])], remainder="drop")
    pipeline = make_pipeline(inner, second).set_output(transform="pandas").fit(frame)
    predictor = check(pipeline, frame)
    assert predictor.feature_names == ("a", "yes", "k")
    np.testing.assert_array_equal(predictor(frame), predictor(frame.to_numpy(float)))


# Gaps


@pytest.mark.parametrize("strategy", ["mean", "median", "most_frequent", "constant"])
@pytest.mark.parametrize("indicator", [False, True])
def test_gaps_are_told(strategy: str, indicator: bool) -> None:
    rng = np.random.default_rng(0)
    X = rng.normal(3, 1, size=(60, 3)).round(1)
    gaps = X.copy()
    gaps[::7, 1] = np.nan
    fill = 4.5 if strategy == "constant" else None
    imputer = SimpleImputer(strategy=strategy, fill_value=fill, add_indicator=indicator)
    pipeline = make_pipeline(StandardScaler(), imputer).fit(gaps)
    model = network(pipeline.transform(X).shape[1], "float64")
    predictor, notes = quiet_freeze(model.freeze, pipeline)
    np.testing.assert_allclose(predictor(X), model.predict(pipeline.transform(X)), atol=1e-12)
    (note,) = notes
    assert note.startswith("a predictor refuses NaN, where the pipeline fills gaps: put")
    # What is told, put in by hand, gives what the pipeline gives.
    if not indicator:
        by_hand = float(note.split("'x1' ")[1].split(",")[0])
        filled = np.where(np.isnan(gaps), by_hand, gaps)
        expected = model.predict(pipeline.transform(gaps))
        np.testing.assert_allclose(predictor(filled), expected, atol=1e-4)
    with pytest.raises(ValueError, match="NaN"):
        predictor(gaps)


@pytest.mark.parametrize("indicator", [False, True])
def test_gaps_that_are_a_number_are_filled(indicator: bool, tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    X = rng.normal(3, 1, size=(60, 3))
    X[::7, 1] = X[::9, 2] = -999
    imputer = SimpleImputer(missing_values=-999, add_indicator=indicator)
    predictor = check(make_pipeline(imputer, StandardScaler()).fit(X), X)
    for form, outputs in every_form(predictor, X, tmp_path).items():
        np.testing.assert_allclose(outputs, predictor(X)[: len(outputs)], atol=1e-11, err_msg=form)


@pytest.mark.filterwarnings("ignore:Skipping features without any observed values")
def test_a_column_of_gaps_alone_is_dropped_or_constant() -> None:
    X = np.column_stack([np.arange(9.0), np.full(9, np.nan), np.arange(9.0) ** 2])
    for keeps in (False, True):
        pipeline = make_pipeline(SimpleImputer(keep_empty_features=keeps), StandardScaler()).fit(X)
        model = network(2 + keeps, "float64")
        predictor, _ = quiet_freeze(model.freeze, pipeline)
        filled = np.where(np.isnan(X), 0.0, X)
        expected = model.predict(pipeline.transform(filled))
        np.testing.assert_allclose(predictor(filled), expected, atol=1e-12)


def test_gaps_as_a_category_of_numbers() -> None:
    X = np.array([[1.0], [2.0], [np.nan], [2.0], [1.0]])
    encoder = OneHotEncoder().fit(X)
    model = network(3, "float64")
    predictor, (note,) = quiet_freeze(model.freeze, encoder)
    assert "refuses NaN, which is a category of 'x0'" in note
    known = X[[0, 1, 3]]
    np.testing.assert_allclose(predictor(known), model.predict(dense_rows(encoder, known)))


# Texts


def test_columns_of_texts_take_1_for_their_category(tmp_path: Path) -> None:
    pandas = pytest.importorskip("pandas")
    rng = np.random.default_rng(0)
    frame = pandas.DataFrame(
        {
            "size": rng.normal(5, 2, 90),
            "color": rng.choice(["red", "blue", "green"], 90),
            "id": [f"row {i}" for i in range(90)],
            "grade": rng.choice(["low", "mid", "high"], 90),
            "code": rng.choice([3, 8], 90),
        }
    )
    grades = OrdinalEncoder(categories=[["low", "mid", "high"]])
    parts = [
        ("grade", make_pipeline(grades, StandardScaler()), ["grade"]),
        ("one-hot", OneHotEncoder(drop="first", min_frequency=25), ["code", "color"]),
        ("size", StandardScaler(), ["size"]),
    ]
    transformer = ColumnTransformer(parts).fit(frame)
    rows = dense_rows(transformer, frame)
    model = network(rows.shape[1], "float64")
    predictor, (note,) = quiet_freeze(model.freeze, transformer)
    assert predictor.feature_names == (
        *("size", "color_blue", "color_green", "color_red"),
        *("grade_low", "grade_mid", "grade_high", "code"),
    )
    assert "in the place of the texts of 'color', 'grade' it reads" in note
    inputs = pandas.get_dummies(frame).reindex(columns=list(predictor.feature_names), fill_value=0)
    expected = model.predict(rows)
    np.testing.assert_allclose(predictor(inputs), expected, atol=1e-12)
    for form, outputs in every_form(predictor, inputs.to_numpy(float), tmp_path).items():
        np.testing.assert_allclose(outputs, expected[: len(outputs)], atol=1e-10, err_msg=form)


def test_texts_without_names_and_unknown_ones() -> None:
    X = np.array([["a", "x"], ["b", "y"], ["a", "z"], ["b", "x"]] * 5, object)
    encoder = OneHotEncoder(handle_unknown="infrequent_if_exist", min_frequency=6).fit(X)
    model = network(4, "float64")
    predictor, _ = quiet_freeze(model.freeze, encoder)
    assert predictor.feature_names == ("x0_a", "x0_b", "x1_x", "x1_y", "x1_z")
    expected = model.predict(dense_rows(encoder, np.array([["a", "z"], ["c", "w"]], object)))
    np.testing.assert_allclose(predictor([[1, 0, 0, 0, 1], [0, 0, 0, 0, 0]]), expected, atol=1e-12)


# What cannot be


def test_two_kinds_of_gaps_are_refused() -> None:
    X = np.array([["a"], [None], [np.nan], ["b"]], object)
    with pytest.raises(ValueError, match="None and nan are different categories; make one"):
        network(4, "float64").freeze(OneHotEncoder().fit(X))


def test_steps_that_cannot_be_folded_are_named() -> None:
    X, numbers, categories = table(np.random.default_rng(0))
    model = network(8, "float64")
    power = preprocessing.PowerTransformer()
    inner = Pipeline([("scale", StandardScaler()), ("bend", power)])
    nested = ColumnTransformer([("n", inner, numbers)], remainder="passthrough").fit(X)
    message = r"the step 'n > bend' \(PowerTransformer\) cannot be folded .* OneHotEncoder, "
    with pytest.raises(ValueError, match=message):
        model.freeze(nested)
    with pytest.raises(ValueError, match=r"the PCA cannot be folded"):
        model.freeze(PCA().fit(X))
    log = preprocessing.FunctionTransformer(np.log1p).fit(np.abs(X))
    with pytest.raises(ValueError, match=r"'functiontransformer'.* its function, here log1p, may"):
        model.freeze(make_pipeline(StandardScaler(), log).fit(np.abs(X)))
    clipped = FeatureUnion([("m", preprocessing.MinMaxScaler(clip=True))]).fit(X)
    with pytest.raises(ValueError, match="clip=True is not linear"):
        model.freeze(clipped)
    late = make_pipeline(StandardScaler(), OneHotEncoder()).fit(X[:, categories])
    with pytest.raises(ValueError, match=r"it reads columns that other steps have changed"):
        model.freeze(late)
    own = type("StandardScaler", (StandardScaler,), {"__module__": "mine"})()
    with pytest.raises(TypeError, match=r"mine.StandardScaler \(the step 'own'\) is no transform"):
        model.freeze(Pipeline([("own", own), ("scale", StandardScaler())]).fit(X))
    imputer = SimpleImputer(missing_values="?", strategy="constant", keep_empty_features=True)
    text = imputer.fit(np.full((3, 8), "?", object))
    with pytest.raises(ValueError, match=r"of missing_values='\?' a predictor"):
        model.freeze(text)


def test_not_fitted_and_other_widths() -> None:
    X, numbers, _ = table(np.random.default_rng(0))
    model = network(8, "float64")
    for transformer in (OneHotEncoder(), make_pipeline(StandardScaler(), MaxAbsScaler())):
        with pytest.raises(ValueError, match="is not fitted; call its fit first"):
            model.freeze(transformer)
    with pytest.raises(ValueError, match="makes 4 columns, but the network reads 8"):
        model.freeze(ColumnTransformer([("n", StandardScaler(), numbers)]).fit(X))
    pipeline = make_pipeline(StandardScaler(), MaxAbsScaler()).fit(X)
    pipeline.steps[1] = ("maxabsscaler", MaxAbsScaler().fit(X[:, :3]))
    with pytest.raises(ValueError, match=r"\(MaxAbsScaler\) was fitted on 3 columns, but gets 8"):
        model.freeze(pipeline)


def test_categories_that_are_one_number_in_float32() -> None:
    X = np.array([[16777216.0], [16777217.0]])
    encoder = OneHotEncoder().fit(X)
    with pytest.raises(ValueError, match=r"categories of column 0 cannot be told apart in float32"):
        network(2, "float32").freeze(encoder)
    check(encoder, X, "float64")
    thirds = np.array([[1 / 3], [2 / 3], [0.1]])
    check(OneHotEncoder().fit(thirds), thirds, "float32")


def test_digits_that_are_lost_are_told_by_name() -> None:
    pandas = pytest.importorskip("pandas")
    rng = np.random.default_rng(0)
    frame = pandas.DataFrame({"a": rng.normal(size=50), "time": 1.7e9 + rng.normal(size=50)})
    transformer = ColumnTransformer([("s", StandardScaler(), ["time", "a"])]).fit(frame)
    _, (note,) = quiet_freeze(network(2, "float32").freeze, transformer)
    assert "1 of the 2 columns of X lie too far" in note
    assert "column 1, 'time'," in note


def test_two_inputs_take_scalers_alone() -> None:
    X = np.random.default_rng(0).normal(size=(20, 3))
    layers = [fm.WideAndDeep(1, deep=[fm.Dense(2)])]
    model = network((2, 3), "float64", layers)  # type: ignore[arg-type]
    twice = make_pipeline(StandardScaler(), MaxAbsScaler()).fit(X)
    expected = model.predict((X[:, :2], twice.transform(X)))
    np.testing.assert_allclose(model.freeze(twice)((X[:, :2], X)), expected, atol=1e-12)
    encoder = OneHotEncoder().fit(np.array([[0.0], [1.0], [2.0]]))
    with pytest.raises(ValueError, match="of a network with two inputs only scalers"):
        model.freeze(encoder)


def test_what_is_only_a_scaling_is_one() -> None:
    X = np.random.default_rng(0).normal(size=(20, 3))
    pipeline = make_pipeline("passthrough", StandardScaler(), MaxAbsScaler()).fit(X)
    steps = steps_of(pipeline)
    assert [name for name, _ in steps] == ["standardscaler", "maxabsscaler"]
    assert preparation_of(steps).scaling() is not None
    swapped = ColumnTransformer([("s", StandardScaler(), [1, 0, 2])]).fit(X)
    for other in (OneHotEncoder().fit(X.round()), swapped):
        assert preparation_of(steps_of(other)).scaling() is None
    assert steps_of(None) == []
