"""Networks with what rows went through before them: names, notes, and what passes."""

from __future__ import annotations

import numpy as np
import pytest
from prepared_tables import network, quiet_freeze

from fastmlp.inference.folding import Scaling
from fastmlp.model.freezing import freeze_training

pytest.importorskip("sklearn", reason="scikit-learn is not installed")

from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

RNG = np.random.default_rng(0)
X = np.column_stack([RNG.normal(5, 2, 60), RNG.integers(0, 3, 60), RNG.normal(size=60)])


def test_names_are_those_of_what_goes_in() -> None:
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame(X, columns=["size", "kind", "age"])
    parts = [("c", OneHotEncoder(sparse_output=False), ["kind"])]
    transformer = ColumnTransformer(parts, remainder=StandardScaler())
    rows = transformer.set_output(transform="pandas").fit_transform(frame)
    model = network(5, "float64")
    model.fit(rows, np.arange(60) % 3, epochs=1, verbose=0)
    assert model.feature_names == tuple(rows.columns)
    predictor = model.freeze(transformer)
    assert predictor.feature_names == ("size", "kind", "age")
    np.testing.assert_allclose(predictor(frame), model.predict(rows), atol=1e-12)
    # Of arrays there are no names, and those of what is made of them are no longer true.
    plain = ColumnTransformer([("c", OneHotEncoder(), [1])], remainder=StandardScaler()).fit(X)
    assert model.freeze(plain).feature_names is None


def test_steps_that_pass_are_none() -> None:
    model = network(3, "float64")
    alone = model.freeze()
    for before in (None, [], [("a", "passthrough")], Pipeline([("a", None), ("b", "passthrough")])):
        np.testing.assert_array_equal(model.freeze(before)(X), alone(X))
    scaler = StandardScaler().fit(X)
    expected = model.freeze(scaler)(X)
    for before in (make_pipeline("passthrough", scaler), [("scale", scaler)]):
        np.testing.assert_array_equal(model.freeze(before)(X), expected)


def test_a_scaling_of_the_output_comes_last() -> None:
    model = network(3, "float64")
    training, after = model.training_state, Scaling(np.full(3, 2.0), np.full(3, -1.0))
    scaler = StandardScaler().fit(X)
    for before in (None, scaler, ColumnTransformer([("s", scaler, [0, 1, 2])]).fit(X)):
        predictor = freeze_training(training, "numpy", 1, before, after)
        np.testing.assert_allclose(predictor(X), 2 * model.freeze(before)(X) - 1, atol=1e-12)


def test_notes_are_warnings() -> None:
    imputer = SimpleImputer().fit(np.where(X > 8, np.nan, X))
    _, notes = quiet_freeze(network(3, "float64").freeze, imputer)
    assert len(notes) == 1


@pytest.mark.parametrize("n_categories", [3000])
def test_many_categories_and_many_columns_take_no_square_of_them(n_categories: int) -> None:
    rows = np.arange(n_categories, dtype=float).reshape(-1, 1)
    encoder = OneHotEncoder(handle_unknown="infrequent_if_exist", min_frequency=1).fit(rows)
    model = network(n_categories, "float32")
    predictor = model.freeze(encoder)
    expected = model.predict(encoder.transform(rows[::500]).toarray())
    np.testing.assert_allclose(predictor(rows[::500]), expected, atol=1e-5)
