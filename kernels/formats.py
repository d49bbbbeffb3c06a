"""Constants of elementary functions in each floating-point format.

The compiled kernels and exported C compute `exp`, `log`, `tanh`, `erf`, sines and cosines by the
same range reductions and polynomials, whose constants stand here. They come from Remez's exchange
in 50 digits, each coefficient rounded before the next ones are fitted again; but those of `erf`
from least squares whose weights are updated (Lawson) until the largest error of erf itself is
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
    pi_parts: tuple[float, float, float]
    """pi, its first two parts so short that their products with many numbers are exact."""
    sin_polynomial: tuple[float, ...]
    """(sin(r) / r - 1) / r**2 in r**2, abs(r) <= pi / 2."""
    sinpi_polynomial: tuple[float, ...]
    """sin(pi r) / r in r**2, abs(r) <= 1/2."""
    cospi_polynomial: tuple[float, ...]
    """cos(pi r) in r**2, abs(r) <= 1/2."""


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
    pi_parts=(3.140625, 0.0009675026, 1.509958e-07),
    sin_polynomial=(-0.1666666, 0.008333069, -0.00019809777, 2.6060957e-06),
    sinpi_polynomial=(3.1415927, -5.1677203, 2.5502572, -0.5993432, 0.07962554),
    cospi_polynomial=(1.0, -4.9347954, 4.0584474, -1.3320625, 0.22000809),
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
    pi_parts=(3.1415926534682512, 1.2154201012607932e-10, 4.044532497591901e-21),
    sin_polynomial=(
        -0.16666666666666666,
        0.008333333333333207,
        -0.0001984126984121248,
        2.755731921156948e-06,
        -2.505210690442151e-08,
        1.6058941002155407e-10,
        -7.643019365561675e-13,
        2.721419474729456e-15,
    ),
    sinpi_polynomial=(
        3.141592653589793,
        -5.167712780049912,
        2.550164039872639,
        -0.5992645291746849,
        0.08214588436659181,
        -0.00737041209509531,
        0.0004662144233385332,
        -2.1696710344981316e-05,
        5.659201767873733e-07,
    ),
    cospi_polynomial=(
        1.0,
        -4.934802200544677,
        4.058712126416504,
        -1.3352627688431513,
        0.23533063011944835,
        -0.02580688861509118,
        0.0019295555577308887,
        -0.0001045645116971281,
        4.147289554925085e-06,
    ),
)
