"""C functions for activations: templates, and the polynomials behind ``math="inline"``.

A template is C with ``real`` for the type, ``P_`` and ``M_`` in front of names and macros of the
header, and numbers without a suffix; `render` fills it in. An elementary function is written
``P_exp(x)``: with ``math.h`` it becomes the library's ``expf``, else a function of the header.

The inline functions are straight-line arithmetic on bits and numbers, without a branch, so that
compilers turn loops over them into vector instructions; a ternary between numbers that were
computed keeps gcc from it. They follow `fastmlp.kernels.compiled.machine.math`: an exact range
reduction with ln 2 in two parts, then a polynomial or a rational function, accurate to a few units
in the last place. Infinity and NaN come out as IEEE 754 has them.

References
----------
W. J. Cody and W. Waite, Software Manual for the Elementary Functions, 1980 (range reduction).
J.-M. Muller, Elementary Functions, 3rd edition, 2016, chapters 3 and 11.
"""

from __future__ import annotations

import math
import re

from ...kernels.formats import FLOAT32, FLOAT64, Format
from .source import literal, with_prefix

ELEMENTARY = ("exp", "expm1", "log1p", "tanh", "erfc", "cos")

_NUMBER = re.compile(r"(?<![\w.])\d+\.\d+(e[+-]?\d+)?(?![\w.])")
_CONSTANT = re.compile(r"\b[A-Z][A-Z0-9_]+\b")
_HORNER = re.compile(r"^    HORNER\((\w+), (\w+), (\w+)\)$", re.MULTILINE)
_LIBRARY_NAMES = {**{name: name for name in ELEMENTARY}, "abs": "fabs"}


# Of each C type its format, and an unsigned type of the same size.
_FORMATS = {"float": (FLOAT32, "unsigned int"), "double": (FLOAT64, "unsigned long long")}

_CHOOSE = """
static inline real P_choose(int first, real a, real b)
{
    return first ? a : b;
}

"""

_BITS = """
/* The functions below read and write the bits of numbers. */
typedef char P_sizes_must_be_equal[sizeof(real) == sizeof(UNSIGNED) ? 1 : -1];

/* Copies bits, which C and C++ allow in this way only. */
static inline void P_copy_bits(void *to, const void *from)
{
#if defined(__GNUC__)
    __builtin_memcpy(to, from, sizeof(real));
#else
    for (unsigned int k = 0; k < sizeof(real); ++k)
        ((unsigned char *)to)[k] = ((const unsigned char *)from)[k];
#endif
}

static inline UNSIGNED P_bits(real x)
{
    UNSIGNED bits;
    P_copy_bits(&bits, &x);
    return bits;
}

static inline real P_number(UNSIGNED bits)
{
    real x;
    P_copy_bits(&x, &bits);
    return x;
}

/* first ? a : b without a branch, so that loops become vector instructions. */
static inline real P_choose(int first, real a, real b)
{
    const UNSIGNED mask = (UNSIGNED)0 - (UNSIGNED)first;
    return P_number((P_bits(a) & mask) | (P_bits(b) & ~mask));
}

"""

_ABS = """
static inline real P_abs(real x)
{
    return P_choose(x < 0.0, -x, x);
}

"""

_REDUCE = """
/* e^r - 1 where x = n ln 2 + r; k is n + TWO_BIAS. */
static inline real P_reduce(real x, unsigned int *k)
{
    /* Of numbers of this size the last place is 1: the sum is rounded to a whole number, which
       stands in its lowest bits. */
    const real shifted = x * LOG2_E + SHIFT;
    *k = (unsigned int)(P_bits(shifted) & K_MASK);
    const real n = (real)(int)*k - TWO_BIAS_REAL;
    const real r = x - n * LN2_HIGH - n * LN2_LOW;
    HORNER(p, r, EXP_POLYNOMIAL)
    return r + r * r * p;
}

"""

