"""Parts of a network, one after the other, become the layers and weights of a model."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from ..declarations.activations import Activation as ActivationFunction
from ..declarations.activations import get_activation
from ..model.sequential import Sequential
from ..network.layers import (
    Activation,
    BatchNorm,
    Branch,
    Dense,
    Embedding,
    Layer,
    Residual,
    WideAndDeep,
)
from .parts import Join, Part, Scale, Step, batch_norm, dense

if TYPE_CHECKING:
    from ..kernels.typing import Array
    from ..program.program import Program


def take(
    parts: Sequence[Part],
    n_features: int | None,
    dtype: str,
    classes: object = None,
    output_activation: str | ActivationFunction | None = None,
    **arguments: Any,
) -> Sequential:
    """Make the model of a list of parts.

    Parameters
    ----------
    parts : sequence of Step, Scale or Join
    n_features : int or None
        The input width; None takes that of the first tensor.
    dtype : {"float32", "float64"}
        Folding is done in float64 either way.
    classes : array_like, optional
        The label of each output.
    output_activation : str or Activation, optional
        Applied after the last part: what the source leaves to its loss.
    **arguments
        Of `Sequential`: ``loss``, ``optimizer``, ``backend``, ``random_state``, ``n_threads``.

    Raises
    ------
    ValueError
        The parts do not fit together, values are not finite, or the labels do not fit.
    """
    if n_features is None:
        n_features = _input_width(parts)
    if n_features is None:
        raise ValueError("the width of the input cannot be told from the network; give n_features")
    steps, _ = _settled(parts, n_features, _as_dense)
    layers = [step.layer for step in steps]
    if output_activation is not None and layers:
        layers = with_output(layers, output_activation)
    return sequential(layers, n_features, _named(steps), dtype, classes, **arguments)


def sequential(
    layers: Sequence[Layer],
    n_features: int | tuple[int, int],
    weights: Mapping[str, Array],
    dtype: str,
    classes: object = None,
    **arguments: Any,
) -> Sequential:
    """Make a built model with these weights.

    Parameters
    ----------
    layers : list of Layer
    n_features : int or (int, int)
    weights : mapping of str to array
        Exactly the parameters and buffers of the network, by name: ``"0.weight"`` of shape
        ``(n_in, n_out)``, ``"1.running_mean"``, ``"2.0.weight"``.
    dtype : {"float32", "float64"}
    classes : array_like, optional
        The label of each output, in their order.
    **arguments
        Of `Sequential`: ``loss``, ``optimizer``, ``backend``, ``random_state``, ``n_threads``.

    Raises
    ------
    ValueError
        Tensors that are missing, too many, of another shape or not finite; labels that do not fit;
        layers and arguments that `Sequential` refuses.
    """
    model = Sequential(layers, dtype=dtype, **arguments)
    training = model.training_state
    planned = training.plan(n_features)
    values = _checked(planned.program, weights)
    targets = None
    if classes is not None:
        targets = training.encoder(planned.program).with_classes(classes)
    training.build(planned)
    for name, live in (*model.parameters.items(), *model.buffers.items()):
        live[...] = values[name]
    training.targets = targets
    return model


def _checked(program: Program, weights: Mapping[str, Array]) -> dict[str, Array]:
    """The values in the program's dtype, for exactly its parameters and buffers."""
    tensors = {tensor.name: tensor for tensor in program.parameters + program.buffers}
    if missing := [name for name in tensors if name not in weights]:
        raise ValueError(f"there are no values for {', '.join(missing)} of the network")
    if foreign := [name for name in weights if name not in tensors]:
        raise ValueError(f"the network has no {', '.join(foreign)}; it has {', '.join(tensors)}")
    checked = {}
    for name, tensor in tensors.items():
        with np.errstate(over="ignore"):
            values = np.asarray(weights[name]).astype(program.dtype)
        if values.shape != tensor.shape:
            raise ValueError(
                f"{name} has the shape {values.shape}, but the network needs {tensor.shape}"
            )
        if not np.isfinite(values).all():
            raise ValueError(f"{name} has values that are NaN, infinite or too large for its dtype")
        if name.endswith(".running_var") and (values < 0).any():
            raise ValueError(f"{name} has negative variances")
        checked[name] = values
    return checked


def _input_width(parts: Sequence[Part]) -> int | None:
    for part in parts:
        width = None
        if isinstance(part, Join):
            widths = [_input_width(path) for path in part.paths]
            width = next((found for found in widths if found is not None), None)
            if width is None and part.merge == "concat":
                return None
        elif isinstance(part, Scale):
            size = max(np.size(part.scale), np.size(part.shift))
            width = size if size > 1 else None
        elif isinstance(part.layer, Embedding):
            return None
        elif part.tensors:
            width = len(next(iter(part.tensors.values())))
        if width is not None:
            return width
    return None


