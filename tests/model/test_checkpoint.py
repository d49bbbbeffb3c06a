"""Checkpoints: a fit that is broken off and resumed ends as one without a break."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import fastmlp as fm

RNG = np.random.default_rng(0)
X = RNG.normal(size=(150, 4))
Y = np.array(["no", "yes"])[(X[:, 0] * X[:, 1] > 0).astype(int)]


class StopError(Exception):
    pass


def make(backend: str, rate: Any = 0.01) -> fm.Sequential:
    layers = [fm.Dense(8), fm.BatchNorm(), fm.Activation("relu"), fm.Dropout(0.3)]
    return fm.Sequential(
        [*layers, fm.Dense(1, "sigmoid")], optimizer=fm.Adam(rate), backend=backend, random_state=2
    )


def break_off(epoch: int) -> fm.Callback:
    def raise_(model: Any, number: int, logs: Any) -> None:
        if number == epoch:
            raise StopError

    return fm.LambdaCallback(on_epoch_end=raise_)


RATES = {
    "number": 0.01,
    "one cycle": fm.OneCycle(0.05, 9),
    "progress": fm.CosLog(0.05),
    "plateau": fm.ReduceOnPlateau(0.05, 0.5, 1),
}
FITS: dict[str, dict[str, Any]] = {
    "plain": {"batch_size": 32},
    "split": {"batch_size": 20, "validation_split": 0.2},
    "in order": {"batch_size": None, "shuffle": False},
}


@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize("fit", FITS)
def test_resumed_as_without_a_break(fit: str, rate: str, backend: str, tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    whole = make(backend, RATES[rate])
    whole.fit(X, Y, epochs=9, verbose=0, **FITS[fit])
    broken = make(backend, RATES[rate])
    callbacks = [fm.ModelCheckpoint(path, every=2), break_off(4)]
    with pytest.raises(StopError):
        broken.fit(X, Y, epochs=9, verbose=0, callbacks=callbacks, **FITS[fit])
    resumed = fm.resume(path, X, Y, backend=backend, verbose=0)
    assert resumed.history.epochs == list(range(9))
    assert resumed.history["loss"] == whole.history["loss"]
    for name, values in {**whole.parameters, **whole.buffers}.items():
        found = {**resumed.parameters, **resumed.buffers}[name]
        np.testing.assert_array_equal(found, values, err_msg=name)


def noisy(n: int) -> tuple[Any, Any]:
    rng = np.random.default_rng(n)
    x = rng.normal(size=(n, 4))
    return x, (x[:, 0] + rng.normal(size=n) > 0).astype(int)


# So few rows that their noise is soon learned: after so many epochs the best one is past.
WORSE = 8
FEW, HELD = noisy(60), {"validation_data": noisy(140), "verbose": 0}


def fitted(epochs: int, *callbacks: fm.Callback) -> fm.Sequential:
    layers = [fm.Dense(16, "tanh"), fm.BatchNorm(), fm.Dense(1, "sigmoid")]
    model = fm.Sequential(layers, optimizer=fm.Adam(0.02), backend="numpy", random_state=4)
    model.fit(*FEW, epochs=epochs, batch_size=32, callbacks=callbacks, **HELD)
    return model


def again(path: Path, *callbacks: fm.Callback) -> fm.Sequential:
    return fm.resume(path, *FEW, backend="numpy", callbacks=callbacks, **HELD)


@pytest.mark.parametrize("first", ["checkpoint", "stopping"])
@pytest.mark.parametrize("after", range(-1, 5))
def test_early_stopping_goes_on(after: int, first: str, tmp_path: Path) -> None:
    """From an epoch before the best, the best, and up to the one that stopped the fit."""
    path = tmp_path / "model.safetensors"
    stopping, other = fm.EarlyStopping(patience=4), fm.EarlyStopping(patience=4)
    whole = fitted(30, stopping)
    assert stopping.best_epoch is not None
    assert stopping.stopped_epoch is not None
    assert 0 < stopping.best_epoch < stopping.stopped_epoch < 20
    callbacks = [fm.ModelCheckpoint(path), fm.EarlyStopping(patience=4)]
    if first == "stopping":
        callbacks.reverse()
    with pytest.raises(StopError):
        fitted(30, *callbacks, break_off(stopping.best_epoch + after))
    resumed = again(path, other)
    assert vars(other) == vars(stopping)
    assert resumed.history["val_loss"] == whole.history["val_loss"]
    for name, values in {**whole.parameters, **whole.buffers}.items():
        found = {**resumed.parameters, **resumed.buffers}[name]
        np.testing.assert_array_equal(found, values, err_msg=name)


def test_early_stopping_goes_back_after_the_last_epoch(tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    stopping, other = fm.EarlyStopping(patience=99), fm.EarlyStopping(patience=99)
    whole = fitted(WORSE, fm.ModelCheckpoint(path), stopping)
    resumed = again(path, other)
    assert other.best_epoch == stopping.best_epoch
    assert other.best_epoch is not None
    assert other.best_epoch < WORSE - 1
    np.testing.assert_array_equal(resumed.predict(FEW[0]), whole.predict(FEW[0]))


def test_early_stopping_whose_weights_were_not_kept(tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    with pytest.raises(StopError):
        fitted(30, fm.ModelCheckpoint(path), break_off(WORSE - 1))
    with pytest.raises(ValueError, match=r"kept no weights of epoch \d+, the best by val_loss"):
        again(path, fm.EarlyStopping(patience=99))
    assert len(again(path, fm.EarlyStopping(patience=99, restore_best=False)).history) == 30


def test_which_epochs_are_saved(tmp_path: Path) -> None:
    path = tmp_path / "model_{epoch:02d}.safetensors"
    model = make("numpy")
    model.fit(X, Y, epochs=5, verbose=0, callbacks=[fm.ModelCheckpoint(path, every=2)])
    names = sorted(file.name for file in tmp_path.iterdir())
    assert names == [f"model_{epoch:02d}.safetensors" for epoch in (2, 4, 5)]
    assert fm.load(tmp_path / names[1], backend="numpy").history.epochs == [0, 1, 2, 3]
    assert model.epochs_left == 0


def test_the_last_epoch_of_a_stopped_fit_is_saved(tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    stop = fm.LambdaCallback(on_epoch_end=lambda model, *_: setattr(model, "stop_training", True))
    callbacks = [stop, fm.ModelCheckpoint(path, every=10)]
    make("numpy").fit(X, Y, epochs=5, verbose=0, callbacks=callbacks)
    assert len(fm.load(path, backend="numpy").history) == 1


def test_a_finished_fit_is_only_loaded(tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    model = make("numpy")
    model.fit(X, Y, epochs=2, verbose=0, callbacks=[fm.ModelCheckpoint(path)])
    resumed = fm.resume(path, X, Y, backend="numpy", verbose=0)
    assert len(resumed.history) == 2
    np.testing.assert_array_equal(resumed.predict(X), model.predict(X))


def test_arguments_replace_those_of_the_file(tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    callbacks = [fm.ModelCheckpoint(path), break_off(1)]
    with pytest.raises(StopError):
        make("numpy").fit(X, Y, epochs=8, validation_split=0.2, verbose=0, callbacks=callbacks)
    resumed = fm.resume(
        path, X, Y, backend="numpy", epochs=1, validation_data=(X, Y), batch_size=150, verbose=0
    )
    assert len(resumed.history) == 3
    assert resumed.training_state.state.step == 2 * 2 + 1


def test_no_epochs_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    model = make("numpy")
    model.fit(X, Y, epochs=2, verbose=0, callbacks=[fm.ModelCheckpoint(path)])
    with pytest.raises(ValueError, match="epochs must be an integer >= 1, got 0"):
        fm.resume(path, X, Y, backend="numpy", epochs=0, verbose=0)


def test_reset_forgets_an_unfinished_fit(tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    with pytest.raises(StopError):
        make("numpy").fit(
            X, Y, epochs=8, verbose=0, callbacks=[fm.ModelCheckpoint(path), break_off(1)]
        )
    model = fm.load(path, backend="numpy")
    model.reset()
    model.save(path)
    with pytest.raises(ValueError, match="not written during a fit"):
        fm.resume(path, X, Y, backend="numpy")


def test_a_file_that_was_not_written_during_a_fit(tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    make("numpy").build(4).save(path)
    with pytest.raises(ValueError, match=r"not written during a fit; fm.ModelCheckpoint"):
        fm.resume(path, X, Y)


BAD = [
    *[(3, 1), ("model", 0), ("model", 1.5)],
    *[("{epoch}_{val_loss:.2f}", 1), ("{epoch:q}", 1), ("{epoch.a}", 1), ("{epoch", 1)],
]


@pytest.mark.parametrize(("path", "every"), BAD)
def test_bad_arguments(path: Any, every: Any) -> None:
    with pytest.raises((TypeError, ValueError), match=r"path|every"):
        fm.ModelCheckpoint(path, every)
