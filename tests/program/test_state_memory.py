"""Whatever a network is copied or read from, its vectors are its own: writable and aligned."""

from __future__ import annotations

import copy
import io
import multiprocessing
import pickle
from collections.abc import Callable, Iterator
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pytest
from own_memory import Array, assert_own

import fastmlp as fm
from fastmlp.kernels import available_backends, get_backend

VECTORS = ("parameters", "gradients", "moments", "buffers", "products")
BACKENDS = pytest.mark.parametrize("backend", available_backends())
# Whether an optimizer has moments, or products beside them.
OPTIMIZERS = ("sgd", "momentum", "nadam", "adam")


def data() -> tuple[Array, Array]:
    rng = np.random.default_rng(0)
    X = rng.normal(size=(120, 6)).astype("f4")
    return X, np.array(["no", "yes"])[(X[:, 0] > 0).astype(int)]


def trained(backend: str, optimizer: str = "adam", width: int = 7) -> fm.Sequential:
    layers = [fm.Dense(width, "relu"), fm.BatchNorm(), fm.Dropout(0.2), fm.Dense(1, "sigmoid")]
    model = fm.Sequential(layers, optimizer=optimizer, backend=backend, random_state=0)
    model.fit(*data(), epochs=2, batch_size=16, verbose=0)
    return model


def goes_on(model: fm.Sequential) -> list[Array]:
    """What a further fit makes of a model."""
    X, y = data()
    model.fit(X, y, epochs=2, batch_size=16, verbose=0)
    model.train_step(X[:8], y[:8])
    gradients = model.gradients(X, y).values()
    return [*model.parameters.values(), *model.buffers.values(), *gradients, model.predict(X)]


def through_joblib(mode: str | None) -> Callable[[Any, Path], Any]:
    def read(obj: Any, folder: Path) -> Any:
        path = folder / "object.joblib"
        joblib.dump(obj, path)
        return joblib.load(path, mmap_mode=mode)

    return read


def by_pickle(protocol: int) -> Callable[[Any, Path], Any]:
    return lambda obj, folder: pickle.loads(pickle.dumps(obj, protocol))


def out_of_band(kind: type) -> Callable[[Any, Path], Any]:
    """Through buffers beside the pickle, which `bytes` makes read-only."""

    def read(obj: Any, folder: Path) -> Any:
        buffers: list[pickle.PickleBuffer] = []
        text = pickle.dumps(obj, 5, buffer_callback=buffers.append)
        # One byte off: an address that no array of numbers would have.
        kept = [memoryview(kind(b"\0" + buffer.raw().tobytes()))[1:] for buffer in buffers]
        assert kept
        return pickle.loads(text, buffers=kept)

    return read


def by_package(name: str) -> Callable[[Any, Path], Any]:
    package = import_module(name)
    return lambda obj, folder: package.loads(package.dumps(obj))


WAYS: dict[str, Callable[[Any, Path], Any]] = {
    "deepcopy": lambda obj, folder: copy.deepcopy(obj),
    **{f"pickle {protocol}": by_pickle(protocol) for protocol in (2, 3, 4, 5)},
    "buffers of bytes": out_of_band(bytes),
    "buffers of bytearray": out_of_band(bytearray),
    **{f"joblib {mode}": through_joblib(mode) for mode in (None, "r", "r+", "c")},
    **{name: by_package(name) for name in ("cloudpickle", "dill") if find_spec(name)},
}
ALL_WAYS = pytest.mark.parametrize("way", WAYS)


def arrays_in(obj: Any, seen: set[int] | None = None) -> Iterator[Array]:
    """All arrays that an object of the library leads to."""
    seen = set() if seen is None else seen
    if id(obj) in seen:
        return
    seen.add(id(obj))
    if isinstance(obj, np.ndarray):
        yield obj
    elif isinstance(obj, dict):
        for value in obj.values():
            yield from arrays_in(value, seen)
    elif isinstance(obj, list | tuple):
        for value in obj:
            yield from arrays_in(value, seen)
    elif type(obj).__module__.startswith("fastmlp") and hasattr(obj, "__dict__"):
        yield from arrays_in(vars(obj), seen)


