"""Elementary functions that vectorize: `exp`, `expm1`, `log`, `log1p`, `tanh`, `erf`, `sin`, `cos`.

Angles of `sinpi` and `cospi` are in half turns: they need no more than half the instructions.

They are the functions of the reference: called from Python they are NumPy's. Called from compiled
code on a float32 or float64 they emit straight-line arithmetic (no branch, no table, no call), so
that LLVM turns a loop over a contiguous array into packed instructions; integers count as float64.

The instructions are emitted directly: Numba neither infers types nor compiles a function for them,
and each instruction carries fast-math flags of its own, which those of the caller never replace
(with `reassoc` the range reductions below would cancel to nothing). Contraction to fused
multiply-adds is allowed everywhere; no step depends on it.

Errors stay below 2 units in the last place for `exp` and `log` and below 4 for the others, at every
argument, but for sines and cosines. Those of `sinpi` and `cospi` stay below 2 units in the last
place of 1 up to 2**21 in float32 and 2**50 in float64. So do those of `sin` and `cos` up to 2**14
and 2**20, and below 2 units of the result itself up to pi. Beyond, results stay within [-1, 1] and
mean nothing. Subnormal numbers are read and written, infinities and NaN follow IEEE 754. The method
is the same for both dtypes: an exact range reduction with ln 2 in two parts, or pi in three, then a
polynomial or, for `erf` in float64, a rational function; `formats` holds their coefficients.

References
----------
W. J. Cody and W. Waite, Software Manual for the Elementary Functions, 1980 (range reduction).
J.-M. Muller, Elementary Functions, 3rd edition, 2016, chapters 3 and 11.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from llvmlite import ir
from numba import types
from numba.core.typing import signature
from numba.extending import lower_builtin, type_callable

from ...formats import FLOAT32, FLOAT64, Format
from ...reference.math import cos, cospi, erf, exp, expm1, log, log1p, sin, sinpi, tanh

__all__ = ["cos", "cospi", "erf", "exp", "expm1", "log", "log1p", "sin", "sinpi", "tanh"]


@dataclass(frozen=True)
class _Format(Format):
    """A format with LLVM's types of a number and of its bits."""

    real: Any
    integer: Any


_FLOAT32 = _Format(**vars(FLOAT32), real=ir.FloatType(), integer=ir.IntType(32))
_FLOAT64 = _Format(**vars(FLOAT64), real=ir.DoubleType(), integer=ir.IntType(64))

_FORMATS = {types.float32: _FLOAT32, types.float64: _FLOAT64}

# Numba adds the caller's flags to an instruction that has none, so none may go without.
_ARITHMETIC = ("nsz", "contract")


class _Bits:
    """An unsigned integer of the code being emitted: the bits of a `_Real`, or part of them."""

    def __init__(self, builder: Any, number: _Format, value: Any) -> None:
        self.builder = builder
        self.number = number
        self.value = value

    def _emit(self, instruction: str, other: _Bits | int) -> _Bits:
        right = other.value if isinstance(other, _Bits) else ir.Constant(self.value.type, other)
        value = getattr(self.builder, instruction)(self.value, right)
        return _Bits(self.builder, self.number, value)

    def __add__(self, other: _Bits | int) -> _Bits:
        return self._emit("add", other)

    def __sub__(self, other: _Bits | int) -> _Bits:
        return self._emit("sub", other)

    def __rsub__(self, other: int) -> _Bits:
        return _Bits(self.builder, self.number, ir.Constant(self.value.type, other)) - self

    def __and__(self, other: _Bits | int) -> _Bits:
        return self._emit("and_", other)

    def __or__(self, other: _Bits | int) -> _Bits:
        return self._emit("or_", other)

    def __xor__(self, other: _Bits | int) -> _Bits:
        return self._emit("xor", other)

    def __lshift__(self, places: int) -> _Bits:
        return self._emit("shl", places)

    def __rshift__(self, places: int) -> _Bits:
        return self._emit("lshr", places)

    def real(self) -> _Real:
        """Return the number that has these bits."""
        value = self.builder.bitcast(self.value, self.number.real)
        return _Real(self.builder, self.number, value)

    def power_of_two(self) -> _Real:
        """Return the normal power of two whose biased exponent is in the lowest bits."""
        return (self << self.number.fraction_bits).real()


