from __future__ import annotations

import functools
import math
import platform
import re

import mpmath
import numpy as np
import pytest

numba = pytest.importorskip("numba")

from fastmlp.kernels.compiled.machine import math as vector_math  # noqa: E402
from fastmlp.kernels.compiled.machine.options import FASTMATH, OPTIONS  # noqa: E402

# The largest errors promised, in units in the last place.
LIMITS = {"exp": 2.0, "expm1": 4.0, "log": 2.0, "log1p": 4.0, "tanh": 4.0, "erf": 4.0}
NAMES = sorted(LIMITS)
DTYPES = [np.float32, np.float64]
NUMPY = {name: getattr(np, name) for name in NAMES if name != "erf"}
NUMPY["erf"] = lambda x: np.frompyfunc(math.erf, 1, 1)(x).astype(np.float64)


def make_loop(function, fastmath=FASTMATH):
    @numba.njit(fastmath=set(fastmath), **OPTIONS)
    def loop(x, out):
        for i in range(x.shape[0]):
            out[i] = function(x[i])

    return loop


@functools.cache
def loop_of(name):
    return make_loop(getattr(vector_math, name))


def compiled(name, x):
    out = np.empty_like(x)
    loop_of(name)(x, out)
    return out


def log_uniform(rng, low, high, n):
    return np.exp(rng.uniform(math.log(low), math.log(high), n))


def hard_arguments(name, dtype=np.float64):
    rng = np.random.default_rng(7)
    n = 800
    tiny = log_uniform(rng, 1e-322, 1e-3, n)
    half_ln2 = 0.5 * math.log(2.0) * (1.0 + rng.uniform(-0.1, 0.1, n))
    ranges = {
        "exp": [rng.uniform(-708.0, 709.7, n), rng.uniform(-2.0, 2.0, n)],
        "expm1": [rng.uniform(-45.0, 709.7, n), rng.uniform(-2.0, 2.0, n)],
        "log": [log_uniform(rng, 1e-307, 1e308, n), rng.uniform(0.4, 2.5, n), 1.0 + tiny],
        "log1p": [log_uniform(rng, 1e-3, 1e308, n), rng.uniform(-1.0, 2.0, n), tiny - 1.0],
        "tanh": [rng.uniform(-25.0, 25.0, n), rng.uniform(-1.5, 1.5, n)],
        "erf": [rng.uniform(-6.5, 6.5, n), rng.uniform(-1.5, 1.5, n)],
    }[name]
    ranges += [tiny, half_ln2] if name == "log" else [tiny, -tiny, half_ln2, -half_ln2]
    if name == "log1p":
        ranges[2] = ranges[2][ranges[2] > -1.0]
    with np.errstate(over="ignore"):
        return np.concatenate(ranges).astype(dtype)


@pytest.mark.parametrize("name", NAMES)
def test_float64_against_mpmath(name):
    x = hard_arguments(name)
    y = compiled(name, x)
    exact = getattr(mpmath, name)
    with mpmath.workprec(130):
        truth = [exact(mpmath.mpf(float(value))) for value in x]
        errors = [
            float(abs(mpmath.mpf(float(b)) - a) / math.ulp(float(a)))
            for a, b in zip(truth, y, strict=True)
        ]
    worst = int(np.argmax(errors))
    assert errors[worst] <= LIMITS[name], (x[worst], y[worst])


@pytest.mark.parametrize("name", NAMES)
def test_float32_against_float64_over_all_exponents(name):
    x = np.arange(0, 2**32, 10007, dtype=np.uint64).astype(np.uint32).view(np.float32)
    with np.errstate(all="ignore"):
        truth = NUMPY[name](x.astype(np.float64))
        rounded = truth.astype(np.float32)
    y = compiled(name, x)
    finite = np.isfinite(rounded)
    np.testing.assert_array_equal(y[~finite], rounded[~finite])
    errors = np.abs(y[finite] - truth[finite]) / np.spacing(np.abs(rounded[finite]))
    worst = int(np.argmax(errors))
    assert errors[worst] <= LIMITS[name], (x[finite][worst], y[finite][worst])


INFINITY, NAN = math.inf, math.nan
SPECIAL = {
    "exp": [(0.0, 1.0), (-0.0, 1.0), (INFINITY, INFINITY), (-INFINITY, 0.0)],
    "expm1": [(0.0, 0.0), (-0.0, -0.0), (INFINITY, INFINITY), (-INFINITY, -1.0)],
    "log": [
        *[(1.0, 0.0), (0.0, -INFINITY), (-0.0, -INFINITY), (INFINITY, INFINITY)],
        *[(-1.0, NAN), (-INFINITY, NAN)],
    ],
    "log1p": [
        *[(0.0, 0.0), (-0.0, -0.0), (-1.0, -INFINITY), (INFINITY, INFINITY)],
        *[(-2.0, NAN), (-INFINITY, NAN)],
    ],
    "tanh": [(0.0, 0.0), (-0.0, -0.0), (INFINITY, 1.0), (-INFINITY, -1.0)],
    "erf": [(0.0, 0.0), (-0.0, -0.0), (INFINITY, 1.0), (-INFINITY, -1.0)],
}


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", NAMES)
def test_special_values(name, dtype):
    x, expected = np.array([*SPECIAL[name], (NAN, NAN)], dtype).T.copy()
    y = compiled(name, x)
    np.testing.assert_array_equal(y, expected)
    known = ~np.isnan(expected)
    np.testing.assert_array_equal(np.signbit(y[known]), np.signbit(expected[known]))


