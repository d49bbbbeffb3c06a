"""What a network is built into: widths that fit, first values, and what cannot be built."""

from __future__ import annotations

import pytest
from small_models import NUMBERS, features

import fastmlp as fm

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
