"""Accuracies on real data that a sound implementation reaches, and the same bits again."""

from __future__ import annotations

import numpy as np
import pytest

import fastmlp as fm

pytest.importorskip("numba")
datasets = pytest.importorskip("sklearn.datasets")


def standardized(X, training):
    columns = X[training]
    return (X - columns.mean(axis=0)) / columns.std(axis=0)


def split(n_rows, n_test, seed=0):
    order = np.random.default_rng(seed).permutation(n_rows)
    return order[n_test:], order[:n_test]


@pytest.fixture(scope="module")
def mnist(sklearn_data):
    pytest.importorskip("pandas")
    data = datasets.fetch_openml(
        "mnist_784", version=1, as_frame=False, data_home=str(sklearn_data)
    )
    return data.data.astype(np.uint8), data.target


@pytest.fixture(scope="module")
def california(sklearn_data):
    data = datasets.fetch_california_housing(data_home=str(sklearn_data))
    training, test = split(len(data.data), 4128)
    return standardized(data.data, training), data.target, training, test


@pytest.fixture(scope="module")
def breast_cancer():
    data = datasets.load_breast_cancer()
    training, test = split(len(data.data), 114)
    return standardized(data.data, training), data.target_names[data.target], training, test


def digits_network(seed, **arguments):
    layers = []
    for units in (128, 64):
        layers += [fm.Dense(units), fm.BatchNorm(), fm.Activation("relu"), fm.Dropout(0.2)]
    layers.append(fm.Dense(10, "softmax"))
    optimizer = fm.Adam(1e-2)
    arguments = {"backend": "numba", **arguments}
    return fm.Sequential(layers, optimizer=optimizer, random_state=seed, **arguments)


@pytest.mark.slow
@pytest.mark.parametrize("seed", [0, 1])
def test_mnist(seed, mnist):
    X, y = mnist
    model = digits_network(seed)
    history = model.fit(X[:60000] / np.float32(255), y[:60000], epochs=4, batch_size=64, verbose=0)
    predicted = model.predict_classes(X[60000:] / np.float32(255))
    assert (predicted == y[60000:]).mean() >= 0.97
    assert history["accuracy"] == sorted(history["accuracy"])


@pytest.mark.slow
def test_mnist_in_bytes(mnist):
    """Pixels 0 to 255 as they are: the first BatchNorm scales them."""
    X, y = mnist
    model = digits_network(0)
    model.fit(X[:60000], y[:60000].astype(int), epochs=4, batch_size=64, verbose=0)
    metrics = model.evaluate(X[60000:], y[60000:].astype(int))
    assert metrics["accuracy"] >= 0.97
    assert metrics["roc_auc"] >= 0.998


@pytest.mark.parametrize("seed", [0, 1])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_california_housing(dtype, seed, california):
    X, y, training, test = california
    layers = [fm.Dense(64, "relu"), fm.Dense(64, "relu"), fm.Dense(1)]
    model = fm.Sequential(layers, dtype=dtype, random_state=seed, backend="numba")
    history = model.fit(
        X[training],
        y[training],
        epochs=40,
        validation_split=0.1,
        callbacks=[fm.EarlyStopping(patience=40)],
        verbose=0,
    )
    error = model.predict(X[test])[:, 0] - y[test]
    assert np.sqrt(np.mean(error**2)) <= 0.56
    assert min(history["val_loss"]) < 0.33
    assert model.evaluate(X[test], y[test])["rmse"] == pytest.approx(np.sqrt(np.mean(error**2)))


@pytest.mark.parametrize("backend", ["numba", "numpy"])
@pytest.mark.parametrize("output", [fm.Dense(1, "sigmoid"), fm.Dense(2, "softmax")])
def test_breast_cancer(output, backend, breast_cancer):
    X, y, training, test = breast_cancer
    model = fm.Sequential(
        [fm.Dense(16, "relu"), output], optimizer=fm.Adam(0.01), random_state=0, backend=backend
    )
    history = model.fit(X[training], y[training], epochs=30, batch_size=32, verbose=0)
    assert (model.predict_classes(X[test]) == y[test]).mean() >= 0.95
    assert history["loss"][-1] < 0.1
    metrics = model.evaluate(X[test], y[test])
    assert metrics["accuracy"] >= 0.95
    assert metrics["roc_auc"] >= 0.98


def bits(model):
    return [value.tobytes() for value in (*model.parameters.values(), *model.buffers.values())]


@pytest.mark.parametrize("n_threads", [1, 2, 3, "auto"])
def test_the_same_seed_gives_the_same_bits(n_threads, california):
    X, y, training, _ = california
    rows = training[:1000]
    runs = []
    for threads in (1, n_threads):
        model = fm.Sequential(
            [fm.Dense(256), fm.BatchNorm(), fm.Activation("silu"), fm.Dropout(0.1), fm.Dense(1)],
            random_state=7,
            n_threads=threads,
            backend="numba",
        )
        history = model.fit(X[rows], y[rows], epochs=3, validation_split=0.2, verbose=0)
        runs.append((history["loss"], history["val_loss"], bits(model)))
        model.reset()
        model.fit(X[rows], y[rows], epochs=3, validation_split=0.2, verbose=0)
        assert bits(model) == runs[-1][2]
    assert runs[0] == runs[1]


def test_another_seed_gives_another_network(breast_cancer):
    X, y, training, _ = breast_cancer
    trained = []
    for seed in (0, 1, None, None):
        model = fm.Sequential([fm.Dense(2, "softmax")], random_state=seed, backend="numba")
        model.fit(X[training], y[training], epochs=1, verbose=0)
        trained.append(b"".join(bits(model)))
    assert len(set(trained)) == 4


def test_a_fit_in_two_parts_is_a_fit_in_one(california, tmp_path):
    X, y, training, _ = california
    rows = training[:1000]

    def network():
        layers = [fm.Dense(32, "relu"), fm.Dropout(0.2), fm.Dense(1)]
        optimizer = fm.Nadam(fm.ExponentialDecay(0.01, 0.9))
        return fm.Sequential(layers, optimizer=optimizer, random_state=3, backend="numba")

    whole = network()
    whole.fit(X[rows], y[rows], epochs=4, verbose=0)
    parts = network()
    parts.fit(X[rows], y[rows], epochs=1, verbose=0)
    parts.save(tmp_path / "model")
    parts = fm.load(tmp_path / "model", backend="numba")
    parts.fit(X[rows], y[rows], epochs=3, verbose=0)
    assert bits(parts) == bits(whole)
    assert parts.history["loss"] == whole.history["loss"]