class _Real:
    """A floating-point number of the code being emitted; its operators emit instructions."""

    def __init__(self, builder: Any, number: _Format, value: Any) -> None:
        self.builder = builder
        self.number = number
        self.value = value

    def _lift(self, other: _Real | float) -> Any:
        return other.value if isinstance(other, _Real) else ir.Constant(self.number.real, other)

    def _emit(self, instruction: str, left: _Real | float, right: _Real | float) -> _Real:
        emit = getattr(self.builder, instruction)
        value = emit(self._lift(left), self._lift(right), flags=_ARITHMETIC)
        return _Real(self.builder, self.number, value)

    def __add__(self, other: _Real | float) -> _Real:
        return self._emit("fadd", self, other)

    def __radd__(self, other: float) -> _Real:
        return self._emit("fadd", other, self)

    def __sub__(self, other: _Real | float) -> _Real:
        return self._emit("fsub", self, other)

    def __rsub__(self, other: float) -> _Real:
        return self._emit("fsub", other, self)

    def __mul__(self, other: _Real | float) -> _Real:
        return self._emit("fmul", self, other)

    def __truediv__(self, other: _Real | float) -> _Real:
        return self._emit("fdiv", self, other)

    def choose(
        self, comparison: str, bound: float, then: _Real | float, otherwise: _Real | float
    ) -> _Real:
        """Return one of two numbers: `then` where this one compares so with the bound.

        A comparison with NaN is false.
        """
        test = self.builder.fcmp_ordered(
            comparison, self.value, self._lift(bound), flags=_ARITHMETIC
        )
        value = self.builder.select(test, self._lift(then), self._lift(otherwise))
        return _Real(self.builder, self.number, value)

    def at_least(self, bound: float) -> _Real:
        """Return the larger of this number and the bound; NaN stays."""
        return self.choose("<", bound, bound, self)

    def at_most(self, bound: float) -> _Real:
        """Return the smaller of this number and the bound; NaN stays."""
        return self.choose(">", bound, bound, self)

    def bits(self) -> _Bits:
        """Return the bits of this number."""
        value = self.builder.bitcast(self.value, self.number.integer)
        return _Bits(self.builder, self.number, value)

    def magnitude(self) -> _Real:
        """Return the absolute value."""
        return (self.bits() & ~_sign_bit(self.number)).real()

    def signed_like(self, other: _Real) -> _Real:
        """Return the magnitude of this number with the sign of the other."""
        sign = other.bits() & _sign_bit(self.number)
        return (self.magnitude().bits() | sign).real()

    def polynomial(self, coefficients: tuple[float, ...]) -> _Real:
        """Return the sum of coefficients[i] * self**i, of at least two, by Horner's rule."""
        *rest, second, first = coefficients
        result = self * first + second
        for coefficient in reversed(rest):
            result = result * self + coefficient
        return result


def _sign_bit(number: _Format) -> int:
    return 1 << int(number.integer.width - 1)


def _bits_of(x: float, number: _Format) -> int:
    """Return the bits of a positive normal number, cut to the format."""
    half, exponent = math.frexp(x)
    fraction = int((2.0 * half - 1.0) * 2.0**number.fraction_bits)
    return ((exponent - 1 + number.bias) << number.fraction_bits) + fraction