@ALL_WAYS
@BACKENDS
def test_a_model_is_trained_on(way: str, backend: str, tmp_path: Path) -> None:
    expected = goes_on(trained(backend))
    again = WAYS[way](trained(backend), tmp_path)
    for name in VECTORS:
        assert_own(getattr(again.training_state.state, name))
    for found, wanted in zip(goes_on(again), expected, strict=True):
        np.testing.assert_array_equal(found, wanted)
    assert again.predict_classes(data()[0]).dtype.kind == "U"


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@BACKENDS
def test_every_vector_of_an_optimizer_is_its_own(
    optimizer: str, backend: str, tmp_path: Path
) -> None:
    expected = goes_on(trained(backend, optimizer))
    again = WAYS["joblib r"](trained(backend, optimizer), tmp_path)
    for found, wanted in zip(goes_on(again), expected, strict=True):
        np.testing.assert_array_equal(found, wanted)


@pytest.mark.parametrize("mode", ["r", "r+", "c"])
def test_a_file_that_a_model_was_read_from_is_the_callers(mode: str, tmp_path: Path) -> None:
    """A fit does not change it, and no object reads it any longer."""
    backend = available_backends()[-1]
    model = trained(backend)
    X, y = data()
    small = model.freeze().quantize(X, y)
    objects = (model, model.freeze(), small, model.get_weights())
    path = tmp_path / "objects.joblib"
    joblib.dump(objects, path)
    before = path.read_bytes()
    again = joblib.load(path, mmap_mode=mode)
    goes_on(again[0])
    assert path.read_bytes() == before
    for array in arrays_in(again):
        memory: Any = array
        while isinstance(memory, np.ndarray):
            assert not isinstance(memory, np.memmap)
            memory = memory.base
        assert memory is None


def test_copies_of_a_state_share_nothing() -> None:
    model = trained("numpy")
    state = model.training_state.state
    for other in (copy.copy(state), copy.deepcopy(state)):
        for name in VECTORS:
            assert_own(getattr(other, name))
            assert not np.may_share_memory(getattr(other, name), getattr(state, name))
            np.testing.assert_array_equal(getattr(other, name), getattr(state, name))
        assert (other.step, other.seed) == (state.step, state.seed)
        other.parameters[:] = 0.0
    assert state.parameters.any()


def test_views_of_an_unpickled_model_are_live(tmp_path: Path) -> None:
    again = WAYS["joblib r"](trained("numpy"), tmp_path)
    again.parameters["3.weight"][...] = 0.0
    again.parameters["3.bias"][...] = 0.0
    np.testing.assert_array_equal(again.predict(data()[0]), np.full((120, 1), 0.5, "f4"))


@BACKENDS
def test_a_snapshot_is_brought_up_to_date(backend: str, tmp_path: Path) -> None:
    model = trained(backend)
    snapshot = WAYS["joblib r"](model.get_weights(), tmp_path)
    expected = model.predict(data()[0])
    goes_on(model)
    model.set_weights(snapshot)
    np.testing.assert_array_equal(model.predict(data()[0]), expected)
    model.parameters["0.bias"][...] = 3.0
    model.training_state.state.update(snapshot)
    start = model.training_state.program.parameters[1].start
    assert (snapshot.vectors["parameters"][start : start + 7] == 3.0).all()


@pytest.mark.parametrize("way", ["copy", *WAYS])
@BACKENDS
def test_predictors_predict_the_same_with_weights_that_nobody_changes(
    way: str, backend: str, tmp_path: Path
) -> None:
    predictor = trained(backend).freeze()
    X = data()[0]
    ways = {**WAYS, "copy": lambda obj, folder: copy.copy(obj)}
    again = ways[way](predictor, tmp_path)
    for rows in (X[0], X[:5], X):
        np.testing.assert_array_equal(again(rows), predictor(rows))
    vector = again._weights.parameters
    assert type(vector) is np.ndarray
    assert vector.ctypes.data % 64 == 0
    for name, weight in again.weights.items():
        np.testing.assert_array_equal(weight, predictor.weights[name])
        assert not weight.flags.writeable
        # What steps of the NumPy backend read is the vector itself.
        assert np.shares_memory(weight, vector)
    for tensor in again.program.parameters:
        view = again._weights.parameter(tensor)
        assert np.shares_memory(view, vector)
        assert not view.flags.writeable
    assert not again.classes.flags.writeable


def test_weights_are_written_out_once() -> None:
    predictor = trained("numpy", width=2000).freeze()
    size = sum(weight.nbytes for weight in predictor.weights.values())
    assert len(pickle.dumps(predictor)) < 1.2 * size


