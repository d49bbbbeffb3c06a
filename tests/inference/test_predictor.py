"""Predictors called with rows of every form, by several threads, copied and pickled."""

from __future__ import annotations

import copy
import pickle
import threading

import numpy as np
import pytest
from frozen_networks import classifier, relative, rows
from random_weights import TOLERANCE

import fastmlp as fm


@pytest.mark.parametrize("dtype", TOLERANCE)
def test_rows_and_one_row(backend: str, dtype: str) -> None:
    model, X = classifier(backend, dtype)
    predictor, expected = model.freeze(), model.predict(X)
    assert predictor.backend == backend
    tolerance = TOLERANCE[dtype]
    assert relative(predictor(X), expected) <= tolerance
    for i in range(200):
        one = predictor(X[i])
        assert one.shape == (3,)
        assert one.dtype == dtype
        assert np.abs(one - expected[i]).max() <= tolerance
        assert predictor.predict_classes(X[i]) == predictor.classes[one.argmax()]
    assert np.abs(predictor(X[0].tolist()) - expected[0]).max() <= tolerance
    assert predictor(X[:1]).shape == (1, 3)
    assert np.array_equal(predictor.predict_classes(X), model.predict_classes(X))
    assert predictor.task == "multiclass"
    assert predictor.classes.tolist() == ["high", "low", "middle"]


@pytest.mark.parametrize("n", [3, 300])
def test_rows_of_every_layout_and_type(backend: str, n: int) -> None:
    model = fm.Sequential([fm.Dense(4, "tanh"), fm.Dense(2)], backend=backend, random_state=0)
    predictor = model.build(3).freeze()
    X = np.random.default_rng(0).integers(0, 9, (n, 3)).astype("f4")
    expected = predictor(X)
    unaligned = np.frombuffer(b" " + X.tobytes(), "f4", offset=1).reshape(n, 3)
    spread = np.zeros((2 * n, 6), "f4")
    spread[::2, ::2] = X
    forms = [np.asfortranarray(X), spread[::2, ::2], X[::-1][::-1], unaligned, X.tolist()]
    forms += [X.astype(dtype) for dtype in ("f8", ">f4", "f2", "i8", "u1", "O")]
    for given in forms:
        np.testing.assert_allclose(predictor(given), expected, rtol=1e-6)


def test_out_is_written(backend: str) -> None:
    model, X = classifier(backend)
    predictor = model.freeze()
    for x, shape in ((X, (len(X), 3)), (X[:3], (3, 3)), (X[0], (3,)), (X[0].astype("f8"), (3,))):
        out = np.full(shape, np.nan, dtype="float32")
        assert predictor(x, out) is out
        assert np.array_equal(out, predictor(x))
        kept = out.copy()
        with pytest.raises(ValueError, match=r"NaN or infinity"):
            predictor(np.full_like(x, np.nan), out)
        assert np.array_equal(out, kept)
    for wrong in (np.empty((2, 3), "f4"), np.empty(3, "f8"), np.empty(6, "f4")[::2]):
        with pytest.raises(ValueError, match=r"out must be"):
            predictor(X[0], wrong)
    with pytest.raises(TypeError, match=r"out must be an array"):
        predictor(X[0], [0.0, 0.0, 0.0])
    sealed = np.empty(3, "f4")
    sealed.flags.writeable = False
    unaligned = np.frombuffer(bytearray(13), "f4", offset=1)
    for wrong in (sealed, unaligned, np.empty((3, 3), "f4", order="F")):
        with pytest.raises(ValueError, match=r"C-contiguous, aligned and writable"):
            predictor(X[0] if wrong.ndim == 1 else X[:3], wrong)


