"""Registered activations and losses: what is refused, and that both backends run them alike."""

from __future__ import annotations

import copy
import math
import os
import pickle
import subprocess
import sys
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

import fastmlp as fm
from fastmlp.declarations import activations, custom, losses
from fastmlp.kernels import custom as kernel_custom
from fastmlp.kernels import get_backend

BACKENDS = ["numpy", "numba"]
SCALE = 1.5
RNG = np.random.default_rng(0)
X = RNG.normal(size=(150, 4))
Y = X[:, 0] * X[:, 1]


@pytest.fixture(autouse=True)
def forget() -> Iterator[None]:
    """Registrations last for a process; those of a test end with it."""
    tables: list[dict[str, Any]] = [activations.ACTIVATIONS, losses.LOSSES]
    tables += [kernel_custom.ACTIVATIONS, kernel_custom.LOSSES]
    before = [dict(table) for table in tables]
    yield
    for table, entries in zip(tables, before, strict=True):
        table.clear()
        table.update(entries)


def bent(z: float) -> float:
    if z > 0:
        return SCALE * z
    if z < -2:
        return -0.5
    return 0.25 * z


def bent_slope(z: float) -> float:
    if z > 0:
        return SCALE
    if z < -2:
        return 0.0
    return 0.25


def power_series(z: float) -> float:
    total = 0.0
    for k in range(1, 4):
        total += z**k / (k + 1)
    return total / (1 + z**2)


def logistic(z: float) -> float:
    return 1 / (1 + fm.math.exp(-z))


def silu_of(z: float) -> float:
    return z * logistic(z)


ACTIVATIONS: dict[str, tuple[Callable[..., Any], Callable[..., Any] | None]] = {
    "softsign": (lambda z: z / (1 + abs(z)), lambda z: 1 / (1 + abs(z)) ** 2),
    "bent": (bent, bent_slope),
    "swish_of_two": (lambda z: z / (1 + fm.math.exp(-2 * z)), None),
    "gaussian": (lambda z: fm.math.exp(-z * z), lambda z: -2 * z * fm.math.exp(-z * z)),
    "log_bend": (
        lambda z: fm.math.log1p(z) if z > 0 else -fm.math.log1p(-z),
        lambda z: 1 / (1 + abs(z)),
    ),
    "calls_others": (
        silu_of,
        lambda z: logistic(z) * (1 + z * (1 - logistic(z))),
    ),
    "hyperbolic": (lambda z: fm.math.tanh(z), lambda z, out: 1 - out * out),
    "relu_of_six": (lambda z: min(max(z, 0), 6), lambda z: 1 if 0 < z < 6 else 0),
    "erf_of_tanh": (lambda z: fm.math.erf(fm.math.tanh(z)), None),
    "integers_only": (lambda z: max(z, 0) - max(-2 * z - 1, 0) * 3, None),
    "series": (power_series, None),
}

LOSSES: dict[str, tuple[Callable[..., Any], Callable[..., Any] | None]] = {
    "log_cosh": (
        lambda p, y: abs(p - y) + fm.math.log1p(fm.math.exp(-2 * abs(p - y))) - math.log(2.0),
        lambda p, y: fm.math.tanh(p - y),
    ),
    "asymmetric": (
        lambda p, y: (p - y) ** 2 if p > y else 3 * (p - y) ** 2,
        lambda p, y: 2 * (p - y) if p > y else 6 * (p - y),
    ),
    "pseudo_huber": (lambda p, y: (1 + (p - y) * (p - y)) ** 0.5 - 1, None),
}


def register(name: str) -> Any:
    table = ACTIVATIONS if name in ACTIVATIONS else LOSSES
    make = fm.register_activation if name in ACTIVATIONS else fm.register_loss
    forward, derivative = table[name]
    if derivative is not None:
        return make(name, forward, derivative)
    with pytest.warns(UserWarning, match=f"{name!r} has no derivative: it is taken numerically"):
        return make(name, forward)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", ACTIVATIONS)