def _settled(
    parts: Sequence[Part], width: int, end: Callable[[Scale], Step] | None = None
) -> tuple[list[Step], int]:
    """Only steps: scales folded, activations put into the Dense before; and the output width.

    A scale with no Dense beside it becomes a BatchNorm, or at the end what `end` makes of it.
    """
    steps: list[Step] = []
    waiting: Scale | None = None
    for part in parts:
        if isinstance(part, Scale):
            part = _of_width(part, width)
            if waiting is not None:
                waiting = Scale(waiting.scale * part.scale, waiting.shift * part.scale + part.shift)
            elif steps and _is_linear(steps[-1]):
                steps[-1] = _scaled_output(steps[-1], part)
            else:
                waiting = part
            continue
        if waiting is not None:
            if isinstance(part, Step) and isinstance(part.layer, Dense):
                part = _scaled_input(part, waiting)
            else:
                steps.append(_as_batch_norm(waiting))
            waiting = None
        if isinstance(part, Join):
            step, width = _joined(part, width)
            steps.append(step)
        elif isinstance(part.layer, Activation):
            _activate(steps, part.layer)
        else:
            steps.append(part)
            width = _width_after(part.layer, width)
    if waiting is not None:
        steps.append((end or _as_batch_norm)(waiting))
    return steps, width


def _width_after(layer: Layer, width: int) -> int:
    if isinstance(layer, Dense | WideAndDeep):
        return layer.units
    return width - 1 + layer.dim if isinstance(layer, Embedding) else width


def _is_linear(step: Step) -> bool:
    return isinstance(step.layer, Dense) and step.layer.activation_function.traits.is_identity


def _activate(steps: list[Step], layer: Activation) -> None:
    function = layer.activation_function
    if function.traits.is_identity:
        return
    if steps and _is_linear(steps[-1]):
        dense_layer = steps[-1].layer
        assert isinstance(dense_layer, Dense)
        steps[-1] = Step(replace(dense_layer, activation=function), steps[-1].tensors)
    else:
        steps.append(Step(layer))


def _of_width(scale: Scale, width: int) -> Scale:
    values = []
    for value in (scale.scale, scale.shift):
        array = np.asarray(value, np.float64).reshape(-1)
        if array.size not in (1, width):
            raise ValueError(
                f"a scaling has {array.size} factors or shifts, but {width} columns to work on"
            )
        values.append(np.broadcast_to(array, (width,)))
    return Scale(*values)


def _bias(step: Step) -> Array:
    bias: Array = np.asarray(step.tensors.get("bias", 0.0), np.float64)
    return bias


def _with_bias(step: Step, weight: Array, bias: Array) -> Step:
    layer = step.layer
    assert isinstance(layer, Dense)
    if "bias" not in step.tensors and not bias.any():
        return Step(layer, {"weight": weight})
    return Step(replace(layer, use_bias=True), {"weight": weight, "bias": bias})


def _scaled_input(step: Step, scale: Scale) -> Step:
    weight = np.asarray(step.tensors["weight"], np.float64)
    if len(weight) != len(scale.scale):
        raise ValueError(
            f"a Dense layer reads {len(weight)} columns, but there are {len(scale.scale)}"
        )
    return _with_bias(step, scale.scale[:, None] * weight, _bias(step) + scale.shift @ weight)


def _scaled_output(step: Step, scale: Scale) -> Step:
    weight = np.asarray(step.tensors["weight"], np.float64)
    return _with_bias(step, weight * scale.scale, _bias(step) * scale.scale + scale.shift)


def _as_batch_norm(scale: Scale) -> Step:
    layer = BatchNorm()
    zeros, ones = np.zeros(scale.scale.shape), np.ones(scale.scale.shape)
    gamma = scale.scale * np.sqrt(1 + layer.epsilon)
    return batch_norm(zeros, ones, gamma, scale.shift, layer.momentum, layer.epsilon)


def _as_dense(scale: Scale) -> Step:
    # A BatchNorm would leave the activation before it the output's, with its losses and labels.
    return dense(np.diag(scale.scale), scale.shift)


def _joined(join: Join, width: int) -> tuple[Step, int]:
    settled = [_settled(path, width) for path in join.paths]
    paths, widths = [steps for steps, _ in settled], [width for _, width in settled]
    if not any(paths):
        raise ValueError(
            f"{join.label} cannot be taken: it joins one input with itself, without a layer between"
        )
    out = widths[0] if join.merge == "add" else sum(widths)
    if join.merge == "add" and len(set(widths)) > 1:
        raise ValueError(
            f"{join.label} cannot be taken: it adds outputs of the widths {widths}, where fastmlp "
            "adds those of one width"
        )
    if join.merge == "add" and len(paths) == 2 and not all(paths):
        f = paths[0] or paths[1]
        return Step(Residual([step.layer for step in f]), _named(f)), out
    layer = Branch(*([step.layer for step in path] for path in paths), merge=join.merge)
    tensors = {
        f"{number}.{name}": values
        for number, path in enumerate(paths)
        for name, values in _named(path).items()
    }
    return Step(layer, tensors), out


def _named(steps: Sequence[Step]) -> dict[str, Array]:
    """The tensors of steps, by their places."""
    return {
        f"{place}.{name}": values
        for place, step in enumerate(steps)
        for name, values in step.tensors.items()
    }


def with_output(layers: Sequence[Layer], function: str | ActivationFunction) -> list[Layer]:
    """The layers with an activation at their end, where they have none."""
    chosen, last = get_activation(function), layers[-1]
    present = last.activation_function
    if present is not None and not present.traits.is_identity:
        raise ValueError(
            f"output_activation={chosen.name!r} would follow {present.name!r}, in which the "
            "network already ends; leave it out"
        )
    if isinstance(last, Dense):
        return [*layers[:-1], replace(last, activation=chosen)]
    return [*layers, Activation(chosen)]
