"""What is refused, in which words, and that a refusal leaves the model as it was."""

from __future__ import annotations

import copy
import json
from datetime import datetime

import numpy as np
import pytest

import fastmlp as fm
from fastmlp.common import safetensors

BACKENDS = fm.kernels.available_backends()
ROWS = 8


def features(n_features=3):
    return np.random.default_rng(0).normal(size=(ROWS, n_features)).astype(np.float32)


def with_value(array, value, place=(1, 2)):
    changed = np.array(array, np.float64)
    changed[place] = value
    return changed


X = features()
CODES = np.arange(ROWS) % 3
LETTERS = np.array(list("abc"))[CODES]
NUMBERS = X[:, 0] - X[:, 1]
ONES = np.ones(ROWS)

NETWORKS = {
    "letters": ([fm.Dense(3, "tanh"), fm.BatchNorm(), fm.Dense(3, "softmax")], LETTERS),
    "classes": ([fm.Dense(3, "tanh"), fm.Dense(3, "softmax")], CODES),
    "binary": ([fm.Dense(1, "sigmoid")], CODES > 0),
    "multilabel": ([fm.Dense(2, "sigmoid")], np.stack([CODES > 0, CODES > 1], 1)),
    "numbers": ([fm.Dense(3, "relu"), fm.Dropout(0.1), fm.Dense(1)], NUMBERS),
    "counts": ([fm.Dense(1, "exp")], CODES),
}


def network(kind, backend="numpy", **arguments):
    loss = "poisson" if kind == "counts" else "auto"
    arguments = {"loss": loss, "random_state": 1, "backend": backend, **arguments}
    return fm.Sequential(NETWORKS[kind][0], **arguments)


def fitted(kind, backend="numpy", **arguments):
    model = network(kind, backend, **arguments)
    model.fit(X, NETWORKS[kind][1], epochs=1, batch_size=4, verbose=0)
    return model


def everything_in(model, path):
    """Parameters, buffers, optimizer state, counters, labels, history, random numbers to come."""
    model.save(path)
    return path.read_bytes()


def assert_usable(model, kind, n_features=3):
    x = features(n_features)
    history = model.fit(x, NETWORKS[kind][1], epochs=1, batch_size=4, verbose=0)
    assert np.isfinite(history["loss"]).all()
    assert np.isfinite(model.predict(x)).all()


def assert_refused_unchanged(model, kind, call, error, message, path):
    before = everything_in(model, path)
    views = dict(model.parameters)
    with pytest.raises(error, match=message) as caught:
        call(model)
    assert type(caught.value) is error
    assert everything_in(model, path) == before
    assert all(np.shares_memory(view, model.parameters[name]) for name, view in views.items())
    assert_usable(model, kind)


# X: what any method that takes it refuses.

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


# y: what each kind of output refuses.

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


# The other arguments of fit.


BAD_SIZE = {
    "0": (0, ValueError, r"must be an integer >= 1, got 0"),
    "-1": (-1, ValueError, r"must be an integer >= 1, got -1"),
    "2.5": (2.5, TypeError, r"must be an integer, got 2\.5 \(float\)"),
    "2.0": (2.0, TypeError, r"must be an integer, got 2\.0 \(float\)"),
    "True": (True, TypeError, r"must be an integer, got True \(bool\)"),
    "text": ("3", TypeError, r"must be an integer, got '3' \(str\)"),
    "a list": ([3], TypeError, r"must be an integer, got \[3\] \(list\)"),
    "NaN": (np.float64("nan"), TypeError, r"must be an integer, got .*nan"),
}

