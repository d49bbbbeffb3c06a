"""Files of ONNX models."""

from __future__ import annotations

import os
from typing import Any

from ...common.checks import describe
from ...common.onnx_package import import_onnx
from ...errors import ModelFileError


def read_model(source: object) -> Any:
    """The `onnx.ModelProto` in a file, functions of its own put in their places.

    Parameters
    ----------
    source : str, path-like or onnx.ModelProto

    Raises
    ------
    ImportError
        The package onnx is not installed.
    FileNotFoundError
        There is no such file.
    ModelFileError
        The file is no ONNX model or is damaged, or a file with its weights is missing.
    """
    onnx = import_onnx()
    if isinstance(source, onnx.ModelProto):
        name, model = "the model", onnx.ModelProto()
        model.CopyFrom(source)
    elif isinstance(source, str | os.PathLike):
        name = os.fspath(source)
        with open(source, "rb"):
            pass
        model = _load(onnx, name)
    else:
        raise TypeError(
            f"from_onnx takes the path of a file or an onnx.ModelProto, got {describe(source)}"
        )
    try:
        onnx.checker.check_model(model)
        if model.functions:
            from onnx.inliner import inline_local_functions

            model = inline_local_functions(model)
    except Exception as error:
        # The checker raises its own error, and others from the C++ code behind it.
        raise ModelFileError(f"{name}: no valid ONNX model: {first_line(error)}") from error
    return model


def _load(onnx: Any, name: str) -> Any:
    try:
        model = onnx.load(name, load_external_data=False)
        parsed = bool(model.ir_version and model.graph.node)
    except Exception as error:
        # Errors of protobuf, whose types differ between its versions.
        raise ModelFileError(f"{name}: no ONNX model, or damaged: {first_line(error)}") from error
    if not parsed:
        raise ModelFileError(f"{name}: no ONNX model, or damaged: it has no graph")
    try:
        folder = os.path.dirname(os.path.abspath(name))
        onnx.external_data_helper.load_external_data_for_model(model, folder)
    except Exception as error:
        raise ModelFileError(
            f"{name} keeps its weights in other files, of which one cannot be read: "
            f"{first_line(error)}; put them beside it"
        ) from error
    return model


def first_line(error: Exception) -> str:
    """Return the first line of an error's message, its type where there is none."""
    lines = str(error).strip().splitlines()
    return lines[0] if lines else type(error).__name__
