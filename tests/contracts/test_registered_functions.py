"""What is loaded has the registered functions that it was saved with, or says so."""

from __future__ import annotations

import json
import os
import pickle
import re
import subprocess
import sys
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from paths import ROOT

import fastmlp as fm
from fastmlp.common import sealed
from fastmlp.declarations import activations, losses
from fastmlp.kernels import custom

pytestmark = pytest.mark.usefixtures("registrations")

X = np.random.default_rng(0).normal(size=(40, 3))
Y = X[:, 0] * X[:, 1]


def register(slope: float = 0.25, power: float = 2.0) -> None:
    """An activation and a loss; each is another function with another number."""
    fm.register_activation(
        "bent", lambda z: z if z > 0 else slope * z, lambda z: 1.0 if z > 0 else slope
    )
    fm.register_loss(
        "far",
        lambda p, y: abs(p - y) ** power,
        lambda p, y: power * (p - y) * abs(p - y) ** (power - 2),
    )


def forget() -> None:
    tables: list[Any] = [activations.ACTIVATIONS, losses.LOSSES, custom.ACTIVATIONS, custom.LOSSES]
    for table in tables:
        for name in ("bent", "far"):
            table.pop(name, None)


def model_of() -> fm.Sequential:
    layers = [fm.Dense(4, "bent"), fm.Residual([fm.Dense(4, "bent")]), fm.Dense(1)]
    model = fm.Sequential(layers, "far", backend="numpy", random_state=0)
    model.fit(X, Y, epochs=1, verbose=0)
    return model


def saved_model(path: Path) -> Any:
    model = model_of()
    model.save(path)
    return model.predict


def saved_predictor(path: Path) -> Any:
    predictor = model_of().freeze()
    predictor.save(path)
    return predictor


def load_model(path: Path, **options: Any) -> Any:
    return fm.load(path, backend="numpy", **options).predict


def resume(path: Path, **options: Any) -> Any:
    return fm.resume(path, X, Y, backend="numpy", **options).predict


def checkpoint(path: Path) -> Any:
    layers = [fm.Dense(4, "bent"), fm.Dense(1)]
    model = fm.Sequential(layers, "far", backend="numpy", random_state=0)
    model.fit(X, Y, epochs=2, verbose=0, callbacks=[fm.ModelCheckpoint(path)])
    return model.predict


FILES: dict[str, tuple[Callable[[Path], Any], Callable[..., Any]]] = {
    "model": (saved_model, load_model),
    "model, frozen": (saved_model, fm.load_predictor),
    "predictor": (saved_predictor, fm.load_predictor),
    "checkpoint": (checkpoint, resume),
}


@pytest.mark.parametrize("kind", FILES)
def test_files(kind: str, tmp_path: Path) -> None:
    save, load = FILES[kind]
    path = tmp_path / "m.safetensors"
    register()
    right = save(path)(X)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        np.testing.assert_allclose(load(path)(X).ravel(), right.ravel(), rtol=1e-6)
        register()
        np.testing.assert_allclose(load(path)(X).ravel(), right.ravel(), rtol=1e-6)
    register(slope=0.5)
    message = (
        f"^{re.escape(str(path))} needs a function of yours: the activation that is registered as "
        r"'bent' is another function than the one that was saved: .*"
        r"fm.register_activation\('bent', \.\.\.\), or pass check_functions=False"
    )
    with pytest.raises(fm.ModelFileError, match=message):
        load(path)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        other = load(path, check_functions=False)(X)
    assert not np.allclose(other.ravel(), right.ravel())
    with pytest.raises(TypeError, match="check_functions must be True or False, got 'no'"):
        load(path, check_functions="no")
    forget()
    for check in (True, False):
        with pytest.raises(fm.ModelFileError, match=r"no activation is registered as 'bent'"):
            load(path, check_functions=check)


def test_losses(tmp_path: Path) -> None:
    path = tmp_path / "m.safetensors"
    register()
    saved_model(path)
    register(power=3.0)
    with pytest.raises(fm.ModelFileError, match="the loss that is registered as 'far' is another"):
        load_model(path)
    # A predictor has no loss, but that of a model's file is read on the way.
    with pytest.raises(fm.ModelFileError, match="the loss that is registered as 'far' is another"):
        fm.load_predictor(path)
    assert fm.load_predictor(path, check_functions=False)(X).shape == (40, 1)


