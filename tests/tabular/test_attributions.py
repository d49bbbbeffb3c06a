"""Attributions of estimators for tables, by the columns of the table."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

import fastmlp as fm
from fastmlp.kernels.typing import Array
from fastmlp.tabular.average import merged

pytestmark = pytest.mark.filterwarnings("ignore::fastmlp.TableWarning")

RNG = np.random.default_rng(0)
N = 300
# Without rows that judge, no simpler model takes the networks' place.
FAST: dict[str, Any] = {"preset": "fast", "random_state": 0, "validation_fraction": 0}
COLORS = np.array(["red", "green", "blue"])
TABLE: dict[str, Any] = {
    "constant": [1.0] * N,
    "size": np.where(RNG.random(N) < 0.1, np.nan, RNG.uniform(20, 80, N)),
    "color": COLORS[RNG.integers(3, size=N)],
    "noise": RNG.normal(size=N),
    "day": np.datetime64("2020-01-01") + RNG.integers(0, 700, N).astype("m8[D]"),
}
PRICE = 1000 + 30 * np.nan_to_num(TABLE["size"], nan=50) + 400 * (TABLE["color"] == "red")
# Networks of classes have kinks (selu) where their probabilities rise steeply.
STEPS, STEEP = 400, 4e-3


def part(table: dict[str, Any], rows: slice) -> dict[str, Any]:
    return {name: values[rows] for name, values in table.items()}


SOME = part(TABLE, slice(0, 40))


@pytest.fixture(scope="module")
def regressor() -> fm.TabularRegressor:
    return fm.TabularRegressor(**FAST).fit(TABLE, PRICE)


def sums(found: Any) -> Array:
    total: Array = found.values.sum(axis=1) + found.base_values
    return total


def test_they_are_by_columns_of_the_table_and_in_units_of_y(
    regressor: fm.TabularRegressor,
) -> None:
    found = regressor.attributions(TABLE)
    assert found.columns == tuple(TABLE)
    assert found.values.shape == (N, 5)
    assert found.explained == "predicted target"
    np.testing.assert_allclose(sums(found), regressor.predict(TABLE), rtol=1e-4)
    importance = dict(zip(found.columns, found.importance, strict=True))
    assert importance["constant"] == 0
    assert importance["size"] > importance["color"] > 2 * max(importance["noise"], 1.0)
    # What comes from one column, a gap's mark among it, is summed.
    place = regressor._model.preparation.place("size")
    assert place.stop - place.start == 2


def test_a_row_is_explained_alone(regressor: fm.TabularRegressor) -> None:
    found = regressor.attributions(TABLE)
    alone = regressor.attributions(part(TABLE, slice(3, 4)))
    np.testing.assert_allclose(alone.values, found.values[3:4], rtol=1e-3, atol=0.1)


def test_the_baseline_is_a_usual_row_or_the_mean_of_some(regressor: fm.TabularRegressor) -> None:
    usual = regressor.attributions(TABLE)
    assert PRICE.min() < usual.base_values[0] < PRICE.max()
    assert (usual.base_values == usual.base_values[0]).all()
    row = part(TABLE, slice(5, 6))
    against = regressor.attributions(TABLE, baseline=row)
    np.testing.assert_allclose(against.base_values, regressor.predict(row)[0], rtol=1e-5)
    np.testing.assert_array_equal(against.values[5], 0)
    np.testing.assert_allclose(sums(against), regressor.predict(TABLE), rtol=1e-4)


def test_several_networks() -> None:
    y = (np.median(PRICE) < PRICE).astype(int)
    model = fm.TabularClassifier(n_members=2, **FAST).fit(TABLE, y)
    assert len(model.members_) == 2
    found = model.attributions(SOME, n_steps=STEPS)
    np.testing.assert_allclose(sums(found), model.predict_proba(SOME)[:, 1], atol=STEEP)


def test_classes() -> None:
    names = np.array(["low", "middle", "top"])[np.digitize(PRICE, np.quantile(PRICE, [0.3, 0.6]))]
    model = fm.TabularClassifier(**FAST).fit(TABLE, names)
    shares = model.predict_proba(SOME)
    found = model.attributions(SOME, n_steps=STEPS)
    assert found.explained == "probability of the predicted class"
    np.testing.assert_allclose(sums(found), shares.max(axis=1), atol=STEEP)
    found = model.attributions(SOME, output="top", n_steps=STEPS)
    assert found.explained == "probability of top"
    np.testing.assert_allclose(sums(found), shares[:, 2], atol=STEEP)
    with pytest.raises(ValueError, match=r"output must be one of the classes \['low', .*'high'"):
        model.attributions(SOME, output="high")


def test_either_of_two_classes() -> None:
    model = fm.TabularClassifier(**FAST).fit(TABLE, np.where(PRICE > 2500, "yes", "no"))
    yes, no = (model.attributions(SOME, output=label, n_steps=STEPS) for label in ("yes", "no"))
    assert model.attributions(SOME, n_steps=2).explained == yes.explained == "probability of yes"
    np.testing.assert_array_equal(no.values, -yes.values)
    np.testing.assert_allclose(no.base_values + yes.base_values, 1.0)
    np.testing.assert_allclose(sums(no), model.predict_proba(SOME)[:, 0], atol=STEEP)


@pytest.mark.parametrize("n_members", [1, 2])
def test_a_target_that_is_learned_in_logarithms_keeps_its_units(n_members: int) -> None:
    model = fm.TabularRegressor(n_members=n_members, **FAST).fit(TABLE, np.log(PRICE))
    table_model = model._model
    target = replace(table_model.preparation.target, log=True)
    preparation = replace(table_model.preparation, target=target)
    model._model = replace(table_model, preparation=preparation)
    found = model.attributions(TABLE)
    np.testing.assert_allclose(sums(found), model.predict(TABLE), rtol=1e-3)
    assert found.importance.max() > 100


def test_numbers_are_those_of_the_network() -> None:
    X = RNG.normal(size=(200, 3))
    model = fm.TabularRegressor(**FAST).fit(X, X[:, 0] - 2 * X[:, 1])
    target = model._model.preparation.target
    expected = merged(model.members_).attributions(model._matrix(X))
    found = model.attributions(X)
    np.testing.assert_allclose(found.values, expected.values * target.scale, rtol=1e-6)


def test_permutation_importance_takes_frames_and_arrays(regressor: fm.TabularRegressor) -> None:
    pandas = pytest.importorskip("pandas")
    inspection = pytest.importorskip("sklearn.inspection")
    frame = pandas.DataFrame(TABLE)
    result = inspection.permutation_importance(regressor, frame, PRICE, n_repeats=2, random_state=0)
    found = regressor.attributions(frame)
    assert found.columns == tuple(frame.columns)
    order = np.argsort(-result.importances_mean)
    assert [found.columns[place] for place in order[:2]] == ["size", "color"]
    assert result.importances_mean[0] == 0
    X = RNG.normal(size=(200, 3))
    of_array = fm.TabularRegressor(**FAST).fit(X, X[:, 1])
    result = inspection.permutation_importance(of_array, X, X[:, 1], n_repeats=2, random_state=0)
    assert result.importances_mean.argmax() == of_array.attributions(X).importance.argmax() == 1


def test_what_is_wrong_with_a_baseline_is_said_of_it(regressor: fm.TabularRegressor) -> None:
    for wrong, words in (
        ([1, 2, 3], "baseline: it must be rows as X has them, .*; got \\[1, 2, 3\\] \\(list\\)"),
        (50.0, "baseline: it must be rows as X has them"),
        ({"size": [50.0]}, "baseline: X lacks"),
    ):
        with pytest.raises(ValueError, match=words):
            regressor.attributions(SOME, baseline=wrong)