def test_kernels_of_both_backends_agree(name: str, dtype: str) -> None:
    pytest.importorskip("numba")
    register(name)
    z = (RNG.normal(size=(40, 7)) * 3).astype(dtype)
    d_out = RNG.normal(size=z.shape).astype(dtype)
    results = []
    for backend in BACKENDS:
        kernels = get_backend(backend)
        out = kernels.activation_forward(z, name)
        d_z = kernels.activation_backward(d_out, z, out, name)
        assert out.dtype == d_z.dtype == dtype
        results.append((out, d_z))
    tolerance = 1e-13 if dtype == "float64" else 1e-5
    if ACTIVATIONS[name][1] is None and dtype == "float64":
        # The difference of neighbours, divided by their distance, magnifies rounding.
        tolerance = 1e-9
    for reference, compiled in zip(*results, strict=True):
        np.testing.assert_allclose(compiled, reference, rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", LOSSES)
def test_loss_kernels_of_both_backends_agree(name: str, dtype: str) -> None:
    pytest.importorskip("numba")
    register(name)
    prediction, y = RNG.normal(size=(2, 60, 3)).astype(dtype)
    weight = RNG.uniform(size=60).astype(dtype)
    (loss, d), (compiled_loss, compiled_d) = (
        get_backend(backend).custom_loss(prediction, y, weight, name) for backend in BACKENDS
    )
    tolerance = 1e-5 if dtype == "float32" else 1e-9
    assert compiled_loss == pytest.approx(loss, rel=tolerance)
    np.testing.assert_allclose(compiled_d, d, rtol=tolerance, atol=tolerance / 60)
    element = np.array(
        [LOSSES[name][0](*pair) for pair in zip(prediction.flat, y.flat, strict=True)]
    )
    expected = (weight * element.reshape(60, 3).mean(axis=1)).sum() / weight.sum()
    assert loss == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_whole_fits_agree(name: str) -> None:
    pytest.importorskip("numba")
    register(name)
    register("log_cosh")
    results = []
    for backend in BACKENDS:
        layers = [fm.Dense(12, name), fm.BatchNorm(), fm.Activation(name), fm.Dense(1)]
        model = fm.Sequential(layers, "log_cosh", "adam", "float64", backend, random_state=0)
        model.fit(X, Y, epochs=5, batch_size=32, verbose=0)
        results.append({**model.parameters, "prediction": model.predict(X)})
    tolerance = 1e-9 if ACTIVATIONS[name][1] else 1e-7
    for key, values in results[0].items():
        np.testing.assert_allclose(results[1][key], values, rtol=0, atol=tolerance, err_msg=key)


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("loss", LOSSES)
def test_gradients_against_differences(loss: str, backend: str) -> None:
    if backend == "numba":
        pytest.importorskip("numba")
    register(loss)
    register("softsign")
    layers = [fm.Dense(6, "softsign"), fm.Dense(2, "tanh")]
    model = fm.Sequential(layers, loss, dtype="float64", backend=backend, random_state=0).build(4)
    y = RNG.normal(size=(30, 2))
    gradients = model.gradients(X[:30], y)
    for key, view in model.parameters.items():
        direction = RNG.normal(size=view.shape)
        before, values = view.copy(), []
        for sign in (1.0, -1.0):
            view[...] = before + sign * 1e-6 * direction
            values.append(model.evaluate(X[:30], y)["loss"])
        view[...] = before
        assert (gradients[key] * direction).sum() == pytest.approx(
            (values[0] - values[1]) / 2e-6, rel=1e-5, abs=1e-7
        )


def test_names_in_any_case_and_objects() -> None:
    made = fm.register_activation("SoftSign", *ACTIVATIONS["softsign"])  # type: ignore[arg-type]
    assert made == fm.Dense(1, "softsign").activation == fm.Dense(1, "SOFTSIGN").activation
    assert fm.Dense(1, made).activation == made
    loss = register("log_cosh")
    assert fm.Sequential([fm.Dense(1)], loss=loss).loss is loss


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_name_registered_again_stands_for_the_new_function(backend: str) -> None:
    if backend == "numba":
        pytest.importorskip("numba")
    outputs = []
    for factor in (2.0, 3.0):
        fm.register_activation("times", lambda z, f=factor: f * z, lambda z, f=factor: f)
        model = fm.Sequential(
            [fm.Dense(3, "times")], dtype="float64", backend=backend, random_state=0
        )
        model.build(4)
        outputs.append((model, model.predict(X)))
    np.testing.assert_allclose(outputs[1][1] / outputs[0][1], 1.5)
    # A network that was built keeps its function.
    model, first = outputs[0]
    np.testing.assert_array_equal(model.predict(X), first)


def test_values_that_a_function_refers_to_are_part_of_it() -> None:
    def scaled(factor: float) -> Callable[[float], float]:
        return lambda z: factor * z

    members = set()
    for factor in (2.0, 2.5):
        fm.register_activation("scaled", scaled(factor), lambda z, f=factor: f)
        members.add(fm.Dense(1, "scaled").activation.member)  # type: ignore[union-attr]
    assert len(members) == 2


def test_what_modules_arrays_and_inner_functions_hold_is_part_of_it() -> None:
    settings = ModuleType("settings")
    table = np.zeros(2000)

    def outer(z: float) -> float:
        def inner(t: float) -> Any:
            return settings.slope * t

        return inner(z)

    functions: list[Callable[[float], float]] = [
        lambda z: settings.slope * z,
        lambda z: z + table[1000],
        outer,
    ]
    for function in functions:
        members = set()
        for value in (1.0, 1.0, 1.0 + 1e-12):
            vars(settings)["slope"] = table[1000] = value
            members.add(kernel_custom.add({}, "f", function, None).member)
        assert len(members) == 2


def of_inner(z: float) -> float:
    def inner(t: float) -> float:
        return SCALE * t

    return inner(z)


@pytest.mark.parametrize(
    ("function", "derivative"),
    [
        (abs, lambda z: 1.0 if z > 0 else -1.0),
        (np.tanh, lambda z: 1 - np.tanh(z) ** 2),
        (of_inner, lambda z: SCALE),
        (lambda z: z ** int(2.5 + 0 * z), lambda z: 2 * z),
    ],
)
def test_forms_of_functions(function: Any, derivative: Any) -> None:
    pytest.importorskip("numba")
    fm.register_activation("form", function, derivative)
    z = RNG.normal(size=(9, 4))
    out, compiled = (get_backend(name).activation_forward(z, "form") for name in BACKENDS)
    np.testing.assert_allclose(compiled, out, rtol=1e-13)


@pytest.mark.parametrize("name", ["bent", "softsign", "calls_others", "relu_of_six"])
def test_constants_do_not_widen_the_arithmetic(name: str) -> None:
    """A float32 network is computed in float32, else a loop has half as many lanes."""
    numba = pytest.importorskip("numba")
    from fastmlp.kernels.compiled.machine.custom import activation_functions

    register(name)
    forward, backward = activation_functions(kernel_custom.ACTIVATIONS[name])
    half = np.float32(0.5)
    for alone, count in (
        (numba.njit(lambda z, parameter: forward(z, parameter)), 2),
        (numba.njit(lambda d, z, out, parameter: backward(d, z, out, parameter)), 4),
    ):
        alone(*[half] * count)
        (code,) = alone.inspect_llvm().values()
        body = code.partition("define")[2].partition("\n}")[0]
        assert "double" not in body
        assert "float" in body


def test_saved_and_loaded(tmp_path: Path) -> None:
    register("softsign")
    register("log_cosh")
    model = fm.Sequential([fm.Dense(3, "softsign"), fm.Dense(1)], "log_cosh", backend="numpy")
    model.fit(X, Y, epochs=1, verbose=0)
    path = tmp_path / "model.safetensors"
    model.save(path)
    np.testing.assert_array_equal(fm.load(path, backend="numpy").predict(X), model.predict(X))
    for table in (kernel_custom.ACTIVATIONS, activations.ACTIVATIONS):
        table.pop("softsign")  # type: ignore[attr-defined]
    with pytest.raises(
        fm.ModelFileError,
        match=r"needs a function of yours: .*call fm.register_activation\('softsign', \.\.\.\)",
    ):
        fm.load(path)


@pytest.mark.parametrize("backend", BACKENDS)
def test_copies_keep_the_function_and_pickles_its_name(backend: str) -> None:
    if backend == "numba":
        pytest.importorskip("numba")
    fm.register_activation("times", lambda z: 2 * z, lambda z: 2.0)
    register("log_cosh")
    layers = [fm.Dense(3, "times"), fm.BatchNorm(), fm.Dropout(0.2), fm.Dense(1)]
    model = fm.Sequential(layers, "log_cosh", backend=backend, random_state=0)
    model.fit(X, Y, epochs=2, verbose=0)
    again = pickle.loads(pickle.dumps(model))
    np.testing.assert_array_equal(again.predict(X), model.predict(X))
    fm.register_activation("times", lambda z: 3 * z, lambda z: 3.0)
    for other in (again, copy.deepcopy(model)):
        other.fit(X, Y, epochs=2, verbose=0)
    before = model.predict(X)
    model.fit(X, Y, epochs=2, verbose=0)
    np.testing.assert_array_equal(again.predict(X), model.predict(X))
    np.testing.assert_array_equal(other.predict(X), model.predict(X))
    assert not np.array_equal(before, model.predict(X))
    renewed = pickle.loads(pickle.dumps(model))
    assert not np.array_equal(renewed.predict(X), model.predict(X))
    saved = pickle.dumps(model.layers[0])
    del kernel_custom.ACTIVATIONS["times"]
    with pytest.raises(ValueError, match=r"call fm.register_activation\('times', \.\.\.\)"):
        pickle.loads(saved)


def test_compiled_functions_are_kept_for_the_next_process(tmp_path: Path) -> None:
    pytest.importorskip("numba")
    script = textwrap.dedent(
        """
        import sys
        import numpy as np
        import fastmlp as fm
        from fastmlp.kernels.compiling import before_compiling
        a = float(sys.argv[1])
        fm.register_activation(
            "leak", lambda z: z if z > 0 else a * z, lambda z: 1.0 if z > 0 else a
        )
        model = fm.Sequential([fm.Dense(3, "leak")], backend="numba", random_state=0).build(2)
        compiled = []
        with before_compiling(compiled.append):
            out = model.predict(np.array([[-1.0, 2.0]], dtype="float32"))
        print(len(compiled), out.tolist())
        """
    )
    file = tmp_path / "script.py"
    file.write_text(script)
    found = []
    for slope in ("0.1", "0.1", "0.2"):
        done = subprocess.run(
            [sys.executable, str(file), slope],
            capture_output=True,
            text=True,
            check=True,
            env={**os.environ, "NUMBA_CACHE_DIR": str(tmp_path / "cache")},
        )
        count, _, out = done.stdout.partition(" ")
        found.append((int(count), out))
    assert found[0][1] == found[1][1] != found[2][1]
    assert found[1][0] == 0
    assert found[2][0] == 1


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        (("relu", lambda z: z, lambda z: 1.0), ValueError, "the name of fastmlp's own activation"),
        (("two words", lambda z: z, lambda z: 1.0), ValueError, "letters, digits and underscores"),
        ((3, lambda z: z, lambda z: 1.0), TypeError, "must be a string, got 3"),
        (("f", 2.0), TypeError, "forward must be a function, got 2.0"),
        (("f", lambda: 1.0), TypeError, "forward must take one number and return one"),
        (("f", lambda z: "text"), TypeError, "forward must take one number and return one"),
        (("f", lambda z: z, lambda: 1.0), TypeError, "derivative must take one number"),
        (("f", lambda z: z, lambda z, out, y: z), TypeError, "derivative must take one number"),
        (("f", lambda z: z, lambda z, out: "1"[2]), TypeError, "must take z and the output"),
        (("f", lambda z: z * z, lambda z, out: out), ValueError, "does not fit"),
        (("f", lambda z: z * math.nan, lambda z: 1.0), ValueError, "not finite at any"),
        (("f", lambda z: z * z, lambda z: z), ValueError, "does not fit: at .* finite differences"),
        (("f", abs, lambda z: 1.0), ValueError, "does not fit"),
    ],
)
def test_what_cannot_be_registered(
    arguments: tuple[Any, ...], error: type[Exception], message: str
) -> None:
    before = dict(activations.ACTIVATIONS)
    with pytest.raises(error, match=message):
        fm.register_activation(*arguments)
    assert before == activations.ACTIVATIONS


