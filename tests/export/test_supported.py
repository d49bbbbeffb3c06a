"""What users add to the library is refused by name in every file."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import fastmlp as fm
from fastmlp.declarations.activations import Activation
from fastmlp.program.operation import Operation, Slot


@dataclass(frozen=True)
class ClampOp(Operation):
    """An operation of a user's own."""

    x: Slot
    out: Slot


class Bump(Activation):
    """An activation of a user's own, within the library."""

    name = "bump"


@pytest.mark.parametrize(
    ("method", "table"),
    [
        ("export_c", "EMITTERS in fastmlp/export/c/header.py"),
        ("export_onnx", "NODES in fastmlp/export/onnx/file.py"),
        ("export_python", "EXPRESSIONS in fastmlp/export/python/forward.py"),
    ],
)
def test_operations_of_users_are_refused(method: str, table: str, tmp_path: Path) -> None:
    if method == "export_onnx":
        pytest.importorskip("onnx")
    predictor = with_foreign_operation()
    message = rf"ClampOp \(1.preactivation\) cannot be written as .*: {table} has no row for it"
    with pytest.raises(ValueError, match=message):
        getattr(predictor, method)(tmp_path / "model")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("method", ["export_c", "export_onnx", "export_python"])
def test_activations_that_are_added_are_refused(method: str, tmp_path: Path) -> None:
    if method == "export_onnx":
        pytest.importorskip("onnx")
    layers = [fm.Dense(3, "relu"), fm.Dense(2)]
    predictor = fm.Sequential(layers, backend="numpy").build(2).freeze()
    first, relu, last = predictor.program.ops
    foreign: Any = replace(relu, activation=Bump())  # type: ignore[arg-type, type-var]
    predictor.program = replace(predictor.program, ops=(first, foreign, last))
    with pytest.raises(ValueError, match=r"activation 'bump' cannot be written as .* relu, "):
        getattr(predictor, method)(tmp_path / "model")
    assert not list(tmp_path.iterdir())


def test_operations_of_users_have_no_integer_form() -> None:
    with pytest.raises(ValueError, match="int8 quantization does not know Clamp"):
        with_foreign_operation().quantize(np.zeros((4, 2)))


def with_foreign_operation() -> Any:
    predictor = fm.Sequential([fm.Dense(3), fm.Dense(2)], backend="numpy").build(2).freeze()
    first, last = predictor.program.ops
    foreign: Any = ClampOp(first.out, last.out)
    predictor.program = replace(predictor.program, ops=(first, foreign))
    return predictor
