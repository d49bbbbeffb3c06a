"""The tensors of a PyTorch state dict, assigned to layers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ...network.layers import Activation, BatchNorm, Branch, Dense, Dropout, Layer, Residual
from ..parts import dtype_of

if TYPE_CHECKING:
    from ...kernels.typing import Array

_COUNTER = "num_batches_tracked"
_OF_DENSE = {"weight", "bias"}
_OF_NORM = {"weight", "bias", "running_mean", "running_var"}


def assigned(layers: Sequence[Layer], state: Mapping[Any, Any]) -> tuple[dict[str, Array], str]:
    """The weights of the layers by name, and the dtype of them all.

    Raises
    ------
    ValueError
        A tensor is missing, of another shape or without a layer; a layer has no tensors in PyTorch.
    """
    groups = _groups(state)
    takers = list(_takers(layers, ""))
    if len(takers) != len(groups):
        raise ValueError(
            f"the layers have {len(takers)} with tensors "
            f"({', '.join(f'{path} {type(layer).__name__}' for path, layer in takers)}), but the "
            f"state dict has tensors of {len(groups)} modules ({', '.join(map(repr, groups))})"
        )
    weights: dict[str, Array] = {}
    for (path, layer), (owner, tensors) in zip(takers, groups.items(), strict=True):
        label = f"{type(layer).__name__} (layer {path})"
        if isinstance(layer, Dense):
            own = _of_dense(layer, label, owner, tensors)
        else:
            own = _of_norm(label, owner, tensors)
        weights |= {f"{path}.{name}": values for name, values in own.items()}
    return weights, dtype_of(weights.values())


def tensor_values(value: Any, name: str) -> Array:
    """A tensor or array as a floating-point array; `name` is for errors."""
    if hasattr(value, "detach"):
        value = value.detach()
        if value.is_floating_point() and value.dtype.itemsize < 4:
            value = value.float()
        try:
            value = value.cpu().numpy()
        except (NotImplementedError, RuntimeError, TypeError) as error:
            raise ValueError(f"the values of {name} cannot be read: {error}") from error
    values = np.asarray(value)
    if values.dtype.kind != "f":
        raise ValueError(f"{name} must hold floating-point numbers, got {values.dtype}")
    return values


def _groups(state: Mapping[Any, Any]) -> dict[str, dict[str, Array]]:
    """The tensors of a state dict by the module that they belong to, in their order."""
    groups: dict[str, dict[str, Array]] = {}
    for name, value in state.items():
        if not isinstance(name, str) or isinstance(value, Mapping):
            raise ValueError(
                f"a state dict maps names to tensors, but {name!r} is a {type(value).__name__}; of "
                "a checkpoint pass the state dict in it, such as checkpoint['state_dict']"
            )
        owner, _, tensor = name.rpartition(".")
        if tensor != _COUNTER:
            groups.setdefault(owner, {})[tensor] = tensor_values(value, name)
    return groups


def _takers(layers: Sequence[Layer], prefix: str) -> Iterator[tuple[str, Layer]]:
    """The layers that have tensors, each with its path."""
    for place, layer in enumerate(layers):
        path = f"{prefix}{place}"
        if isinstance(layer, Dense | BatchNorm):
            yield path, layer
        elif isinstance(layer, Residual):
            yield from _takers(layer.layers, f"{path}.")
            yield from _takers(layer.shortcut or (), f"{path}.shortcut.")
        elif isinstance(layer, Branch):
            for number, branch in enumerate(layer.paths):
                yield from _takers(branch, f"{path}.{number}.")
        elif not isinstance(layer, Activation | Dropout):
            raise ValueError(
                f"{type(layer).__name__} (layer {path}) has no counterpart in PyTorch; a state "
                "dict can be assigned to Dense, BatchNorm, Residual and Branch"
            )


def _check_names(
    label: str, owner: str, tensors: dict[str, Array], needed: set[str], allowed: set[str]
) -> None:
    where = f"{owner}." if owner else ""
    if missing := sorted(needed - tensors.keys()):
        raise ValueError(f"{label} needs {where}{missing[0]}, which the state dict does not have")
    if foreign := sorted(tensors.keys() - allowed):
        raise ValueError(f"{label} has nothing to do with {where}{foreign[0]} of the state dict")


def _of_dense(layer: Dense, label: str, owner: str, tensors: dict[str, Array]) -> dict[str, Array]:
    name = f"{owner}.weight" if owner else "weight"
    if "bias" in tensors and not layer.use_bias:
        raise ValueError(f"{label} has use_bias=False, but the state dict has a bias with {name}")
    if "bias" not in tensors and layer.use_bias and tensors.keys() <= _OF_DENSE:
        raise ValueError(
            f"{label} has a bias, but the state dict has none with {name}; give it use_bias=False"
        )
    _check_names(label, owner, tensors, {"weight"}, _OF_DENSE)
    weight = tensors["weight"]
    if weight.ndim != 2 or len(weight) != layer.units:
        raise ValueError(
            f"{label} needs a weight of shape ({layer.units}, n_in), but {name} has {weight.shape}"
        )
    return {**tensors, "weight": weight.T}


def _of_norm(label: str, owner: str, tensors: dict[str, Array]) -> dict[str, Array]:
    _check_names(label, owner, tensors, {"running_mean", "running_var"}, _OF_NORM)
    mean = tensors["running_mean"]
    return {
        "gamma": tensors.get("weight", np.ones_like(mean)),
        "beta": tensors.get("bias", np.zeros_like(mean)),
        "running_mean": mean,
        "running_var": tensors["running_var"],
    }
