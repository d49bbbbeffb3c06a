"""The one door for rows: forms of X that are the same, and what is refused, in which words."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import numpy as np
import pytest
from plain_models import N, classes, everything, network
from small_models import (
    CODES,
    LETTERS,
    NETWORKS,
    NUMBERS,
    ROWS,
    X,
    assert_refused_unchanged,
    assert_usable,
    features,
    fitted,
    with_value,
)
from small_models import network as small_network

import fastmlp as fm


def test_input_is_not_changed(backend: str) -> None:
    X, y = classes()
    weights = np.linspace(0.5, 2.0, N)
    for array in (X, y, weights):
        array.flags.writeable = False
    model = everything(backend, "float64")
    model.fit(X, y, sample_weight=weights, epochs=1, validation_split=0.2, verbose=0)
    model.train_step(X, y, weights)
    model.gradients(X, y, weights)
    model.evaluate(X, y)
    model.predict(X)
    model.activations(X, training=True)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_forms_of_the_same_input(backend: str, dtype: str) -> None:
    X = np.random.default_rng(0).integers(0, 200, size=(40, 4)).astype(np.uint8)
    y = X[:, 0] / 100.0
    forms: list[Any] = [
        X,
        X.astype(np.float32),
        X.astype(np.float64),
        X.astype(np.int64),
        X.tolist(),
        np.asfortranarray(X.astype(np.float64)),
        np.repeat(X, 2, axis=0)[::2],
    ]
    results = []
    for form in forms:
        model = network(backend, [fm.BatchNorm(), fm.Dense(3, "tanh"), fm.Dense(1)], dtype=dtype)
        model.fit(form, y[:, np.newaxis], epochs=2, batch_size=16, verbose=0)
        results.append(model.predict(form))
        assert results[-1].dtype == dtype
    for result in results[1:]:
        np.testing.assert_array_equal(result, results[0])


BACKENDS = fm.kernels.available_backends()
ONES = np.ones(ROWS)


BAD_X = {
    "a column too few": (X[:, :2], ValueError, r"X has 2 columns, expected 3"),
    "a column too many": (features(4), ValueError, r"X has 4 columns, expected 3"),
    "NaN": (with_value(X, np.nan), ValueError, r"X .* NaN or infinity: 1 value.* row 1, column 2"),
    "infinity": (with_value(X, -np.inf), ValueError, r"X .* NaN or infinity: 1 value.* row 1"),
    "too large": (with_value(X, 1e39), ValueError, r"X .* range of float32 .* dtype='float64'"),
    "no rows": (X[:0], ValueError, r"X has no rows, shape \(0, 3\)"),
    "no columns": (X[:, :0], ValueError, r"X has no columns, shape \(8, 0\)"),
    "an empty list": ([], ValueError, r"X must be two-dimensional.* got shape \(0,\)"),
    "one row": (X[0], ValueError, r"X must be two-dim.* shape \(3,\).* X\.reshape\(1, -1\)"),
    "a number": (1.5, ValueError, r"X must be two-dimensional.* got a single float"),
    "None": (None, ValueError, r"X must be two-dimensional.* got a single NoneType"),
    "a mapping": ({"a": [1]}, ValueError, r"X must be two-dimensional.* got a single dict"),
    "an iterator": (iter(X), ValueError, r"X must be two-dimensional.* got a single"),
    "three dimensions": (X[None], ValueError, r"X must be two-dim.* got shape \(1, 8, 3\)"),
    "ragged": ([[1, 2, 3], [4]], ValueError, r"X cannot be read as an array"),
    "text": ([["1", "2", "3"]] * ROWS, TypeError, r"X must be real numbers, got strings"),
    "one text": ([[1, 2, object()]] * ROWS, TypeError, r"X must be real numbers.*row 0, column 2"),
    "complex": (X + 1j, TypeError, r"X must be real numbers, got complex numbers"),
    "dates": (X.astype("M8[s]"), TypeError, r"X must be real numbers, got dates"),
    "masked": (np.ma.masked_less(X, 0), ValueError, r"X has masked entries"),
}


@pytest.mark.filterwarnings("ignore:invalid value encountered in cast")
@pytest.mark.parametrize("method", ["fit", "train_step", "predict", "evaluate", "gradients"])
@pytest.mark.parametrize("case", BAD_X)
def test_x(case, method, tmp_path):
    x, error, message = BAD_X[case]
    y = () if method == "predict" else (NETWORKS["letters"][1],)
    assert_refused_unchanged(
        fitted("letters"),
        "letters",
        lambda model: getattr(model, method)(x, *y),
        error,
        message,
        tmp_path / "model",
    )


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("method", ["predict", "predict_classes", "activations"])
def test_x_of_another_width_never_reaches_a_kernel(method, backend, tmp_path):
    call = lambda model: getattr(model, method)(features(5))  # noqa: E731
    message = r"X has 5 columns, expected 3"
    model = fitted("letters", backend)
    assert_refused_unchanged(model, "letters", call, ValueError, message, tmp_path / "model")


def test_sparse_x(tmp_path):
    sparse = pytest.importorskip("scipy.sparse")
    message = r"X is a sparse matrix; pass X\.toarray\(\)"
    assert_refused_unchanged(
        fitted("numbers"),
        "numbers",
        lambda model: model.fit(sparse.csr_matrix(X), NUMBERS),
        TypeError,
        message,
        tmp_path / "model",
    )


BAD_Y = {
    "a row too few": ("letters", LETTERS[1:], ValueError, r"X has 8 rows, but y has 7"),
    "None": ("letters", None, ValueError, r"y must have shape \(n_rows,\).* a single NoneType"),
    "a label": ("letters", "a", ValueError, r"y must have shape \(n_rows,\).* a single str"),
    "unseen": (
        *("letters", np.where(LETTERS == "a", "d", LETTERS), ValueError),
        r"labels that the model does not know: 'd'; it knows 'a', 'b', 'c'",
    ),
    "numbers for letters": ("letters", CODES, ValueError, r"does not know: 0, 1, 2; it knows 'a'"),
    "missing": (
        *("letters", [None, *LETTERS[1:]], ValueError),
        r"y has missing labels .*1 value, the first in row 0",
    ),
    "mixed": ("letters", [1, *LETTERS[1:].tolist()], TypeError, r"y must all be .* got int, str"),
    "dates and text": (
        *("letters", [datetime(2020, 1, 1), *LETTERS[1:].tolist()], TypeError),
        r"y must all be .* got datetime, str",
    ),
    "ragged": ("letters", [[1], [2, 3]] * 4, ValueError, r"y cannot be read as an array"),
    "class number too large": ("classes", CODES + 1, ValueError, r"know: 3; it knows 0, 1, 2"),
    "negative class number": ("classes", CODES - 1, ValueError, r"know: -1; it knows 0, 1, 2"),
    "half a class": ("classes", CODES + 0.5, ValueError, r"does not know: 0\.5, 1\.5, 2\.5"),
    "NaN among classes": ("classes", with_value(CODES, np.nan, 2), ValueError, r"missing.* row 2"),
    "too few columns": (
        *("classes", np.eye(2)[CODES % 2], ValueError),
        r"softmax with 3 units takes .*\(n, 3\), got y of shape \(8, 2\)",
    ),
    "rows that do not sum to 1": ("classes", np.eye(3)[CODES] * 2, ValueError, r"sum to 1: got 2 "),
    "negative probabilities": (
        *("classes", np.tile([1.5, -0.5, 0], (ROWS, 1)), ValueError),
        r"must not be negative: got -0\.5 in row 0, column 1",
    ),
    "three dimensions": ("classes", np.zeros((ROWS, 3, 1)), ValueError, r"got shape \(8, 3, 1\)"),
    "a third label": ("binary", CODES, ValueError, r"does not know: 2; it knows False, True"),
    "columns for one unit": (
        *("binary", np.eye(3)[CODES], ValueError),
        r"one sigmoid unit takes one label .* shape \(8, 3\); .* end the network in 3 units",
    ),
    "one column of labels": (
        *("multilabel", CODES > 0, ValueError),
        r"sigmoid with 2 units takes 0/1 columns \(n, 2\).* got y of shape \(8,\)",
    ),
    "labels beyond 1": (
        "multilabel",
        np.full((ROWS, 2), 2),
        ValueError,
        r"y must be 0 or 1.*got 2",
    ),
    "two columns": (
        *("numbers", np.zeros((ROWS, 2)), ValueError),
        r"linear with 1 units takes numbers \(n, 1\), got y of shape \(8, 2\)",
    ),
    "a row of numbers": ("numbers", NUMBERS[None], ValueError, r"X has 8 rows, but y has 1"),
    "NaN": ("numbers", with_value(NUMBERS, np.nan, 3), ValueError, r"y contains NaN.* row 3"),
    "infinity": ("numbers", with_value(NUMBERS, np.inf, 3), ValueError, r"y contains NaN or inf"),
    "too large": ("numbers", with_value(NUMBERS, 1e39, 3), ValueError, r"y .*range of float32"),
    "text": ("numbers", LETTERS, TypeError, r"y must be numbers .* end the network in softmax"),
    "complex": ("numbers", NUMBERS + 1j, TypeError, r"y must be real numbers, got complex"),
    "negative counts": ("counts", CODES - 1, ValueError, r"poisson loss takes y >= 0: got -1"),
}


@pytest.mark.parametrize("method", ["fit", "train_step", "evaluate", "gradients"])
@pytest.mark.parametrize("case", BAD_Y)
def test_y(case, method, tmp_path):
    kind, y, error, message = BAD_Y[case]
    call = lambda model: getattr(model, method)(X, y)  # noqa: E731
    assert_refused_unchanged(fitted(kind), kind, call, error, message, tmp_path / "model")


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("method", ["fit", "train_step"])
def test_x_and_y_that_are_refused_build_nothing(method, backend):
    model = small_network("letters", backend)
    for x, y in [(with_value(X, np.nan), LETTERS), (X, LETTERS[1:]), (X, ["a", "b"] * 4)]:
        with pytest.raises(ValueError, match=r"NaN|rows|takes 3 different labels"):
            getattr(model, method)(x, y)
        assert model.classes is None
        with pytest.raises(ValueError, match="no parameters yet"):
            model.predict(X)
    model.build(5)
    assert_usable(model, "letters", 5)


def test_labels_of_a_refused_fit_are_not_remembered():
    model = small_network("letters")
    with pytest.raises(ValueError, match="one weight for each"):
        model.fit(X, np.where(LETTERS == "a", "z", LETTERS), sample_weight=[1.0])
    model.fit(X, LETTERS, epochs=1, verbose=0)
    np.testing.assert_array_equal(model.classes, ["a", "b", "c"])


@pytest.mark.parametrize("weights", [ONES[1:], -ONES, ONES * np.nan, 1e-300 * ONES, 1e300 * ONES])
@pytest.mark.parametrize("method", ["train_step", "evaluate", "gradients"])
@pytest.mark.parametrize("backend", BACKENDS)
def test_weights_of_a_batch(backend, method, weights, tmp_path):
    assert_refused_unchanged(
        fitted("numbers", backend),
        "numbers",
        lambda model: getattr(model, method)(X, NUMBERS, sample_weight=weights),
        ValueError,
        "sample_weight",
        tmp_path / "model",
    )


def test_class_weight_of_numbers(tmp_path):
    assert_refused_unchanged(
        fitted("numbers"),
        "numbers",
        lambda model: model.fit(X, NUMBERS, class_weight={0: 1.0}),
        ValueError,
        "class_weight needs one class for each row; this is regression",
        tmp_path / "model",
    )
