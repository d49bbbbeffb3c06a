"""Predictors are called in many ways, and each gives the same bits or the same refusal."""

from __future__ import annotations

import os
import pickle
import re
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from random_weights import randomize

import fastmlp as fm

Array = np.ndarray[Any, Any]
N_FEATURES = 5


def cube(z: Any) -> Any:
    return z * z * z / (1.0 + z * z)


def cube_slope(z: Any) -> Any:
    return z * z * (z * z + 3.0) / ((1.0 + z * z) * (1.0 + z * z))


@pytest.fixture(scope="module", autouse=True)
def own_activation() -> None:
    fm.register_activation("test_base_cube", cube, cube_slope)


def _layers(name: str) -> list[Any]:
    return {
        "plain": [fm.Dense(33, "relu"), fm.Dense(16, "tanh"), fm.Dense(3, "softmax")],
        "one output": [fm.Dense(8, "gelu"), fm.Dense(1, "sigmoid")],
        "one layer": [fm.Dense(2)],
        "own activation": [fm.Dense(9, "test_base_cube"), fm.Dense(2)],
        "softmax inside": [fm.Dense(7, "softmax"), fm.Dense(2, "exp")],
        "scales left": [fm.Dense(6, "relu"), fm.BatchNorm(), fm.Residual([fm.Dense(6, "elu")])],
        "branches": [fm.Branch([fm.Dense(3, "selu")], [], [fm.Activation("mish")]), fm.Dense(2)],
        "plain two inputs": [
            fm.WideAndDeep(3, "softmax", deep=[fm.Dense(33, "relu"), fm.Dense(16, "tanh")])
        ],
        "wide part": [fm.WideAndDeep(2, "softmax", deep=[fm.Dense(4, "silu")], wide=[0, 3])],
    }[name]


NETWORKS = [
    *("plain", "one output", "one layer", "own activation", "softmax inside"),
    *("scales left", "branches", "wide part"),
]


def predictor_of(
    layers: list[Any], backend: str, dtype: str = "float32", n_features: Any = N_FEATURES
) -> fm.Predictor:
    model = fm.Sequential(layers, backend=backend, dtype=dtype, random_state=0).build(n_features)
    randomize(model, np.random.default_rng(1))
    return model.freeze()


def whole_numbers(n: int, n_features: int = N_FEATURES, dtype: str = "float32") -> Array:
    """Rows that every type of number holds exactly."""
    return np.random.default_rng(2).integers(0, 9, (n, n_features)).astype(dtype)


def unaligned(X: Array) -> Array:
    return np.frombuffer(b" " + X.tobytes(), X.dtype, offset=1).reshape(X.shape)


def spread(X: Array) -> Array:
    """The same numbers with others between them, in both directions."""
    whole = np.full((*(2 * length for length in X.shape[:-1]), 2 * X.shape[-1]), -7, X.dtype)
    part = whole[tuple(slice(None, None, 2) for _ in X.shape)]
    part[...] = X
    return part


def backwards(X: Array) -> Array:
    every = tuple(slice(None, None, -1) for _ in X.shape)
    return X[every].copy()[every]


def read_only(X: Array) -> Array:
    X = X.copy()
    X.flags.writeable = False
    return X


FORMS: dict[str, Callable[[Array], Any]] = {
    "list": lambda X: X.tolist(),
    "list of whole numbers": lambda X: X.astype(int).tolist(),
    "tuple": lambda X: tuple(map(tuple, X)) if X.ndim == 2 else tuple(X),
    "list of arrays": list,
    "float64": lambda X: X.astype("f8"),
    "float32": lambda X: X.astype("f4"),
    "float16": lambda X: X.astype("f2"),
    "uint8": lambda X: X.astype("u1"),
    "int64": lambda X: X.astype("i8"),
    "objects": lambda X: X.astype("O"),
    "other byte order": lambda X: X.astype(X.dtype.newbyteorder()),
    "long double": lambda X: X.astype(np.longdouble),
    "Fortran": np.asfortranarray,
    "spread": spread,
    "backwards": backwards,
    "unaligned": unaligned,
    "read-only": read_only,
    "matrix": lambda X: X.view(type("Subclass", (np.ndarray,), {})),
    "masked": np.ma.masked_array,
}
SHAPES = [(), (1,), (2,), (8,), (9,), (300,)]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", NETWORKS)
def test_a_row_has_the_same_bits_in_every_shape(name: str, dtype: str, backend: str) -> None:
    predictor = predictor_of(_layers(name), backend, dtype)
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
    model = fm.Sequential(_layers("plain"), backend=backend_of_model, dtype=dtype, random_state=0)
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
        predictor = predictor_of(_layers("plain"), backend, dtype)
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
    predictor, X = predictor_of(_layers("plain"), backend), whole_numbers(40)
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
    predictor = predictor_of(_layers("plain"), backend)
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
    predictor = predictor_of(_layers("plain"), backend)
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
    predictor = predictor_of(_layers("plain"), backend)
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
    predictor = predictor_of(_layers("plain"), backend)
    for shape in SHAPES:
        X = whole_numbers(shape[0] if shape else 1).reshape(*shape, N_FEATURES)
        first = predictor(X)
        kept = first.copy()
        predictor(X + 1.0)[...] = 0.0
        assert np.array_equal(first, kept)
        assert first.flags.writeable
        assert np.array_equal(predictor(X), kept)


