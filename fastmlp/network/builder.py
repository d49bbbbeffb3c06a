"""The builder that collects a program, and the base class of the layers that it builds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from ..declarations.activations import Activation, get_activation
from ..declarations.initializers import FROM_ROWS
from ..declarations.optimizers import Optimizer
from ..program.operation import Operation, Slot, Tensor, padded
from ..program.ops import ActivationOp, EmbeddingOp, SelectOp
from ..program.program import Factors, Penalty


class Layer:
    """A part of a network; the subclasses are declarations.

    Attributes
    ----------
    is_normalization : bool
        Whether ``initializer="auto"`` looks past it for the activation that follows.
    keeps_activation : bool
        Whether its output counts as that of the activation before it.
    makes_numbers : bool
        Whether its output is any numbers, whatever its activation is.
    """

    is_normalization: ClassVar[bool] = False
    keeps_activation: ClassVar[bool] = False
    makes_numbers: ClassVar[bool] = False

    def build(self, builder: Builder, x: Slot, path: str, following: str) -> Slot:
        """Add this layer's operations, which read `x`, and return the slot of its output.

        Parameters
        ----------
        builder : Builder
        x : Slot
        path : str
            The layer's place, such as ``"2"`` or, nested, ``"2.0"``; names start with it.
        following : str
            The initializer that suits the activation after this layer.
        """
        raise NotImplementedError

    @property
    def activation_function(self) -> Activation | None:
        """The function applied to the layer's output; None where that is not its business."""
        return None


@dataclass(frozen=True, slots=True)
class FirstValue:
    """The first value of a tensor: a number, or drawn.

    Attributes
    ----------
    tensor : Tensor
    value : float
    initializer : str or None
        Of weights of dense layers.
    times : float
        What the initializer's numbers are multiplied by.
    from_rows : str
        The initializer that takes the place of it once there are rows, if any.
    spread : {"", "normal", "uniform"}
        Drawn from N(0, value^2) or U(-value, value) where it is given.
    values : tuple of float
        In place of `value`, one for each element, where they are given.
    """

    tensor: Tensor
    value: float = 0.0
    initializer: str | None = None
    times: float = 1.0
    from_rows: str = ""
    spread: str = ""
    values: tuple[float, ...] = ()