_EXP = """
/* e^x */
static inline real P_exp(real x)
{
    unsigned int k;
    x = P_choose(x < EXP_MINIMUM, EXP_MINIMUM, x);
    x = P_choose(x > EXP_MAXIMUM, EXP_MAXIMUM, x);
    const real fraction = P_reduce(x, &k);
    /* Two factors, because 2^n alone leaves the range of normal numbers at both ends. */
    const UNSIGNED half = k / 2, rest = k - half;
    return (1.0 + fraction) * P_number(half << BITS) * P_number(rest << BITS);
}

"""

_HALF_EXPM1 = """
/* (e^x - 1) / 2: its 2^(n - 1) is a number where 2^n is infinite already. */
static inline real P_half_expm1(real x)
{
    unsigned int k;
    const real fraction = P_reduce(x, &k);
    const real half = P_number((UNSIGNED)(k - BIAS_AND_1) << BITS);
    return half * fraction + (half - 0.5);
}

"""

_EXPM1 = """
/* e^x - 1 */
static inline real P_expm1(real x)
{
    real c = P_choose(x < EXPM1_MINIMUM, EXPM1_MINIMUM, x);
    c = P_choose(c > EXP_MAXIMUM, EXP_MAXIMUM, c);
    const real half = P_half_expm1(c);
    /* Half of a subnormal number would lose its last bit. */
    return P_choose(P_abs(x) < TINY, x, half + half);
}

"""

_LOG1P = """
/* log(1 + x) for 0 <= x <= 1: 2 atanh(s) + k ln 2, where 1 + x = 2^k (1 + f), s = f / (2 + f) */
static inline real P_log1p(real x)
{
    const int large = x > SQRT2_LESS_1;
    const real k = P_choose(large, 1.0, 0.0);
    const real f = P_choose(large, 0.5 * (x - 1.0), x);
    const real s = f / (2.0 + f);
    const real z = s * s;
    HORNER(p, z, LOG_POLYNOMIAL)
    const real rest = s * (f - z * p);
    return k * LN2_HIGH + (f - (rest - k * LN2_LOW));
}

"""

_TANH = """
/* tanh x = (e^(2 x) - 1) / (e^(2 x) + 1) */
static inline real P_tanh(real x)
{
    x = P_choose(x < -TANH_MAXIMUM, -TANH_MAXIMUM, x);
    x = P_choose(x > TANH_MAXIMUM, TANH_MAXIMUM, x);
    const real half = P_half_expm1(2.0 * x);
    return half / (half + 1.0);
}

"""

_ERFC = """
/* 1 - erf x = e^-g(x) for x >= 0, where g is smooth and grows like x at 0 */
static inline real P_erfc(real x)
{
    const real a = P_abs(x);
    const real b = P_choose(a > ERF_MAXIMUM, ERF_MAXIMUM, a);
    HORNER(p, b, ERF_NUMERATOR)
    HORNER(q, b, ERF_DENOMINATOR)
    const real g = b * TWO_BY_ROOT_PI + b * (p / q);
    const real tail = P_choose(a > ERF_MAXIMUM, 0.0, P_exp(-g));
    return P_choose(x < 0.0, 2.0 - tail, tail);
}

"""

_COS = """
/* cos(x) = (-1)^n cos(pi r) where x = pi (n + r): for angles of up to some thousand turns */
static inline real P_cos(real x)
{
    const real turns = x * ONE_BY_PI;
    /* As in reductions by ln 2; the lowest bit is that of n. */
    const real shifted = turns + HALF_SHIFT;
    const real r = turns - (shifted - HALF_SHIFT);
    const real square = r * r;
    HORNER(p, square, COSPI_POLYNOMIAL)
    return P_choose((int)(P_bits(shifted) & 1), -p, p);
}

"""

# In the order in which they stand in a header: a function follows those that it calls.
_INLINE = {
    "reduce": (_REDUCE, ()),
    "abs": (_ABS, ()),
    "exp": (_EXP, ("reduce",)),
    "half_expm1": (_HALF_EXPM1, ("reduce",)),
    "expm1": (_EXPM1, ("half_expm1", "abs")),
    "log1p": (_LOG1P, ()),
    "tanh": (_TANH, ("half_expm1",)),
    "erfc": (_ERFC, ("abs", "exp")),
    "cos": (_COS, ()),
}


