"""What holds for every kernel of the reference: dtypes, contiguity, precision, what is in place."""

from __future__ import annotations

import numpy as np
import pytest
from kernel_table import KERNELS, Inputs, Kernel, copied

from fastmlp.kernels import numpy as reference

BOTH = pytest.mark.parametrize("dtype", [np.float32, np.float64])


def positive(rng: np.random.Generator, shape: tuple[int, ...], dtype: np.dtype) -> np.ndarray:
    """Numbers that do not cancel."""
    return rng.random(shape) + 0.1


@BOTH
@pytest.mark.parametrize("kernel", [k for k in KERNELS if k.results], ids=str)
def test_results_are_floats_or_new_contiguous_arrays(kernel: Kernel, dtype: type) -> None:
    arguments = kernel.make(Inputs(dtype), 5, 4)
    inputs = [a for a in arguments.values() if isinstance(a, np.ndarray)]
    results = kernel.run(reference, arguments)
    for result in map(results.__getitem__, kernel.results):
        if not isinstance(result, np.ndarray):
            assert type(result) is float
            continue
        assert result.dtype == (np.uint32 if kernel.function == "philox4x32" else dtype)
        assert result.flags.c_contiguous
        assert not any(np.shares_memory(result, a) for a in inputs)


@pytest.mark.parametrize(
    "kernel",
    [k for k in KERNELS if k.results and "dtype" not in k.make(Inputs("f4"), 1, 1)],
    ids=str,
)
def test_float32_is_float64_rounded(kernel: Kernel) -> None:
    arguments = kernel.make(Inputs("float32", positive), 5, 4)
    widened = {
        name: a.astype(np.float64) if isinstance(a, np.ndarray) and a.dtype == np.float32 else a
        for name, a in arguments.items()
    }
    narrow, wide = (kernel.run(reference, given) for given in (arguments, widened))
    for name, expected in wide.items():
        np.testing.assert_allclose(narrow[name], expected, rtol=5e-6, atol=5e-6, err_msg=name)


@BOTH
@pytest.mark.parametrize("kernel", [k for k in KERNELS if k.function.endswith("_update")], ids=str)
def test_updates_work_in_place_and_leave_the_gradients(kernel: Kernel, dtype: type) -> None:
    arguments = kernel.make(Inputs(dtype), 2, 3)
    before = copied(arguments)
    assert getattr(reference, kernel.function)(**arguments) is None
    assert "gradients" not in kernel.modified
    np.testing.assert_array_equal(arguments["gradients"], before["gradients"])
    for name in kernel.modified:
        assert arguments[name].dtype == before[name].dtype
        changed = arguments[name] != before[name]
        # Where there is a gradient; a product of all steps has one number.
        assert changed[before["gradients"] != 0.0].all() if changed.size > 1 else changed.all()


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
