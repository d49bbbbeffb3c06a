"""Both backends over every row of the table of kernels."""

from __future__ import annotations

import inspect
import typing
from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
from kernel_table import (
    DTYPES,
    KERNELS,
    NASTY,
    SIZES,
    Inputs,
    Kernel,
    copied,
)

from fastmlp.kernels import get_backend
from fastmlp.kernels import numpy as reference
from fastmlp.kernels.reference.activations import ACTIVATIONS

pytest.importorskip("numba")

compiled = get_backend("numba")
BACKENDS = (reference, compiled)

ALL = pytest.mark.parametrize("kernel", KERNELS, ids=str)
BOTH_DTYPES = pytest.mark.parametrize("dtype", DTYPES)
BOTH_BACKENDS = pytest.mark.parametrize("backend", BACKENDS, ids=["numpy", "numba"])


def differences(kernel: Kernel, arguments: Mapping[str, Any], dtype: str) -> dict[str, float]:
    """The results on which the backends differ by more than the tolerance."""
    expected, actual = (kernel.run(backend, copied(arguments)) for backend in BACKENDS)
    errors = kernel.errors(expected, actual, dtype)
    return {name: error for name, error in errors.items() if not error <= 1.0}


def test_every_kernel_is_in_the_table() -> None:
    assert {kernel.function for kernel in KERNELS} == set(reference.__all__)
    assert len({kernel.label for kernel in KERNELS}) == len(KERNELS)


def test_every_activation_and_loss_is_in_the_table() -> None:
    from fastmlp.kernels.compiled.ops.activations import ELEMENTWISE
    from fastmlp.kernels.compiled.ops.losses import LOSSES

    for family in ("activation_forward", "activation_backward"):
        specs = [k.make(Inputs("float64"), 2, 2) for k in KERNELS if k.function == family]
        assert {s["activation"] for s in specs if isinstance(s["activation"], str)} == {
            *ACTIVATIONS
        }
    assert {*ELEMENTWISE, "softmax"} == set(ACTIVATIONS)
    assert {*LOSSES, "softmax_cross_entropy"} <= {kernel.function for kernel in KERNELS}


def test_backends_have_the_same_functions() -> None:
    assert sorted(compiled.__all__) == sorted(reference.__all__)
    for name in reference.__all__:
        expected, actual = (getattr(backend, name) for backend in BACKENDS)
        assert inspect.signature(actual) == inspect.signature(expected), name
        assert typing.get_type_hints(actual) == typing.get_type_hints(expected), name
        assert actual.__doc__ == expected.__doc__, name


@BOTH_DTYPES
@ALL
def test_backends_agree(kernel: Kernel, dtype: str) -> None:
    for seed, size in enumerate(SIZES):
        arguments = kernel.make(Inputs(dtype, seed=seed), *size)
        assert differences(kernel, arguments, dtype) == {}, size


@BOTH_DTYPES
@ALL
def test_backends_agree_on_nasty_inputs(kernel: Kernel, dtype: str) -> None:
    for name, values in NASTY.items():
        for size in ((1, 5), (5, 17), (64, 33)):
            arguments = kernel.make(Inputs(dtype, values), *size)
            differ = differences(kernel, arguments, dtype)
            assert bool(differ) == (name in kernel.except_for), (name, size, differ)


@BOTH_BACKENDS
@BOTH_DTYPES
@ALL
def test_inputs_are_not_modified(kernel: Kernel, dtype: str, backend: Any) -> None:
    arguments = kernel.make(Inputs(dtype), 5, 17)
    before = copied(arguments)
    results = kernel.run(backend, arguments)
    for name, value in arguments.items():
        if isinstance(value, np.ndarray):
            changed = value.tobytes() != before[name].tobytes()
            assert changed == (name in kernel.modified), name
    inputs = [a for a in arguments.values() if isinstance(a, np.ndarray)]
    for name in kernel.results:
        assert not any(np.shares_memory(results[name], a) for a in inputs), name


@BOTH_BACKENDS
@BOTH_DTYPES
@ALL
def test_results_go_into_given_arrays(kernel: Kernel, dtype: str, backend: Any) -> None:
    arguments = kernel.make(Inputs(dtype), 5, 17)
    expected = kernel.run(backend, copied(arguments))
    given = {name: np.full_like(expected[name], np.nan) for name in kernel.out}
    results = kernel.run(backend, copied(arguments), **given)
    for name in kernel.results:
        np.testing.assert_array_equal(results[name], expected[name])
        if name in given:
            assert results[name] is given[name]


def packed(arrays: Mapping[str, np.ndarray], gap: int) -> dict[str, np.ndarray]:
    """Copies that lie one behind the other in memory, `gap` bytes between them."""
    size = sum(array.nbytes + gap for array in arrays.values())
    memory, places, start = np.empty(size, np.uint8), {}, 0
    for name, array in arrays.items():
        place = memory[start : start + array.nbytes].view(array.dtype).reshape(array.shape)
        place[...] = array
        places[name] = place
        start += array.nbytes + gap
    return places


@BOTH_DTYPES
@ALL
def test_bits_do_not_depend_on_where_arrays_lie(kernel: Kernel, dtype: str) -> None:
    """Loops have several compiled forms, and distances in memory decide which one runs."""
    for size in ((5, 17), (2, 15), (64, 33)):
        arguments = kernel.make(Inputs(dtype), *size)
        expected = kernel.run(compiled, copied(arguments))
        arrays = {name: a for name, a in arguments.items() if isinstance(a, np.ndarray)}
        arrays |= {f"result {name}": expected[name] for name in kernel.out}
        for gap in (0, 64, 4096):
            for order in (list(arrays), list(arrays)[::-1]):
                places = packed({name: arrays[name] for name in order}, gap)
                given = {name: places.pop(f"result {name}") for name in kernel.out}
                results = kernel.run(compiled, {**arguments, **places}, **given)
                for name, value in expected.items():
                    np.testing.assert_array_equal(results[name], value, f"{name} {size} {gap}")


