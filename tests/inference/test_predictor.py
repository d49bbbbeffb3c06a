"""Predictors: what freezing makes of a network, calls, files, threads."""

from __future__ import annotations

import copy
import os
import pickle
import sys
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from blocked_imports import BLOCKS, OPTIONAL, output_of
from random_weights import TOLERANCE, randomize

import fastmlp as fm
from fastmlp.common import safetensors
from fastmlp.inference.predictor import Predictor
from fastmlp.program.program import DenseOp, ScaleOp

BACKENDS = ["numpy", "numba"]


def trained(layers: list[Any], n_features: int = 5, dtype: str = "float32", **given: Any) -> Any:
    """A network whose running statistics, biases and factors are none of those it starts with."""
    model = fm.Sequential(layers, dtype=dtype, backend="numpy", random_state=0, **given)
    model.build(n_features)
    randomize(model, np.random.default_rng(1))
    return model


def rows(n_features: int = 5, n: int = 2000, dtype: str = "float32") -> Any:
    X = np.random.default_rng(2).normal(size=(n, n_features)) * 3
    return X.astype(dtype)


def kinds(predictor: Predictor) -> list[str]:
    return [type(op).__name__ for op in predictor.program.ops]


def relative(found: Any, expected: Any) -> float:
    return float(np.abs(found - expected).max() / np.abs(expected).max())


FOLDED = {
    "behind": ([fm.Dense(8), fm.BatchNorm(), fm.Activation("tanh"), fm.Dense(2)], 0),
    "ahead": ([fm.Dense(8, "relu"), fm.BatchNorm(), fm.Dense(2)], 0),
    "first": ([fm.BatchNorm(), fm.Dense(8, "relu", use_bias=False), fm.Dense(2)], 0),
    "two of them": ([fm.Dense(8, "relu"), fm.BatchNorm(), fm.BatchNorm(), fm.Dense(2)], 0),
    "last": ([fm.Dense(8, "relu"), fm.Dense(2, use_bias=False), fm.BatchNorm()], 0),
    "past dropout": ([fm.Dense(8, "elu"), fm.BatchNorm(), fm.Dropout(0.5), fm.Dense(2)], 0),
    "in branches": (
        [fm.BatchNorm(), fm.Branch([fm.Dense(3)], [fm.BatchNorm()], []), fm.Dense(2)],
        0,
    ),
    "of a wide part": ([fm.BatchNorm(), fm.WideAndDeep(2, deep=[fm.Dense(4, "relu")])], 0),
    "no neighbour": ([fm.Dense(4, "relu"), fm.BatchNorm(), fm.Activation("tanh")], 1),
    "in a residual": ([fm.Dense(4, "relu"), fm.BatchNorm(), fm.Residual([fm.Dense(4)])], 1),
}


@pytest.mark.parametrize("dtype", TOLERANCE)
@pytest.mark.parametrize("case", FOLDED)
def test_batch_norm_is_folded(case: str, dtype: str) -> None:
    layers, left = FOLDED[case]
    model, X = trained(layers, dtype=dtype), rows(dtype=dtype)
    predictor = model.freeze()
    assert relative(predictor(X), model.predict(X)) <= TOLERANCE[dtype]
    assert kinds(predictor).count("ScaleOp") == left
    assert not {"BatchNormOp", "DropoutOp"} & set(kinds(predictor))


def test_what_would_leave_the_dtype_is_not_folded() -> None:
    model = trained([fm.Dense(3, "relu"), fm.BatchNorm(), fm.Dense(2)])
    model.parameters["1.gamma"][:] = 1e30
    model.parameters["2.weight"][:] = 1e10
    model.parameters["0.weight"][:] = -1.0
    predictor = model.freeze()
    assert "ScaleOp" in kinds(predictor)
    assert all(np.isfinite(values).all() for values in predictor.weights.values())


SCALERS = ["StandardScaler", "MinMaxScaler", "MaxAbsScaler", "RobustScaler"]


