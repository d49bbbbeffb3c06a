"""Integers in the place of factors: multipliers, rounding, interpolation."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from int8_networks import (
    clip,
    half_up,
    harsh_rows,
)

from fastmlp.int8 import fixed_point


def rational(value: Any) -> Fraction:
    return Fraction(float(value))


def test_multipliers_are_factors_to_31_bits() -> None:
    factors = 10.0 ** np.random.default_rng(0).uniform(-7, 4, 200)
    for factor in factors:
        (multiplier,), shift = fixed_point.multipliers(np.array([factor]))
        assert 2**30 <= multiplier < 2**31
        assert abs(Fraction(int(multiplier), 2**shift) / rational(factor) - 1) <= Fraction(1, 2**31)
    numbers, shift = fixed_point.multipliers(factors)
    assert numbers.max() >= 2**30
    for number, factor in zip(numbers, factors, strict=True):
        assert abs(Fraction(int(number)) - rational(factor) * 2**shift) <= Fraction(1, 2)


@pytest.mark.parametrize("factor", [1e-30, 2.0**-62, 2.0**31, 1e12])
def test_multipliers_of_factors_that_are_out_of_bounds(factor: float) -> None:
    (multiplier,), shift = fixed_point.multipliers(np.array([factor]))
    assert 0 <= multiplier < 2**31
    assert 1 <= shift <= 62


def test_rescale_rounds_halves_up() -> None:
    rng = np.random.default_rng(1)
    acc = np.concatenate([rng.integers(-(2**31) + 1, 2**31, 500), [-3, -1, 1, 3, 2**31 - 1]])
    for multiplier, shift in [(2**31 - 1, 1), (2**30, 31), (2**30 + 12345, 40), (2**30, 62)]:
        got = fixed_point.rescale(acc, np.int64(multiplier), shift)
        exact = [half_up(Fraction(int(a) * multiplier, 2**shift)) for a in acc]
        assert got.tolist() == exact
    assert fixed_point.rescale(np.array([-3, -1, 1, 3]), np.int64(2**30), 31).tolist() == [
        *(-1, 0, 1, 2)
    ]


def test_encode_is_one_product_and_integers() -> None:
    rng = np.random.default_rng(2)
    x = harsh_rows(rng.normal(size=(400, 3)).astype("f4"), 400)
    inverse = np.array([2.0**8 / 0.01, 2.0**8 / 0.37, 2.0**8 * 1e-3], "f4")
    zero_point = np.array([-128, 5, 70000])
    got = fixed_point.encode(x, inverse, zero_point)
    with np.errstate(all="ignore"):
        products = x * inverse
    for i, j in np.ndindex(*x.shape):
        product = Fraction(0)
        if np.isfinite(products[i, j]):
            product = min(max(rational(products[i, j]), Fraction(-(2**30))), Fraction(2**30))
        else:
            product = Fraction(2**30) * (1 if products[i, j] > 0 else -1)
        code = half_up(Fraction(math.trunc(product), 256)) + int(zero_point[j])
        assert got[i, j] == clip(code), (x[i, j], inverse[j])


def test_interpolation_meets_nodes_and_lies_between() -> None:
    table = np.random.default_rng(3).integers(-(2**22), 2**22 + 1, 257)
    nodes = fixed_point.interpolate(256 * np.arange(256), table)
    assert nodes.tolist() == (256 * table[:-1]).tolist()
    positions = np.arange(-5, 65545)
    got = fixed_point.interpolate(positions, table)
    for position in range(0, 65536, 97):
        node, part = divmod(position, 256)
        exact = table[node] * (256 - part) + table[node + 1] * part
        assert got[position + 5] == exact
    assert (got[:5] == got[5]).all()
    assert (got[-9:] == got[-10]).all()
    assert np.abs(got).max() < 2**31


def test_powers_of_two_of_a_softmax() -> None:
    below = np.concatenate([np.arange(0, 40 * 65536, 997), [0, 31 * 65536, 32 * 65536, 2**29]])
    powers = fixed_point.softmax_powers(-below.astype("f4")[None])[0]
    exact = np.exp2(31 - below.astype("f4") / 65536.0)
    assert (np.abs(powers - exact) <= 2e-5 * exact + 1).all()
    assert powers[-4] == 2**31
    assert powers[-2:].tolist() == [0, 0]


def test_shares() -> None:
    powers = np.array([[2**31, 2**31, 0, 2**30], [1, 0, 0, 0]])
    assert fixed_point.shares(powers)[0].tolist() == np.array([0.4, 0.4, 0, 0.2], "f4").tolist()
    exact = [half_up(Fraction(255 * p, 2**31 * 2 + 2**30)) - 128 for p in powers[0].tolist()]
    assert fixed_point.share_codes(powers)[0].tolist() == exact
    assert fixed_point.share_codes(powers)[1].tolist() == [127, -128, -128, -128]
