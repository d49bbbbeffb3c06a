"""The network in a PyTorch module, by tracing its forward."""

from __future__ import annotations

import operator
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
import torch.fx
from torch import nn
from torch.nn import functional

from ...network.layers import BatchNorm, Dropout
from ..activations import UnfitError
from ..graph import Node, parts_of_graph
from ..parts import (
    Part,
    Scale,
    Step,
    activation,
    arithmetic,
    batch_norm,
    cannot_take,
    dense,
    dtype_of,
)
from .comparison import evaluating
from .functions import (
    ACTIVATIONS,
    ARITHMETIC,
    CONCATENATIONS,
    FUNCTIONS,
    MATRIX_PRODUCTS,
    METHODS,
    MODULES,
    SHAPELESS,
    SIGNATURES,
    SYNONYMS,
)
from .shapes import keeps_rows, view_keeps_rows
from .state import tensor_values

if TYPE_CHECKING:
    from ...kernels.typing import Array

_KNOWN = (
    "Linear, BatchNorm1d, Dropout, Identity, Flatten, their functions",
    f"{ACTIVATIONS} and their modules",
    "sums and concatenations of paths",
    "constants that are added or multiplied",
)

_SHARED = "it is used in two places, which would no longer share its weights"
_LOGARITHMS = "fastmlp gives probabilities, not their logarithms; put Softmax in its place"


def parts_of_module(module: Any) -> tuple[list[Part], str]:
    """Return the parts of a module in evaluation, and the dtype of its tensors.

    Raises
    ------
    ValueError
        The forward cannot be traced, or has something that cannot be taken.
    """
    for name, part in module.named_modules():
        if any(nn.parameter.is_lazy(tensor) for tensor in part.parameters(recurse=False)):
            raise _refused(
                _label(name or "the module", part),
                "its shapes are not known yet; run the module on a batch first",
            )
        if part._forward_hooks or part._forward_pre_hooks:
            raise _refused(
                _label(name or "the module", part),
                "it has forward hooks, which can change what it computes; remove them first",
            )
    root = module
    if type(module).__module__.startswith("torch.nn") and not isinstance(module, nn.Sequential):
        root = nn.Sequential(module)
    try:
        with evaluating(root):
            graph = torch.fx.Tracer().trace(root)
    except Exception as error:
        raise ValueError(
            f"the forward of {type(module).__name__} cannot be traced by torch.fx ({error}); give "
            "its network as layers=[fm.Dense(...), ...]"
        ) from error
    return _Reader(root, graph).read()


def _label(name: str, part: object) -> str:
    return f"{name} ({type(part).__name__})"


def _refused(label: str, why: str = "") -> ValueError:
    return cannot_take(label, why, _KNOWN)


