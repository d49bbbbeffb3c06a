"""Random numbers: known answers, the layout of counters, statistics."""

from __future__ import annotations

import math

import numpy as np
import pytest
from differences import assert_gradient

from fastmlp.kernels import numpy as reference

# The known-answer vectors for philox4x32-10 in the Random123 distribution.
KNOWN_ANSWERS = [
    (
        "00000000 00000000 00000000 00000000",
        "00000000 00000000",
        "6627e8d5 e169c58d bc57ac4c 9b00dbd8",
    ),
    (
        "ffffffff ffffffff ffffffff ffffffff",
        "ffffffff ffffffff",
        "408f276d 41c83b0e a20bc7c6 6d5451fd",
    ),
    (
        "243f6a88 85a308d3 13198a2e 03707344",
        "a4093822 299f31d0",
        "d16cfe09 94fdcceb 5001e420 24126ea1",
    ),
]


def words(text: str) -> list[int]:
    return [int(word, 16) for word in text.split()]


@pytest.mark.parametrize(("counter", "key", "answer"), KNOWN_ANSWERS)
def test_philox_known_answers(counter: str, key: str, answer: str) -> None:
    assert [int(w) for w in reference.philox4x32(*words(counter), *words(key))] == words(answer)


def test_philox_on_arrays() -> None:
    counters = np.array([words(counter) for counter, _, _ in KNOWN_ANSWERS], dtype=np.uint32)
    keys = np.array([words(key) for _, key, _ in KNOWN_ANSWERS], dtype=np.uint32)
    result = reference.philox4x32(*counters.T, *keys.T)
    assert all(w.dtype == np.uint32 for w in result)
    np.testing.assert_array_equal(
        np.transpose(result), [words(answer) for _, _, answer in KNOWN_ANSWERS]
    )


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_mask_element_by_element(dtype: type) -> None:
    rate, seed, step, layer = 0.3, 0x0123456789ABCDEF, 17, 5
    mask = reference.dropout_mask(7, 3, rate, seed, step, layer, dtype)
    assert mask.shape == (7, 3)
    assert mask.dtype == dtype
    for row in range(7):
        for column in range(3):
            word = reference.philox4x32(column, row // 4, step, layer, 0x89ABCDEF, 0x01234567)
            dropped = int(word[row % 4]) < int(rate * 2**32)
            assert mask[row, column] == (0.0 if dropped else dtype(1.0 / 0.7))


def test_masks_of_any_shape_agree_where_they_overlap() -> None:
    large = reference.dropout_mask(50, 40, 0.5, 1, 2, 3, np.float32)
    for rows, columns in [(1, 1), (3, 40), (4, 7), (49, 2)]:
        small = reference.dropout_mask(rows, columns, 0.5, 1, 2, 3, np.float32)
        np.testing.assert_array_equal(small, large[:rows, :columns])


def test_seed_step_and_layer_each_change_the_mask() -> None:
    base = (1, 2, 3)
    others = [(0, 2, 3), (1 + 2**32, 2, 3), (1, 3, 3), (1, 2, 4), (1, 3, 2), (2, 1, 3)]
    mask = reference.dropout_mask(32, 32, 0.5, *base, np.float32)
    for other in others:
        different = reference.dropout_mask(32, 32, 0.5, *other, np.float32) != mask
        assert 0.4 < different.mean() < 0.6


@pytest.mark.parametrize("rate", [0.05, 0.2, 0.5, 0.9])
def test_keep_rate(rate: float) -> None:
    n = 400
    mask = reference.dropout_mask(n, n, rate, 42, 0, 0, np.float64)
    kept = mask > 0.0
    deviation = math.sqrt(rate * (1.0 - rate))
    assert abs(kept.mean() - (1.0 - rate)) < 4.0 * deviation / n
    for axis in (0, 1):
        assert np.abs(kept.mean(axis=axis) - (1.0 - rate)).max() < 5.0 * deviation / math.sqrt(n)
    neighbors = np.corrcoef(kept[:, :-1].ravel(), kept[:, 1:].ravel())[0, 1]
    assert abs(neighbors) < 4.0 / n
    neighbors = np.corrcoef(kept[:-1].ravel(), kept[1:].ravel())[0, 1]
    assert abs(neighbors) < 4.0 / n
    np.testing.assert_array_equal(np.unique(mask), [0.0, 1.0 / (1.0 - rate)])


def test_rate_zero_keeps_everything() -> None:
    x = np.random.default_rng(0).standard_normal((5, 6)).astype(np.float32)
    out, mask = reference.dropout_forward(x, 0.0, 1, 2, 3)
    np.testing.assert_array_equal(mask, np.ones((5, 6)))
    np.testing.assert_array_equal(out, x)


def test_forward_and_backward_multiply_by_the_mask() -> None:
    rng = np.random.default_rng(0)
    x, d_out = rng.standard_normal((6, 5)), rng.standard_normal((6, 5))
    out, mask = reference.dropout_forward(x, 0.25, 9, 8, 7)
    np.testing.assert_array_equal(mask, reference.dropout_mask(6, 5, 0.25, 9, 8, 7, np.float64))
    np.testing.assert_array_equal(out, x * mask)
    np.testing.assert_array_equal(reference.dropout_backward(d_out, mask), d_out * mask)


def test_dropout_against_differences() -> None:
    rng = np.random.default_rng(4)
    x, d_out = rng.standard_normal((9, 5)), rng.standard_normal((9, 5))
    draw = (0.4, 11, 3, 2)
    _, mask = reference.dropout_forward(x, *draw)
    d_x = reference.dropout_backward(d_out, mask)
    assert_gradient(lambda t: (reference.dropout_forward(t, *draw)[0] * d_out).sum(), x, d_x)