BAD_FIT = {
    **{f"epochs {name}": ({"epochs": v}, e, "epochs " + m) for name, (v, e, m) in BAD_SIZE.items()},
    **{
        f"batch_size {name}": ({"batch_size": value}, error, "batch_size " + message)
        for name, (value, error, message) in BAD_SIZE.items()
    },
    "epochs None": ({"epochs": None}, TypeError, r"epochs must be an integer, got None"),
    "shuffle 1": ({"shuffle": 1}, TypeError, r"shuffle must be True or False, got 1 \(int\)"),
    "verbose 3": ({"verbose": 3}, ValueError, r"verbose must be 0, 1 or 2, got 3"),
    "verbose None": ({"verbose": None}, ValueError, r"verbose must be 0, 1 or 2, got None"),
    "verbose array": ({"verbose": np.arange(2)}, ValueError, r"verbose must be 0, 1 or 2"),
    "callbacks number": (
        {"callbacks": 3},
        TypeError,
        r"callbacks must be a list of Callback, got 3",
    ),
    "callbacks functions": ({"callbacks": [print]}, TypeError, r"list of Callback, got .*print"),
    "callbacks class": (
        {"callbacks": [fm.Callback]},
        TypeError,
        r"Callback, got <class .*Callback",
    ),
    "callbacks bare class": (
        {"callbacks": fm.Callback},
        TypeError,
        r"list of Callback, got <class",
    ),
    "callbacks None": (
        {"callbacks": None},
        TypeError,
        r"callbacks must be a list of Callback, got",
    ),
    "callbacks text": ({"callbacks": "tqdm"}, TypeError, r"list of Callback, got 't' \(str\)"),
    "split 1.5": (
        {"validation_split": 1.5},
        ValueError,
        r"validation_split .* in \[0, 1\), got 1\.5",
    ),
    "split 1": ({"validation_split": 1}, ValueError, r"validation_split .* in \[0, 1\), got 1"),
    "split -0.1": ({"validation_split": -0.1}, ValueError, r"validation_split .* got -0\.1"),
    "split NaN": ({"validation_split": np.nan}, ValueError, r"validation_split .* got nan"),
    "split True": ({"validation_split": True}, TypeError, r"validation_split must be a number"),
    "split text": ({"validation_split": "0.1"}, TypeError, r"validation_split must be a number"),
    "split tiny": (
        {"validation_split": 0.01},
        ValueError,
        r"0\.01 of 8 rows leaves none for valid",
    ),
    "weights short": (
        *({"sample_weight": ONES[1:]}, ValueError),
        r"sample_weight must have one weight for each of the 8 rows, got shape \(7,\)",
    ),
    "weights table": ({"sample_weight": np.ones((ROWS, 2))}, ValueError, r"got shape \(8, 2\)"),
    "weights number": (
        {"sample_weight": 2.0},
        ValueError,
        r"sample_weight must have .* shape \(\)",
    ),
    "weights negative": (
        *({"sample_weight": with_value(ONES, -2, 3)}, ValueError),
        r"sample_weight must not be negative: 1 value, the first -2 in row 3",
    ),
    "weights NaN": (
        *({"sample_weight": with_value(ONES, np.nan, 3)}, ValueError),
        r"sample_weight contains NaN or infinity: 1 value, the first in row 3",
    ),
    "weights infinite": ({"sample_weight": ONES * np.inf}, ValueError, r"sample_weight .*infinity"),
    "weights zero": (
        {"sample_weight": 0 * ONES},
        ValueError,
        r"sample_weight is zero for every row",
    ),
    "weights text": ({"sample_weight": LETTERS}, TypeError, r"sample_weight must be real numbers"),
    "weights beyond the dtype": ({"sample_weight": 1e300 * ONES}, ValueError, r"sample_weight"),
    "weights below the dtype": ({"sample_weight": 1e-300 * ONES}, ValueError, r"sample_weight"),
    "class_weight unknown": (
        *({"class_weight": {"a": 1, "d": 2}}, ValueError),
        r"class_weight has labels that the model does not know: 'd'; it knows 'a', 'b', 'c'",
    ),
    "class_weight codes": ({"class_weight": {0: 1}}, ValueError, r"does not know: 0; it knows 'a'"),
    "class_weight negative": ({"class_weight": {"a": -1}}, ValueError, r"\['a'\] .* >= 0, got -1"),
    "class_weight NaN": ({"class_weight": {"a": np.nan}}, ValueError, r"\['a'\] .* got nan"),
    "class_weight text": ({"class_weight": {"a": "2"}}, TypeError, r"\['a'\] must be a number"),
    "class_weight name": ({"class_weight": "balance"}, ValueError, r"'balanced', got 'balance'"),
    "class_weight list": ({"class_weight": [1, 2, 3]}, TypeError, r"dict or 'balanced', got list"),
    "class_weight zero": (
        *({"class_weight": dict.fromkeys("abc", 0)}, ValueError),
        r"class_weight is zero for every class",
    ),
    "class_weight beyond the dtype": ({"class_weight": {"a": 1e300}}, ValueError, r"class_weight"),
    "weights that cancel": (
        *({"class_weight": {"a": 0}, "sample_weight": LETTERS == "a"}, ValueError),
        r"zero for every row",
    ),
    "validation array": ({"validation_data": X}, ValueError, r"must be \(X, y\) or .* got array"),
    "validation one": ({"validation_data": (X,)}, ValueError, r"validation_data must be \(X, y\)"),
    "validation four": ({"validation_data": (X,) * 4}, ValueError, r"validation_data must be"),
    "validation mapping": ({"validation_data": {"X": X, "y": 1}}, ValueError, r"must be \(X, y\)"),
    "validation width": (
        *({"validation_data": (features(2), LETTERS)}, ValueError),
        r"validation_data.* (has 2|2 columns)",
    ),
    "validation unseen": (
        *({"validation_data": (X, np.full(ROWS, "d"))}, ValueError),
        r"labels that the model does not know: 'd'; it knows 'a', 'b', 'c'",
    ),
    "validation rows": ({"validation_data": (X, LETTERS[1:])}, ValueError, r"8 rows, but y has 7"),
    "validation NaN": (
        *({"validation_data": (with_value(X, np.nan), LETTERS)}, ValueError),
        r"validation_data's X contains NaN",
    ),
    "validation weights": (
        *({"validation_data": (X, LETTERS, -ONES)}, ValueError),
        r"sample_weight must not be negative",
    ),
    "two validations": (
        *({"validation_data": (X, LETTERS), "validation_split": 0.25}, ValueError),
        r"validation_data or validation_split, not both",
    ),
    "early stopping without validation": (
        *({"callbacks": fm.EarlyStopping(), "epochs": 2}, ValueError),
        r"EarlyStopping monitors 'val_loss'.* EarlyStopping\(monitor='loss'\)",
    ),
}


