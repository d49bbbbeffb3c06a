"""A sparse X_wide trains as a dense one, in both backends."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import scipy.sparse
from sparse_rows import N_WIDE, network, rows

import fastmlp as fm
from fastmlp.kernels import available_backends

BACKENDS = available_backends()
# Of so many columns a batch touches so few that they are listed.
MANY = 20_000


def assert_near(a: Any, b: Any, tolerance: float) -> None:
    for name, value in a.parameters.items():
        other = b.parameters[name]
        assert np.max(np.abs(value - other)) <= tolerance * (1 + np.max(np.abs(other))), name


OPTIMIZERS = {
    "ftrl": fm.Ftrl(0.2, l1=0.02),
    "ftrl, a rate that falls": fm.Ftrl(fm.ExponentialDecay(0.2, 0.9)),
    "adagrad": fm.AdaGrad(0.05),
    "sgd": fm.SGD(0.1),
    "momentum": fm.SGD(0.05, momentum=0.9),
    "adam": fm.Adam(0.01),
    "clipped by value": fm.AdaGrad(0.05, clip_value=0.01),
    "clipped by norm": fm.SGD(0.1, clip_norm=0.1),
    "that of the rest": None,
}


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("n_wide", [N_WIDE, MANY])
@pytest.mark.parametrize("name", OPTIMIZERS)
def test_sparse_and_dense_rows_train_the_same(backend: str, name: str, n_wide: int) -> None:
    csr, deep, y = rows(n_wide=n_wide)
    both = []
    for wide in (csr, csr.toarray()):
        model = network(backend, wide_optimizer=OPTIMIZERS[name])
        model.fit(
            (wide, deep),
            y,
            epochs=4,
            batch_size=16,
            validation_split=0.2,
            sample_weight=np.linspace(0.5, 2.0, len(y)),
            verbose=0,
        )
        both.append(model)
    sparse, dense = both
    assert np.abs(sparse.parameters["0.wide_weight"]).max() > 0.01
    assert_near(sparse, dense, 1e-11)
    for key in ("loss", "accuracy", "val_loss", "val_accuracy"):
        np.testing.assert_allclose(sparse.history[key], dense.history[key], rtol=1e-10)
    np.testing.assert_allclose(sparse.predict((csr, deep)), dense.predict((csr, deep)), rtol=1e-10)
    expected = dense.evaluate((csr.toarray(), deep), y)
    assert sparse.evaluate((csr, deep), y) == pytest.approx(expected, rel=1e-9)


@pytest.mark.skipif("numba" not in BACKENDS, reason="compares with the compiled kernels")
@pytest.mark.parametrize(
    ("n_wide", "units"), [(N_WIDE, 1), (N_WIDE, 3), (N_WIDE, 130), (MANY, 1), (MANY, 3)]
)
@pytest.mark.parametrize("name", OPTIMIZERS)
def test_both_backends_train_the_same(name: str, n_wide: int, units: int) -> None:
    csr, deep, y = rows(n_wide=n_wide)
    labels = y if units == 1 else np.arange(len(y)) % units
    runs = []
    for backend in ("numpy", "numba"):
        model = network(backend, units, wide_optimizer=OPTIMIZERS[name])
        weight = np.ones(len(y))
        weight[32:48] = 0.0
        arguments: dict[str, Any] = {
            "sample_weight": weight,
            "validation_data": ((csr, deep), labels),
        }
        history = model.fit(
            (csr, deep),
            labels,
            epochs=10,
            batch_size=16,
            shuffle=units == 3,
            verbose=0,
            **arguments,
        )
        runs.append((model, history))
    (reference, expected), (compiled, history) = runs
    assert_near(compiled, reference, 1e-9)
    np.testing.assert_allclose(history["val_loss"], expected["val_loss"], rtol=1e-9)


@pytest.mark.skipif("numba" not in BACKENDS, reason="threads are those of the compiled runner")
@pytest.mark.parametrize("n_wide", [N_WIDE, MANY])
@pytest.mark.parametrize("units", [1, 130])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_bits_do_not_depend_on_the_threads(dtype: str, units: int, n_wide: int) -> None:
    csr, deep, y = rows(700, n_wide)
    labels = y if units == 1 else np.arange(len(y)) % units
    results = []
    for n_threads in (1, 2, 3):
        layers = [
            fm.WideAndDeep(
                units,
                "sigmoid" if units == 1 else "softmax",
                deep=[fm.Dense(256, "relu")],
                wide_optimizer="adagrad",
            )
        ]
        model = fm.Sequential(layers, dtype=dtype, random_state=1, n_threads=n_threads)
        model.fit((csr, deep), labels, epochs=3, batch_size=64, verbose=0)
        results.append([*model.parameters.values(), model.predict((csr, deep))])
    for other in results[1:]:
        for one, two in zip(results[0], other, strict=True):
            np.testing.assert_array_equal(one, two)


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_gradients_activations_and_steps(backend: str, dtype: str) -> None:
    csr, deep, y = rows(30)
    model = network(backend, dtype=dtype, wide_optimizer="adagrad").build((N_WIDE, 5))
    model.parameters["0.wide_weight"][:] = np.linspace(-1, 1, N_WIDE).reshape(-1, 1)
    tolerance = 1e-5 if dtype == "float32" else 1e-12
    for training in (True, False):
        sparse = model.gradients((csr, deep), y, training=training)
        dense = model.gradients((csr.toarray(), deep), y, training=training)
        for name, gradient in sparse.items():
            np.testing.assert_allclose(gradient, dense[name], atol=tolerance)
    activations = model.activations((csr, deep))
    expected = model.activations((csr.toarray(), deep))
    np.testing.assert_allclose(
        activations["0.preactivation"], expected["0.preactivation"], atol=10 * tolerance
    )
    before = model.gradients((csr, deep), y)
    start = model.parameters["0.wide_weight"].copy()
    model.train_step((csr, deep), y)
    moved = model.parameters["0.wide_weight"] - start
    gradient = before["0.wide_weight"]
    # The first step of AdaGrad moves a weight by its rate, against the sign of the gradient.
    np.testing.assert_allclose(moved, -0.01 * np.sign(gradient), atol=2e-4)


@pytest.mark.parametrize("backend", BACKENDS)
def test_gradients_by_finite_differences(backend: str) -> None:
    csr, deep, y = rows(20)
    model = network(backend).build((N_WIDE, 5))
    model.parameters["0.wide_weight"][:] = np.linspace(-1, 1, N_WIDE).reshape(-1, 1)
    gradient = model.gradients((csr, deep), y)["0.wide_weight"]
    weight = model.parameters["0.wide_weight"]
    direction = np.random.default_rng(1).normal(size=weight.shape)
    losses = []
    for sign in (1, -1):
        weight += sign * 1e-5 * direction
        losses.append(model.evaluate((csr, deep), y)["loss"])
        weight -= sign * 1e-5 * direction
    difference = (losses[0] - losses[1]) / 2e-5
    assert difference == pytest.approx((gradient * direction).sum(), rel=1e-7)


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("form", ["csr", "csc", "coo", "int64", "array", "uint8", "float32"])
def test_forms_of_the_same_matrix(backend: str, form: str) -> None:
    csr, deep, y = rows()
    csr.data[:] = np.arange(csr.nnz) % 4
    model = network(backend)
    model.fit((csr, deep), y, epochs=2, verbose=0)
    if form == "int64":
        other = csr.copy()
        other.indices, other.indptr = csr.indices.astype("int64"), csr.indptr.astype("int64")
    elif form == "array":
        other = scipy.sparse.csr_array(csr)
    elif form in ("uint8", "float32"):
        other = csr.astype(form)
    else:
        other = csr.asformat(form)
    again = network(backend)
    again.fit((other, deep), y, epochs=2, verbose=0)
    assert_near(model, again, 1e-12)
    for n in (1, 8, len(y)):
        np.testing.assert_allclose(
            model.predict((csr[:n], deep[:n])),
            again.predict((other.tocsr()[:n], deep[:n])),
            rtol=1e-10,
        )


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_matrix_without_entries(backend: str) -> None:
    _, deep, y = rows()
    model = network(backend)
    model.fit((scipy.sparse.csr_matrix((len(y), N_WIDE)), deep), y, epochs=2, verbose=0)
    assert not model.parameters["0.wide_weight"].any()


@pytest.mark.parametrize("backend", BACKENDS)
def test_columns_that_training_has_not_seen_add_nothing(backend: str) -> None:
    csr, deep, y = rows()
    csr = csr.toarray()
    csr[:, 7] = 0.0
    model = network(backend)
    model.fit((scipy.sparse.csr_matrix(csr), deep), y, epochs=3, verbose=0)
    before = model.predict((csr, deep))
    csr[:, 7] = 100.0
    after = model.predict((scipy.sparse.csr_matrix(csr), deep))
    np.testing.assert_allclose(after, before, rtol=1e-12)


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_saved_model_goes_on(backend: str, tmp_path: Path) -> None:
    csr, deep, y = rows()
    whole, half = network(backend), network(backend)
    whole.fit((csr, deep), y, epochs=6, batch_size=16, verbose=0)
    half.fit((csr, deep), y, epochs=3, batch_size=16, verbose=0)
    half.save(tmp_path / "model.safetensors")
    loaded = fm.load(tmp_path / "model.safetensors", backend=backend)
    loaded.fit((csr, deep), y, epochs=3, batch_size=16, verbose=0)
    for name, value in whole.parameters.items():
        np.testing.assert_array_equal(loaded.parameters[name], value)


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_step_of_a_callback_leaves_no_gradients_behind(backend: str) -> None:
    """Between two epochs somebody else trains other rows of the same weight."""
    csr, deep, y = rows(n_wide=MANY)
    other = scipy.sparse.csr_matrix(np.ones((8, MANY)))

    class Step(fm.Callback):
        def __init__(self, wide: Any) -> None:
            self.wide = wide

        def on_epoch_end(self, model: Any, epoch: int, logs: Any) -> None:
            model.train_step((self.wide, deep[:8]), y[:8])

    runs = []
    for wide, inner in ((csr, other), (csr, other.toarray()), (csr.toarray(), other.toarray())):
        model = network(backend, wide_optimizer=fm.SGD(0.1))
        model.fit((wide, deep), y, epochs=3, callbacks=[Step(inner)], verbose=0)
        runs.append(model)
    assert_near(runs[0], runs[2], 1e-11)
    assert_near(runs[1], runs[2], 1e-11)


@pytest.mark.parametrize("backend", BACKENDS)
def test_columns_of_embeddings_count_in_the_deep_part(backend: str) -> None:
    csr, deep, y = rows()
    deep[:, 2] = np.arange(len(y)) % 3
    layers = [
        fm.WideAndDeep(1, "sigmoid", deep=[fm.Embedding(3, 2, column=2), fm.Dense(4, "relu")])
    ]
    model = fm.Sequential(layers, backend=backend, random_state=0)
    model.fit((csr, deep), y, epochs=2, verbose=0)
    assert model.parameters["0.0.weight"].shape == (3, 2)
    deep[7, 2] = 3
    with pytest.raises(ValueError, match="X_deep has 3 in row 7, column 2, where an Embedding"):
        model.predict((csr, deep))


@pytest.mark.parametrize("backend", BACKENDS)
def test_errors_leave_the_model_as_it_was(backend: str) -> None:
    csr, deep, y = rows()
    model = network(backend)
    with pytest.raises(ValueError, match="X_wide has 150 rows, but X_deep has 149"):
        model.fit((csr, deep[1:]), y, verbose=0)
    bad = csr.copy()
    bad.data[5] = np.nan
    with pytest.raises(ValueError, match="X_wide contains NaN"):
        model.fit((bad, deep), y, verbose=0)
    broken = csr.copy()
    broken.indices[2] = N_WIDE
    with pytest.raises(ValueError, match="X_wide is no valid CSR matrix"):
        model.fit((broken, deep), y, verbose=0)
    with pytest.raises(ValueError, match="no parameters yet"):
        _ = model.parameters
    model.fit((csr, deep), y, epochs=1, verbose=0)
    with pytest.raises(ValueError, match="X_wide has 39 columns, expected 40"):
        model.predict((csr[:, 1:], deep))
    with pytest.raises(ValueError, match=r"built for X = \(X_wide, X_deep\), got one array"):
        model.predict(deep)
    with pytest.raises(ValueError, match=r"built for \(40, 5\) features, got 45"):
        model.build(45)
    single = fm.Sequential([fm.Dense(1)], backend=backend)
    with pytest.raises((TypeError, ValueError)):
        single.fit((csr, deep), y, verbose=0)


def test_divergence_names_the_layer() -> None:
    csr, deep, y = rows()
    model = network("numpy", loss="mse", dtype="float32", wide_optimizer=fm.SGD(1e30))
    with pytest.raises(fm.DivergenceError, match=r"layer 0"):
        model.fit((csr * 1e20, deep), y, epochs=5, verbose=0)