@BOTH_BACKENDS
@pytest.mark.parametrize(
    ("label", "result", "argument"),
    [
        ("activation_forward[tanh]", "out", "z"),
        ("activation_forward[softmax]", "out", "z"),
        ("activation_backward[mish]", "d_z", "d_out"),
        ("activation_backward[softmax]", "d_z", "d_out"),
        ("batchnorm_forward[training]", "x_hat", "x"),
        ("batchnorm_backward", "d_x", "d_out"),
        ("dropout_forward", "out", "x"),
        ("dropout_backward", "d_x", "d_out"),
        ("softmax_cross_entropy[labels]", "d_logits", "logits"),
        ("huber_loss", "d_prediction", "prediction"),
    ],
)
def test_a_result_may_take_the_place_of_its_input(
    label: str, result: str, argument: str, backend: Any
) -> None:
    (kernel,) = (kernel for kernel in KERNELS if kernel.label == label)
    arguments = kernel.make(Inputs("float64"), 5, 17)
    expected = kernel.run(backend, copied(arguments))
    results = kernel.run(backend, arguments, **{result: arguments[argument]})
    assert results[result] is arguments[argument]
    for name in kernel.results:
        np.testing.assert_allclose(results[name], expected[name], rtol=1e-14, atol=1e-16)


@BOTH_BACKENDS
@BOTH_DTYPES
@pytest.mark.parametrize("weights", [[0.0, 0.0, 0.0, 0.0], [1.0, -1.0, 0.5, -0.5]])
@pytest.mark.parametrize(
    "kernel", [k for k in KERNELS if "loss" in k.results and "weighted" in k.label], ids=str
)
def test_weights_that_sum_to_zero(
    kernel: Kernel, weights: list[float], dtype: str, backend: Any
) -> None:
    arguments = kernel.make(Inputs(dtype), 4, 3)
    arguments["sample_weight"] = np.array(weights, dtype)
    loss, gradient = kernel.run(backend, arguments).values()
    assert type(loss) is float
    assert loss == 0.0
    np.testing.assert_array_equal(gradient, np.zeros((4, 3)))


@BOTH_BACKENDS
def test_weights_of_another_dtype(backend: Any) -> None:
    prediction, y = np.ones((3, 2), np.float32), np.zeros((3, 2), np.float32)
    loss, gradient = backend.mean_squared_error(prediction, y, np.array([1, 0, 3]))
    assert loss == 1.0
    np.testing.assert_allclose(gradient, [[0.25] * 2, [0.0] * 2, [0.75] * 2], rtol=1e-6)
    assert gradient.dtype == np.float32


@BOTH_BACKENDS
def test_unknown_activation(backend: Any) -> None:
    x = np.zeros((2, 2))
    calls = (
        lambda name: backend.activation_forward(x, name),
        lambda name: backend.activation_backward(x, x, x, name),
        lambda name: backend.dense_forward(x, x, None, name),
        lambda name: backend.dense_backward(x, x, x, x, x, name),
    )
    for call in calls:
        with pytest.raises(ValueError, match="unknown activation 'rleu'; known: elu, exp, gelu"):
            call("rleu")
        with pytest.raises(ValueError, match="unknown activation 'rleu'; known: elu, exp, gelu"):
            call(("rleu", 0.1))
        with pytest.raises(TypeError):
            call(("relu", 0.1))


@pytest.mark.parametrize("dtype", ["int64", "float16", ">f4"])
def test_other_dtypes_are_refused(dtype: str) -> None:
    with pytest.raises(TypeError, match="float32 or float64, not of"):
        compiled.activation_forward(np.zeros((2, 2), dtype), "relu")


def test_philox_broadcasts() -> None:
    column, group = np.arange(3, dtype=np.uint64)[np.newaxis, :], np.arange(2)[:, np.newaxis]
    for words in zip(
        *(backend.philox4x32(column, group, 5, 6, 2**32 - 1, 7) for backend in BACKENDS),
        strict=True,
    ):
        assert all(word.dtype == np.uint32 for word in words)
        np.testing.assert_array_equal(*words)
    assert compiled.philox4x32(0, 0, 0, 0, 0, 0)[0].shape == ()
    # The first known answer of the generator's authors.
    assert int(compiled.philox4x32(0, 0, 0, 0, 0, 0)[0]) == 0x6627E8D5


def test_the_comparison_sees_what_it_should() -> None:
    kernel = Kernel("", "activation_forward", lambda inputs, n, k: {}, ("out",), tolerance=16.0)

    def error(expected: Any, actual: Any) -> float:
        expected, actual = np.asarray(expected), np.asarray(actual)
        return kernel.errors({"out": expected}, {"out": actual}, "float64")["out"]

    eps = np.finfo(np.float64).eps
    assert error([1.0, np.nan, np.inf], [1.0, np.nan, np.inf]) == 0.0
    assert error([1.0], [1.0 + 8 * eps]) == pytest.approx(0.5)
    assert error([1e-3, 1e-9], [1e-3, 1e-9 + 32e-3 * eps]) == pytest.approx(2.0)
    assert error([1.0, 0.0], [1.0, 32 * eps]) == pytest.approx(2.0)
    assert error([1e-320], [0.0]) > 1.0
    for expected, actual in (
        ([np.nan], [0.0]),
        ([0.0], [np.nan]),
        ([np.inf], [-np.inf]),
        ([0.0], [[0.0]]),
        ([0.0], np.zeros(1, np.float32)),
    ):
        assert error(expected, actual) > 1.0