@pytest.mark.parametrize("case", BAD_FIT)
def test_arguments_of_fit(case, tmp_path):
    arguments, error, message = BAD_FIT[case]
    assert_refused_unchanged(
        fitted("letters"),
        "letters",
        lambda model: model.fit(X, LETTERS, **{"verbose": 0, **arguments}),
        error,
        message,
        tmp_path / "model",
    )


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize(
    "batch_size", [ROWS + 1, 2**31, 2**63, 2**64 + 1, 10**30, np.uint64(2**63)]
)
def test_a_batch_larger_than_the_data_is_all_of_it(batch_size, backend):
    expected, model = network("letters", backend), network("letters", backend)
    history = expected.fit(X, LETTERS, epochs=2, batch_size=None, verbose=0)
    same = model.fit(X, LETTERS, epochs=2, batch_size=batch_size, verbose=0)
    assert same["loss"] == history["loss"]
    np.testing.assert_equal(dict(model.parameters), dict(expected.parameters))


@pytest.mark.parametrize("case", BAD_FIT)
def test_a_first_fit_that_is_refused_builds_nothing(case):
    arguments, error, message = BAD_FIT[case]
    model = network("letters")
    with pytest.raises(error, match=message):
        model.fit(X, LETTERS, **{"verbose": 0, **arguments})
    assert len(model.history) == 0
    assert model.classes is None
    with pytest.raises(ValueError, match=r"no parameters yet; call fit\(X, y\) or build"):
        _ = model.parameters
    model.build(5)
    assert_usable(model, "letters", 5)


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("method", ["fit", "train_step"])
def test_x_and_y_that_are_refused_build_nothing(method, backend):
    model = network("letters", backend)
    for x, y in [(with_value(X, np.nan), LETTERS), (X, LETTERS[1:]), (X, ["a", "b"] * 4)]:
        with pytest.raises(ValueError, match=r"NaN|rows|takes 3 different labels"):
            getattr(model, method)(x, y)
        assert model.classes is None
        with pytest.raises(ValueError, match="no parameters yet"):
            model.predict(X)
    model.build(5)
    assert_usable(model, "letters", 5)


def test_labels_of_a_refused_fit_are_not_remembered():
    model = network("letters")
    with pytest.raises(ValueError, match="one weight for each"):
        model.fit(X, np.where(LETTERS == "a", "z", LETTERS), sample_weight=[1.0])
    model.fit(X, LETTERS, epochs=1, verbose=0)
    np.testing.assert_array_equal(model.classes, ["a", "b", "c"])


@pytest.mark.parametrize("backend", BACKENDS)
def test_monitoring_a_value_that_there_is_not_is_refused_before_training(backend, tmp_path):
    schedule = fm.ReduceOnPlateau(0.1, monitor="val_loss")
    model = network("numbers", backend, optimizer=fm.SGD(schedule))
    model.fit(X, NUMBERS, epochs=1, verbose=0, validation_split=0.25)
    before = everything_in(model, tmp_path / "model")
    with pytest.raises(ValueError, match=r"ReduceOnPlateau cannot monitor 'val_loss'"):
        model.fit(X, NUMBERS, epochs=1, verbose=0)
    assert everything_in(model, tmp_path / "model") == before


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


