"""Trained PyTorch networks as models: from a module, or from a state dict and layers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ..activations import Activation
from ..layers import Activation as ActivationLayer
from ..layers import BatchNorm, Branch, Dense, Dropout, Layer, Residual, check_layers
from ..names import describe
from .parts import dtype_of, sequential, take, with_output

if TYPE_CHECKING:
    from ..kernels.typing import Array
    from ..model import Sequential

_COUNTER = "num_batches_tracked"
_OF_DENSE = {"weight", "bias"}
_OF_NORM = {"weight", "bias", "running_mean", "running_var"}


def from_torch(
    source: object,
    layers: Sequence[Layer] | None = None,
    *,
    n_features: int | None = None,
    output_activation: str | Activation | None = None,
    classes: object = None,
    dtype: str | None = None,
    **arguments: Any,
) -> Sequential:
    """Make a model of a network that PyTorch has trained.

    Of a module the traced `forward` is read (by ``torch.fx``): linear layers, activations,
    BatchNorm1d, Dropout, sums and concatenations of paths, and constants that are added or
    multiplied. Other kinds of dropout, which do nothing in evaluation, are left out, and so is the
    function ``dropout``. The output is compared with the module's on random rows. The module stays
    as it is.

    A state dict holds no activations. With `layers`, its tensors are assigned in order to the
    layers that have any: of a Residual its layers, then its shortcut; of a Branch path by path.

    Parameters
    ----------
    source : torch.nn.Module or mapping of str to array
        A state dict may hold tensors or arrays; PyTorch is then not needed.
    layers : list of Layer, optional
        The network, for a state dict, and for a module whose forward cannot be traced.
    n_features : int, optional
        The width of the input, where it cannot be told from the weights.
    output_activation : str or Activation, optional
        What comes after the last layer, such as ``"softmax"``, which PyTorch's cross-entropies
        contain.
    classes : array_like, optional
        The label of each output.
    dtype : {"float32", "float64"}, optional
        That of the tensors by default; float32 for those of half precision.
    **arguments
        Of `Sequential`, but for its layers and dtype.

    Returns
    -------
    Sequential
        Built, with weights and running statistics. A cumulative average of statistics
        (``momentum=None``) goes on with the momentum of `BatchNorm`.

    Raises
    ------
    TypeError
        `source` is neither a module nor a mapping of names to tensors.
    ValueError
        Something in the network cannot be taken; the message names it and what can be.

    Examples
    --------
    >>> import numpy as np
    >>> import fastmlp as fm
    >>> state = {"0.weight": np.ones((1, 2)), "0.bias": np.zeros(1)}
    >>> model = fm.from_torch(state, layers=[fm.Dense(1)])
    >>> float(model.predict([[1.0, 2.0]])[0, 0])
    3.0
    """
    # What torch.compile returns holds the module itself.
    source = getattr(source, "_orig_mod", source)
    if any(base.__module__.startswith("keras.") for base in type(source).__mro__):
        raise TypeError("this is a model of Keras: fm.from_keras takes it")
    module = _is_module(source)
    if not module and not isinstance(source, Mapping):
        is_path = isinstance(source, str) or hasattr(source, "__fspath__")
        hint = "; read a file with torch.load first" if is_path else ""
        raise TypeError(
            "from_torch takes a torch.nn.Module, or a state dict with layers=[...], got "
            f"{describe(source)}{hint}"
        )
    if layers is None and not module:
        raise ValueError(
            "a state dict holds weights alone; give layers=[fm.Dense(8, 'relu'), ...] too, or "
            "pass the module in place of its state_dict()"
        )
    if layers is None:
        from .torch_modules import parts_of_module

        parts, found = parts_of_module(source)
        model = take(parts, n_features, dtype or found, classes, output_activation, **arguments)
    else:
        state: Any = source.state_dict() if module else source  # type: ignore[attr-defined]
        network: Sequence[Layer] = check_layers(layers, "from_torch's layers")
        if output_activation is not None:
            network = with_output(network, output_activation)
        weights, found = _assigned(network, _groups(state))
        if n_features is None:
            n_features = len(next(iter(weights.values())))
        model = sequential(network, n_features, weights, dtype or found, classes, **arguments)
    if module:
        from .torch_modules import check_output

        check_output(source, model, output_activation)
    return model


def _is_module(source: object) -> bool:
    """Whether it is a torch.nn.Module, told without importing PyTorch."""
    return any(
        base.__module__ == "torch.nn.modules.module" and base.__name__ == "Module"
        for base in type(source).__mro__
    )


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


def _assigned(
    layers: Sequence[Layer], groups: dict[str, dict[str, Array]]
) -> tuple[dict[str, Array], str]:
    """The weights of the layers by name, and the dtype of them all."""
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
        elif not isinstance(layer, ActivationLayer | Dropout):
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
