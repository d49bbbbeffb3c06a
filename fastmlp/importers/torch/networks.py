"""Trained PyTorch networks as models: from a module, or from a state dict and layers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ...common.checks import describe
from ...common.error_state import own_error_state
from ...declarations.activations import Activation
from ...network.layers import Layer, check_layers
from ..assembly import sequential, take, with_output
from .state import assigned

if TYPE_CHECKING:
    from ...model.sequential import Sequential


@own_error_state
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
    # One of Keras' may be a module too.
    if any(base.__module__.startswith("keras.") for base in type(source).__mro__):
        raise TypeError("this is a model of Keras: fm.from_keras takes it")
    module = _is_module(source)
    if not module:
        _check_state(source, layers)
    if layers is None:
        # PyTorch takes seconds to import.
        from .modules import parts_of_module

        parts, found = parts_of_module(source)
        model = take(parts, n_features, dtype or found, classes, output_activation, **arguments)
    else:
        state: Any = source.state_dict() if module else source  # type: ignore[attr-defined]
        network: Sequence[Layer] = check_layers(layers, "from_torch's layers")
        if output_activation is not None:
            network = with_output(network, output_activation)
        weights, found = assigned(network, state)
        if n_features is None:
            n_features = len(next(iter(weights.values())))
        model = sequential(network, n_features, weights, dtype or found, classes, **arguments)
    if module:
        # As above.
        from .comparison import check_output

        check_output(source, model, output_activation)
    return model


def _check_state(source: object, layers: Sequence[Layer] | None) -> None:
    """Check that what is no module is a state dict, and has layers beside it."""
    if not isinstance(source, Mapping):
        is_path = isinstance(source, str) or hasattr(source, "__fspath__")
        hint = "; read a file with torch.load first" if is_path else ""
        raise TypeError(
            "from_torch takes a torch.nn.Module, or a state dict with layers=[...], got "
            f"{describe(source)}{hint}"
        )
    if layers is None:
        raise ValueError(
            "a state dict holds weights alone; give layers=[fm.Dense(8, 'relu'), ...] too, or "
            "pass the module in place of its state_dict()"
        )


def _is_module(source: object) -> bool:
    """Tell whether it is a torch.nn.Module, without importing PyTorch."""
    return any(
        base.__module__ == "torch.nn.modules.module" and base.__name__ == "Module"
        for base in type(source).__mro__
    )
