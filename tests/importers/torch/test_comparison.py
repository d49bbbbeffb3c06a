"""A model is held against its module on random rows."""

from __future__ import annotations

from typing import Any

import pytest
from taken_checks import assert_taken
from torch_modules import F, Forward, X, nn, outputs, taken

import fastmlp as fm


def test_a_module_that_cannot_be_traced_with_its_layers() -> None:
    module = Forward(lambda m, x: m.b(m.a(x)) if x.sum() > -1e30 else x)
    module.a, module.b = nn.Linear(6, 4), nn.Linear(4, 2)
    with pytest.raises(ValueError, match=r"forward of Forward cannot be traced .* layers=\["):
        taken(module)
    assert_taken(taken(module, layers=[fm.Dense(4), fm.Dense(2)]), X, outputs(module))
    with pytest.raises(ValueError, match="on random rows the module's output differs"):
        taken(module, layers=[fm.Dense(4, "relu"), fm.Dense(2)])


def test_a_module_that_does_not_run_on_rows() -> None:
    module = Forward(lambda m, x: m.a(x) if x.shape[0] == 1 else m.a(x[:, :2]))
    module.a = nn.Linear(6, 2)
    with pytest.raises(ValueError, match="on 32 rows of 6 numbers it raises RuntimeError: mat1"):
        taken(module, layers=[fm.Dense(2)])


def test_changes_in_place_are_found_out() -> None:
    def forward(module: Any, x: Any) -> Any:
        h = module.a(x)
        return F.relu(h, inplace=True) + h

    with pytest.raises(ValueError, match="on random rows .* an operation in place"):
        taken(Forward(forward, a=nn.Linear(6, 6)))
