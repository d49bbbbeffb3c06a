"""The plain preparation does what scikit-learn's own does, and nothing else is needed for it."""

from __future__ import annotations

import json
import re

import numpy as np
import pytest

import fastmlp as fm
from fastmlp.tables.preparation import CategoryColumn, Preparation, ScaledColumn, Target, fit

pd = pytest.importorskip("pandas")
pytest.importorskip("sklearn")

KINDS = {"x": "number", "flag": "boolean", "city": "category", "day": "date", "one": "number"}


def some_columns(n: int = 40) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(0)
    x = rng.normal(5, 3, n)
    x[::7] = np.nan
    city = np.array(["Bern", "", "Köln", "a=b"], dtype=object)[rng.integers(4, size=n)]
    return {
        "x": x,
        "flag": rng.integers(2, size=n).astype(float),
        "city": city,
        "day": rng.integers(0, 20000, n).astype(float),
        "one": np.full(n, 3.0),
    }


def model_of(preparation: Preparation) -> fm.Sequential:
    model = fm.Sequential([fm.Dense(1)], backend="numpy", random_state=0)
    model.build(len(preparation.features))
    preparation.attach(model)
    return model


@pytest.fixture
def preparation() -> Preparation:
    return fit(some_columns(), KINDS, np.arange(30), Target("y", "number", mean=2.0, scale=4.0))


def test_beside_scikit_learn(preparation: Preparation) -> None:
    from sklearn.compose import ColumnTransformer
    from sklearn.impute import SimpleImputer
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import OneHotEncoder, StandardScaler

    frame = pd.DataFrame(some_columns())
    numbers = make_pipeline(StandardScaler(), SimpleImputer())
    transformer = ColumnTransformer(
        [
            ("x", numbers, ["x", "flag"]),
            ("city", OneHotEncoder(sparse_output=False), ["city"]),
            ("day", StandardScaler(), ["day"]),
        ]
    ).fit(frame[:30])
    X = preparation.matrix(some_columns(), np.float64)
    np.testing.assert_allclose(X, transformer.transform(frame), rtol=0, atol=1e-15)
    assert preparation.features == (
        *("x", "flag", "city=(missing)", "city=Bern", "city=Köln", "city=a=b", "day"),
    )
    assert preparation.constant == ("one",)


def test_only_the_named_rows_are_looked_at(preparation: Preparation) -> None:
    columns = some_columns()
    for values in columns.values():
        values[30:] = 1e6 if values.dtype == np.float64 else "elsewhere"
    assert fit(columns, KINDS, np.arange(30), preparation.target) == preparation


def test_what_training_has_not_seen(preparation: Preparation) -> None:
    columns = {
        "x": np.array([np.nan]),
        "flag": np.array([np.nan]),
        "city": np.array(["Wien"], dtype=object),
        "day": np.array([np.nan]),
    }
    assert not preparation.matrix(columns, np.float32).any()


def test_saved_with_the_model_as_json(preparation: Preparation, tmp_path) -> None:
    model_of(preparation).save(tmp_path / "m.safetensors")
    model = fm.load(tmp_path / "m.safetensors", backend="numpy")
    assert Preparation.of(model) == preparation
    described = json.loads(model.metadata["preparation"])
    expected = {"name": "y", "kind": "number", "classes": [], "mean": 2.0, "scale": 4.0}
    assert described["target"] == expected
    assert [column["name"] for column in described["columns"]] == ["x", "flag", "city", "day"]
    categories = ["", "Bern", "Köln", "a=b"]
    expected = {"name": "city", "kind": "category", "categories": categories}
    assert described["columns"][2] == expected


def test_a_model_without_one() -> None:
    assert Preparation.of(fm.Sequential([fm.Dense(1)]).build(2)) is None


DAMAGE = [
    ('"version": 1', '"version": 2'),
    ('"scale": 4.0', '"scale": 0.0'),
    ('"scale": 4.0', '"scale": "four"'),
    ('"kind": "date"', '"kind": "moment"'),
    ('"categories": ["", ', '"categories": ['),
    ('"categories": ["", ', '"categories": [1, '),
    ('"name": "x"', '"nome": "x"'),
    ('"columns": [', '"columns": 3, "other": ['),
    ('{"version"', '["version"'),
]


@pytest.mark.parametrize(("text", "other"), DAMAGE)
def test_damaged_metadata(text: str, other: str, preparation: Preparation) -> None:
    model = model_of(preparation)
    assert text in model.metadata["preparation"]
    model.metadata["preparation"] = model.metadata["preparation"].replace(text, other)
    with pytest.raises(fm.ModelFileError, match="damaged preparation"):
        Preparation.of(model)


def test_places_of_columns(preparation: Preparation) -> None:
    assert preparation.place("x") == slice(0, 1)
    assert preparation.place("city") == slice(2, 6)
    assert preparation.place("day") == slice(6, 7)
    assert preparation.place("one") == slice(0, 0)
    assert isinstance(preparation.columns[2], CategoryColumn)
    assert isinstance(preparation.columns[3], ScaledColumn)


def test_targets() -> None:
    assert Target("y", "boolean", ("False", "True")).labels(np.array([0.0, 1.0])).dtype == np.bool_
    whole = Target("y", "number", ("3", "5"))
    assert whole.labels(np.array([3.0, 5.0])).tolist() == [3, 5]
    with pytest.raises(ValueError, match=re.escape("'y' cannot be classes: 3.5 is not whole")):
        whole.labels(np.array([3.0, 3.5]))
    number = Target("y", "number", mean=2.0, scale=4.0)
    y = np.array([1.0, 7.5])
    np.testing.assert_array_equal(number.inverse_transform(number.transform(y).reshape(-1, 1)), y)


def test_nothing_to_learn_from() -> None:
    columns = {"one": np.full(9, 3.0), "void": np.full(9, np.nan)}
    with pytest.raises(ValueError, match="there is nothing to learn from"):
        fit(columns, dict.fromkeys(columns, "number"), np.arange(9), Target("y", "number"))


def test_too_many_categories() -> None:
    columns = {"name": np.array([f"n{i}" for i in range(1001)], dtype=object)}
    with pytest.raises(ValueError, match="leave it out with --drop 'name'"):
        fit(columns, {"name": "category"}, np.arange(1001), Target("y", "number"))


def test_numbers_too_large_to_be_scaled() -> None:
    columns = {"x": np.array([1e308, -1e308, 1e308])}
    with pytest.raises(ValueError, match="'x' has numbers too large to be scaled"):
        fit(columns, {"x": "number"}, np.arange(3), Target("y", "number"))