@pytest.mark.parametrize("dtype", TOLERANCE)
@pytest.mark.parametrize("name", SCALERS)
def test_scaler_is_folded(name: str, dtype: str) -> None:
    preprocessing = pytest.importorskip("sklearn.preprocessing")
    X = rows(dtype="float64") * [1, 10, 0.1, 3, 1] + [0, 5, 1, -4, 20]
    switches = {"StandardScaler": ("with_mean", "with_std")}
    switches["RobustScaler"] = ("with_centering", "with_scaling")
    for arguments in ({}, *({switch: False} for switch in switches.get(name, ()))):
        scaler = getattr(preprocessing, name)(**arguments).fit(X)
        model = trained([fm.Dense(8, "relu"), fm.Dense(2)], dtype=dtype)
        predictor = model.freeze(scaler)
        expected = model.predict(scaler.transform(X))
        assert "ScaleOp" not in kinds(predictor)
        assert relative(predictor(X), expected) <= TOLERANCE[dtype]
        branch = trained([fm.Residual([fm.Dense(5, "relu")]), fm.Dense(2)], dtype=dtype)
        expected = branch.predict(scaler.transform(X))
        assert relative(branch.freeze(scaler)(X), expected) <= TOLERANCE[dtype]


def test_scaler_beside_an_embedding_and_a_wide_input() -> None:
    preprocessing = pytest.importorskip("sklearn.preprocessing")
    X = rows()
    X[:, 2] = np.arange(len(X)) % 4
    scaler = preprocessing.StandardScaler().fit(X)
    model = trained([fm.Embedding(4, 3, column=2), fm.Dense(8, "relu"), fm.Dense(2)])
    with pytest.raises(ValueError, match=r"column 2 of X holds the codes"):
        model.freeze(scaler)
    scaler.mean_[2], scaler.scale_[2] = 0.0, 1.0
    predictor = model.freeze(scaler)
    assert "ScaleOp" not in kinds(predictor)
    assert relative(predictor(X), model.predict(scaler.transform(X))) <= 1e-5

    wide = np.abs(rows(3))
    model = fm.Sequential(
        [fm.WideAndDeep(2, "softmax", deep=[fm.Dense(8, "relu")])], backend="numpy", random_state=0
    )
    model.build((3, 5))
    scaler = preprocessing.StandardScaler().fit(X)
    expected = model.predict((wide, scaler.transform(X)))
    assert relative(model.freeze(scaler)((wide, X)), expected) <= 1e-5


def test_scalers_that_cannot_be_folded() -> None:
    preprocessing = pytest.importorskip("sklearn.preprocessing")
    model, X = trained([fm.Dense(2)]), rows()
    with pytest.raises(ValueError, match=r"not fitted; call scaler\.fit"):
        model.freeze(preprocessing.StandardScaler())
    with pytest.raises(ValueError, match=r"fitted on 3 columns, but the network reads 5"):
        model.freeze(preprocessing.StandardScaler().fit(X[:, :3]))
    with pytest.raises(ValueError, match=r"clip=True is not linear"):
        model.freeze(preprocessing.MinMaxScaler(clip=True).fit(X))
    # It may do something else.
    derived = type("StandardScaler", (preprocessing.StandardScaler,), {})().fit(X)
    for scaler in (preprocessing.PowerTransformer().fit(X[:50]), derived, X, "standard"):
        with pytest.raises(TypeError, match=r"StandardScaler, MinMaxScaler"):
            model.freeze(scaler)
    with pytest.raises(ValueError, match=r"no parameters yet"):
        fm.Sequential([fm.Dense(1)]).freeze()


def test_names_of_columns_come_with_a_scaler() -> None:
    preprocessing = pytest.importorskip("sklearn.preprocessing")
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame(rows(2), columns=["length", "width"])
    model = trained([fm.Dense(1)], 2)
    predictor = model.freeze(preprocessing.StandardScaler().fit(frame))
    assert predictor.feature_names == ("length", "width")
    assert model.freeze().feature_names is None


def test_weights_cannot_be_changed_and_the_model_can() -> None:
    model, X = trained([fm.Dense(4, "relu"), fm.Dense(1)]), rows()
    predictor = model.freeze()
    before = predictor(X)
    for values in predictor.weights.values():
        with pytest.raises(ValueError, match=r"read-only"):
            values[...] = 0.0
    model.fit(X, X[:, 0], epochs=1, verbose=0)
    assert np.array_equal(predictor(X), before)
    assert not np.array_equal(model.predict(X), before)


def classifier(backend: str, dtype: str = "float32") -> tuple[Any, Any]:
    X = rows(dtype=dtype)
    labels = np.array(["low", "middle", "high"])[np.digitize(X[:, 0], [-1.0, 1.0])]
    model = fm.Sequential(
        [fm.Dense(16, "relu"), fm.BatchNorm(), fm.Dense(3, "softmax")],
        random_state=0,
        dtype=dtype,
        backend=backend,
    )
    model.fit(X, labels, epochs=3, verbose=0)
    return model, X


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


