"""Predictors are called in many ways, and each gives the same bits or the same refusal."""

from __future__ import annotations

import pickle
import re
import sys
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from forms_of_rows import (
    FORMS,
    N_FEATURES,
    NETWORKS,
    SHAPES,
    cube,
    cube_slope,
    layers_of,
    predictor_of,
    spread,
    unaligned,
    whole_numbers,
)

import fastmlp as fm


@pytest.fixture(scope="module", autouse=True)
def own_activation() -> None:
    fm.register_activation("test_base_cube", cube, cube_slope)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", NETWORKS)
def test_a_row_has_the_same_bits_in_every_shape(name: str, dtype: str, backend: str) -> None:
    predictor = predictor_of(layers_of(name), backend, dtype)
    X = np.random.default_rng(3).normal(size=(20, N_FEATURES)).astype(dtype)
    width = predictor.n_outputs
    for x in X:
        row = predictor(x)
        assert row.shape == (width,)
        assert row.dtype == dtype
        assert np.array_equal(predictor(x[np.newaxis]), [row])
        for shape in ((width,), (1, width)):
            out = np.full(shape, np.nan, dtype)
            assert predictor(x.reshape(*shape[:-1], -1), out) is out
            assert np.array_equal(out.reshape(-1), row)
    if backend == "numba":
        rows = np.array([predictor(x) for x in X])
        for n in (2, 8, 9, 20):
            assert np.array_equal(predictor(X[:n]), rows[:n])
            assert np.array_equal(predictor(X[:n], np.empty((n, width), dtype)), rows[:n])


@pytest.mark.parametrize("backend_of_model", ["numba"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_models_predict_a_row_as_they_predict_many(backend_of_model: str, dtype: str) -> None:
    pytest.importorskip("numba")
    model = fm.Sequential(layers_of("plain"), backend=backend_of_model, dtype=dtype, random_state=0)
    X = np.random.default_rng(3).normal(size=(20, N_FEATURES)).astype(dtype)
    rows = model.build(N_FEATURES).predict(X)
    for n in (1, 2, 8, 9):
        assert np.array_equal(model.predict(X[:n]), rows[:n])
        assert np.array_equal(model.predict(np.asfortranarray(X[:n])), rows[:n])
        assert np.array_equal(model.predict(X[:n].astype("f8")), rows[:n])


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("form", FORMS)
def test_the_same_numbers_give_the_same_bits(
    form: str, shape: tuple[int, ...], backend: str
) -> None:
    for dtype in ("float32", "float64"):
        predictor = predictor_of(layers_of("plain"), backend, dtype)
        X = whole_numbers(shape[0] if shape else 1, dtype=dtype).reshape(*shape, N_FEATURES)
        expected = predictor(X)
        given = FORMS[form](X)
        with np.errstate(all="raise"):
            found = predictor(given)
            out = np.empty_like(expected)
            assert predictor(given, out) is out
        assert found.shape == expected.shape == (*shape, 3)
        assert np.array_equal(found, expected)
        assert np.array_equal(out, expected)
        labels = predictor.predict_classes(given)
        assert np.array_equal(labels, expected.argmax(axis=-1))


def test_frames_and_files_in_memory_give_the_same_bits(backend: str, tmp_path: Path) -> None:
    pandas = pytest.importorskip("pandas")
    predictor, X = predictor_of(layers_of("plain"), backend), whole_numbers(40)
    X.tofile(tmp_path / "rows")
    mapped = np.memmap(tmp_path / "rows", "f4", "r", shape=X.shape)
    frame = pandas.DataFrame(X)
    expected = predictor(X)
    for given in (mapped, frame, frame.astype("i8"), frame.astype({0: "f8", 1: "u1"})):
        assert np.array_equal(predictor(given), expected)
    for given in (mapped[3], frame.iloc[3], frame.iloc[3].astype("i8"), mapped[3:4], frame[3:4]):
        assert np.array_equal(predictor(given).reshape(-1), predictor(X[3]))


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 1e39])
@pytest.mark.parametrize("shape", SHAPES)
def test_what_is_not_finite_is_named(shape: tuple[int, ...], value: float, backend: str) -> None:
    predictor = predictor_of(layers_of("plain"), backend)
    dtype = "f8" if np.isfinite(value) else "f4"
    X = whole_numbers(shape[0] if shape else 1, dtype=dtype).reshape(*shape, N_FEATURES)
    good = predictor(X)
    X[..., 2].flat[-1] = value
    row = shape[0] - 1 if shape else 0
    words = "beyond the range of float32" if np.isfinite(value) else "NaN or infinity"
    message = rf"^x contains .*{words}.*: 1 value, the first in row {row}, column 2 "
    for given in (X, X.tolist(), np.asfortranarray(X), spread(X)):
        out = np.full(good.shape, 7.0, "f4")
        with np.errstate(all="raise"):
            with pytest.raises(ValueError, match=message):
                predictor(given)
            with pytest.raises(ValueError, match=message):
                predictor(given, out)
        assert (out == 7.0).all()
    X[..., 2].flat[-1] = whole_numbers(len(X) if shape else 1).reshape(X.shape)[..., 2].flat[-1]
    assert np.array_equal(predictor(X), good)


