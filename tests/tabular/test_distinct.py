"""Copies of rows count as often as they stand; equal cases are no copies."""

from __future__ import annotations

import numpy as np

from fastmlp.tabular.distinct import distinct

RNG = np.random.default_rng(0)
A, B = RNG.normal(size=12), RNG.choice(np.array(["x", "y"], object), 12)
Y = RNG.integers(0, 2, 12)


def test_a_weight_is_as_good_as_a_copy_in_any_order() -> None:
    times = RNG.integers(1, 4, 12)
    rows = RNG.permutation(np.repeat(np.arange(12), times))
    once = distinct([A, B], [Y], times.astype(float))
    copies = distinct([A[rows], B[rows]], [Y[rows]], None)
    assert once is not None
    assert copies is not None
    np.testing.assert_array_equal(A[once[0]], A[rows][copies[0]])
    np.testing.assert_array_equal(once[1], copies[1])
    np.testing.assert_array_equal(once[1], times[once[0]])
    # Each row is the same as the one that stands for it.
    np.testing.assert_array_equal(A[rows], A[rows][copies.rows][copies.places])


def test_no_copies_no_weights() -> None:
    found = distinct([A, np.where(A > 0, A, np.nan)], [Y], None)
    assert found is not None
    assert found[1] is None
    assert sorted(found[0]) == list(range(12))


def test_equal_cases_of_few_values_are_no_copies() -> None:
    rows = np.arange(60) % 12
    assert distinct([np.arange(12.0)[rows]], [Y[rows]], None) is None
    assert distinct([B[rows]], [Y[rows]], None) is None
    # Two rows of one number are two cases of it, not a copy of one.
    assert distinct([A[rows]], [np.arange(60) % 2], None) is not None
    assert distinct([A[rows]], [np.arange(60) < 7], None) is None
    assert distinct([A[:4][rows % 4]], [Y[rows % 4]], None) is None
