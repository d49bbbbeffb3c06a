"""Trained Keras networks as models."""

from __future__ import annotations

import inspect
import math
import sys
from typing import TYPE_CHECKING, Any

import numpy as np

from ..common.checks import describe
from ..common.error_state import own_error_state
from ..network.layers import Dropout
from .activations import Options, UnfitError
from .assembly import take
from .graph import Node, parts_of_graph
from .keras_activations import ACTIVATIONS
from .parts import (
    Part,
    Scale,
    Step,
    activation,
    arithmetic,
    batch_norm,
    cannot_take,
    dense,
    dtype_of,
    standardization,
)

if TYPE_CHECKING:
    from ..declarations.activations import Activation
    from ..kernels.typing import Array
    from ..model.sequential import Sequential

_KNOWN = (
    "Dense, Activation and layers of activations, BatchNormalization, Normalization",
    "Rescaling, Dropout, Flatten, Reshape, Identity, Add, Concatenate, Sequential and Functional",
    "constants that are added or multiplied",
    str(ACTIVATIONS),
)

_ARITHMETIC = {
    "Add": "add",
    "Subtract": "subtract",
    "Multiply": "multiply",
    "Divide": "divide",
    "TrueDivide": "divide",
}

# What computes the same whether its input is flattened before it or after, beside activations.
_ANY_SHAPE = (
    *("Activation", "InputLayer", "Flatten", "Reshape", "Rescaling"),
    *("Dropout", "AlphaDropout", "GaussianDropout", "GaussianNoise", "ActivityRegularization"),
    *("Identity", "Add", "Subtract", "Multiply", "Divide", "TrueDivide", "Negative"),
    *("Sequential", "Functional", "Model"),
)
_NOTHING = (
    *("InputLayer", "Identity", "AlphaDropout", "GaussianDropout", "GaussianNoise"),
    *("ActivityRegularization", "Reshape"),
)


@own_error_state
def from_keras(
    model: object,
    *,
    output_activation: str | Activation | None = None,
    classes: object = None,
    dtype: str | None = None,
    **arguments: Any,
) -> Sequential:
    """Make a model of a network that Keras 3 has trained, on any of its backends.

    A Sequential or Functional model of dense layers, activations, batch normalization and dropout;
    sums and concatenations of paths become Residual and Branch. A Normalization becomes a
    BatchNorm with its statistics, a Rescaling is folded into a Dense. Layers that do nothing in
    prediction are left out, but for Dropout. Penalties and the optimizer are not taken. A network
    that flattens its input takes rows of flattened values.

    Parameters
    ----------
    model : keras.Model
        Built, Sequential or Functional.
    output_activation : str or Activation, optional
        What comes after the last layer, where the loss had ``from_logits=True``.
    classes : array_like, optional
        The label of each output.
    dtype : {"float32", "float64"}, optional
        That of the weights by default; float32 for those of half precision.
    **arguments
        Of `Sequential`, but for its layers and dtype.

    Returns
    -------
    Sequential
        Built, with weights and moving statistics; Keras' momentum m of these is 1 - m here.

    Raises
    ------
    TypeError
        No Keras model.
    ValueError
        Something in the network cannot be taken; the message names it and what can be.
    """
    if not any(base.__module__.startswith("keras.") for base in type(model).__mro__):
        raise TypeError(f"from_keras takes a model of Keras 3, got {describe(model)}")
    version = sys.modules["keras"].__version__
    if version.startswith("2."):
        raise ValueError(f"from_keras takes models of Keras 3, and this is Keras {version}")
    reader = _Reader()
    parts = reader.model(model, f"{getattr(model, 'name', '')} ({type(model).__name__})")
    shape = model.inputs[0].shape[1:]  # type: ignore[attr-defined]
    n_features = None if None in shape else math.prod(shape)
    found = dtype or dtype_of(reader.arrays)
    return take(parts, n_features, found, classes, output_activation, **arguments)