PERIODIC = pytest.mark.parametrize("name", ["sin", "cos"])


@pytest.mark.parametrize("name", ["sinpi", "cospi"])
@pytest.mark.parametrize("dtype", DTYPES)
def test_half_turns(name, dtype):
    largest = 2.0 ** (np.finfo(dtype).nmant - 2)
    rng = np.random.default_rng(3)
    whole = np.arange(-8.0, 8.5, 0.5)
    x = np.concatenate([whole, *(rng.uniform(-r, r, 4000) for r in (2.0, largest))]).astype(dtype)
    exact = getattr(mpmath, name)
    with mpmath.workprec(130):
        truth = np.array([float(exact(mpmath.mpf(float(value)))) for value in x])
    errors = np.abs(compiled(name, x) - truth)
    assert errors.max() <= 2 * np.finfo(dtype).eps, x[errors.argmax()]
    special = np.array([INFINITY, -INFINITY, NAN], dtype)
    assert np.isnan(compiled(name, special)).all()
    enormous = np.geomspace(largest, float(np.finfo(np.float32).max), 200).astype(dtype)
    assert (np.abs(compiled(name, enormous)) <= 1.0 + np.finfo(dtype).eps).all()
    called = getattr(vector_math, name)(x)
    assert called.dtype == dtype
    np.testing.assert_allclose(called, truth, rtol=0, atol=8 * np.finfo(dtype).eps)


@PERIODIC
@pytest.mark.parametrize("dtype", DTYPES)
def test_sine_and_cosine_over_many_turns(name, dtype):
    # The error promised is one of the last place of 1, wherever zeros lie.
    largest = 2.0**14 if dtype is np.float32 else 2.0**20
    rng = np.random.default_rng(3)
    x = np.concatenate([rng.uniform(-r, r, 4000) for r in (4.0, 100.0, largest)]).astype(dtype)
    exact = getattr(mpmath, name)
    with mpmath.workprec(130):
        truth = np.array([float(exact(mpmath.mpf(float(value)))) for value in x])
    errors = np.abs(compiled(name, x) - truth)
    assert errors.max() <= 2 * np.finfo(dtype).eps, x[errors.argmax()]


@PERIODIC
@pytest.mark.parametrize("dtype", DTYPES)
def test_sine_and_cosine_keep_their_digits_near_zeros(name, dtype):
    zeros = np.array([0.0, math.pi] if name == "sin" else [math.pi / 2], dtype)
    near = zeros[:, None] + np.arange(-20, 21) * np.finfo(dtype).eps
    x = np.concatenate([near.ravel(), np.linspace(-math.pi, math.pi, 3001)]).astype(dtype)
    exact = getattr(mpmath, name)
    with mpmath.workprec(130):
        truth = [exact(mpmath.mpf(float(value))) for value in x]
        errors = [
            float(abs(mpmath.mpf(float(b)) - a)) / np.spacing(dtype(abs(float(a))) or dtype(1))
            for a, b in zip(truth, compiled(name, x), strict=True)
        ]
    assert max(errors) <= 2.0, x[int(np.argmax(errors))]


@pytest.mark.parametrize("dtype", DTYPES)
def test_sine_and_cosine_at_the_limits(dtype):
    special = np.array([0.0, -0.0, INFINITY, -INFINITY, NAN], dtype)
    sine, cosine = compiled("sin", special), compiled("cos", special)
    np.testing.assert_array_equal(sine, [0.0, -0.0, NAN, NAN, NAN])
    np.testing.assert_array_equal(np.signbit(sine[:2]), [False, True])
    np.testing.assert_array_equal(cosine, [1.0, 1.0, NAN, NAN, NAN])
    enormous = np.geomspace(1e5, float(np.finfo(np.float32).max), 200).astype(dtype)
    for name in ("sin", "cos"):
        assert (np.abs(compiled(name, enormous)) <= 1.0).all()
        np.testing.assert_array_equal(getattr(vector_math, name)(special), compiled(name, special))


