"""What holds for every kernel: dtypes, contiguity, untouched inputs, results into given arrays."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from fastmlp.declarations.losses import OWN_LOSSES
from fastmlp.kernels import custom, get_backend
from fastmlp.kernels import numpy as reference
from fastmlp.kernels.reference.activations import ACTIVATIONS

Case = tuple[Callable[..., Any], tuple[Any, ...], tuple[str, ...]]

LOSSES = [loss for loss in OWN_LOSSES if not loss.is_rowwise]
UPDATES = {name for name in reference.__all__ if name.endswith("_update")}
IN_PLACE = {"add_penalty", "clip_by_norm", "clip_by_value"}


def cases(dtype: type) -> dict[str, Case]:
    """Name -> kernel, arguments, names of the arrays that it returns, in order."""
    rng = np.random.default_rng(1)

    def draw(*shape: int) -> np.ndarray:
        return rng.random(shape).astype(dtype) + dtype(0.1)

    x, weight, bias = draw(5, 4), draw(4, 3), draw(3)
    z, d_out = draw(5, 3), draw(5, 3)
    table: dict[str, Case] = {}
    for name in ACTIVATIONS:
        out = reference.activation_forward(z, name)
        table[f"activation_forward {name}"] = (reference.activation_forward, (z, name), ("out",))
        table[f"activation_backward {name}"] = (
            reference.activation_backward,
            (d_out, z, out, name),
            ("d_z",),
        )
    for bias_or_none in (bias, None):
        table[f"dense_forward {'with' if bias_or_none is bias else 'without'} bias"] = (
            reference.dense_forward,
            (x, weight, bias_or_none, "tanh"),
            ("out", "z"),
        )
    table["dense_backward"] = (
        reference.dense_backward,
        (d_out, x, weight, z, z, "tanh"),
        ("d_x", "d_weight", "d_bias"),
    )
    table["batchnorm_forward"] = (
        reference.batchnorm_forward,
        (x, draw(4), draw(4), draw(4), draw(4), 0.1, 1e-5, False),
        ("out", "x_hat", "inv_std"),
    )
    table["batchnorm_backward"] = (
        reference.batchnorm_backward,
        (draw(5, 4), x, draw(4), draw(4)),
        ("d_x", "d_gamma", "d_beta"),
    )
    table["dropout_forward"] = (reference.dropout_forward, (x, 0.5, 1, 2, 3), ("out", "mask"))
    table["dropout_backward"] = (reference.dropout_backward, (x, draw(5, 4)), ("d_x",))
    labels = rng.integers(0, 3, 5)
    for sample_weight in (None, draw(5)):
        suffix = "" if sample_weight is None else " weighted"
        for y in (labels, draw(5, 3)):
            table[f"softmax_cross_entropy {y.ndim}-D{suffix}"] = (
                reference.softmax_cross_entropy,
                (z, y, sample_weight, 0.1),
                ("loss", "d_logits"),
            )
        for loss in LOSSES:
            kernel = getattr(reference, loss.kernel)
            table[f"{loss.kernel}{suffix}"] = (
                kernel,
                (z, draw(5, 3), sample_weight, *loss.arguments),
                ("loss", list(inspect.signature(kernel).parameters)[-1]),
            )
    entries = (draw(6), rng.integers(0, 4, 6), np.array([0, 2, 2, 3, 5, 6]))
    table["sparse_forward"] = (reference.sparse_forward, (*entries, draw(4, 3)), ("out",))
    table["sparse_backward"] = (reference.sparse_backward, (d_out, *entries, 4), ("d_weight",))
    codes = rng.integers(0, 4, 5).astype(dtype)
    table["embedding_forward"] = (reference.embedding_forward, (codes, draw(4, 3)), ("out",))
    table["embedding_backward"] = (
        reference.embedding_backward,
        (d_out, codes, 4),
        ("d_weight",),
    )
    custom.add(custom.LOSSES, "contract_loss", lambda p, y: (p - y) ** 4, None)
    table["custom_loss"] = (
        reference.custom_loss,
        (z, draw(5, 3), None, "contract_loss"),
        ("loss", "d_prediction"),
    )
    return table


BOTH = pytest.mark.parametrize("dtype", [np.float32, np.float64])
ALL = pytest.mark.parametrize("name", cases(np.float64))


def as_tuple(result: Any) -> tuple[Any, ...]:
    return result if isinstance(result, tuple) else (result,)


def test_every_kernel_has_a_case() -> None:
    covered = {kernel.__name__ for kernel, _, _ in cases(np.float64).values()}
    others = UPDATES | IN_PLACE | {"dropout_mask", "philox4x32"}
    assert covered | others == set(reference.__all__)
    assert get_backend("numpy").__all__ == reference.__all__


@BOTH
@ALL
def test_results_are_new_contiguous_arrays_of_the_inputs_dtype(name: str, dtype: type) -> None:
    kernel, arguments, names = cases(dtype)[name]
    inputs = [a for a in arguments if isinstance(a, np.ndarray)]
    before = [a.copy() for a in inputs]
    results = as_tuple(kernel(*arguments))
    assert len(results) == len(names)
    for a, b in zip(inputs, before, strict=True):
        np.testing.assert_array_equal(a, b)
    for result, result_name in zip(results, names, strict=True):
        if result_name == "loss":
            assert type(result) is float
            continue
        assert result.dtype == dtype
        assert result.flags.c_contiguous
        assert not any(np.shares_memory(result, a) for a in inputs)


@BOTH
@ALL
def test_results_go_into_given_arrays(name: str, dtype: type) -> None:
    kernel, arguments, names = cases(dtype)[name]
    expected = as_tuple(kernel(*arguments))
    given = {
        result_name: np.full_like(array, np.nan)
        for result_name, array in zip(names, expected, strict=True)
        if result_name != "loss"
    }
    results = as_tuple(kernel(*arguments, **given))
    for result, array, result_name in zip(results, expected, names, strict=True):
        np.testing.assert_array_equal(result, array)
        if result_name != "loss":
            assert result is given[result_name]


@pytest.mark.parametrize(
    ("name", "relative"), [(name, 5e-6) for name in cases(np.float64) if "dropout" not in name]
)
def test_float32_is_float64_rounded(name: str, relative: float) -> None:
    kernel, arguments, _ = cases(np.float32)[name]
    widened = [
        a.astype(np.float64) if isinstance(a, np.ndarray) and a.dtype == np.float32 else a
        for a in arguments
    ]
    for narrow, wide in zip(as_tuple(kernel(*arguments)), as_tuple(kernel(*widened)), strict=True):
        np.testing.assert_allclose(narrow, wide, rtol=relative, atol=relative)


@BOTH
@pytest.mark.parametrize("name", sorted(UPDATES))
def test_updates_work_in_place_and_leave_the_gradients(name: str, dtype: type) -> None:
    rng = np.random.default_rng(2)
    parameters, gradients, first, second = rng.random((4, 6)).astype(dtype) + dtype(0.1)
    mu_product = np.ones(1)
    arguments = {
        "sgd_update": (first, 0.1, 0.9, True),
        "rmsprop_update": (first, 0.1, 0.9, 1e-8),
        "adagrad_update": (first, 0.1, 1e-10),
        "adam_update": (first, second, 3, 0.1, 0.9, 0.999, 1e-8),
        "adamw_update": (first, second, 3, 0.1, 0.9, 0.999, 1e-8, 0.01),
        "nadam_update": (first, second, 3, mu_product, 0.1, 0.9, 0.999, 1e-8),
        "ftrl_update": (first, second, 0.1, 0.01, 0.01, 1.0),
    }[name]
    before = [a.copy() for a in (parameters, gradients, first)]
    assert getattr(reference, name)(parameters, gradients, *arguments) is None
    assert (parameters != before[0]).all()
    np.testing.assert_array_equal(gradients, before[1])
    assert (first != before[2]).all()
    assert parameters.dtype == first.dtype == dtype
    assert (mu_product[0] != 1.0) == (name == "nadam_update")


@BOTH
def test_gradient_preparation_works_in_place(dtype: type) -> None:
    weight, d_weight = np.ones((2, 3), dtype), np.ones((2, 3), dtype)
    assert type(reference.add_penalty(weight, d_weight, 0.1, 0.2)) is float
    np.testing.assert_array_equal(weight, np.ones((2, 3)))
    np.testing.assert_allclose(d_weight, 1.3, rtol=1e-6)
    assert reference.clip_by_value(d_weight, 1.0) is None
    np.testing.assert_array_equal(d_weight, np.ones((2, 3)))
    assert type(reference.clip_by_norm(d_weight, 1.0)) is float
    assert d_weight.dtype == dtype


@BOTH
def test_batchnorm_updates_only_the_running_statistics(dtype: type) -> None:
    rng = np.random.default_rng(3)
    x = rng.random((6, 4)).astype(dtype)
    gamma, beta, mean, var = rng.random((4, 4)).astype(dtype)
    before = [a.copy() for a in (x, gamma, beta)]
    old_mean, old_var = mean.copy(), var.copy()
    results = reference.batchnorm_forward(x, gamma, beta, mean, var, 0.1, 1e-5, True)
    assert all(a.dtype == dtype for a in (*results, mean, var))
    for a, b in zip((x, gamma, beta), before, strict=True):
        np.testing.assert_array_equal(a, b)
    assert (mean != old_mean).all()
    assert (var != old_var).all()