# Training that leaves the finite numbers.


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("method", ["fit", "train_step"])
@pytest.mark.parametrize("scale", [1e25, 1e38])
def test_divergence_leaves_parameters_and_running_statistics(scale, method, backend):
    """At 1e25 the variance of a column overflows, at 1e38 its mean, and with it the loss."""
    model = fm.Sequential([fm.BatchNorm(), fm.Dense(1)], random_state=1, backend=backend)
    model.fit(X, NUMBERS, epochs=1, batch_size=4, verbose=0)
    before = copy.deepcopy((dict(model.parameters), dict(model.buffers), model.history.to_dict()))
    x = np.full_like(X, scale)
    x[0] = -scale
    arguments = {"epochs": 1, "verbose": 0} if method == "fit" else {}
    with pytest.raises(fm.DivergenceError, match=r"not finite in epoch 1, batch 0.* layer 0"):
        getattr(model, method)(x, NUMBERS, **arguments)
    after = dict(model.parameters), dict(model.buffers), model.history.to_dict()
    np.testing.assert_equal(after, before)
    assert_usable(model, "numbers")


@pytest.mark.parametrize("backend", BACKENDS)
def test_an_update_that_diverges_is_undone(backend):
    """The loss of the batch is finite, the parameters after its update are not."""
    model = network("numbers", backend, optimizer=fm.SGD(1e38)).build(3)
    before = copy.deepcopy(dict(model.parameters))
    with pytest.raises(fm.DivergenceError, match="not finite"):
        model.train_step(100 * X, 100 * NUMBERS)
    np.testing.assert_equal(dict(model.parameters), before)


@pytest.mark.parametrize("backend", BACKENDS)
def test_numbers_that_overflow_are_reported_by_results_not_warnings(backend):
    model = network("numbers", backend).build(3)
    assert not np.isfinite(model.evaluate(X, NUMBERS * 1e37)["loss"])
    for training in (True, False):
        model.gradients(X, NUMBERS * 1e37, training=training)
    model.parameters["0.weight"][...] *= 1e30
    model.activations(X * np.float32(1e30))
    model.predict(X * np.float32(1e30))


# Networks that cannot be.