class _Reader:
    """Reads nested models, and collects their arrays."""

    def __init__(self) -> None:
        self.arrays: list[Array] = []
        self._used: set[int] = set()

    def model(self, model: Any, label: str) -> list[Part]:
        """The parts of a model from its graph."""
        inputs, outputs = getattr(model, "inputs", None), getattr(model, "outputs", None)
        if not type(model).call.__module__.startswith("keras."):
            raise _refused(label, "a class with a call of its own has no graph of layers")
        if not inputs or not outputs:
            raise ValueError(
                f"{label} is not built; give it an Input, or fit or call it on data first"
            )
        if len(inputs) != 1 or len(outputs) != 1:
            raise _refused(label, f"it has {len(inputs)} inputs and {len(outputs)} outputs")
        nodes: dict[int, Node] = {}
        pending = [outputs[0]]
        while pending:
            tensor = pending.pop()
            if id(tensor) not in nodes and tensor is not inputs[0]:
                nodes[id(tensor)] = self._node(tensor)
                pending.extend(_history(tensor)[1].input_tensors)
        return parts_of_graph(nodes.values(), id(inputs[0]), id(outputs[0]))

    def _node(self, tensor: Any) -> Node:
        operation, call = _history(tensor)
        kind = type(operation).__name__
        label = f"{operation.name} ({kind})"
        given = call.input_tensors
        if not type(operation).__module__.startswith("keras."):
            raise _refused(label, "it is a class of your own")
        if len(call.output_tensors) > 1 or not given:
            raise _refused(label)
        if not _takes_any_shape(operation) and any(len(one.shape) != 2 for one in given):
            shapes = ", ".join(str(tuple(one.shape)) for one in given)
            raise _refused(label, f"its input has the shape {shapes}; flatten it first")
        inputs = [id(one) for one in given]
        if len(inputs) > 1:
            if kind == "Concatenate" and operation.axis in (1, -1):
                return Node(id(tensor), inputs, label, merge="concat")
            if kind == "Add":
                return Node(id(tensor), inputs, label, merge="add")
            raise _refused(label, "two paths can be added, or put side by side as columns")
        return Node(id(tensor), inputs, label, self._parts(operation, call, kind, label))

    def _parts(self, operation: Any, call: Any, kind: str, label: str) -> list[Part]:
        if ".ops." in type(operation).__module__:
            return self._operation(operation, call, kind, label)
        if len(getattr(operation, "weights", ())) > 0:
            if id(operation) in self._used:
                raise _refused(
                    label, "it is used in two places, which would no longer share its weights"
                )
            self._used.add(id(operation))
        try:
            return self._layer(operation, kind, label)
        except UnfitError as error:
            raise _refused(label, str(error)) from None

    # Layers

    def _layer(self, layer: Any, kind: str, label: str) -> list[Part]:
        if kind in ("Sequential", "Functional", "Model"):
            return self.model(layer, label)
        if kind == "Dense":
            return self._dense(layer)
        if kind == "Activation":
            return self._function(layer.activation)
        if kind == "BatchNormalization":
            return [self._batch_norm(layer)]
        if kind == "Normalization":
            return [self._normalization(layer)]
        if kind == "Rescaling":
            return [Scale(np.asarray(layer.scale), np.asarray(layer.offset))]
        if kind == "Dropout":
            return [Step(_checked(Dropout, layer.rate))] if layer.rate else []
        if kind == "Flatten":
            if layer.data_format == "channels_first":
                raise UnfitError("with data_format='channels_first' it reorders its input")
            return []
        if kind in _NOTHING:
            return []
        if kind not in ACTIVATIONS:
            raise UnfitError("")
        return [_activation(kind, vars(layer))]

    def _dense(self, layer: Any) -> list[Part]:
        if getattr(layer, "quantization_mode", None):
            raise UnfitError("it is quantized")
        bias = None if layer.bias is None else self._array(layer.bias)
        return [dense(self._array(layer.kernel), bias), *self._function(layer.activation)]

    def _batch_norm(self, layer: Any) -> Step:
        if layer.axis not in (1, -1):
            raise UnfitError(f"it has axis={layer.axis}; columns are axis=-1")
        step: Step = _checked(
            batch_norm,
            self._array(layer.moving_mean),
            self._array(layer.moving_variance),
            self._array(layer.gamma) if layer.scale else None,
            self._array(layer.beta) if layer.center else None,
            # Not 0.010000000000000009 for 0.99.
            round(1 - layer.momentum, 12),
            layer.epsilon,
        )
        return step

    def _normalization(self, layer: Any) -> Part:
        import keras

        mean = _to_numpy(layer.mean).reshape(-1)
        variance = _to_numpy(layer.variance).reshape(-1)
        deviation = np.maximum(np.sqrt(variance), keras.config.epsilon())
        if layer.invert:
            return Scale(deviation, mean)
        if mean.size == 1:
            return Scale(1 / deviation, -mean / deviation)
        return standardization(mean, deviation)

    def _array(self, variable: Any) -> Array:
        values = _to_numpy(variable)
        self.arrays.append(values)
        return values

    # Functions

    def _function(self, function: Any) -> list[Part]:
        """A function of keras.activations, or a layer in its place."""
        import keras

        name = getattr(function, "__name__", type(function).__name__)
        if isinstance(function, keras.layers.Layer):
            if not type(function).__module__.startswith("keras."):
                raise UnfitError(f"its activation {name} is a class of your own")
            return [_activation(name, vars(function))]
        known = getattr(keras.activations, name, None)
        if known is None or known is not function:
            raise UnfitError(f"its activation {describe(function)} is a function of your own")
        defaults = {key: p.default for key, p in inspect.signature(known).parameters.items()}
        return [_activation(name, defaults)]

    def _operation(self, operation: Any, call: Any, kind: str, label: str) -> list[Part]:
        """The parts of an operation of ``keras.ops``, or of arithmetic on tensors."""
        arguments = [*call.arguments.args, *call.arguments.kwargs.values()]
        place = next(i for i, value in enumerate(arguments) if value is call.input_tensors[0])
        constants = [value for i, value in enumerate(arguments) if i != place]
        if kind == "Reshape":
            return []
        if kind == "Negative":
            return [Scale(np.array(-1.0), np.array(0.0))]
        try:
            if kind in _ARITHMETIC:
                return [_checked(arithmetic, _ARITHMETIC[kind], _to_numpy(constants[0]), place)]
            if kind not in ACTIVATIONS:
                raise UnfitError("")
            return [_activation(kind, vars(operation))]
        except UnfitError as error:
            raise _refused(label, str(error)) from None


