"""The runner of each backend, or what is missing for it."""

from __future__ import annotations

import importlib.util
from typing import Any

import numpy as np
import pytest

import fastmlp as fm
from fastmlp.training.runner import make_runner


def test_each_backend_has_its_runner_on_the_same_state(backend: str) -> None:
    state = fm.Sequential([fm.Dense(2)], backend="numpy").build(3).training_state.state
    runner = make_runner(state, backend, 1)
    assert type(runner).__name__ == {"numpy": "NumpyRunner", "numba": "CompiledRunner"}[backend]
    assert runner.state is state


def test_a_missing_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    model = fm.Sequential([fm.Dense(2)], backend="numpy").build(3)
    find = importlib.util.find_spec

    def no_numba(name: str, *arguments: Any) -> Any:
        return None if name == "numba" else find(name, *arguments)

    monkeypatch.setattr(importlib.util, "find_spec", no_numba)
    with pytest.raises(ImportError, match="the 'numba' backend needs numba, which cannot be"):
        make_runner(model.training_state.state, "numba", 1)


@pytest.mark.parametrize("n", [1, 8, 3000])
@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_rows_that_are_not_finite_are_told_where_it_is_asked(
    backend: str, n: int, value: float
) -> None:
    state = fm.Sequential([fm.Dense(2)], backend="numpy").build(3).training_state.state
    runner = make_runner(state, backend, 1)
    X = np.zeros((n, 3), np.float32)
    assert runner.predict(X, checks_finite=True).shape == (n, 2)
    X[-1, 1] = value
    with pytest.raises(FloatingPointError, match="X is not finite"):
        runner.predict(X, checks_finite=True)
    assert not np.isfinite(runner.predict(X)[-1]).any()
