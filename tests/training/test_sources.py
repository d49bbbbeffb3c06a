"""Where batches come from: chunks as arrays in order, each cut and shuffled by itself."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from chunked_rows import LABELS, X, assert_same, cut, make

import fastmlp as fm

SCHEDULES = {
    "number": 1e-2,
    "per step": fm.OneCycle(0.1, 3),
    "per epoch": fm.StepDecay(0.1, 0.5, 1),
}


@pytest.mark.parametrize("rate", SCHEDULES)
def test_in_order_the_same_bits_as_arrays(backend: str, rate: str) -> None:
    chunked, whole = (make(backend, optimizer=fm.Adam(SCHEDULES[rate])) for _ in range(2))
    arguments: dict[str, Any] = {"epochs": 3, "batch_size": 25, "shuffle": False, "verbose": 0}
    chunked.fit(cut(50, X, LABELS), **arguments)
    whole.fit(X, LABELS, **arguments)
    assert_same(chunked, whole)
    np.testing.assert_array_equal(chunked.classes, whole.classes)


def test_each_chunk_is_cut_by_itself(backend: str) -> None:
    model = make(backend, units=1)
    model.fit(cut(70, X, X[:, 0]), epochs=2, batch_size=32, verbose=0)
    # 70 rows are three batches, the 60 of the last chunk two.
    assert model.training_state.state.step == 2 * (3 + 3 + 2)
    model.fit(cut(70, X, X[:, 0]), epochs=1, batch_size=None, verbose=0)
    assert model.training_state.state.step == 16 + 3


def test_rows_are_shuffled_within_chunks(backend: str) -> None:
    models = [make(backend, units=1) for _ in range(2)]
    for model, shuffle in zip(models, (True, False), strict=True):
        model.fit(cut(100, X, X[:, 0]), epochs=1, batch_size=10, shuffle=shuffle, verbose=0)
    a, b = (model.parameters["0.weight"] for model in models)
    assert not np.array_equal(a, b)