def test_what_is_saved_again_has_the_function_that_was_taken(tmp_path: Path) -> None:
    path = tmp_path / "m.safetensors"
    register()
    saved_model(path)
    register(slope=0.5)
    fm.load(path, check_functions=False).save(path)
    fm.load(path)


def without_digests(path: Path) -> None:
    """Make a file what it was before there were digests."""
    tensors, metadata = sealed.read(path)
    text = re.sub(r', "digests": \[[^]]*\]', "", metadata["fastmlp"])
    assert text != metadata["fastmlp"]
    metadata["fastmlp"] = json.dumps(json.loads(text))
    sealed.write(path, tensors, metadata)


@pytest.mark.parametrize("kind", FILES)
def test_files_without_digests_load_with_one_warning(kind: str, tmp_path: Path) -> None:
    save, load = FILES[kind]
    path = tmp_path / "m.safetensors"
    register()
    right = save(path)(X)
    without_digests(path)
    with pytest.warns(UserWarning, match="m.safetensors does not tell whether 'bent'") as told:
        found = load(path)(X)
    assert len(told) == 1
    assert Path(told[0].filename) == Path(__file__)
    np.testing.assert_allclose(found.ravel(), right.ravel(), rtol=1e-6)


@pytest.mark.parametrize("digests", ['["a", 1]', '"text"', "3", '{"a": "b"}', "[null]"])
def test_damaged_digests(digests: str, tmp_path: Path) -> None:
    path = tmp_path / "m.safetensors"
    register()
    saved_predictor(path)
    tensors, metadata = sealed.read(path)
    metadata["fastmlp"] = re.sub(
        r'"digests": \[[^]]*\]', f'"digests": {digests}', metadata["fastmlp"]
    )
    sealed.write(path, tensors, metadata)
    with pytest.raises(fm.ModelFileError, match="m.safetensors: damaged predictor file"):
        fm.load_predictor(path)


def fitted_estimator() -> Any:
    pytest.importorskip("sklearn")
    estimator = fm.MLPRegressor(
        hidden_layer_sizes=(4,),
        activation="bent",
        max_iter=2,
        random_state=0,
        tol=0.0,
        backend="numpy",
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return estimator.fit(X, Y)


PICKLED: dict[str, Callable[[], Any]] = {
    "model": model_of,
    "predictor": lambda: model_of().freeze(),
    "int8": lambda: model_of().freeze().quantize(X),
    "estimator": fitted_estimator,
    "layer": lambda: fm.Dense(3, "bent"),
    "loss": lambda: losses.LOSSES["far"],
}


@pytest.mark.parametrize("kind", PICKLED)
def test_pickles(kind: str) -> None:
    register()
    pickled = pickle.dumps(PICKLED[kind]())
    register()
    pickle.loads(pickled)
    register(slope=0.5, power=3.0)
    name = "loss that is registered as 'far'" if kind == "loss" else "activation .* as 'bent'"
    with pytest.raises(ValueError, match=f"the {name} is another function .*fm.register_") as told:
        pickle.loads(pickled)
    assert "check_functions" not in str(told.value)


FUNCTIONS = (
    "bent = lambda z: z if z > 0 else {slope} * z\nslope = lambda z: 1.0 if z > 0 else {slope}\n"
)
LOADING = """
import sys
import fastmlp as fm
{functions}
fm.register_activation("bent", bent, slope)
try:
    fm.load_predictor(sys.argv[1])
    print("loaded")
except fm.ModelFileError as error:
    print(error)
"""


@pytest.mark.parametrize("saved_from", ["a file", "no file"])
@pytest.mark.parametrize("slope", [0.25, 0.5])
def test_another_process_has_its_functions_from_elsewhere(
    saved_from: str, slope: float, tmp_path: Path
) -> None:
    """Of a function that stands in no file there is but the bytecode."""
    module: dict[str, Any] = {}
    text = "# A comment moves all lines.\n\n" + FUNCTIONS.format(slope=0.25)
    if saved_from == "a file":
        (tmp_path / "saved.py").write_text(text)
    exec(compile(text, str(tmp_path / "saved.py"), "exec"), module)
    fm.register_activation("bent", module["bent"], module["slope"])
    model = fm.Sequential([fm.Dense(4, "bent"), fm.Dense(1)], backend="numpy").build(3)
    model.freeze().save(tmp_path / "p.safetensors")
    code = LOADING.format(functions=FUNCTIONS.format(slope=slope))
    run = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "p.safetensors")],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert ("another function" in run.stdout) == (slope != 0.25)
    assert ("loaded" in run.stdout) == (slope == 0.25)