@pytest.mark.parametrize("dtype", DTYPES)
def test_ends_of_the_range(dtype):
    limits = np.finfo(dtype)
    largest_argument = np.log(limits.max)
    beyond = np.nextafter(largest_argument, dtype(np.inf)) + dtype(0.01)
    big = np.array([largest_argument * dtype(1 - 1e-6), beyond, limits.max], dtype)
    for name in ("exp", "expm1"):
        np.testing.assert_array_equal(np.isinf(compiled(name, big)), [False, True, True])
    saturated = np.array([limits.max, -limits.max], dtype)
    for name in ("tanh", "erf"):
        np.testing.assert_array_equal(compiled(name, saturated), [1.0, -1.0])
    np.testing.assert_array_equal(compiled("exp", -big[1:]) < limits.smallest_normal, True)
    np.testing.assert_array_equal(compiled("expm1", saturated), [np.inf, -1.0])
    for name in ("log", "log1p"):
        y = compiled(name, saturated[:1])
        np.testing.assert_allclose(y, [largest_argument], rtol=2 * limits.eps)


@pytest.mark.parametrize("dtype", DTYPES)
def test_subnormal_numbers(dtype):
    limits = np.finfo(dtype)
    unit = limits.smallest_subnormal
    x = unit * np.array([1, 2, 3, 1000, 2**20], dtype)
    for name in ("expm1", "log1p", "tanh"):
        np.testing.assert_array_equal(compiled(name, x), x)
        np.testing.assert_array_equal(compiled(name, -x), -x)
    np.testing.assert_allclose(
        compiled("erf", x), x * 2 / math.sqrt(math.pi), rtol=0, atol=2 * unit
    )
    np.testing.assert_allclose(compiled("log", x), np.log(x), rtol=2 * limits.eps)
    underflow = np.linspace(np.log(limits.smallest_normal), np.log(unit), 50, dtype=dtype)
    np.testing.assert_allclose(compiled("exp", underflow), np.exp(underflow), rtol=0, atol=unit)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", NAMES)
def test_called_from_python_like_compiled(name, dtype):
    function = getattr(vector_math, name)
    x = hard_arguments(name, dtype)
    called = function(x)
    assert called.dtype == dtype
    y = compiled(name, x)
    finite = np.isfinite(called)
    np.testing.assert_array_equal(y[~finite], called[~finite])
    # NumPy's own functions err too, by up to 4 units for float32.
    np.testing.assert_array_max_ulp(y[finite], called[finite], maxulp=LIMITS[name] + 4)

    scalar = function(dtype(0.75))
    assert np.ndim(scalar) == 0
    assert scalar.dtype == dtype
    assert function(0.75) == pytest.approx(getattr(math, name)(0.75), rel=1e-15)


@pytest.mark.parametrize("name", NAMES)
def test_called_from_python_at_the_limits_without_a_warning(name):
    function = getattr(vector_math, name)
    for x, expected in [*SPECIAL[name], (NAN, NAN)]:
        np.testing.assert_array_equal(function(x), expected)


def test_integers_count_as_float64():
    @numba.njit(**OPTIONS)
    def exp_of(i):
        return vector_math.exp(i)

    assert exp_of(2) == pytest.approx(math.exp(2.0), rel=1e-15)


def test_other_types_are_refused():
    @numba.njit(**OPTIONS)
    def exp_of(z):
        return vector_math.exp(z)

    with pytest.raises(numba.TypingError):
        exp_of(1j)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", NAMES)
def test_flags_of_the_caller_change_nothing(name, dtype):
    extremes = np.array([NAN, INFINITY, -INFINITY, 0.0], dtype)
    x = np.concatenate([hard_arguments(name, dtype), extremes])
    out = np.empty_like(x)
    flags = {"reassoc", "arcp", "nnan", "ninf", "nsz", "contract", "afn"}
    make_loop(getattr(vector_math, name), flags)(x, out)
    np.testing.assert_array_equal(out, compiled(name, x))


def optimized_code(loop, dtype):
    x = np.ones(4, dtype)
    loop(x, x.copy())
    (code,) = loop.inspect_llvm().values()
    return code


def packed_operations(code, dtype):
    kind = "float" if dtype is np.float32 else "double"
    return len(re.findall(rf"= f(?:add|mul|sub)[ a-z]* <\d+ x {kind}>", code))


def library_calls(code):
    names = "exp|exp2|expm1|log|log2|log1p|tanh|erf|sin|cos|pow|ldexp|floor|rint|nearbyint"
    return re.findall(rf"call[^@\n]*@\"?((?:\w+[._])*(?:{names})(?:f|\.f32|\.f64)?)\b", code)


@pytest.mark.skipif(
    platform.machine() not in ("x86_64", "AMD64"), reason="not every processor has packed numbers"
)
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", [*NAMES, "sin", "cos", "sinpi", "cospi"])
def test_loops_become_packed_instructions(name, dtype):
    code = optimized_code(make_loop(getattr(vector_math, name)), dtype)
    assert packed_operations(code, dtype) > 10
    assert not library_calls(code)


@pytest.mark.parametrize("dtype", DTYPES)
def test_check_for_packed_instructions_sees_a_library_call(dtype):
    code = optimized_code(make_loop(math.tanh), dtype)
    assert library_calls(code)
    assert packed_operations(code, dtype) == 0
