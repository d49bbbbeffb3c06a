"""Encoders as tables: the numbers that stand for each category are those of `transform`."""

from __future__ import annotations

import itertools
import warnings
from typing import Any

import numpy as np
import pytest

from fastmlp.inference.encoders import one_hot_table, ordinal_table

pytest.importorskip("sklearn", reason="scikit-learn is not installed")

from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder

NUMBERS = np.repeat([3.0, 1.0, 7.0, 2.0, 5.0], [9, 2, 8, 1, 6]).reshape(-1, 1)
TWO = np.repeat([4.0, 2.0], [3, 9]).reshape(-1, 1)
TEXTS = np.array([f"word {value:g}" for value in NUMBERS[:, 0]], object).reshape(-1, 1)
GAPS = np.where(NUMBERS == 7.0, np.nan, NUMBERS)
TEXT_GAPS = TEXTS.copy()
TEXT_GAPS[:5, 0] = None
TABLES = {"numbers": NUMBERS, "two": TWO, "texts": TEXTS, "gaps": GAPS, "text gaps": TEXT_GAPS}
UNKNOWN = {"numbers": 99.0, "two": 99.0, "texts": "other", "gaps": 99.0, "text gaps": "other"}


def transformed(encoder: Any, value: Any) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return encoder.transform(np.array([[value]], object if isinstance(value, str) else None))


def check(encoder: Any, table: Any, unknown: Any) -> None:
    """Compare a table with what the encoder does."""
    default = [lookup.default for lookup in table.columns]
    for place, category in enumerate(table.categories):
        values = [lookup.values.get(place, lookup.default) for lookup in table.columns]
        row = np.array([[category]], encoder.categories_[0].dtype)
        np.testing.assert_array_equal(encoder.transform(row)[0], values)
    if table.strict:
        with pytest.raises(ValueError, match="Found unknown categories"):
            transformed(encoder, unknown)
    else:
        np.testing.assert_array_equal(transformed(encoder, unknown)[0], default)


@pytest.mark.parametrize("kind", TABLES)
@pytest.mark.parametrize(
    ("drop", "handle", "limits"),
    list(
        itertools.product(
            [None, "first", "if_binary"],
            ["error", "ignore", "infrequent_if_exist", "warn"],
            [{}, {"min_frequency": 7}, {"max_categories": 2}, {"max_categories": 9}],
        )
    ),
)
def test_one_hot(kind: str, drop: Any, handle: str, limits: dict[str, Any]) -> None:
    encoder = OneHotEncoder(drop=drop, handle_unknown=handle, sparse_output=False, **limits)
    encoder.fit(TABLES[kind])
    check(encoder, one_hot_table(encoder, 0), UNKNOWN[kind])


@pytest.mark.parametrize("kind", TABLES)
@pytest.mark.parametrize("dropped", [0, -1])
def test_one_hot_without_a_category_of_choice(kind: str, dropped: int) -> None:
    category = np.unique(TABLES["numbers"])[dropped] if kind == "numbers" else None
    if category is None:
        plain = OneHotEncoder().fit(TABLES[kind])
        category = plain.categories_[0][dropped]
    encoder = OneHotEncoder(drop=[category], sparse_output=False).fit(TABLES[kind])
    check(encoder, one_hot_table(encoder, 0), UNKNOWN[kind])


@pytest.mark.parametrize("kind", TABLES)
@pytest.mark.parametrize("limits", [{}, {"min_frequency": 7}, {"max_categories": 2}])
@pytest.mark.parametrize("unknown", [None, -1, np.nan])
def test_ordinal(kind: str, limits: dict[str, Any], unknown: Any) -> None:
    more = {} if unknown is None else {"handle_unknown": "use_encoded_value"}
    encoder = OrdinalEncoder(encoded_missing_value=-3, unknown_value=unknown, **more, **limits)
    encoder.fit(TABLES[kind])
    table = ordinal_table(encoder, 0)
    if unknown is np.nan:
        # No network takes a NaN: such rows are refused.
        assert table.strict
        assert np.isnan(transformed(encoder, UNKNOWN[kind])).all()
    else:
        check(encoder, table, UNKNOWN[kind])


def test_gaps_that_would_stay_gaps_are_no_categories() -> None:
    for values in (GAPS, TEXT_GAPS):
        table = ordinal_table(OrdinalEncoder().fit(values), 0)
        assert not any(category is np.nan or category != category for category in table.categories)
        assert np.isfinite(list(table.columns[0].values.values())).all()