@ALL_WAYS
def test_int8_predictors_predict_the_same(way: str, tmp_path: Path) -> None:
    X, y = data()
    small = trained("numpy").freeze().quantize(X, y)
    expected = small(X)
    again = WAYS[way](small, tmp_path)
    np.testing.assert_array_equal(again(X), expected)
    np.testing.assert_array_equal(again.predict_classes(X), small.predict_classes(X))
    assert again.report == small.report
    for step in again.integers.steps:
        assert not step.source.weight.flags.writeable
    small.export_c(tmp_path / "a.h")
    again.export_c(tmp_path / "b.h")
    assert (tmp_path / "a.h").read_bytes() == (tmp_path / "b.h").read_bytes()


def test_an_int8_predictor_is_written_out_in_bytes() -> None:
    """Not with the matrices that predicting has made of its weights."""
    X, y = data()
    small = trained("numpy", width=2000).freeze().quantize(X, y)
    before = len(pickle.dumps(small))
    small(X)
    assert len(pickle.dumps(small)) == before


@BACKENDS
def test_resumed_fits_and_loaded_models(backend: str, tmp_path: Path) -> None:
    model = trained(backend)
    model.save(tmp_path / "model.safetensors")
    again = fm.load(tmp_path / "model.safetensors", backend=backend)
    for name in VECTORS[:-1]:
        assert_own(getattr(again.training_state.state, name))
    for found, wanted in zip(goes_on(again), goes_on(model), strict=True):
        np.testing.assert_array_equal(found, wanted)


def fit_and_predict(model: fm.Sequential) -> Array:
    goes_on(model)
    return model.predict(data()[0])


@pytest.mark.slow
@BACKENDS
def test_a_large_model_reaches_workers_of_joblib(backend: str) -> None:
    """From 1 MB on, joblib hands arrays over in files that are mapped read-only."""
    model = trained(backend, width=50_000)
    expected = fit_and_predict(copy.deepcopy(model))
    jobs = [joblib.delayed(fit_and_predict)(model)] * 2
    # NumPy's products depend on how many threads BLAS has, which are fewer in a worker.
    tolerance = {"numpy": 1e-4, "numba": 0.0}[backend]
    for found in joblib.Parallel(n_jobs=2)(jobs):
        np.testing.assert_allclose(found, expected, tolerance, tolerance)


@pytest.mark.slow
@BACKENDS
def test_a_model_reaches_another_process(backend: str) -> None:
    model = trained(backend)
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        found = pool.apply(fit_and_predict, (model,))
    np.testing.assert_array_equal(found, fit_and_predict(model))


def read_only(array: Array) -> Array:
    """As a file that is mapped read-only: to write to it would end the process."""
    buffer = io.BytesIO()
    np.save(buffer, array)
    array = np.load(io.BytesIO(buffer.getvalue()))
    array.flags.writeable = False
    return array