BAD_NETWORKS = {
    "no layers": (lambda: fm.Sequential([]), ValueError, r"at least one layer, got an empty list"),
    "one bare layer": (lambda: fm.Sequential(fm.Dense(1)), TypeError, r"list of layers, got Dense"),
    "a name for a layer": (
        *(lambda: fm.Sequential(["relu"]), TypeError),
        r"list of layers, but entry 0 is 'relu'",
    ),
    "a class for a layer": (
        *(lambda: fm.Sequential([fm.Dense(1), fm.BatchNorm]), TypeError),
        r"entry 1 is <class .*BatchNorm",
    ),
    **{
        f"units {name}": (lambda value=value: fm.Dense(value), error, "units " + message)
        for name, (value, error, message) in BAD_SIZE.items()
    },
    "units None": (lambda: fm.Dense(None), TypeError, r"units must be an integer, got None"),
    "activation": (
        *(lambda: fm.Dense(1, "rleu"), ValueError),
        r"unknown activation 'rleu'; did you mean 'relu'\? known: .*tanh",
    ),
    "activation None": (
        lambda: fm.Dense(1, None),
        TypeError,
        r"activation must be a name, got None",
    ),
    "activation layer": (lambda: fm.Activation("tahn"), ValueError, r"did you mean 'tanh'"),
    "initializer": (
        *(lambda: fm.Dense(1, initializer="glorott"), ValueError),
        r"unknown initializer 'glorott'; did you mean 'glorot'\?",
    ),
    "use_bias": (lambda: fm.Dense(1, use_bias="no"), TypeError, r"use_bias must be True or False"),
    "l2": (lambda: fm.Dense(1, l2=-0.1), ValueError, r"l2 must be a finite number >= 0, got -0\.1"),
    "l1": (lambda: fm.Dense(1, l1=np.inf), ValueError, r"l1 must be a finite number >= 0, got inf"),
    "dropout 1": (lambda: fm.Dropout(1.0), ValueError, r"rate must be .* in \[0, 1\), got 1"),
    "dropout -1": (lambda: fm.Dropout(-1), ValueError, r"rate must be .* in \[0, 1\), got -1"),
    "dropout text": (lambda: fm.Dropout("0.1"), TypeError, r"rate must be a number, got '0\.1'"),
    "momentum": (lambda: fm.BatchNorm(0), ValueError, r"momentum must be .* in \(0, 1\], got 0"),
    "epsilon": (lambda: fm.BatchNorm(epsilon=0), ValueError, r"epsilon must be .* > 0, got 0"),
    "residual": (lambda: fm.Residual([]), ValueError, r"Residual needs at least one layer"),
    "deep": (lambda: fm.WideAndDeep(1), ValueError, r"deep needs at least one layer"),
    "wide": (
        *(lambda: fm.WideAndDeep(1, deep=[fm.Dense(1)], wide=[-1]), ValueError),
        r"wide must hold at least one column number, each at least 0 .* got \[-1\]",
    ),
    "wide twice": (
        *(lambda: fm.WideAndDeep(1, deep=[fm.Dense(1)], wide=[1, 1]), ValueError),
        r"wide must hold .* only once, got \[1, 1\]",
    ),
    "wide number": (
        *(lambda: fm.WideAndDeep(1, deep=[fm.Dense(1)], wide=[0.5]), TypeError),
        r"wide must hold column numbers, got 0\.5",
    ),
    "loss": (
        *(lambda: fm.Sequential([fm.Dense(1)], loss="hubert"), ValueError),
        r"unknown loss 'hubert'; did you mean 'huber'\?",
    ),
    "loss class": (lambda: fm.Sequential([fm.Dense(1)], loss=fm.MSE), TypeError, r"loss .*MSE"),
    "optimizer": (
        *(lambda: fm.Sequential([fm.Dense(1)], optimizer="adma"), ValueError),
        r"unknown optimizer 'adma'; did you mean 'adam'\?",
    ),
    "optimizer class": (
        *(lambda: fm.Sequential([fm.Dense(1)], optimizer=fm.Adam), TypeError),
        r"optimizer must be .* got <class .*Adam",
    ),
    "learning rate": (lambda: fm.Adam(-1), ValueError, r"learning_rate .* got -1"),
    "learning rate text": (lambda: fm.Adam("1e-3"), TypeError, r"learning_rate .* got '1e-3'"),
    "clip": (lambda: fm.SGD(clip_norm=0), ValueError, r"clip_norm must be .* > 0, got 0"),
    "backend": (
        *(lambda: fm.Sequential([fm.Dense(1)], backend="nunba"), ValueError),
        r"unknown backend 'nunba'; did you mean 'numba'\? known: auto, numba, numpy",
    ),
    "dtype": (
        *(lambda: fm.Sequential([fm.Dense(1)], dtype="float23"), ValueError),
        r"unknown dtype 'float23'; did you mean 'float32'\? known: float32, float64",
    ),
    "dtype int": (lambda: fm.Sequential([fm.Dense(1)], dtype=int), ValueError, r"dtype .*int64"),
    "dtype None": (lambda: fm.Sequential([fm.Dense(1)], dtype=None), TypeError, r"dtype .* None"),
    "dtype 3": (lambda: fm.Sequential([fm.Dense(1)], dtype=3), TypeError, r"dtype .* 3"),
    "random_state -1": (
        *(lambda: fm.Sequential([fm.Dense(1)], random_state=-1), ValueError),
        r"random_state must be an integer >= 0, got -1",
    ),
    "random_state 1.5": (
        *(lambda: fm.Sequential([fm.Dense(1)], random_state=1.5), TypeError),
        r"random_state must be an integer, got 1\.5",
    ),
    "n_threads 0": (
        *(lambda: fm.Sequential([fm.Dense(1)], n_threads=0), ValueError),
        r"n_threads must be an integer >= 1, got 0",
    ),
    "n_threads name": (
        *(lambda: fm.Sequential([fm.Dense(1)], n_threads="all"), ValueError),
        r"unknown n_threads 'all'.* known: auto",
    ),
    "an argument that there is not": (
        *(lambda: fm.Sequential([fm.Dense(1)], optimiser="adam"), TypeError),
        r"unexpected keyword argument 'optimiser'",
    ),
}


@pytest.mark.parametrize("case", BAD_NETWORKS)
def test_networks(case):
    make, error, message = BAD_NETWORKS[case]
    with pytest.raises(error, match=message) as caught:
        make()
    assert type(caught.value) is error


