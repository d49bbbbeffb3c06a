"""Which columns name rows, groups and codes, and which are measurements."""

from __future__ import annotations

import numpy as np
import pytest

from fastmlp.tables.identifiers import are_codes, are_groups, numbers_of_rows, texts_of_rows
from fastmlp.tables.texts import words_of

rng = np.random.default_rng(0)
RUNNING = [
    ("no", np.arange(1.0, 401)),
    ("no", rng.permutation(400) + 7.0),
    ("no", np.sort(rng.choice(600, 400, replace=False)) + 10_000.0),
    ("no", np.arange(8.0)),
    ("customer_id", rng.choice(10**8, 400, replace=False).astype(float)),
    ("card", rng.integers(4 * 10**15, 9 * 10**15, 400) * 10.0 + 3),
    ("serial", 10**17 + np.arange(400.0) * 1000),
]
MEASURED = [
    ("x", rng.normal(size=400)),
    ("price", rng.choice(10**6, 400, replace=False).astype(float)),
    ("year", np.arange(1990.0, 2021)),
    ("y", np.arange(1900.0, 2000)),
    ("step", np.arange(400.0)),
    ("unix", 1.6e9 + 3600 * np.arange(400.0)),
    ("count", rng.poisson(40, 400).astype(float)),
    ("user_id", np.repeat(np.arange(80.0), 5)),
    ("x", rng.permutation(6).astype(float) * 100),
    ("density", np.round(rng.uniform(1.0, 9.0, 400), 6) * 1e18),
    ("density", 10 ** rng.uniform(16.0, 22.0, 400)),
]


@pytest.mark.parametrize(("name", "values"), RUNNING)
def test_numbers_of_rows(name: str, values: np.ndarray) -> None:
    assert numbers_of_rows(name, values, len(np.unique(values)))


@pytest.mark.parametrize(("name", "values"), MEASURED)
def test_measurements_are_none(name: str, values: np.ndarray) -> None:
    assert not numbers_of_rows(name, values, len(np.unique(values)))


def drawn(*numbers: float) -> np.ndarray:
    return rng.choice(np.array(numbers, float), 400)


CODES = [
    ("zip", drawn(10001, 94110, 73301, 60601)),
    ("branch", drawn(101, 417, 233, 879, 902)),
    ("store_id", drawn(*range(1, 20))),
    ("area code", drawn(212, 415, 312, 617)),
]
SIZES = [
    ("rating", drawn(1, 2, 3, 4, 5)),
    ("rooms", rng.poisson(4, 400).astype(float)),
    ("year", drawn(*range(1990, 2020))),
    ("built", drawn(1950, 1975, 1999)),
    ("price", drawn(199, 249, 299, 399)),
    ("memory", drawn(128, 256, 512)),
    ("age", drawn(1, 3, 7, 14, 28, 56, 90, 365)),
    ("horsepower", rng.integers(100, 400, 400).astype(float)),
    ("level", drawn(-120, 450, 780)),
    ("zip", rng.integers(10000, 99999, 400).astype(float)),
    ("share", drawn(101.5, 417, 233)),
]


@pytest.mark.parametrize(("name", "values"), CODES)
def test_codes(name: str, values: np.ndarray) -> None:
    assert are_codes(name, values, np.unique(values))


@pytest.mark.parametrize(("name", "values"), SIZES)
def test_sizes_are_no_codes(name: str, values: np.ndarray) -> None:
    assert not are_codes(name, values, np.unique(values))


def words(*cells: str):
    return words_of(np.array(cells, object))


def test_texts_of_rows() -> None:
    assert texts_of_rows(words(*(f"CUST{i:05}" for i in range(50))))
    assert texts_of_rows(words(*(f"n{i}" for i in range(95)), *["same"] * 5))
    assert not texts_of_rows(words(*(f"n{i % 40}" for i in range(80))))
    assert not texts_of_rows(words("a", "b", "c"))


def test_groups() -> None:
    visits = words(*(f"P{i:03}" for i in range(40) for _ in range(5)))
    assert are_groups("who", visits)
    assert are_groups("patient", words(*(str(i) for i in range(40) for _ in range(5))))
    assert not are_groups("town", words(*(f"town {i}" for i in range(40) for _ in range(5))))
    assert not are_groups("who", words(*(f"P{i:03}" for i in range(40))))
    assert not are_groups("rooms", words(*(str(i) for i in range(40) for _ in range(5))))