def test_another_width_is_refused_in_the_same_words(backend: str) -> None:
    predictor = predictor_of(layers_of("plain"), backend)
    message = re.escape("x has 4 columns, expected 5: pass one row, (5,), or rows, (n, 5)")
    for shape in ((4,), (1, 4), (8, 4), (300, 4)):
        for given in (np.ones(shape, "f4"), np.ones(shape), np.ones(shape).tolist()):
            with pytest.raises(ValueError, match=f"^{message}$"):
                predictor(given)
            with pytest.raises(ValueError, match=f"^{message}$"):
                predictor(given, np.empty((*shape[:-1], 3), "f4"))
    for given in (np.ones((2, 3, 5)), np.float32(1), np.ones(()), None, "12345"):
        with pytest.raises(ValueError, match=r"x must be one row, \(5,\), or rows, \(n, 5\), got"):
            predictor(given)
    with pytest.raises(ValueError, match="x has no rows"):
        predictor(np.ones((0, 5), "f4"))


def test_out_that_does_not_fit_is_refused(backend: str) -> None:
    predictor = predictor_of(layers_of("plain"), backend)
    for shape in SHAPES:
        X = whole_numbers(shape[0] if shape else 1).reshape(*shape, N_FEATURES)
        sealed = np.empty((*shape, 3), "f4")
        sealed.flags.writeable = False
        for out in (
            np.empty((*shape, 2), "f4"),
            np.empty((1, *shape, 3), "f4"),
            np.empty((*shape, 3), "f8"),
            np.empty((*shape, 6), "f4")[..., ::2],
            unaligned(np.empty((*shape, 3), "f4")),
            sealed,
        ):
            for given in (X, X.tolist()):
                with pytest.raises(ValueError, match="out must be"):
                    predictor(given, out)
        with pytest.raises(TypeError, match="out must be an array, got"):
            predictor(X, [0.0] * 3)  # type: ignore[arg-type]


@pytest.mark.parametrize("shape", SHAPES)
def test_out_may_be_x_itself(shape: tuple[int, ...], backend: str) -> None:
    predictor = predictor_of([fm.Dense(N_FEATURES, "tanh")], backend)
    X = whole_numbers(shape[0] if shape else 1).reshape(*shape, N_FEATURES)
    expected = predictor(X)
    assert predictor(X, X) is X
    assert np.array_equal(X, expected)


