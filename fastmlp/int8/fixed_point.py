"""Integer arithmetic that gives the same bits in NumPy and in C.

Real factors are written as ``multiplier / 2**shift`` with an int32 multiplier, and products are
taken in 64 bits (Jacob et al. 2018, "Quantization and Training of Neural Networks for Efficient
Integer-Arithmetic-Only Inference", section 2.2), here rounded once, halves up. No function adds
floats to a product of floats, which compilers may or may not merge into one rounding.
"""

from __future__ import annotations

import numpy as np

from ..kernels.typing import Array

CODE_MIN, CODE_MAX = -128, 127
INT32_MAX = 2**31 - 1

# Inputs are scaled to this many bits after the point, in int32, before they are rounded.
INPUT_BITS = 8
INPUT_LIMIT = 2**30

# An interpolated curve has 2**8 intervals of 2**8 steps; a curve that ends in codes has values
# from 0 to 255 * 2**8, one that ends in floats from -2**22 to 2**22.
CURVE_INTERVALS = 256
CURVE_BITS = 8
CODE_CURVE_MAX = CODE_MAX - CODE_MIN << CURVE_BITS
FLOAT_CURVE_BITS = 22

# A softmax works on log2(e) z in units of 2**-16; powers of two have 2**6 intervals of 2**10 steps.
SOFTMAX_BITS = 16
SOFTMAX_LIMIT = 2**29
POWER_BITS = 10
POWERS = np.rint(np.exp2(21 - np.arange(65) / 64)).astype(np.int64)
POWERS.flags.writeable = False
"""``2**(21 - i / 64)``, i from 0 to 64; on lines between them the error is below 2e-5 of the value.
"""


def multipliers(factors: Array) -> tuple[Array, int]:
    """Write positive real factors as ``multiplier / 2**shift``.

    Parameters
    ----------
    factors : (n,) float64

    Returns
    -------
    multipliers : (n,) int64
        From 0 to 2**31 - 1; that of the largest factor has 31 bits, unless the factor lies outside
        of 2**-31..2**30.
    shift : int
        From 1 to 62, the same for all.
    """
    exponent = int(np.frexp(factors.max())[1])
    shift = min(max(31 - exponent, 1), 62)
    return np.minimum(np.rint(np.ldexp(factors, shift)), INT32_MAX).astype(np.int64), shift


def rescale(acc: Array, multiplier: Array, shift: int) -> Array:
    """Return ``floor(acc * multiplier / 2**shift + 1/2)``, int64.

    Nothing overflows: ``|acc|`` and `multiplier` are below 2**31, `shift` is below 63.
    """
    product: Array = acc * multiplier
    return (product + (1 << (shift - 1))) >> shift


def to_codes(values: Array) -> Array:
    """Return the nearest codes, int8."""
    return np.clip(values, CODE_MIN, CODE_MAX).astype(np.int8)


def encode(x: Array, inverse: Array, zero_point: Array) -> Array:
    """Return ``round(x * inverse / 2**INPUT_BITS) + zero_point`` as codes.

    One float32 product, truncated, then integers alone.

    Parameters
    ----------
    x : (n, k) float32
        Finite.
    inverse : (k,) float32
        ``2**INPUT_BITS`` over the scale.
    zero_point : (k,) int64
        At most 2**22 in size.
    """
    with np.errstate(over="ignore", under="ignore"):
        scaled = np.clip(x * inverse, -INPUT_LIMIT, INPUT_LIMIT).astype(np.int64)
    return to_codes(((scaled + (1 << (INPUT_BITS - 1))) >> INPUT_BITS) + zero_point)


def interpolate(position: Array, table: Array) -> Array:
    """Return ``2**CURVE_BITS`` times a curve at ``position / 2**CURVE_BITS``, between its nodes.

    Parameters
    ----------
    position : int64 array
        Clipped to the curve's ends.
    table : (257,) int64
        Values at the nodes.
    """
    position = np.clip(position, 0, (CURVE_INTERVALS << CURVE_BITS) - 1)
    node, part = position >> CURVE_BITS, position & ((1 << CURVE_BITS) - 1)
    value: Array = (table[node] << CURVE_BITS) + (table[node + 1] - table[node]) * part
    return value


def curve_codes(values: Array) -> Array:
    """Return the codes of what `interpolate` gives for a curve from 0 to CODE_CURVE_MAX."""
    half = 1 << (2 * CURVE_BITS - 1)
    return to_codes(((values + half) >> (2 * CURVE_BITS)) + CODE_MIN)


def softmax_powers(scaled: Array) -> Array:
    """Return ``2**(31 - d)``, d how far each entry of a row lies below the row's largest.

    Parameters
    ----------
    scaled : (n, k) float32
        Entries in units of ``2**-SOFTMAX_BITS``.

    Returns
    -------
    (n, k) int64
        From 0 to 2**31, rounded down.
    """
    whole = np.clip(scaled, -SOFTMAX_LIMIT, SOFTMAX_LIMIT).astype(np.int64)
    below = whole.max(axis=1, keepdims=True) - whole
    halvings, rest = below >> SOFTMAX_BITS, below & ((1 << SOFTMAX_BITS) - 1)
    node, part = rest >> POWER_BITS, rest & ((1 << POWER_BITS) - 1)
    power = POWERS[node] * ((1 << POWER_BITS) - part) + POWERS[node + 1] * part
    # A shift by 32 or more would be undefined in C.
    return np.where(halvings < 32, power >> np.minimum(halvings, 31), 0)


def share_codes(powers: Array) -> Array:
    """Return each entry's share of its row in steps of 1/255, as codes from -128 on."""
    total = powers.sum(axis=1, keepdims=True)
    return to_codes((510 * powers + total) // (2 * total) + CODE_MIN)


def shares(powers: Array) -> Array:
    """Return each entry's share of its row, float32: two conversions and one division."""
    total = powers.sum(axis=1, keepdims=True)
    share: Array = powers.astype(np.float32) / total.astype(np.float32)
    return share