def kernel_calls(kernels: Any) -> dict[str, Callable[[Array], Any]]:
    """Calls that write to one array of 3 x 3, or to one of its rows."""
    x, row = np.ones((3, 3), "f4"), np.ones(3, "f4")
    sparse = (np.ones(3, "f4"), np.arange(3), np.arange(4))
    constants = {
        "sgd_update": lambda p, s: (p, row, s, 0.1, 0.9, False),
        "rmsprop_update": lambda p, s: (p, row, s, 0.1, 0.9, 1e-8),
        "adagrad_update": lambda p, s: (p, row, s, 0.1, 1e-8),
        "adam_update": lambda p, s: (p, row, row.copy(), s, 1, 0.1, 0.9, 0.9, 1e-8),
        "adamw_update": lambda p, s: (p, row, s, row.copy(), 1, 0.1, 0.9, 0.9, 1e-8, 0.1),
        "nadam_update": lambda p, s: (
            *(p, row, row.copy(), row.copy(), 1, s[:1], 0.1, 0.9, 0.9, 1e-8, 0.004),
        ),
        "ftrl_update": lambda p, s: (p, row, s, row.copy(), 0.1, 0.0, 0.0, 1.0),
    }
    calls: dict[str, Callable[[Array], Any]] = {}
    for name, arguments in constants.items():
        update = getattr(kernels, name)
        calls[name] = lambda a, u=update, f=arguments: u(*f(a[0], row.copy().astype("f8")))
        calls[f"{name}, moments"] = lambda a, u=update, f=arguments: u(*f(row.copy(), a[0]))
    statistics = {"momentum": 0.1, "epsilon": 1e-5, "training": True}

    def batchnorm(mean: Array, var: Array) -> Any:
        return kernels.batchnorm_forward(x, row, row, mean, var, **statistics)

    return {
        **calls,
        "dense_forward": lambda a: kernels.dense_forward(x, x, row, out=a),
        "dense_forward, z": lambda a: kernels.dense_forward(x, x, row, z=a),
        "dense_backward": lambda a: kernels.dense_backward(x, x, x, x, x, d_weight=a),
        "activation_forward": lambda a: kernels.activation_forward(x, "tanh", out=a),
        "activation_backward": lambda a: kernels.activation_backward(x, x, x, "tanh", d_z=a),
        "batchnorm_forward": lambda a: batchnorm(a[0], row.copy()),
        "batchnorm_forward, var": lambda a: batchnorm(row.copy(), a[0]),
        "batchnorm_backward": lambda a: kernels.batchnorm_backward(x, x, row, row, d_gamma=a[0]),
        "dropout_forward": lambda a: kernels.dropout_forward(x, 0.5, 1, 2, 3, mask=a),
        "dropout_backward": lambda a: kernels.dropout_backward(x, x, d_x=a),
        "embedding_forward": lambda a: kernels.embedding_forward(row, x, out=a),
        "embedding_backward": lambda a: kernels.embedding_backward(x, row, 3, d_weight=a),
        "sparse_forward": lambda a: kernels.sparse_forward(*sparse, x, out=a),
        "sparse_backward": lambda a: kernels.sparse_backward(x, *sparse, 3, d_weight=a),
        "mean_squared_error": lambda a: kernels.mean_squared_error(x, x, d_prediction=a),
        "softmax_cross_entropy": lambda a: kernels.softmax_cross_entropy(x, x, d_logits=a),
        "add_penalty": lambda a: kernels.add_penalty(x, a, 0.1, 0.1),
        "clip_by_value": lambda a: kernels.clip_by_value(a, 0.1),
        "clip_by_norm": lambda a: kernels.clip_by_norm(a, 0.1),
    }


@pytest.mark.parametrize("name", kernel_calls(get_backend("numpy")))
@BACKENDS
def test_kernels_refuse_to_write_to_read_only_memory(backend: str, name: str) -> None:
    array = read_only(np.ones((3, 3), "f4"))
    with pytest.raises(ValueError, match="read-only"):
        kernel_calls(get_backend(backend))[name](array)
    assert (array == 1.0).all()


@BACKENDS
def test_a_predictor_refuses_to_write_to_read_only_memory(backend: str) -> None:
    predictor = trained(backend).freeze()
    X = data()[0]
    for rows, out in ((X, np.ones((120, 1), "f4")), (X[0], np.ones(1, "f4"))):
        with pytest.raises(ValueError, match="writable"):
            predictor(rows, out=read_only(out))


@BACKENDS
def test_rows_labels_and_weights_may_lie_anywhere(backend: str, tmp_path: Path) -> None:
    """Read-only, in a mapped file, or at an odd address: they are only read."""
    X, y = data()
    codes, weights = (y == "yes").astype(np.int64), np.linspace(0.5, 1.5, 120, dtype="f4")

    def fitted(*arrays: Array) -> Array:
        model = fm.Sequential([fm.Dense(5, "tanh"), fm.Dense(2, "softmax")], backend=backend)
        model.random_state = 0
        model.reset()
        x, labels, sample_weight = arrays
        model.fit(x, labels, sample_weight=sample_weight, epochs=2, verbose=0)
        return model.freeze()(x)

    def odd(array: Array) -> Array:
        memory = np.zeros(array.nbytes + 1, np.uint8)
        moved = memory[1:].view(array.dtype).reshape(array.shape)
        moved[...] = array
        return moved

    def mapped(array: Array) -> Array:
        path = tmp_path / f"{array.dtype}{array.ndim}.npy"
        np.save(path, array)
        return np.load(path, mmap_mode="r")

    expected = fitted(X, codes, weights)
    for change in (odd, mapped):
        given = [change(array) for array in (X, codes, weights)]
        np.testing.assert_array_equal(fitted(*given), expected)
