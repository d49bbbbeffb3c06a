"""Networks that cannot be declared, and why."""

from __future__ import annotations

import numpy as np
import pytest
from small_models import (
    BAD_SIZE,
)

import fastmlp as fm

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
    "dropout text": (lambda: fm.Dropout("0.1"), TypeError, r"rate must be a number or a schedule"),
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
        *(lambda: fm.Sequential([fm.Dense(1)], optimizer="rmspro"), ValueError),
        r"unknown optimizer 'rmspro'; did you mean 'rmsprop'\?",
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