@pytest.mark.parametrize("to", BACKENDS)
@pytest.mark.parametrize("of", BACKENDS)
def test_files(of: str, to: str, tmp_path: Path) -> None:
    pytest.importorskip("numba")
    model, X = classifier(of)
    predictor = model.freeze()
    predictor.feature_names = ("a", "b", "c", "d", "é")
    predictor.save(tmp_path / "p.safetensors")
    model.save(tmp_path / "m.safetensors")
    for name in ("p", "m"):
        loaded = fm.load_predictor(tmp_path / f"{name}.safetensors", to)
        assert loaded.backend == to
        assert relative(loaded(X), predictor(X)) <= 1e-5
        assert np.array_equal(loaded.predict_classes(X), predictor.predict_classes(X))
        for key, values in predictor.weights.items():
            assert np.array_equal(loaded.weights[key], values)
    assert fm.load_predictor(tmp_path / "p.safetensors").feature_names == predictor.feature_names
    with pytest.raises(fm.ModelFileError, match=r"fastmlp\.load_predictor"):
        fm.load(tmp_path / "p.safetensors")


def every_operation() -> Any:
    layers = [
        fm.Embedding(3, 2, column=1),
        fm.Branch([fm.Dense(4, fm.LeakyReLU(0.2))], [fm.Activation("tanh")], []),
        fm.BatchNorm(),
        fm.Activation(fm.ELU(0.5)),
        fm.WideAndDeep(2, deep=[fm.Dense(3, "gelu")], wide=[0, 3]),
    ]
    return trained(layers, 4)


def test_a_file_holds_every_operation(tmp_path: Path) -> None:
    model, X = every_operation(), rows(4)
    X[:, 1] = np.arange(len(X)) % 3
    predictor = model.freeze()
    assert len(set(kinds(predictor))) == 7
    assert relative(predictor(X), model.predict(X)) <= 1e-5
    predictor.save(tmp_path / "p.safetensors")
    loaded = fm.load_predictor(tmp_path / "p.safetensors")
    assert np.array_equal(loaded(X), predictor(X))
    assert loaded.program == predictor.program


def test_damaged_files(tmp_path: Path) -> None:
    import json

    path, bad = tmp_path / "p.safetensors", tmp_path / "bad.safetensors"
    every_operation().freeze().save(path)
    tensors, metadata = safetensors.read(path)
    rng = np.random.default_rng(0)
    refused = 0
    for _ in range(400):
        changed = json.loads(metadata["fastmlp"])
        weights = dict(tensors)
        changed = mutated(changed, rng)
        if rng.random() < 0.2:
            del weights[rng.choice(sorted(weights))]
        safetensors.write(bad, weights, {"fastmlp": json.dumps(changed)})
        try:
            loaded = fm.load_predictor(bad)
        except fm.ModelFileError:
            refused += 1
        else:
            # What is accepted can be run.
            loaded(np.ones((2, loaded.n_features), "f4"))
    assert refused > 300
    bad.write_bytes(b"no such format")
    with pytest.raises(fm.ModelFileError):
        fm.load_predictor(bad)
    with pytest.raises(FileNotFoundError):
        fm.load_predictor(tmp_path / "none")


def mutated(value: Any, rng: Any) -> Any:
    """The description with one part of it changed to something else."""
    spots: list[tuple[Any, Any]] = []

    def collect(part: Any) -> None:
        keys = part if isinstance(part, dict) else range(len(part))
        for key in keys:
            spots.append((part, key))
            if isinstance(part[key], dict | list):
                collect(part[key])

    collect(value)
    part, key = spots[rng.integers(len(spots))]
    others = (None, -1, 0, 1, 2, 7, 10**30, 0.5, "", "dense", "add", "2.bias", [], [0], [99], {})
    if isinstance(part, dict) and rng.random() < 0.2:
        del part[key]
    else:
        part[key] = others[rng.integers(len(others))]
    return value


ISOLATED = """
import numpy as np

import fastmlp as fm

for name in ("p", "m"):
    predictor = fm.load_predictor({folder!r} + "/" + name + ".safetensors")
    print(predictor(np.arange(5) / 5).tolist(), predictor.predict_classes(np.arange(5) / 5))
    print(predictor(np.ones((3, 5))).shape)
print(sorted(name for name in {forbidden!r} if sys.modules.get(name)))
"""


