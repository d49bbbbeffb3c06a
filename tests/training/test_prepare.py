"""Arguments of a fit that are refused, in which words, and that nothing is changed or built."""

from __future__ import annotations

import numpy as np
import pytest
from small_models import (
    BAD_SIZE,
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