class Builder:
    """A program while it grows: the operations and tensors that layers have asked for."""

    def __init__(self, n_features: int | tuple[int, int]) -> None:
        n_wide = None
        if isinstance(n_features, tuple):
            n_wide, n_features = n_features
        self.input = Slot(0, "input", n_features)
        self.wide = None if n_wide is None else Slot(-1, "wide input", n_wide)
        self._wide_is_read = False
        self.ops: list[Operation] = []
        self.records: list[tuple[str, Slot]] = []
        self.parameters: list[FirstValue] = []
        self.buffers: list[FirstValue] = []
        self.penalties: list[Penalty] = []
        self.own_optimizers: dict[str, Optimizer] = {}
        self.factors: dict[str, Factors] = {}
        self.n_parameters = 0
        self.n_buffers = 0
        self._n_dropouts = 0

    def chain(self, layers: Sequence[Layer], x: Slot, prefix: str, after: str) -> Slot:
        """Build layers one after the other; `after` names the activation that follows the last."""
        for place, layer in enumerate(layers):
            following = next_activation(layers[place:]) or get_activation(after)
            x = layer.build(self, x, f"{prefix}{place}", following.traits.initializer)
        return x

    def add(self, kind: Any, name: str, width: int, **fields: Any) -> Slot:
        """Append an operation and return its output; a `name` makes that available to users."""
        out = Slot(len(self.ops) + 1, name, width)
        self.ops.append(kind(out=out, **fields))
        if name:
            self.records.append((name, out))
        return out

    def take_wide(self) -> Slot | None:
        """Return X_wide to the first layer that asks, where it is an input of its own."""
        taken, self._wide_is_read = self._wide_is_read, True
        return None if taken else self.wide

    def activate(self, z: Slot, activation: Activation, name: str) -> Slot:
        """Apply an activation; one that changes nothing costs nothing."""
        if activation.traits.is_identity:
            self.records.append((name, z))
            return z
        return self.add(ActivationOp, name, z.width, x=z, activation=activation)

    def embed(
        self, x: Slot, column: int, path: str, shape: tuple[int, int], factors: Factors
    ) -> Slot:
        """Replace a column of X by rows of a table; embeddings one after the other are one."""
        op = EmbeddingOp(x, x, tuple(range(x.width)), (), ())
        last = self.ops[-1] if self.ops else None
        within, dot, number = path.rpartition(".")
        before = f"{within}{dot}{int(number) - 1}.output"
        # Of another list of layers, such as around a Branch, others read its output too.
        if isinstance(last, EmbeddingOp) and last.out is x and x.name == before:
            op = last
            self.ops.pop()
            self.records.pop()
        of_input = self._columns_of_input(op.x, path)
        if column not in of_input:
            raise ValueError(
                f"Embedding (layer {path}) reads column {column}, but its input has the columns "
                f"{', '.join(map(str, of_input))}"
            )
        place = of_input.index(column)
        if place in op.columns:
            raise ValueError(f"Embedding (layer {path}): column {column} is embedded already")
        table = self.weight(f"{path}.weight", shape, "standard_normal", "", factors=factors)
        passthrough = tuple(other for other in op.passthrough if other != place)
        tables = (*op.tables, table)
        return self.add(
            EmbeddingOp,
            f"{path}.output",
            len(passthrough) + sum(tensor.shape[1] for tensor in tables),
            x=op.x,
            passthrough=passthrough,
            columns=(*op.columns, place),
            tables=tables,
        )

    def _columns_of_input(self, x: Slot, path: str) -> Sequence[int]:
        """Return the column of X that each column of a slot is, of X or a choice of columns."""
        if x is self.input:
            return range(x.width)
        producer = next((op for op in self.ops if op.out is x), None)
        if isinstance(producer, SelectOp) and producer.x is self.input:
            return producer.columns
        raise ValueError(
            f"Embedding (layer {path}) reads a column of X, so it must stand first in the network, "
            "or first in the deep part of a WideAndDeep"
        )

    def parameter(
        self,
        name: str,
        shape: tuple[int, ...],
        value: float = 0.0,
        factors: Factors = Factors(),  # noqa: B008
    ) -> Tensor:
        """Add a trained tensor that starts at a number."""
        tensor = Tensor(name, shape, self.n_parameters)
        self.parameters.append(FirstValue(tensor, value))
        self.factors[name] = factors
        self.n_parameters += padded(tensor.size)
        return tensor

    def drawn(
        self,
        name: str,
        shape: tuple[int, ...],
        initializer: str,
        factors: Factors,
        times: float = 1.0,
    ) -> Tensor:
        """Add a trained tensor that an initializer draws."""
        tensor = self.parameter(name, shape, factors=factors)
        from_rows = initializer if initializer in FROM_ROWS else ""
        drawn_by = FROM_ROWS.get(initializer, initializer)
        self.parameters[-1] = FirstValue(tensor, 0.0, drawn_by, times, from_rows)
        return tensor

    def drawn_from(
        self,
        name: str,
        shape: tuple[int, ...],
        spread: str,
        values: Sequence[float],
        factors: Factors,
    ) -> Tensor:
        """Add a trained tensor drawn from N(0, value^2), ``"normal"``, or U(-value, value).

        `values` are those along the last axis, or one for all.
        """
        tensor = self.parameter(name, shape, factors=factors)
        value, each = values[0], tuple(values) * (tensor.size // len(values))
        own = () if len(values) == 1 else each
        self.parameters[-1] = FirstValue(tensor, value, spread=spread, values=own)
        return tensor

    def weight(
        self,
        name: str,
        shape: tuple[int, int],
        initializer: str,
        following: str,
        l1: float = 0.0,
        l2: float = 0.0,
        optimizer: Optimizer | None = None,
        mean_penalty: bool = False,
        factors: Factors = Factors(),  # noqa: B008
        times: float = 1.0,
    ) -> Tensor:
        """Add a trained matrix; ``"auto"`` draws it by the initializer `following`."""
        chosen = following if initializer == "auto" else initializer
        tensor = self.drawn(name, shape, chosen, factors, times)
        if l1 or l2:
            self.penalties.append(Penalty(tensor, l1, l2, mean_penalty))
        if optimizer is not None:
            self.own_optimizers[name] = optimizer
        return tensor

    def buffer(
        self,
        name: str,
        shape: tuple[int, ...],
        value: float = 0.0,
        values: tuple[float, ...] = (),
    ) -> Tensor:
        """Add a tensor that no optimizer changes; it starts at a number, or at `values`."""
        tensor = Tensor(name, shape, self.n_buffers)
        self.buffers.append(FirstValue(tensor, value, values=values))
        self.n_buffers += padded(tensor.size)
        return tensor

    def next_dropout(self) -> int:
        """Return a number for a dropout layer that no other has."""
        self._n_dropouts += 1
        return self._n_dropouts - 1


def next_activation(layers: Sequence[Layer]) -> Activation | None:
    """Return the activation that the first layer's output meets, past normalizations."""
    for layer in layers:
        activation = layer.activation_function
        if activation is not None and not activation.traits.is_identity:
            return activation
        if layer is not layers[0] and not layer.is_normalization:
            return activation
    return None