@pytest.mark.parametrize(
    ("activation", "loss"),
    [
        ("softmax", "mse"),
        ("softmax", "bce"),
        ("sigmoid", "cce"),
        ("sigmoid", "quantile"),
        ("sigmoid", "poisson"),
        ("linear", "poisson"),
        ("relu", "bce"),
        ("tanh", "cce"),
        ("exp", "mae"),
        ("softplus", "huber"),
    ],
)
def test_pairs_of_activation_and_loss(activation, loss):
    with pytest.raises(ValueError, match=f"does not go with .*{activation!r}") as caught:
        fm.Sequential([fm.Dense(2, activation)], loss=loss)
    for pair in (
        "softmax with categorical_crossentropy;",
        "sigmoid with binary_crossentropy, mse, mae, huber;",
        "exp with poisson, mse;",
        "softplus with poisson, mse;",
        "every other activation with mse, mae, huber, quantile",
    ):
        assert pair in str(caught.value)


WIDTHS = {
    "softmax of one unit": (
        [fm.Dense(1, "softmax")],
        3,
        r"softmax over one unit is always 1; use Dense\(1, activation='sigmoid'\)",
    ),
    "residual": (
        [fm.Dense(4), fm.Residual([fm.Dense(3)])],
        3,
        r"Residual \(layer 1\) adds an input of width 4 to an output of width 3; .*Dense\(4\)",
    ),
    "shortcut": (
        [fm.Residual([fm.Dense(3)], shortcut=[fm.Dense(5)])],
        3,
        r"width 5 to an output of width 3",
    ),
    "wide column": (
        [fm.WideAndDeep(1, deep=[fm.Dense(2)], wide=[0, 3])],
        3,
        r"WideAndDeep reads column 3, but its input has columns 0 to 2",
    ),
    "deep column": (
        [fm.WideAndDeep(1, deep=[fm.Dense(2)], deep_columns=[7])],
        3,
        r"WideAndDeep reads column 7, but its input has columns 0 to 2",
    ),
    "nothing to learn": ([fm.Dropout(0.5)], 3, r"the network has no parameters; add a Dense"),
    "normalised probabilities": (
        [fm.Dense(3, "softmax"), fm.BatchNorm()],
        3,
        r"must therefore be the network's last step; move the BatchNorm or Dropout before it",
    ),
    "0 columns": ([fm.Dense(1)], 0, r"n_features must be an integer >= 1, got 0"),
    "a pair without a use": ([fm.Dense(1)], (2, 1), r"needs a WideAndDeep first in the network"),
    "three parts": ([fm.Dense(1)], (1, 1, 1), r"n_features"),
}


@pytest.mark.parametrize("case", WIDTHS)
def test_widths_are_checked_when_they_are_known(case):
    layers, n_features, message = WIDTHS[case]
    model = fm.Sequential(layers, backend="numpy")
    for _ in range(2):
        with pytest.raises(ValueError, match=message):
            model.build(n_features)
        with pytest.raises(ValueError, match="no parameters yet"):
            model.summary()


def test_a_width_that_fails_does_not_stop_another():
    model = fm.Sequential(
        [fm.Residual([fm.Dense(4)]), fm.WideAndDeep(1, deep=[fm.Dense(2)], wide=[3])],
        backend="numpy",
    )
    with pytest.raises(ValueError, match="width 3 to an output of width 4"):
        model.build(3)
    with pytest.raises(ValueError, match="width 3 to an output of width 4"):
        model.fit(features(3), NUMBERS)
    model.build(4)
    with pytest.raises(ValueError, match=r"built for 4 features, got 5; make a new model"):
        model.build(5)
    model.fit(features(4), NUMBERS, epochs=1, verbose=0)


@pytest.mark.parametrize("units", [10**12, 2**62, 10**30])
def test_networks_larger_than_memory_build_nothing(units):
    model = fm.Sequential([fm.Dense(units)], backend="numpy")
    with pytest.raises((MemoryError, ValueError)):
        model.build(4)
    with pytest.raises(ValueError, match="no parameters yet"):
        _ = model.parameters


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize(
    "use",
    [
        lambda model, path: model.predict(X),
        lambda model, path: model.predict_classes(X),
        lambda model, path: model.evaluate(X, CODES),
        lambda model, path: model.gradients(X, CODES),
        lambda model, path: model.activations(X),
        lambda model, path: model.summary(),
        lambda model, path: model.buffers,
        lambda model, path: model.get_weights(),
        lambda model, path: model.save(path),
    ],
)
def test_what_needs_parameters_says_so(use, backend, tmp_path):
    with pytest.raises(ValueError, match=r"no parameters yet; call fit\(X, y\) or build\(n_feat"):
        use(network("classes", backend), tmp_path / "model")
    assert not list(tmp_path.iterdir())