def _emit_reduction(x: _Real) -> tuple[_Real, _Bits]:
    """Return e**r - 1 and k for x = n ln 2 + r, abs(r) <= ln(2) / 2.

    The lowest bits of k hold n + 2 * bias.
    """
    number = x.number
    # Between 2**fraction_bits and twice that, the last place of a number is 1: adding the shift
    # rounds to an integer and leaves it in the lowest bits.
    shift = float(2**number.fraction_bits + 2 * number.bias)
    shifted = x * (1.0 / math.log(2.0)) + shift
    n = shifted - shift
    r = x - n * number.ln2_high - n * number.ln2_low
    return r + r * r * r.polynomial(number.exp_polynomial), shifted.bits()


def _emit_exp(x: _Real) -> _Real:
    low, high = x.number.exp_range
    fraction, k = _emit_reduction(x.at_least(low).at_most(high))
    # Two factors, because 2**n alone leaves the range of normal numbers at both ends.
    half = k >> 1
    return (1.0 + fraction) * half.power_of_two() * (k - half).power_of_two()


def _emit_half_expm1(x: _Real) -> _Real:
    """Return (e**x - 1) / 2: its 2**(n - 1) is a number where 2**n is infinite already."""
    fraction, k = _emit_reduction(x)
    half_power = (k - (x.number.bias + 1)).power_of_two()
    return half_power * fraction + (half_power - 0.5)


def _emit_expm1(x: _Real) -> _Real:
    number = x.number
    half = _emit_half_expm1(x.at_least(number.expm1_minimum).at_most(number.exp_range[1]))
    # Half of a subnormal number loses its last bit, and a zero here its sign.
    tiny = 2.0 ** (-number.fraction_bits - 2)
    return x.magnitude().choose("<", tiny, x, half + half)


def _emit_tanh(x: _Real) -> _Real:
    a = x.magnitude().at_most(x.number.tanh_maximum)
    half = _emit_half_expm1(a + a)
    return (half / (half + 1.0)).signed_like(x)


def _emit_erf(x: _Real) -> _Real:
    # erf(a) = 1 - e**-g: g is smooth and grows like a at 0, so that one formula is accurate from
    # the smallest argument to the largest.
    number = x.number
    a = x.magnitude().at_most(number.erf_maximum)
    bend = a.polynomial(number.erf_numerator)
    if len(number.erf_denominator) > 1:
        bend = bend / a.polynomial(number.erf_denominator)
    g = a * (2.0 / math.sqrt(math.pi)) + a * bend
    half = _emit_half_expm1(0.0 - g)
    return (half + half).signed_like(x)


def _emit_log_of_normal(x: _Real, places: _Real | float = 0.0, error: _Real | None = None) -> _Real:
    """Return log((x + error) / 2**places) for a normal x and an error below its last place."""
    number = x.number
    one = number.bias << number.fraction_bits
    sqrt_half = _bits_of(math.sqrt(0.5), number)
    # x = m * 2**k with 1/2 <= m**2 < 2; `exponent` is k + bias.
    exponent = (x.bits() + (one - sqrt_half)) >> number.fraction_bits
    m = (x.bits() - (exponent << number.fraction_bits) + one).real()
    offset = 2.0**number.fraction_bits
    k = (exponent | _bits_of(offset, number)).real() - (places + (offset + number.bias))
    f = m - 1.0
    if error is not None:
        # For x beyond 2**(fraction_bits + 8) the error is nothing, and 2**-k may be no number.
        scale = (2 * number.bias - exponent).power_of_two()
        f = f + x.choose("<", 2.0 ** (number.fraction_bits + 8), error * scale, 0.0)
    # log(m) = 2 atanh(s) = f - s * (f - (2 atanh(s) / s - 2)), since 2 s = f - s * f.
    s = f / (2.0 + f)
    z = s * s
    rest = s * (f - z * z.polynomial(number.log_polynomial))
    return k * number.ln2_high + (f - (rest - k * number.ln2_low))


def _emit_log_limits(x: _Real, y: _Real) -> _Real:
    """Return y where x is positive and finite, else what IEEE 754 asks of log(x)."""
    outside = x.choose("==", 0.0, -math.inf, math.nan)
    return x.choose("==", math.inf, x, x.choose(">", 0.0, y, outside))


