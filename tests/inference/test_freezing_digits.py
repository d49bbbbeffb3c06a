"""The warning of columns that are too far from 0 for a predictor: in words that a user knows."""

from __future__ import annotations

import re
import warnings
from typing import Any

import numpy as np
import pytest

import fastmlp as fm

preprocessing = pytest.importorskip("sklearn.preprocessing")
pandas = pytest.importorskip("pandas")

NAMES = ["age", "year", "income"]


def rows() -> np.ndarray:
    X = np.random.default_rng(0).normal(size=(50, 3))
    X[:, 1:] += [1e6, 3e7]
    return X


def warning_of(freeze: Any) -> Any:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        freeze()
    (warning,) = caught
    return warning


def network(n_features: Any = 3, layers: Any = None, **arguments: Any) -> Any:
    layers = layers or [fm.Dense(4, "relu"), fm.Dense(1)]
    model = fm.Sequential(layers, backend="numpy", random_state=0, **arguments)
    return model.build(n_features)


def test_columns_of_a_scaler_are_counted_and_the_farthest_is_named() -> None:
    scaler = preprocessing.StandardScaler().fit(pandas.DataFrame(rows(), columns=NAMES))
    warning = warning_of(lambda: network().freeze(scaler))
    text = str(warning.message)
    assert "2 of the 3 columns of X lie too far from 0" in text
    assert re.search(r"column 2, 'income', is [23]\.?\d*e\+07 times its scale away from 0", text)
    assert "dtype='float64'" in text
    assert "before the training" in text
    assert warning.category is UserWarning


def test_without_names_columns_have_numbers() -> None:
    scaler = preprocessing.StandardScaler().fit(rows())
    assert "column 2 is " in str(warning_of(lambda: network().freeze(scaler)).message)


def far(model: Any, name: str, place: int) -> Any:
    model.buffers[f"{name}.running_mean"][place] = 1e6
    return model


def test_a_batchnorm_that_reads_x_speaks_of_its_columns() -> None:
    model = far(network(layers=[fm.BatchNorm(), fm.Dense(1)]), "0", 1)
    text = str(warning_of(model.freeze).message)
    assert "1 of the 3 columns of X lie" in text
    assert "column 1 is 1e+06 times" in text


def test_other_batchnorms_are_named_as_their_parameters_are() -> None:
    layers = [fm.Dense(5), fm.Residual([fm.Dense(5, "tanh"), fm.BatchNorm()]), fm.Dense(1)]
    text = str(warning_of(far(network(layers=layers), "1.1", 4).freeze).message)
    assert "1 of the 5 inputs of layer 1.1 (BatchNorm) lie" in text
    assert "input 4 is 1e+06 times" in text
    assert "standardize X" in text


def test_of_two_inputs_it_is_the_deep_one() -> None:
    layers = [fm.WideAndDeep(1, deep=[fm.BatchNorm(), fm.Dense(3, "relu")])]
    text = str(warning_of(far(network((2, 3), layers), "0.0", 0).freeze).message)
    assert "1 of the 3 columns of X_deep lie" in text


def test_the_warning_points_at_the_line_that_called() -> None:
    scaler = preprocessing.StandardScaler().fit(rows())
    norm = far(network(layers=[fm.BatchNorm(), fm.Dense(1)]), "0", 1)
    for freeze in (lambda: network().freeze(scaler), norm.freeze):
        assert warning_of(freeze).filename == __file__


def test_nothing_is_said_where_digits_suffice() -> None:
    scaler = preprocessing.StandardScaler().fit(rows())
    network(dtype="float64").freeze(scaler)
    near = preprocessing.StandardScaler().fit(rows() - [0, 1e6, 3e7])
    network().freeze(near)
