"""Exported headers on a 64-bit ARM, which an emulator stands for."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from c_harness import run_emulated
from c_networks import (
    NOT_FINITE,
    OK,
    assert_equal,
    classifier,
    every_activation,
    export,
    mixed,
    reference,
    rows_for,
)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("network", [classifier, every_activation, mixed])
@pytest.mark.parametrize("math", ["math.h", "inline"])
def test_outputs_are_those_of_the_predictor(
    network: object, dtype: str, math: str, tmp_path: Path
) -> None:
    assert callable(network)
    frozen = network(dtype)
    rows = rows_for(frozen, 200)
    outputs, codes = run_emulated(export(frozen, tmp_path, math), rows, dtype=dtype)
    assert (codes == OK).all()
    assert_equal(outputs, reference(frozen, rows), dtype)


def test_a_row_that_is_not_finite_is_refused(tmp_path: Path) -> None:
    frozen = classifier("float32")
    rows = rows_for(frozen, 3)
    rows[1, 4] = np.nan
    _, codes = run_emulated(export(frozen, tmp_path), rows)
    assert codes.tolist() == [OK, NOT_FINITE, OK]