class _Reader:
    """Reads a traced graph from its output to its input."""

    def __init__(self, root: nn.Module, graph: torch.fx.Graph) -> None:
        self._modules = dict(root.named_modules())
        self._root, self._graph = root, graph
        self._used: set[str] = set()
        self._parameters: set[int] = set()
        self._arrays: list[Array] = []
        self._constants: dict[torch.fx.Node, Any] = {}
        for node in graph.nodes:
            self._settle(node)

    def read(self) -> tuple[list[Part], str]:
        """The parts, and the dtype of all tensors among them."""
        output = next(node for node in self._graph.nodes if node.op == "output").args[0]
        if not isinstance(output, torch.fx.Node):
            raise _refused("what forward returns", "it is no single tensor")
        self._tail = self._elementwise_tail(output)
        nodes: dict[torch.fx.Node, Node] = {}
        inputs: set[torch.fx.Node] = set()
        pending = [output]
        while pending:
            node = pending.pop()
            if node.op == "placeholder":
                inputs.add(node)
            elif node not in nodes:
                nodes[node] = self._node(node)
                pending.extend(nodes[node].inputs)
        if len(inputs) != 1:
            names = ", ".join(sorted(str(node.target) for node in inputs)) or "none"
            raise ValueError(f"a module with one input can be taken; this one reads {names}")
        parts = parts_of_graph(nodes.values(), inputs.pop(), output)
        return parts, dtype_of(self._arrays)

    def _settle(self, node: torch.fx.Node) -> None:
        """Remember the value of what does not depend on the input."""
        if node.op == "get_attr":
            self._constants[node] = operator.attrgetter(str(node.target))(self._root)
        elif node.op in ("call_function", "call_method") and node.all_input_nodes:
            if not self._constants.keys() >= set(node.all_input_nodes):
                return
            args, kwargs = torch.fx.node.map_arg(
                (node.args, node.kwargs), self._constants.__getitem__
            )
            call = node.target
            if node.op == "call_method":
                call = operator.methodcaller(str(node.target), *args[1:], **kwargs)
                args, kwargs = args[:1], {}
            with torch.no_grad():
                self._constants[node] = call(*args, **kwargs)

    def _elementwise_tail(self, output: torch.fx.Node) -> set[torch.fx.Node]:
        """The last operations, among which a single column may become a vector."""
        tail, node = set(), output
        while node.op != "placeholder":
            name = self._function(node)
            with_number = any(isinstance(value, int | float) for value in node.args)
            if name not in SHAPELESS and not (node.target in ARITHMETIC and with_number):
                break
            tail.add(node)
            node = node.all_input_nodes[0]
        return tail

    def _function(self, node: torch.fx.Node) -> str | None:
        """The name in `SIGNATURES` of what a node does."""
        if node.op == "call_module":
            kind = self._kind(self._modules[str(node.target)])
            return None if kind is None else MODULES.get(kind)
        if node.op == "call_method":
            name = str(node.target).removesuffix("_")
            name = SYNONYMS.get(name, name)
            return name if name in SIGNATURES or name == "view" else None
        if node.target is torch.reshape:
            return "view"
        return FUNCTIONS.get(node.target)

    @staticmethod
    def _kind(module: nn.Module) -> type[nn.Module] | None:
        """The class of PyTorch whose forward a module has."""
        kinds = (*MODULES, nn.Linear, nn.BatchNorm1d, nn.Dropout)
        own = type(module).forward
        return next((k for k in kinds if isinstance(module, k) and k.forward is own), None)

    def _node(self, node: torch.fx.Node) -> Node:
        if node.op == "call_module":
            module = self._modules[str(node.target)]
            label = _label(str(node.target), module)
            return Node(node, node.all_input_nodes, label, self._of_module(node, module, label))
        method = node.op == "call_method"
        called = f"Tensor.{node.target}" if method else getattr(node.target, "__name__", "?")
        label = f"{node.name} ({called})"
        if called.endswith("log_softmax"):
            raise _refused(label, _LOGARITHMS)
        name = self._function(node)
        if name == "view":
            return Node(node, [self._viewed(node, label)], label)
        if name is not None:
            options = self._bound(node, name, label)
            parts = self._of_function(node, name, options, label)
            return Node(node, [self._input(node.args, node.kwargs, label)], label, parts)
        call = METHODS.get(str(node.target).removesuffix("_")) if method else node.target
        if call in CONCATENATIONS:
            return self._concatenated(node, label)
        if call is functional.linear:
            return self._linear(node, label)
        return self._arithmetic(node, call, label)

    # Modules

    def _of_module(self, node: torch.fx.Node, module: Any, label: str) -> list[Part]:
        if len(node.args) + len(node.kwargs) != 1 or len(node.all_input_nodes) != 1:
            raise _refused(label, "it is called with more than one input")
        kind = self._kind(module)
        if kind in (nn.Linear, nn.BatchNorm1d):
            if str(node.target) in self._used:
                raise _refused(label, _SHARED)
            self._used.add(str(node.target))
        if kind is nn.Linear:
            bias = None if module.bias is None else self._array(module.bias, label)
            return [dense(self._array(module.weight, label).T, bias)]
        if kind is nn.BatchNorm1d:
            return [self._norm(module, label)]
        if kind is nn.Dropout:
            return _dropout(module.p, label)
        if kind is None:
            raise _refused(label, _LOGARITHMS if isinstance(module, nn.LogSoftmax) else "")
        name = MODULES[kind]
        options = {
            argument: getattr(module, argument, default)
            for argument, default in SIGNATURES[name].items()
        }
        # It is read as it is in evaluation.
        return self._of_function(node, name, {**options, "training": False}, label)

    def _norm(self, module: Any, label: str) -> Step:
        if module.running_mean is None:
            raise _refused(label, "it has no running statistics (track_running_stats=False)")
        mean, variance, gamma, beta = (
            None if tensor is None else self._array(tensor, label)
            for tensor in (module.running_mean, module.running_var, module.weight, module.bias)
        )
        assert mean is not None
        assert variance is not None
        momentum = BatchNorm().momentum if module.momentum is None else module.momentum
        try:
            return batch_norm(mean, variance, gamma, beta, momentum, module.eps)
        except ValueError as error:
            raise _refused(label, str(error)) from None

    def _array(self, tensor: Any, label: str) -> Array:
        if isinstance(tensor, nn.Parameter):
            if id(tensor) in self._parameters:
                raise _refused(label, _SHARED)
            self._parameters.add(id(tensor))
        array = tensor_values(tensor, label)
        self._arrays.append(array)
        return array

    # Functions

    def _input(self, args: Any, kwargs: Any, label: str) -> torch.fx.Node:
        given = args[0] if args else kwargs.get("input")
        if not isinstance(given, torch.fx.Node) or given in self._constants:
            raise _refused(label, "its first argument is not computed from the input")
        return given

    def _bound(self, node: torch.fx.Node, name: str, label: str) -> dict[str, Any]:
        """The arguments after the input by name, defaults included."""
        signature = dict(SIGNATURES[name])
        if node.target is not getattr(functional, name, None):
            # Those of torch and of tensors have no private arguments.
            signature = {key: value for key, value in signature.items() if key[0] != "_"}
        kwargs = {key: value for key, value in node.kwargs.items() if key != "input"}
        positional = dict(zip(signature, node.args[1:], strict=False))
        if len(node.args) > 1 + len(signature) or not signature.keys() >= kwargs.keys():
            raise _refused(label, f"it has arguments beside {', '.join(signature)}")
        return {**signature, **positional, **kwargs}

    def _of_function(
        self, node: torch.fx.Node, name: str, options: dict[str, Any], label: str
    ) -> list[Part]:
        if name in ACTIVATIONS:
            try:
                return [activation(ACTIVATIONS.take(name, options))]
            except UnfitError as error:
                raise _refused(label, str(error)) from None
        if name == "neg":
            return [Scale(np.array(-1.0), np.array(0.0))]
        if name in ("squeeze", "flatten"):
            if not keeps_rows(name, options, node in self._tail):
                why = "rows must stay rows; a single column may become a vector at the end alone"
                raise _refused(label, why)
        elif name.endswith("dropout") and options.get("training"):
            raise _refused(label, "it also drops in evaluation; pass training=self.training")
        return []

    def _viewed(self, node: torch.fx.Node, label: str) -> torch.fx.Node:
        """The input of a view or reshape that leaves rows of columns as they are."""
        given = self._input(node.args, node.kwargs, label)
        if not view_keeps_rows(node, node in self._tail):
            raise _refused(label, "rows must stay rows: x.view(x.size(0), -1)")
        return given

    def _concatenated(self, node: torch.fx.Node, label: str) -> Node:
        names = ("tensors", "dim")
        given = {**dict(zip(names, node.args, strict=False)), **node.kwargs}
        inputs = given.get("tensors", ())
        if given.get("dim", 0) not in (1, -1):
            raise _refused(label, "columns are put side by side with dim=1 or -1")
        if not all(isinstance(i, torch.fx.Node) and i not in self._constants for i in inputs):
            raise _refused(label, "it joins something that is not computed from the input")
        return Node(node, list(inputs), label, merge="concat")

    def _linear(self, node: torch.fx.Node, label: str) -> Node:
        names = ("input", "weight", "bias")
        given = {**dict(zip(names, node.args, strict=False)), **node.kwargs}
        weight, bias = (
            self._constants.get(value) if isinstance(value, torch.fx.Node) else value
            for value in (given["weight"], given.get("bias"))
        )
        if weight is None:
            raise _refused(label, "its weight is computed from the input")
        values = None if bias is None else self._array(bias, label)
        parts = [dense(self._array(weight, label).T, values)]
        return Node(node, [self._input(node.args, node.kwargs, label)], label, parts)

    def _arithmetic(self, node: torch.fx.Node, call: Any, label: str) -> Node:
        """A sum of two paths, or a constant that is added, multiplied, or multiplied with."""
        if len(node.args) != 2 or node.kwargs:
            raise _refused(label)
        computed = [
            isinstance(value, torch.fx.Node) and value not in self._constants for value in node.args
        ]
        if all(computed):
            if ARITHMETIC.get(call) != "add":
                raise _refused(label, "two paths can be added or concatenated")
            return Node(node, list(node.args), label, merge="add")
        place = computed.index(True) if any(computed) else 0
        other = node.args[1 - place]
        constant = self._constants[other] if isinstance(other, torch.fx.Node) else other
        return Node(node, [node.args[place]], label, [self._with(call, constant, place, label)])

    def _with(self, call: Any, constant: Any, place: int, label: str) -> Part:
        if call in MATRIX_PRODUCTS and place == 0 and getattr(constant, "ndim", 0) == 2:
            return dense(self._array(constant, label), None)
        if isinstance(constant, int | float) or getattr(constant, "ndim", None) == 0:
            value = np.array(float(constant))
        elif isinstance(constant, torch.Tensor):
            value = tensor_values(constant.detach().double(), label)
        else:
            raise _refused(label)
        if call not in ARITHMETIC:
            raise _refused(label)
        try:
            return arithmetic(ARITHMETIC[call], value, place)
        except ValueError as error:
            raise _refused(label, str(error)) from None


def _dropout(rate: float, label: str) -> list[Part]:
    if rate == 0:
        return []
    try:
        return [Step(Dropout(rate))]
    except ValueError as error:
        raise _refused(label, str(error)) from None
