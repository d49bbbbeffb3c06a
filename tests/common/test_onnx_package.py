"""Without the package onnx its extra is named."""

from __future__ import annotations

import builtins
from typing import Any

import pytest

import fastmlp as fm


def test_without_onnx_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def without(name: str, *arguments: Any) -> Any:
        if name.split(".")[0] == "onnx":
            raise ModuleNotFoundError("No module named 'onnx'", name="onnx")
        return real(name, *arguments)

    predictor = fm.Sequential([fm.Dense(1)], backend="numpy").build(2).freeze()
    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(ImportError, match=r"pip install 'fastmlp\[export\]'"):
        predictor.export_onnx("never.onnx")
    with pytest.raises(ImportError, match=r"pip install 'fastmlp\[export\]'"):
        fm.from_onnx("never.onnx")