@pytest.mark.parametrize("block", BLOCKS)
def test_numpy_is_enough_to_load_and_predict(block: str, tmp_path: Path) -> None:
    model, _ = classifier("numpy")
    predictor = model.freeze()
    predictor.save(tmp_path / "p.safetensors")
    model.save(tmp_path / "m.safetensors")
    code = BLOCKS[block] + ISOLATED.format(folder=str(tmp_path), forbidden=OPTIONAL)
    lines = output_of(code).splitlines()
    expected = (
        f"{predictor(np.arange(5) / 5).tolist()} {predictor.predict_classes(np.arange(5) / 5)}"
    )
    assert lines == [expected, "(3, 3)"] * 2 + ["[]"]


def test_a_dense_operation_stays_alone() -> None:
    model = trained([fm.BatchNorm(), fm.Dense(1)])
    (op,) = model.freeze().program.ops
    assert isinstance(op, DenseOp)
    assert not any(isinstance(op, ScaleOp) for op in model.freeze().program.ops)


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


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="named pipes are POSIX")
def test_a_pipe_is_written_and_not_replaced(tmp_path: Path) -> None:
    predictor, pipe = classifier("numpy")[0].freeze(), tmp_path / "pipe"
    predictor.save(tmp_path / "file")
    os.mkfifo(pipe)
    found: list[bytes] = []
    reader = threading.Thread(target=lambda: found.append(pipe.read_bytes()), daemon=True)
    reader.start()
    predictor.save(pipe)
    reader.join(30)
    assert found == [(tmp_path / "file").read_bytes()]
    assert pipe.is_fifo()


def test_columns_far_from_zero_are_warned_of() -> None:
    preprocessing = pytest.importorskip("sklearn.preprocessing")
    X = rows(dtype="float64")
    X[:, 2] = 20240101.0
    scaler = preprocessing.StandardScaler().fit(X)
    layers = [fm.Dense(8, "relu"), fm.Dense(2)]
    with pytest.warns(
        UserWarning, match=r"1 of the 5 columns of X .* column 2 is 2\.02e\+07 .* dtype='float64'"
    ):
        trained(layers).freeze(scaler)
    double = trained(layers, dtype="float64")
    # The outputs are differences of products with 20240101.
    assert relative(double.freeze(scaler)(X), double.predict(scaler.transform(X))) <= 1e-8

    model = trained([fm.BatchNorm(), fm.Dense(2)])
    model.buffers["0.running_mean"][3], model.buffers["0.running_var"][3] = 500.0, 0.0
    with pytest.warns(UserWarning, match=r"1 of the 5 columns of X .* column 3 is 1\.58e\+05 "):
        model.freeze()


def test_columns_of_a_frame_must_come_in_their_order() -> None:
    pandas = pytest.importorskip("pandas")
    preprocessing = pytest.importorskip("sklearn.preprocessing")
    frame = pandas.DataFrame(rows(3), columns=["a", "b", "c"])
    predictor = trained([fm.Dense(2)], 3).freeze(preprocessing.StandardScaler().fit(frame))
    quantised, turned = predictor.quantize(frame), frame[["c", "a", "b"]]
    for predict in (predictor, quantised):
        expected = predict(frame.to_numpy())
        assert np.array_equal(predict(frame), expected)
        with pytest.raises(
            ValueError, match=r"x has other columns .* it lacks a, c and it has x, z"
        ):
            predict(frame.set_axis(["x", "b", "z"], axis=1))
        with pytest.raises(ValueError, match=r"another order, c, a, b, than .* a, b, c"):
            predict(turned)
        assert np.array_equal(predict(turned[list(predictor.feature_names)]), expected)


def test_tables_are_kept_while_other_threads_keep_theirs() -> None:
    pytest.importorskip("numba")
    from fastmlp.runners.compiled.executable_cache import KeptTables

    class Tables:
        n_bytes = 1

        def release(self) -> None: ...

    kept: Any = KeptTables()
    for i in range(8):
        kept.give_back(i, Tables())

    def come_between(frame: Any, event: str, argument: Any) -> None:
        # What another thread does after each call of the one that gives back.
        if event == "c_return":
            kept._kept[object()] = Tables()

    sys.setprofile(come_between)
    try:
        kept.give_back("last", Tables())
    finally:
        sys.setprofile(None)
    assert 0 not in kept._kept
    assert "last" in kept._kept
