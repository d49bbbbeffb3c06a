"""Functions of Keras that are activations."""

from __future__ import annotations

from .activations import ForeignActivations, Options, Row


def _refuse_bounds(options: Options) -> str:
    bounded = options["max_value"] is not None or options["threshold"]
    return "it has a max_value or a threshold" if bounded else ""


def _refuse_other_axes(options: Options) -> str:
    axis = options["axis"]
    return "" if axis in (1, -1) else f"it has axis={axis}; columns are axis=-1"


def _refuse_approximation(options: Options) -> str:
    why = "its approximate form is another function than the exact one"
    return why if options["approximate"] else ""


_BOUNDS = {"max_value": None, "threshold": 0.0}

# Functions of keras.activations; operations and layers have the same names in another spelling.
ACTIVATIONS = ForeignActivations(
    "ACTIVATIONS in fastmlp/importers/keras_activations.py",
    {
        "relu": Row("relu", _BOUNDS, refuse=_refuse_bounds),
        "leaky_relu": Row(
            "leaky_relu", {"negative_slope": 0.2, **_BOUNDS}, "negative_slope", _refuse_bounds
        ),
        "elu": Row("elu", {"alpha": 1.0}, "alpha"),
        "selu": Row("selu"),
        "gelu": Row("gelu", {"approximate": False}, refuse=_refuse_approximation),
        "silu": Row("silu"),
        "mish": Row("mish"),
        "softplus": Row("softplus"),
        "tanh": Row("tanh"),
        "sigmoid": Row("sigmoid"),
        "softmax": Row("softmax", {"axis": -1}, refuse=_refuse_other_axes),
        "exponential": Row("exp"),
        "exp": Row("exp"),
        "linear": Row("linear"),
    },
)