def _emit_log(x: _Real) -> _Real:
    number = x.number
    smallest = 2.0 ** (1 - number.bias)
    digits = number.fraction_bits + 1
    normal = x.choose("<", smallest, x * 2.0**digits, x)
    places = x.choose("<", smallest, float(digits), 0.0)
    return _emit_log_limits(x, _emit_log_of_normal(normal, places))


def _emit_log1p(x: _Real) -> _Real:
    # u + error is exactly 1 + x (Knuth's two-sum, right for either order of magnitude).
    u = x + 1.0
    v = u - 1.0
    error = (1.0 - (u - v)) + (x - v)
    y = _emit_log_limits(u, _emit_log_of_normal(u, error=error))
    # The sum loses the sign of a zero.
    return x.choose("==", 0.0, x, y)


def _emit_sin_of(x: _Real, quarter: float) -> _Real:
    """Return sin(x) for a quarter of 0, sin(x - pi / 2) for one of 1/2."""
    number = x.number
    # As in `_emit_reduction`; halfway up, where negative numbers of turns have the same last place.
    shift = 1.5 * 2.0**number.fraction_bits
    shifted = (x * (1.0 / math.pi) - quarter) + shift
    half_turns = (shifted - shift) + quarter
    high, middle, low = number.pi_parts
    r = x - half_turns * high - half_turns * middle - half_turns * low
    # Of enormous arguments nothing is left but noise.
    r = r.at_least(-0.5 * math.pi).at_most(0.5 * math.pi)
    square = r * r
    y = (r + r * square * square.polynomial(number.sin_polynomial)).signed_like(r)
    return _negated_if_odd(y, shifted.bits())


def _emit_sin(x: _Real) -> _Real:
    return _emit_sin_of(x, 0.0)


def _emit_cos(x: _Real) -> _Real:
    # cos(x) = -sin(x - pi / 2).
    return 0.0 - _emit_sin_of(x, 0.5)


def _emit_half_turns(x: _Real) -> tuple[_Real, _Bits]:
    """Return r and bits of which the lowest is that of n, for x = n + r, abs(r) <= 1/2."""
    # As in `_emit_sin_of`.
    shift = 1.5 * 2.0**x.number.fraction_bits
    shifted = x + shift
    return (x - (shifted - shift)).at_least(-0.5).at_most(0.5), shifted.bits()


def _negated_if_odd(y: _Real, n: _Bits) -> _Real:
    return (y.bits() ^ ((n & 1) << int(y.number.integer.width - 1))).real()


def _emit_sinpi(x: _Real) -> _Real:
    r, n = _emit_half_turns(x)
    return _negated_if_odd(r * (r * r).polynomial(x.number.sinpi_polynomial), n)


def _emit_cospi(x: _Real) -> _Real:
    r, n = _emit_half_turns(x)
    return _negated_if_odd((r * r).polynomial(x.number.cospi_polynomial), n)


def _register(function: Callable[[Any], Any], emit: Callable[[_Real], _Real]) -> None:
    """Make a function of the reference callable from compiled code."""

    @type_callable(function)
    def typing(context: Any) -> Any:
        def typer(x: Any) -> Any:
            if x in _FORMATS:
                return x
            if isinstance(x, (types.Integer, types.Boolean)):
                return signature(types.float64, types.float64)
            return None

        return typer

    def lower(context: Any, builder: Any, resolved: Any, arguments: Any) -> Any:
        number = _FORMATS[resolved.return_type]
        return emit(_Real(builder, number, arguments[0])).value

    for format_type in _FORMATS:
        lower_builtin(function, format_type)(lower)


_register(exp, _emit_exp)
_register(expm1, _emit_expm1)
_register(log, _emit_log)
_register(log1p, _emit_log1p)
_register(tanh, _emit_tanh)
_register(erf, _emit_erf)
_register(sin, _emit_sin)
_register(cos, _emit_cos)
_register(sinpi, _emit_sinpi)
_register(cospi, _emit_cospi)
