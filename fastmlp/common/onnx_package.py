"""The package `onnx`, which is needed only where its files are written or read."""

from __future__ import annotations

from typing import Any

from ..errors import missing_extra


def import_onnx() -> Any:
    """The package `onnx`.

    Raises
    ------
    ImportError
        It is not installed.
    """
    try:
        import onnx
        import onnx.checker
        import onnx.external_data_helper
        import onnx.helper
        import onnx.numpy_helper
        import onnx.shape_inference
    except ModuleNotFoundError as error:
        if error.name != "onnx":
            raise
        raise missing_extra("onnx", "export") from None
    return onnx
