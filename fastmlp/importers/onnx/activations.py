"""Operators of ONNX that are activations."""

from __future__ import annotations

from ..activations import ForeignActivations, Options, Row


def _refuse_other_axes(options: Options) -> str:
    # Before opset 13 the default was 1; of rows and columns both are the columns.
    axis = options["axis"]
    return "" if axis in (1, -1) else f"its axis is {axis}, not that of the columns"


def _refuse_approximation(options: Options) -> str:
    exact = options["approximate"] == "none"
    return "" if exact else "it approximates by tanh; fastmlp's gelu is the exact one"


ACTIVATIONS = ForeignActivations(
    "ACTIVATIONS in fastmlp/importers/onnx/activations.py",
    {
        "Relu": Row("relu"),
        "LeakyRelu": Row("leaky_relu", {"alpha": 0.01}, parameter="alpha"),
        "Tanh": Row("tanh"),
        "Sigmoid": Row("sigmoid"),
        "Softmax": Row("softmax", {"axis": -1}, refuse=_refuse_other_axes),
        "Elu": Row("elu", {"alpha": 1.0}, parameter="alpha"),
        "Selu": Row("selu"),
        "Gelu": Row("gelu", {"approximate": "none"}, refuse=_refuse_approximation),
        "Mish": Row("mish"),
        "Softplus": Row("softplus"),
        "Exp": Row("exp"),
    },
)
"""Of what several nodes compose `recognition` finds out the activation by its values."""