def test_results_are_the_caller_s_own(backend: str) -> None:
    predictor = predictor_of(layers_of("plain"), backend)
    for shape in SHAPES:
        X = whole_numbers(shape[0] if shape else 1).reshape(*shape, N_FEATURES)
        first = predictor(X)
        kept = first.copy()
        predictor(X + 1.0)[...] = 0.0
        assert np.array_equal(first, kept)
        assert first.flags.writeable
        assert np.array_equal(predictor(X), kept)


def test_threads_call_one_in_all_ways_at_once(backend: str) -> None:
    predictor = predictor_of(layers_of("plain"), backend)
    calls: list[Any] = []
    for shape in SHAPES:
        X = whole_numbers(shape[0] if shape else 1).reshape(*shape, N_FEATURES)
        forms = (X, X.astype("f8"), X.astype("u1"), X.tolist(), np.full_like(X, np.nan))
        calls += [(form, predictor(X)) for form in forms]
    wrong: list[Any] = []

    def call(seed: int) -> None:
        rng = np.random.default_rng(seed)
        for number in rng.integers(len(calls), size=600):
            x, expected = calls[number]
            try:
                right = np.array_equal(predictor(x), expected)
            except ValueError as error:
                right = "NaN" in str(error) and bool(np.isnan(x).all())
            if not right:
                wrong.append(number)

    threads = [threading.Thread(target=call, args=(seed,)) for seed in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def test_a_few_rows_pass_no_more_functions_than_one(backend: str) -> None:
    """Looking at arguments must not cost more than the network; a call of Python's is 0.1 us."""
    predictor = predictor_of(layers_of("plain"), backend)

    def functions(x: Any) -> int:
        count = 0

        def seen(frame: Any, event: str, argument: Any) -> None:
            nonlocal count
            count += event == "call"

        predictor(x)
        sys.setprofile(seen)
        try:
            predictor(x)
        finally:
            sys.setprofile(None)
        return count

    row = functions(whole_numbers(1)[0])
    assert backend == "numpy" or row == 2
    for dtype in ("f4", "f8", "u1"):
        for n in (1, 2, 8):
            assert functions(whole_numbers(n, dtype=dtype)) == row
    if backend == "numba":
        predictor = predictor_of(layers_of("plain two inputs"), backend, n_features=(6, N_FEATURES))
        # They ask whether both parts are readable, and make one object of them.
        pair = functions((whole_numbers(1, 6)[0], whole_numbers(1)[0]))
        assert pair == row + 2
        for dtype in ("f4", "f8", "u1"):
            for n in (1, 2, 8):
                assert functions((whole_numbers(n, 6, dtype), whole_numbers(n))) == pair


def quantized() -> Any:
    predictor = predictor_of(layers_of("plain"), "numpy")
    return predictor.quantize(whole_numbers(100))


@pytest.mark.parametrize("shape", SHAPES)
def test_quantized_predictors_are_called_alike(shape: tuple[int, ...]) -> None:
    predictor = quantized()
    X = whole_numbers(shape[0] if shape else 1).reshape(*shape, N_FEATURES)
    expected = np.array([predictor(x) for x in X.reshape(-1, N_FEATURES)]).reshape(*shape, 3)
    for form in FORMS.values():
        out = np.empty((*shape, 3), "f4")
        with np.errstate(all="raise"):
            assert np.array_equal(predictor(form(X)), expected)
            assert predictor(form(X), out) is out
        assert np.array_equal(out, expected)
    assert np.array_equal(pickle.loads(pickle.dumps(predictor))(X), expected)
    for value, words in ((np.nan, "NaN"), (1e300, "beyond the range of float32")):
        bad, out = X.astype("f8"), np.full((*shape, 3), 7.0, "f4")
        bad[..., 1] = value
        with np.errstate(all="raise"), pytest.raises(ValueError, match=words):
            predictor(bad, out)
        assert (out == 7.0).all()
    with pytest.raises(ValueError, match=r"x has 4 columns, expected 5: pass one row"):
        predictor(X[..., :4])
