"""Numbers of a step that follow schedules: dropout, weight decay, a rate by the fit's progress."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import fastmlp as fm
from fastmlp import kernels
from fastmlp.kernels.typing import Array

RNG = np.random.default_rng(5)
X = RNG.normal(size=(40, 6))
Y = X[:, 0] - 0.5 * X[:, 1] ** 2


def network(backend: str, **arguments: Any) -> fm.Sequential:
    """Three numbers of each step follow the fit's progress."""
    layers = [
        fm.Dense(8, "tanh"),
        fm.Dropout(fm.FlatCosine(0.4)),
        fm.Dense(8, "relu"),
        fm.Dropout(0.2),
        fm.Dense(1),
    ]
    optimizer = fm.AdamW(fm.CosLog(0.05), weight_decay=fm.FlatAnneal(0.5))
    arguments = {"dtype": "float64", "random_state": 3, "optimizer": optimizer, **arguments}
    return fm.Sequential(layers, backend=backend, **arguments)


def fit(model: fm.Sequential, epochs: int = 6, **arguments: Any) -> fm.History:
    return model.fit(X, Y, epochs=epochs, batch_size=16, verbose=0, **arguments)


def parameters(model: fm.Sequential) -> Array:
    return model.training_state.state.parameters.copy()


def test_dropout_rates_by_hand(backend: str) -> None:
    # Without a learning rate the loss tells which values the masks let pass.
    layers = [fm.Dropout(fm.FlatCosine(0.4)), fm.Dense(1)]
    model = fm.Sequential(
        layers, optimizer=fm.SGD(0.0), dtype="float64", backend=backend, random_state=0
    )
    history = model.fit(X, Y, epochs=4, batch_size=20, shuffle=False, verbose=0)
    seed, weight = model.training_state.state.seed, model.parameters["1.weight"]
    reference = kernels.get_backend("numpy")
    # Progress 0, 1/8, ..., 7/8; a cosine from 1/2 on.
    rates = 0.4 * np.array([*np.ones(5), *(0.5 + 0.5 * np.cos(np.pi * np.arange(1, 4) / 4))])
    losses = []
    for step, rate in enumerate(rates):
        part = slice(20 * (step % 2), 20 * (step % 2) + 20)
        kept, _ = reference.dropout_forward(X[part], rate, seed, step, 0)
        losses.append(np.mean(((kept @ weight)[:, 0] - Y[part]) ** 2))
    np.testing.assert_allclose(history["loss"], np.reshape(losses, (4, 2)).mean(axis=1), rtol=1e-12)


def test_weight_decay_and_rate_are_torchs(backend: str) -> None:
    torch = pytest.importorskip("torch")
    rate, decay = fm.CosLog(0.1, periods=2), fm.FlatCosine(0.8)
    model = fm.Sequential(
        [fm.Dense(1)],
        optimizer=fm.AdamW(rate, weight_decay=decay),
        dtype="float64",
        backend=backend,
        random_state=0,
    ).build(6)
    layer = torch.nn.Linear(6, 1, dtype=torch.float64)
    with torch.no_grad():
        layer.weight.copy_(torch.from_numpy(model.parameters["0.weight"].T.copy()))
        layer.bias.zero_()
    theirs = torch.optim.AdamW(layer.parameters())
    x, y = torch.from_numpy(X), torch.from_numpy(Y)[:, None]
    for step in range(9):
        t = step / 9
        group = theirs.param_groups[0]
        group["lr"] = 0.1 * 0.5 * (1 - np.cos(2 * np.pi * np.log2(1 + 3 * t)))
        group["weight_decay"] = 0.8 * (0.5 + 0.5 * np.cos(np.pi * max(2 * t - 1, 0.0)))
        theirs.zero_grad()
        part = slice(16 * (step % 3), min(16 * (step % 3) + 16, 40))
        torch.nn.functional.mse_loss(layer(x[part]), y[part]).backward()
        theirs.step()
    fit(model, epochs=3, shuffle=False)
    expected = layer.weight.detach().numpy().T
    np.testing.assert_allclose(model.parameters["0.weight"], expected, rtol=1e-9)
    np.testing.assert_allclose(model.parameters["0.bias"], layer.bias.detach().numpy(), rtol=1e-9)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_backends_agree(dtype: str) -> None:
    pytest.importorskip("numba")
    models = [network(backend, dtype=dtype) for backend in ("numpy", "numba")]
    first, second = (fit(model) for model in models)
    tolerance = 1e-4 if dtype == "float32" else 1e-10
    np.testing.assert_allclose(first["loss"], second["loss"], rtol=tolerance)
    assert first["learning_rate"] == second["learning_rate"]
    np.testing.assert_allclose(*map(parameters, models), rtol=tolerance, atol=tolerance)