def test_bad_rows(backend: str) -> None:
    predictor = classifier(backend)[0].freeze()
    good = predictor(np.ones(5, "f4"))
    for value in (np.nan, np.inf, -np.inf):
        for place in range(5):
            x = np.ones(5, "f4")
            x[place] = value
            with pytest.raises(ValueError, match=rf"row 0, column {place}"):
                predictor(x)
    many = np.ones((5000, 5), "f4")
    many[4321, 2] = np.inf
    with pytest.raises(ValueError, match=r"the first in row 4321, column 2"):
        predictor(many)
    wide = np.ones((3000, 5))
    wide[1234, 4] = -1e39
    with pytest.raises(ValueError, match=r"beyond the range of float32.* row 1234, column 4"):
        predictor(wide)
    assert np.allclose(predictor(np.ones((5000, 5))), good, rtol=0, atol=1e-6)
    with pytest.raises(ValueError, match=r"x has 4 columns, expected 5"):
        predictor(np.ones(4, "f4"))
    with pytest.raises(ValueError, match=r"x has 4 columns, expected 5"):
        predictor(np.ones((2, 4), "f4"))
    with pytest.raises(TypeError, match=r"real numbers"):
        predictor(["a"] * 5)
    with pytest.raises(ValueError, match=r"beyond the range of float32"):
        predictor(np.full(5, 1e300))
    for single in (3.0, None):
        with pytest.raises(ValueError, match=rf"one row, \(5,\), or rows, \(n, 5\), got {single}"):
            predictor(single)
    assert np.array_equal(predictor(np.ones(5, "f4")), good)


def test_two_inputs_and_codes(backend: str) -> None:
    sparse = pytest.importorskip("scipy.sparse")
    deep = [fm.Embedding(4, 2, column=1), fm.Dense(8, "relu")]
    model = fm.Sequential(
        [fm.WideAndDeep(1, "sigmoid", deep=deep)], backend=backend, random_state=0
    )
    wide = np.random.default_rng(0).integers(0, 2, (300, 6)).astype("float32")
    X = rows(3, 300)
    X[:, 1] = np.arange(300) % 4
    model.fit((wide, X), np.where(wide[:, 0] > 0, "b", "a"), epochs=2, verbose=0)
    predictor, expected = model.freeze(), model.predict((wide, X))
    assert predictor.n_features == (6, 3)
    assert relative(predictor((wide, X)), expected) <= 1e-5
    assert relative(predictor((sparse.csr_matrix(wide), X)), expected) <= 1e-5
    assert relative(predictor((wide[4], X[4])), expected[4]) <= 1e-5
    assert predictor((wide[4], X[4])).shape == (1,)
    assert np.array_equal(predictor.predict_classes((wide, X)), model.predict_classes((wide, X)))
    X[7, 1] = 4
    with pytest.raises(ValueError, match=r"row 7, column 1, where an Embedding expects"):
        predictor((wide, X))
    with pytest.raises(ValueError, match=r"pass a tuple \(x_wide, x_deep\)"):
        predictor(X)


def test_threads_share_one() -> None:
    pytest.importorskip("numba")
    model, X = classifier("numba")
    predictor, wrong = model.freeze(), []
    expected = np.array([predictor(x) for x in X[:64]])

    def call(start: int) -> None:
        for i in range(4000):
            k = (start + i) % 64
            if not np.array_equal(predictor(X[k]), expected[k]):
                wrong.append(k)
            if i % 100 == 0 and not np.array_equal(
                predictor(X[:64])[k], predictor(X[k : k + 1])[0]
            ):
                wrong.append(k)

    threads = [threading.Thread(target=call, args=(16 * k,)) for k in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def test_copies_and_pickles(backend: str) -> None:
    model, X = classifier(backend)
    predictor = model.freeze()
    predictor(X[0])
    for other in (copy.copy(predictor), copy.deepcopy(predictor), None):
        other = other or pickle.loads(pickle.dumps(predictor))
        assert np.array_equal(other(X), predictor(X))
        assert np.array_equal(other(X[0]), predictor(X[0]))
        assert not other.weights["0.weight"].flags.writeable
        assert other.classes.tolist() == predictor.classes.tolist()


@pytest.mark.parametrize("n", [1, 8, 300, 3000])
def test_out_may_lie_over_x(backend: str, n: int) -> None:
    memory = rows(7, n).ravel()
    for n_features, n_outputs in ((2, 7), (7, 2), (3, 3)):
        model = fm.Sequential([fm.Dense(n_outputs, "tanh")], backend=backend, random_state=0)
        predictor = model.build(n_features).freeze()
        x = memory[: n * n_features].reshape(n, n_features)
        expected = predictor(x.copy())
        out = memory[: n * n_outputs].reshape(n, n_outputs)
        predictor(x, out)
        assert np.array_equal(out, expected)