def test_classes_of_a_regression(tmp_path):
    assert_refused_unchanged(
        *(fitted("numbers"), "numbers", lambda model: model.predict_classes(X), ValueError),
        *(r"predict_classes needs a classifier: .* not in linear; use predict", tmp_path / "model"),
    )


def test_weights_of_another_network(tmp_path):
    other = fm.Sequential([fm.Dense(3), fm.Dense(1)], random_state=5, backend="numpy").build(3)
    message = "another network"
    for snapshot in (other.get_weights(), fitted("letters").get_weights()):
        assert_refused_unchanged(
            fitted("classes"),
            "classes",
            lambda model, snapshot=snapshot: model.set_weights(snapshot),
            ValueError,
            message,
            tmp_path / "model",
        )


# Files that are no models.


def saved(kind, path):
    fitted(kind, optimizer=fm.Adam(fm.ReduceOnPlateau(0.01))).save(path)
    tensors, metadata = safetensors.read(path)
    return tensors, metadata, json.loads(metadata["fastmlp"])


def written(path, tensors, metadata, description):
    safetensors.write(path, tensors, {**metadata, "fastmlp": json.dumps(description)})
    return path


def refuse_file(path, message):
    with pytest.raises(fm.ModelFileError, match=message) as caught:
        fm.load(path, backend="numpy")
    assert path.name in str(caught.value)


def test_files_of_others(tmp_path):
    path = tmp_path / "some.file"
    for content in (b"", b"short", b"x,y\n1,2\n" * 10, b"\x89PNG\r\n\x1a\n" * 10, b"\0" * 64):
        path.write_bytes(content)
        refuse_file(path, "not a valid safetensors file")
    safetensors.write(path, {"weight": X})
    refuse_file(path, "safetensors file, but not one that fastmlp has written")
    refuse_file(tmp_path, "is a folder, not a file")
    with pytest.raises(FileNotFoundError, match="none"):
        fm.load(tmp_path / "none")


def test_a_model_file_cut_anywhere(tmp_path):
    path = tmp_path / "model"
    fitted("letters").save(path)
    content = path.read_bytes()
    for length in {*range(0, len(content), 97), len(content) - 1}:
        path.write_bytes(content[:length])
        refuse_file(path, "not a valid safetensors file")
    path.write_bytes(content + b"\0")
    refuse_file(path, "1 bytes follow the last tensor")


def test_predictor_files_are_not_models(tmp_path):
    path = written(tmp_path / "model", {"weight": X}, {}, {"kind": "predictor", "version": 1})
    refuse_file(path, r"holds a predictor; read it with fastmlp\.load_predictor")


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("version", 2, r"'model' of version 2; this fastmlp reads a 'model' of version 1"),
        ("kind", "forest", r"holds a 'forest' of version 1"),
        ("layers", [], r"at least one layer"),
        ("layers", None, r"damaged"),
        ("layers", [{"type": "Dens", "units": 3}], r"Dens"),
        ("layers", [{"type": "Adam"}], r"list of layers"),
        ("layers", [{"type": "Dense", "units": -3}], r"units must be an integer >= 1, got -3"),
        ("layers", [{"type": "Dense", "units": 3, "colour": "red"}], r"colour"),
        ("loss", {"type": "MSE"}, r"'mse' does not go with the output activation 'softmax'"),
        ("optimizer", {"type": "SGD"}, r"there is a tensor optimizer\..* does not have"),
        ("optimizer", "adam", r"damaged"),
        ("dtype", "float64", r"float32.* but the network has float64"),
        ("dtype", "int8", r"unknown dtype 'int8'"),
        ("n_features", 4, r"the tensor .* is float32\[3, 3\], but the network has float32\[4, 3\]"),
        ("n_features", -1, r"n_features must be an integer >= 1, got -1"),
        ("n_features", 10**13, r"the tensor"),
        ("n_features", None, r"n_features must be an integer"),
        ("random_state", -1, r"random_state must be an integer >= 0, got -1"),
        ("step", -1, r"step"),
        ("step", 2**63, r"step"),
        ("step", 1.5, r"step"),
        ("step", None, r"damaged"),
        ("epoch", -1, r"epoch"),
        ("epoch", "1", r"epoch"),
        ("schedules", 3, r"damaged"),
        ("schedules", [], r"damaged"),
        ("schedules", [{}], r"damaged"),
        ("schedules", [{"rate": "x", "best": None, "bad_epochs": 0}], r"damaged"),
        ("shuffle", {}, r"damaged"),
        ("shuffle", {"bit_generator": "MT19937"}, r"damaged"),
        ("history", {"loss": [1]}, r"damaged"),
        ("history", 5, r"damaged"),
        ("targets", 5, r"damaged"),
        ("targets", {}, r"damaged"),
    ],
)
def test_descriptions_that_lie(key, value, message, tmp_path):
    tensors, metadata, description = saved("letters", tmp_path / "model")
    assert key in description
    path = written(tmp_path / "lie", tensors, metadata, {**description, key: value})
    refuse_file(path, message)