def test_a_further_fit_begins_anew(backend: str) -> None:
    model = network(backend)
    first, second = fit(model, epochs=3), fit(model, epochs=3)
    assert first["learning_rate"] == second["learning_rate"]
    assert len(set(first["learning_rate"])) == 3


def test_counted_epochs_go_on_over_fits(backend: str) -> None:
    counted = fm.AdamW(fm.CosLog(0.05, 6), weight_decay=fm.FlatAnneal(0.5, 6))
    layers = [fm.Dense(8, "tanh"), fm.Dropout(fm.FlatCosine(0.4, 6)), fm.Dense(1)]
    twice, once = (
        fm.Sequential(layers, optimizer=counted, random_state=1, backend=backend) for _ in range(2)
    )
    for epochs in (2, 4):
        fit(twice, epochs=epochs)
    fit(once)
    np.testing.assert_array_equal(parameters(twice), parameters(once))


class StopError(Exception):
    pass


def stop_after(epoch: int) -> fm.Callback:
    def stop(model: Any, number: int, logs: Any) -> None:
        if number == epoch:
            raise StopError

    return fm.LambdaCallback(on_epoch_end=stop)


def test_resumed_twice_as_without_a_break(backend: str, tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    whole, broken = network(backend), network(backend)
    fit(whole)
    keep = fm.ModelCheckpoint(path)
    with pytest.raises(StopError):
        fit(broken, callbacks=[keep, stop_after(1)])
    with pytest.raises(StopError):
        fm.resume(path, X, Y, backend=backend, verbose=0, callbacks=[keep, stop_after(3)])
    resumed = fm.resume(path, X, Y, backend=backend, verbose=0)
    np.testing.assert_array_equal(parameters(resumed), parameters(whole))
    assert resumed.history["learning_rate"] == whole.history["learning_rate"]


def test_a_new_fit_of_a_loaded_checkpoint_begins_anew(backend: str, tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    model = network(backend)
    with pytest.raises(StopError):
        fit(model, callbacks=[fm.ModelCheckpoint(path), stop_after(1)])
    anew = fit(fm.load(path, backend), epochs=4)
    assert anew["learning_rate"] == fit(network(backend), epochs=4)["learning_rate"]


def test_gradients_are_those_of_the_next_step(backend: str) -> None:
    # Also within a fit, and for a schedule that looks at the epochs' values.
    layers = [
        fm.Dropout(fm.FlatCosine(0.5)),
        fm.Dense(4, "tanh"),
        fm.Dropout(fm.ReduceOnPlateau(0.5, 0.5, patience=0, monitor="learning_rate")),
        fm.Dense(1),
    ]
    model = fm.Sequential(
        layers, optimizer=fm.SGD(0.1), dtype="float64", backend=backend, random_state=2
    )
    expected: list[Array] = []

    def predict_the_step(model: Any, epoch: int) -> None:
        step = model.gradients(X, Y)["1.weight"]
        expected.append(model.parameters["1.weight"] - 0.1 * step)

    def compare(model: Any, epoch: int, logs: Any) -> None:
        np.testing.assert_allclose(model.parameters["1.weight"], expected[-1], rtol=1e-12)

    watch = fm.LambdaCallback(on_epoch_begin=predict_the_step, on_epoch_end=compare)
    model.fit(X, Y, epochs=5, batch_size=None, shuffle=False, verbose=0, callbacks=[watch])
    assert len(expected) == 5
    # The next fit would begin with the whole rates again, but for what plateaus have left.
    rates = model.training_state.state.dropout_rates
    np.testing.assert_allclose(rates, [0.5, 0.5 * 0.5**4])


def test_explained_with_the_numbers_of_the_step(backend: str) -> None:
    model = network(backend)
    fit(model, epochs=2)
    text = str(model.explain(X[0], Y[0]))
    assert "mask = 0 with probability 0.4, else 1 / 0.6" in text
    assert "mask = 0 with probability 0.2, else 1 / 0.8" in text
    assert "weight_decay" in text


def test_files_keep_the_schedules(backend: str, tmp_path: Path) -> None:
    model = network(backend)
    fit(model, epochs=2)
    model.save(tmp_path / "model.safetensors")
    read = fm.load(tmp_path / "model.safetensors", backend)
    assert read.layers == model.layers
    assert read.optimizer == model.optimizer
    for each in (model, read):
        fit(each, epochs=3)
    np.testing.assert_array_equal(parameters(read), parameters(model))