def render(template: str, prefix: str, c_type: str, library: bool) -> str:
    """Fill in a template; with `library`, elementary functions are those of ``math.h``."""
    text = template
    suffix = "f" if c_type == "float" else ""
    if library:
        for name, called in _LIBRARY_NAMES.items():
            text = re.sub(rf"\bP_{name}\(", f"{called}{suffix}(", text)
    text = _NUMBER.sub(lambda match: match[0] + suffix, text)
    text = re.sub(r"\breal\b", c_type, text)
    return with_prefix(text, prefix)


def used_functions(template: str) -> set[str]:
    """Names of the functions of this module that a template calls."""
    return set(re.findall(r"\bP_(\w+)\(", template)) & {*_INLINE, "choose"}


def needed_functions(used: set[str]) -> set[str]:
    """Names of the inline functions that these call, directly or not, and their own."""
    needed, waiting = set[str](), list(used - {"choose"})
    while waiting:
        name = waiting.pop()
        needed.add(name)
        waiting += _INLINE[name][1]
    return needed


def definitions(used: set[str], prefix: str, c_type: str, library: bool) -> list[str]:
    """Lines that define these functions and those that they call."""
    if library:
        return _lines(_CHOOSE, prefix, c_type, True) if "choose" in used else []
    if not used:
        return []
    needed = needed_functions(used)
    number, unsigned = _FORMATS[c_type]
    constants = {"UNSIGNED": unsigned, **_constants(number, c_type)}
    texts = [_BITS, *(text for name, (text, _) in _INLINE.items() if name in needed)]
    lines: list[str] = []
    for text in texts:
        text = _HORNER.sub(lambda match: _horner(match, number, c_type), text)
        text = _CONSTANT.sub(lambda match: constants.get(match[0], match[0]), text)
        lines += _lines(text, prefix, c_type, False)
    return lines


def _lines(template: str, prefix: str, c_type: str, library: bool) -> list[str]:
    return [*render(template, prefix, c_type, library).strip("\n").splitlines(), ""]


def _constants(number: Format, c_type: str) -> dict[str, str]:
    """The values of the names in capitals in the templates."""

    def real(value: float) -> str:
        return literal(value, c_type)

    return {
        "BITS": str(number.fraction_bits),
        "TWO_BIAS": str(2 * number.bias),
        "TWO_BIAS_REAL": real(2 * number.bias),
        "BIAS_AND_1": f"{number.bias + 1}u",
        "SHIFT": real(2**number.fraction_bits + 2 * number.bias),
        "K_MASK": f"{4 * number.bias + 3}u",
        "LOG2_E": real(1.0 / math.log(2.0)),
        "LN2_HIGH": real(number.ln2_high),
        "LN2_LOW": real(number.ln2_low),
        "EXP_MINIMUM": real(number.exp_range[0]),
        "EXP_MAXIMUM": real(number.exp_range[1]),
        "EXPM1_MINIMUM": real(number.expm1_minimum),
        "TINY": real(2.0 ** (-number.fraction_bits - 2)),
        "SQRT2_LESS_1": real(math.sqrt(2.0) - 1.0),
        "TANH_MAXIMUM": real(number.tanh_maximum),
        "ERF_MAXIMUM": real(number.erf_maximum),
        "ONE_BY_PI": real(1.0 / math.pi),
        "HALF_SHIFT": real(1.5 * 2.0**number.fraction_bits),
        "TWO_BY_ROOT_PI": real(2.0 / math.sqrt(math.pi)),
    }


def _horner(match: re.Match[str], number: Format, c_type: str) -> str:
    """Statements that evaluate a polynomial of the format: its name, variable and coefficients."""
    name, variable, field = match.groups()
    coefficients: tuple[float, ...] = getattr(number, field.lower())
    *rest, last = [literal(coefficient, c_type) for coefficient in coefficients]
    lines = [f"real {name} = {last};"]
    lines += [f"{name} = {name} * {variable} + {value};" for value in reversed(rest)]
    return "\n".join(f"    {line}" for line in lines)
