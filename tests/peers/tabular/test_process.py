"""A fit in a process of its own."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("sklearn")
pytest.importorskip("pandas")

import pandas as pd

from fastmlp.peers.tabular.process import measure_apart, outcome
from fastmlp.peers.tabular.tables import Table

TABLE = Table.of("t", pd.DataFrame({"x": np.arange(40.0)}), np.arange(40) > 20, False)


def test_a_fit_apart() -> None:
    found = measure_apart("linear", TABLE, 0)
    assert (found["rows"], found["columns"], found["classes"]) == (40, 1, 2)
    assert found["error"] <= 0.25
    assert found["measured"].startswith("scikit-learn ")
    assert outcome(found).startswith("error ")


def test_what_fails_is_told() -> None:
    gone = TABLE._replace(y=np.zeros(40, int))
    found = measure_apart("linear", gone, 0)
    assert found["failure"].startswith("ValueError: ")
    assert outcome(found) == f"failed: {found['failure']}"