def test_threads_call_one_in_all_ways_at_once(backend: str) -> None:
    predictor = predictor_of(_layers("plain"), backend)
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
    predictor = predictor_of(_layers("plain"), backend)

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
        predictor = predictor_of(_layers("plain two inputs"), backend, n_features=(6, N_FEATURES))
        # They ask whether both parts are readable, and make one object of them.
        pair = functions((whole_numbers(1, 6)[0], whole_numbers(1)[0]))
        assert pair == row + 2
        for dtype in ("f4", "f8", "u1"):
            for n in (1, 2, 8):
                assert functions((whole_numbers(n, 6, dtype), whole_numbers(n))) == pair


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_two_inputs_in_every_form_give_the_same_bits(
    dtype: str, shape: tuple[int, ...], backend: str
) -> None:
    layers = _layers("plain two inputs")
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
    predictor = predictor_of(_layers("plain two inputs"), backend, n_features=(6, N_FEATURES))
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
    predictor = predictor_of(_layers("plain two inputs"), backend, n_features=(6, N_FEATURES))
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


def quantized() -> Any:
    predictor = predictor_of(_layers("plain"), "numpy")
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


NAMES = ("a", "b", "c", "d", "e")
ENTRIES: dict[str, Callable[[fm.Predictor, Any], Any]] = {
    "call": lambda predictor, x: predictor(x),
    "a row": lambda predictor, x: predictor(x.iloc[0]),
    "out": lambda predictor, x: predictor(x, np.empty((len(x), 3), "f4")),
    "classes": lambda predictor, x: predictor.predict_classes(x),
    "quantize": lambda predictor, x: predictor.quantize(x),
    "export in int8": lambda predictor, x: predictor.export_c(
        os.devnull, quantize="int8", calibration=x
    ),
    "quantized": lambda predictor, x: predictor.quantize(whole_numbers(50))(x),
    "quantized classes": lambda predictor, x: predictor.quantize(whole_numbers(50)).predict_classes(
        x
    ),
}


@pytest.mark.parametrize("entry", ENTRIES)
def test_frames_with_other_columns_are_refused(entry: str, tmp_path: Path) -> None:
    pandas = pytest.importorskip("pandas")
    predictor = predictor_of(_layers("plain"), "numpy")
    predictor.feature_names = NAMES
    frame = pandas.DataFrame(whole_numbers(50), columns=list(NAMES))
    predictor.save(tmp_path / "p.safetensors")
    loaded = fm.load_predictor(tmp_path / "p.safetensors")
    for known in (predictor, loaded, pickle.loads(pickle.dumps(predictor))):
        assert known.feature_names == NAMES
        ENTRIES[entry](known, frame)
        ENTRIES[entry](known, frame.set_axis(range(5), axis=1))
        order = r"x has its columns in another order, e, d, c, b, a, .*predictor\.feature_names"
        with pytest.raises(ValueError, match=f"(?i){order}"):
            ENTRIES[entry](known, frame[list(NAMES)[::-1]])
        with pytest.raises(ValueError, match="(?i)x has other columns .* it lacks b and it has z"):
            ENTRIES[entry](known, frame.rename(columns={"b": "z"}))
    known.feature_names = None
    ENTRIES[entry](known, frame.rename(columns={"b": "z"}))


def test_names_of_two_inputs(tmp_path: Path) -> None:
    pandas = pytest.importorskip("pandas")
    wide = pandas.DataFrame(whole_numbers(40, 2), columns=["u", "v"])
    deep = pandas.DataFrame(whole_numbers(40, 3), columns=["a", "b", "c"])
    y = np.arange(40) % 2
    layers = [fm.WideAndDeep(1, "sigmoid", deep=[fm.Dense(4, "relu")])]
    given: Any
    for given in ((wide, deep), (wide, deep.to_numpy()), (wide.to_numpy(), deep)):
        model = fm.Sequential(layers, backend="numpy", random_state=0)
        predictor = model.fit(given, y, epochs=1, verbose=0) and model.freeze()
        predictor.save(tmp_path / "p.safetensors")
        for known in (predictor, fm.load_predictor(tmp_path / "p.safetensors")):
            named = [part for part in given if part is wide or part is deep]
            expected = sum((tuple(part) for part in named), ()) if len(named) == 2 else None
            assert known.feature_names == expected
            known((wide, deep))
            if given[0] is wide:
                with pytest.raises(
                    ValueError, match=r"X_wide has .*another order, v, u,.*'X_wide'"
                ):
                    known((wide[["v", "u"]], deep))
            else:
                known((wide[["v", "u"]], deep))
            if given[1] is deep:
                with pytest.raises(ValueError, match=r"X_deep has other columns .*lacks a "):
                    known((wide, deep.rename(columns={"a": "z"})))
                with pytest.raises(ValueError, match=r"X_deep has .*another order, b, a, c"):
                    known((wide.iloc[0], deep.iloc[0][["b", "a", "c"]]))


def test_names_must_be_as_many_as_columns() -> None:
    predictor = predictor_of(_layers("plain"), "numpy")
    with pytest.raises(ValueError, match="X has 5 columns, but 4 names"):
        predictor.feature_names = NAMES[:4]
    with pytest.raises(ValueError, match="X has 5 columns, but 6 names"):
        predictor.feature_names = (*NAMES, "f")
    assert predictor.feature_names is None
