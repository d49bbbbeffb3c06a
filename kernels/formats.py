"""Constants of elementary functions in each floating-point format.

The compiled kernels and exported C compute `exp`, `log`, `tanh` and `erf` by the same range
reductions and polynomials, whose constants stand here. Those of `exp` and `log` come from Remez's
exchange in 50 digits, each coefficient rounded before the next ones are fitted again; those of
`erf` from least squares whose weights are updated (Lawson) until the largest error of erf itself is
least.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Format:
    """A binary floating-point format, and what the functions need to know to be exact in it."""

    fraction_bits: int
    bias: int
    ln2_high: float
    """ln 2 cut so short that its product with any exponent is exact."""
    ln2_low: float
    exp_range: tuple[float, float]
    """Outside, exp is 0 or infinite."""
    expm1_minimum: float
    """Below, expm1 rounds to -1."""
    tanh_maximum: float
    """Above, tanh rounds to 1."""
    erf_maximum: float
    """Above, erf rounds to 1."""
    exp_polynomial: tuple[float, ...]
    """(e**r - 1 - r) / r**2 in r, abs(r) <= ln(2) / 2."""
    log_polynomial: tuple[float, ...]
    """2 * (atanh(s) / s - 1) / s**2 in s**2, abs(s) <= 3 - sqrt(8)."""
    erf_numerator: tuple[float, ...]
    """-log(1 - erf(a)) / a - 2 / sqrt(pi) in a, 0 <= a <= erf_maximum, with its denominator.

    The first coefficient is what the format cuts from 2 / sqrt(pi).
    """
    erf_denominator: tuple[float, ...]


FLOAT32 = Format(
    fraction_bits=23,
    bias=127,
    ln2_high=0.693145751953125,
    ln2_low=1.4286068e-06,
    exp_range=(-104.0, 89.0),
    expm1_minimum=-20.0,
    tanh_maximum=10.0,
    erf_maximum=4.0,
    exp_polynomial=(0.49999997, 0.16666539, 0.041667756, 0.008367118, 0.001383584),
    log_polynomial=(0.66666776, 0.3997758, 0.29870927),
    erf_numerator=(
        -5.377166e-08,
        0.6366193,
        0.102778144,
        -0.01915435,
        -0.00015785095,
        0.0016643037,
        -0.00063122885,
        0.00011715257,
        -9.197145e-06,
    ),
    erf_denominator=(1.0,),
)

FLOAT64 = Format(
    fraction_bits=52,
    bias=1023,
    ln2_high=0.6931471805598903,
    ln2_low=5.497923018708371e-14,
    exp_range=(-746.0, 710.0),
    expm1_minimum=-40.0,
    tanh_maximum=22.0,
    erf_maximum=6.0,
    exp_polynomial=(
        0.5000000000000006,
        0.16666666666666619,
        0.0416666666665723,
        0.008333333333362045,
        0.0013888888932960413,
        0.0001984126979519755,
        2.480150394170663e-05,
        2.7557339320993917e-06,
        2.762642352102894e-07,
        2.5071879760828408e-08,
    ),
    log_polynomial=(
        0.6666666666666734,
        0.39999999999416536,
        0.2857142874206728,
        0.22222198599810156,
        0.18183563176921325,
        0.15314075328129378,
        0.14795739175126887,
    ),
    erf_numerator=(
        1.2843924782301204e-17,
        0.6366197723675822,
        1.1679716899114043,
        1.0017299582583674,
        0.5081707196046642,
        0.1613390392712168,
        0.031235559156779297,
        0.0032411605373103584,
        0.00011846625410773774,
    ),
    erf_denominator=(
        1.0,
        1.6732108125514993,
        1.3334461338365993,
        0.6335714434105988,
        0.189101614978906,
        0.03448101324917239,
        0.003372417642206741,
        0.00011848726039357678,
    ),
)
