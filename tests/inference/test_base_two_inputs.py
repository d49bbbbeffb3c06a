"""Predictors of two inputs, and of codes: the same bits in every form, or the same refusal."""

from __future__ import annotations

import numpy as np
import pytest
from forms_of_rows import (
    FORMS,
    N_FEATURES,
    SHAPES,
    layers_of,
    predictor_of,
    whole_numbers,
)

import fastmlp as fm


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_two_inputs_in_every_form_give_the_same_bits(
    dtype: str, shape: tuple[int, ...], backend: str
) -> None:
    layers = layers_of("plain two inputs")
    predictor = predictor_of(layers, backend, dtype, (6, N_FEATURES))
    n = shape[0] if shape else 1
    wide = whole_numbers(n, 6, dtype).reshape(*shape, 6)
    deep = whole_numbers(n, dtype=dtype).reshape(*shape, N_FEATURES)
    expected = predictor((wide, deep))
    assert expected.shape == (*shape, 3)
    for form in FORMS.values():
        for given in ((form(wide), deep), (wide, form(deep)), (form(wide), form(deep))):
            assert np.array_equal(predictor(given), expected)
            out = np.empty_like(expected)
            assert predictor(given, out) is out
            assert np.array_equal(out, expected)


@pytest.mark.parametrize("part", ["wide", "deep"])
@pytest.mark.parametrize("value", [np.nan, np.inf, 1e39])
@pytest.mark.parametrize("shape", SHAPES)
def test_what_is_not_finite_in_one_of_two_inputs_is_named(
    shape: tuple[int, ...], value: float, part: str, backend: str
) -> None:
    predictor = predictor_of(layers_of("plain two inputs"), backend, n_features=(6, N_FEATURES))
    n = shape[0] if shape else 1
    wide, deep = whole_numbers(n, 6, "float64"), whole_numbers(n, dtype="float64")
    bad = wide if part == "wide" else deep
    bad[n - 1, 2] = value
    given = wide.reshape(*shape, 6), deep.reshape(*shape, N_FEATURES)
    out = np.full((*shape, 3), 7.0, "f4")
    message = rf"^X_{part} contains .*: 1 value, the first in row {n - 1}, column 2 "
    for arguments in ((given,), (given, out)):
        with np.errstate(all="raise"), pytest.raises(ValueError, match=message):
            predictor(*arguments)
    assert (out == 7.0).all()


def test_two_inputs_that_do_not_fit_each_other_are_refused(backend: str) -> None:
    predictor = predictor_of(layers_of("plain two inputs"), backend, n_features=(6, N_FEATURES))
    for n in (1, 8, 20):
        wide, deep = whole_numbers(n, 6), whole_numbers(n)
        with pytest.raises(ValueError, match=f"X_wide has {n + 1} rows, but X_deep has {n}"):
            predictor((whole_numbers(n + 1, 6), deep))
        with pytest.raises(ValueError, match="X_wide has 5 columns, expected 6"):
            predictor((wide[:, :5], deep))
        with pytest.raises(ValueError, match="X_deep has 6 columns, expected 5"):
            predictor((wide, wide))
        with pytest.raises(ValueError, match="out must be float32"):
            predictor((wide, deep), np.empty((n, 2), "f4"))
        with pytest.raises(ValueError, match=r"pass a tuple \(x_wide, x_deep\)"):
            predictor((wide, deep, deep))


def test_codes_and_two_inputs_in_one_row_or_many(backend: str) -> None:
    layers = [fm.Embedding(4, 2, column=1), fm.Dense(8, "relu"), fm.Dense(2)]
    predictor, X = predictor_of(layers, backend), whole_numbers(20) % 4
    pairs = fm.Sequential(
        [fm.WideAndDeep(1, "sigmoid", deep=[fm.Dense(8, "relu")])], backend=backend, random_state=0
    )
    paired, wide = pairs.build((6, N_FEATURES)).freeze(), whole_numbers(20, 6)
    for i in range(20):
        assert np.array_equal(predictor(X[i : i + 1]), [predictor(X[i])])
        assert np.array_equal(predictor(X[i].tolist()), predictor(X[i]))
        row = paired((wide[i], X[i]))
        assert row.shape == (1,)
        assert np.array_equal(paired((wide[i : i + 1], X[i : i + 1])), [row])
        out = np.empty(1, "f4")
        assert paired((wide[i].tolist(), X[i].astype("f8")), out) is out
        assert np.array_equal(out, row)
    if backend == "numba":
        assert np.array_equal(predictor(X), [predictor(x) for x in X])
        assert np.array_equal(
            paired((wide, X)), [paired(pair) for pair in zip(wide, X, strict=True)]
        )
    bad = X[0].copy()
    for value, words in (
        (4, "an Embedding expects"),
        (0.5, "an Embedding expects"),
        (np.nan, "NaN"),
    ):
        bad[1] = value
        for given in (bad, bad[np.newaxis], bad.tolist()):
            with pytest.raises(ValueError, match=f"{words}.*|.*row 0, column 1.*{words}"):
                predictor(given)
    for part in (0, 1):
        pair = [wide[0].copy(), X[0].copy()]
        pair[part][2] = np.nan
        with pytest.raises(ValueError, match=rf"X_{('wide', 'deep')[part]} contains NaN"):
            paired(tuple(pair))
    with pytest.raises(ValueError, match=r"pass a tuple \(x_wide, x_deep\)"):
        paired(X[0])