@pytest.mark.parametrize("key", ["layers", "loss", "optimizer", "step", "history", "targets"])
def test_descriptions_that_lack_a_part(key, tmp_path):
    tensors, metadata, description = saved("letters", tmp_path / "model")
    del description[key]
    refuse_file(written(tmp_path / "lie", tensors, metadata, description), f"damaged.*{key}")


@pytest.mark.parametrize("text", ["", "null", "[]", "{", "5", '"model"', "[" * 100_000])
def test_descriptions_that_are_none(text, tmp_path):
    path = tmp_path / "lie"
    safetensors.write(path, {"weight": X}, {"fastmlp": text})
    refuse_file(path, "damaged description")


@pytest.mark.parametrize(
    ("kind", "key", "value"),
    [
        ("letters", "dtype", "float64"),
        ("numbers", "dtype", "float64"),
        ("numbers", "units", 2),
        ("numbers", "activation", "exp"),
        ("numbers", "loss", "poisson"),
        ("multilabel", "units", 1),
        ("binary", "activation", "linear"),
    ],
)
def test_targets_of_another_network(kind, key, value, tmp_path):
    """What y means decides what compiled code reads from y's memory."""
    tensors, metadata, description = saved(kind, tmp_path / "model")
    description["targets"] |= {"classes": None, key: value}
    refuse_file(written(tmp_path / "lie", tensors, metadata, description), "damaged")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda t: t.pop("0.bias"), r"the tensor 0\.bias is missing"),
        (lambda t: t.pop("optimizer.m.0.bias"), r"the tensor optimizer\.m\.0\.bias is missing"),
        (lambda t: t.update(extra=X), r"a tensor extra that the network does not have"),
        (lambda t: t.update({"0.bias": np.zeros(4, "f4")}), r"0\.bias is float32\[4\], but"),
        (lambda t: t.update({"0.bias": np.zeros(3)}), r"0\.bias is float64\[3\], but"),
        (lambda t: t["0.weight"].fill(np.nan), r"0\.weight has values that are NaN or infinite"),
        (lambda t: t["1.running_var"].fill(np.inf), r"1\.running_var has values that are NaN"),
        (lambda t: t["1.running_var"].fill(-1), r"1\.running_var"),
    ],
)
def test_tensors_of_another_network(change, message, tmp_path):
    tensors, metadata, description = saved("letters", tmp_path / "model")
    change(tensors)
    refuse_file(written(tmp_path / "lie", tensors, metadata, description), message)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"backend": "nunba"}, r"unknown backend 'nunba'; did you mean 'numba'"),
        ({"n_threads": 0}, r"n_threads must be an integer >= 1, got 0"),
    ],
)
def test_bad_arguments_of_load_do_not_blame_the_file(arguments, message, tmp_path):
    fitted("letters").save(tmp_path / "model")
    with pytest.raises(ValueError, match=message) as caught:
        fm.load(tmp_path / "model", **arguments)
    assert not isinstance(caught.value, fm.ModelFileError)


@pytest.mark.parametrize("backend", BACKENDS)
def test_what_was_saved_can_be_loaded(backend, tmp_path):
    """Moments that overflow (here those of squares of gradients) are no damage."""
    model = network("numbers", backend)
    model.fit(1e4 * X, 1e18 * NUMBERS, epochs=1, verbose=0)
    model.save(tmp_path / "model")
    loaded = fm.load(tmp_path / "model", backend=backend)
    np.testing.assert_array_equal(loaded.predict(X), model.predict(X))


@pytest.mark.parametrize("metadata", [{1: "x"}, {"x": 1}, None, "note"])
def test_metadata_that_is_no_text(metadata, tmp_path):
    model = fitted("numbers")
    model.metadata = metadata
    with pytest.raises(TypeError, match=r"metadata"):
        model.save(tmp_path / "model")
    assert not list(tmp_path.iterdir())


def test_a_save_that_fails_keeps_the_file_of_before(tmp_path):
    path = tmp_path / "model"
    fitted("numbers").save(path)
    before = path.read_bytes()
    model = fitted("letters")
    model.metadata = {"note": b"bytes"}
    with pytest.raises(TypeError, match="metadata"):
        model.save(path)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]
