"""Which arguments of fits and of networks are refused, in which words, and what then stays."""

from __future__ import annotations

import numpy as np
import pytest
from small_models import (
    CODES,
    LETTERS,
    NUMBERS,
    ROWS,
    X,
    assert_refused_unchanged,
    assert_usable,
    everything_in,
    features,
    fitted,
    network,
    with_value,
)

import fastmlp as fm

BACKENDS = fm.kernels.available_backends()
ONES = np.ones(ROWS)
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
def test_monitoring_a_value_that_there_is_not_is_refused_before_training(backend, tmp_path):
    schedule = fm.ReduceOnPlateau(0.1, monitor="val_loss")
    model = network("numbers", backend, optimizer=fm.SGD(schedule))
    model.fit(X, NUMBERS, epochs=1, verbose=0, validation_split=0.25)
    before = everything_in(model, tmp_path / "model")
    with pytest.raises(ValueError, match=r"ReduceOnPlateau cannot monitor 'val_loss'"):
        model.fit(X, NUMBERS, epochs=1, verbose=0)
    assert everything_in(model, tmp_path / "model") == before


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
