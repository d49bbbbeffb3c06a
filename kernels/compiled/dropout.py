# mypy: disable-error-code="no-untyped-def,no-untyped-call"
"""Dropout and its random numbers on plain arrays."""

from __future__ import annotations

import numpy as np

from ..reference import dropout as reference
from .buffers import buffer
from .machine.call import call
from .ops import dropout as ops
from .twins import twin

__all__ = reference.__all__


@twin(reference.philox4x32)
def philox4x32(**words):
    stacked = np.stack(np.broadcast_arrays(*(np.asarray(w, np.int64) for w in words.values())))
    # The op is compiled for a dtype that it does not look at.
    call(ops.philox_words, np.dtype(np.float32), words=stacked, count=stacked[0].size)
    w0, w1, w2, w3 = (np.asarray(word, np.uint32) for word in stacked[:4])
    return w0, w1, w2, w3


def _draw(mask, *, rate, seed, step, layer):
    rows, columns = mask.shape
    call(
        ops.dropout_mask,
        mask.dtype,
        rows,
        step=step,
        mask=mask,
        columns=columns,
        first_column=0,
        threshold=int(rate * 2**32),
        seed_low=int(seed) & 0xFFFFFFFF,
        seed_high=int(seed) >> 32,
        layer=layer,
        keep=1.0 - rate,
    )


def _apply(x, mask, out):
    (rows, columns), out = x.shape, buffer(out, x.shape, x.dtype)
    call(ops.apply_mask, x.dtype, rows, x=x, mask=mask, out=out, columns=columns)
    return out


@twin(reference.dropout_mask)
def dropout_mask(*, rows, columns, dtype, **draw):
    mask = np.empty((rows, columns), dtype)
    _draw(mask, **draw)
    return mask


@twin(reference.dropout_forward)
def dropout_forward(*, x, out, mask, **draw):
    mask = buffer(mask, x.shape, x.dtype)
    _draw(mask, **draw)
    return _apply(x, mask, out), mask


@twin(reference.dropout_backward)
def dropout_backward(*, d_out, mask, d_x):
    return _apply(d_out, mask, d_x)
