"""The table of layers."""

from __future__ import annotations

from embedded_rows import model_of

import fastmlp as fm


def test_the_summary_has_each_of_several() -> None:
    model = model_of([fm.Embedding(5, 4, 1), fm.Embedding(3, 2, 3), fm.Dense(1)], "numpy").build(4)
    rows = [line.split() for line in model.summary().splitlines()]
    assert ["0", "Embedding", "7", "20"] in rows
    assert ["1", "Embedding", "8", "6"] in rows