def _refused(label: str, why: str = "") -> ValueError:
    return cannot_take(label, why, _KNOWN)


def _checked(make: Any, *arguments: Any) -> Any:
    """A declaration with these arguments; what it refuses, it refuses for the layer."""
    try:
        return make(*arguments)
    except ValueError as error:
        raise UnfitError(str(error)) from None


def _history(tensor: Any) -> tuple[Any, Any]:
    """The operation that made a symbolic tensor, and the call of it."""
    history = tensor._keras_history
    return history.operation, history.operation._inbound_nodes[history.node_index]


def _to_numpy(value: Any) -> Array:
    import keras

    if isinstance(value, keras.Variable):
        value = value.value
    if hasattr(value, "detach"):
        # Keras' own conversion of PyTorch's tensors gives a warning with NumPy 2.
        value = value.detach().cpu()
        value = value.numpy() if value.dtype.itemsize > 2 else value.float().numpy()
    values: Array = np.asarray(keras.ops.convert_to_numpy(value))
    if values.dtype.kind in "iu":
        return values.astype(np.float64)
    # Half precision comes as types that NumPy does not know.
    return values if values.dtype in (np.float32, np.float64) else values.astype(np.float32)


def _activation(name: str, options: Options) -> Step:
    """An activation by its name in Keras and its options, defaults included."""
    # A relu may be leaky.
    leaky = name.lower() == "relu" and options.get("negative_slope")
    return activation(ACTIVATIONS.take("leaky_relu" if leaky else name, options))


def _takes_any_shape(operation: Any) -> bool:
    """Tell whether an operation and its activation are the same for flattened rows."""
    inner = getattr(getattr(operation, "activation", None), "__name__", "")
    kind = type(operation).__name__
    if inner in ACTIVATIONS and ACTIVATIONS[inner].is_rowwise:
        return False
    return kind in _ANY_SHAPE or (kind in ACTIVATIONS and not ACTIVATIONS[kind].is_rowwise)