def test_losses_that_cannot_be_registered() -> None:
    with pytest.raises(ValueError, match="the name of fastmlp's own loss"):
        fm.register_loss("mse", lambda p, y: p - y)
    with pytest.raises(TypeError, match="must take two numbers, the prediction and y"):
        fm.register_loss("mine", lambda p: p)
    with pytest.raises(ValueError, match="does not fit"):
        fm.register_loss("mine", lambda p, y: (p - y) ** 2, lambda p, y: 2 * (y - p))


def test_a_registered_loss_goes_with_all_but_softmax() -> None:
    register("log_cosh")
    for activation in ("linear", "tanh", "sigmoid", "exp"):
        fm.Sequential([fm.Dense(2, activation)], loss="log_cosh")
    with pytest.raises(ValueError, match="does not go with the output activation 'softmax'"):
        fm.Sequential([fm.Dense(2, "softmax")], loss="log_cosh")


def test_what_numba_cannot_compile_is_said() -> None:
    pytest.importorskip("numba")
    table = {0: 1.0}
    fm.register_activation("odd", lambda z: z * table.get(0, 2.0), lambda z: 1.0)
    model = fm.Sequential([fm.Dense(3, "odd")], backend="numba").build(4)
    with pytest.raises(ValueError, match="'odd' cannot be compiled; write it with arithmetic"):
        model.predict(X)


def test_declarations_need_the_registration() -> None:
    with pytest.raises(ValueError, match=r"no loss is registered as 'none'; call fm.register_loss"):
        custom.CustomLoss("none")
