"""Layers: declarations of what stands in a network. `build.py` turns them into a program.

A layer knows two things: its arguments, and which operations it adds to a program.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

from ..common.checks import (
    check_bool,
    check_int,
    check_number,
    check_positive_int,
    describe,
    find_name,
)
from ..common.config import assign, declaration
from ..declarations.activations import Activation as ActivationFunction
from ..declarations.activations import get_activation
from ..declarations.initializers import get_bias_initializer, get_initializer
from ..declarations.learning_rate import Schedule, check_scheduled
from ..declarations.optimizers import Optimizer, get_optimizer
from ..program.operation import Slot
from ..program.ops import AddOp, BatchNormOp, ConcatOp, DenseOp, DropoutOp, SelectOp
from .builder import Builder
from .builder import Layer as Layer
from .clip import Clip as Clip
from .parametric import ParametricActivation as ParametricActivation
from .parametric import Scale as Scale
from .trained import FACTORS, TrainedLayer, check_factors, factors_of

__all__ = [
    "Activation",
    "BatchNorm",
    "Branch",
    "Clip",
    "Dense",
    "Dropout",
    "Embedding",
    "ParametricActivation",
    "Residual",
    "Scale",
    "WideAndDeep",
]

PARAMETRIZATIONS = ("standard", "ntk")


def check_layers(layers: object, owner: str) -> tuple[Layer, ...]:
    """Return a non-empty list of layers as a tuple."""
    if isinstance(layers, Layer) or not isinstance(layers, Sequence) or isinstance(layers, str):
        raise TypeError(f"{owner} takes a list of layers, got {describe(layers)}")
    for place, layer in enumerate(layers):
        if not isinstance(layer, Layer):
            raise TypeError(
                f"{owner} takes a list of layers, but entry {place} is {describe(layer)}"
            )
    if not layers:
        raise ValueError(f"{owner} needs at least one layer, got an empty list")
    return tuple(layers)


@declaration
@dataclass(frozen=True)
class Dense(TrainedLayer):
    """A fully connected layer: ``activation(x @ weight + bias)``.

    Parameters
    ----------
    units : int
        Number of outputs.
    activation : str or Activation
    initializer : str
        How the first weights are drawn; ``"auto"`` looks at the activation that follows. ``"std"``
        looks at the rows of the first fit: weights from N(0, 1), over the standard deviation of
        what ``x @ weight`` becomes with them, column by column, so that it is 1.
    use_bias : bool
    l1, l2 : float
        ``l1 * sum|W| + l2 / 2 * sum W^2`` is added to the loss.
    mean_penalty : bool
        Divide that by the sum of the batch's sample weights, its rows without any: it is added to
        the sum over rows of which the loss is the mean, and weighs less the more rows there are.
    bias_initializer : {"zeros", "standard_normal", "he+5"}
        ``"he+5"`` looks at the rows of the first fit: minus a random mean of what ``x @ weight``
        becomes on five of them, so that each unit bends where there are rows (Steinwart 2019).

        Where an initializer looks at rows, they are 4096 of the rows to train on, drawn by
        `random_state`, or of the first chunk, or the batch of the first `train_step`. Dropout does
        nothing then. `reset` draws anew in the fit after it: on the same rows the same numbers.
        Until the first fit ``"lecun_normal"`` and zeros stand in.
    parametrization : {"standard", "ntk"}
        ``"ntk"``, that of the neural tangent kernel (Jacot et al. 2018):
        ``x @ weight / sqrt(n_in) + bias``. An optimizer such as Adam, whose steps do not depend on
        the size of gradients, changes the product more slowly the more inputs there are. The
        initializer is that of ``weight / sqrt(n_in)``; ``"auto"`` draws the weight from N(0, 1).
    learning_rate_factor, weight_decay_factor : float
        Of the weight: what it multiplies the optimizer's learning rate, above 0, and its weight
        decay by (of `AdamW`; 0 takes none).
    bias_learning_rate_factor, bias_weight_decay_factor : float
        Of the bias.
    """

    units: int
    activation: str | ActivationFunction = "linear"
    initializer: str = "auto"
    use_bias: bool = True
    l1: float = 0.0
    l2: float = 0.0
    mean_penalty: bool = field(default=False, kw_only=True)
    bias_initializer: str = field(default="zeros", kw_only=True)
    parametrization: str = field(default="standard", kw_only=True)
    bias_learning_rate_factor: float = field(default=1.0, kw_only=True)
    bias_weight_decay_factor: float = field(default=1.0, kw_only=True)

    def __post_init__(self) -> None:
        check_factors(self, *FACTORS, *(f"bias_{name}" for name in FACTORS))
        assign(
            self,
            bias_initializer=get_bias_initializer(self.bias_initializer),
            parametrization=find_name("parametrization", self.parametrization, PARAMETRIZATIONS),
            units=check_positive_int("units", self.units),
            activation=get_activation(self.activation),
            initializer=get_initializer(self.initializer),
            use_bias=check_bool("use_bias", self.use_bias),
            l1=check_number("l1", self.l1, 0),
            l2=check_number("l2", self.l2, 0),
            mean_penalty=check_bool("mean_penalty", self.mean_penalty),
        )
        if self.bias_initializer != "zeros" and not self.use_bias:
            raise ValueError(f"bias_initializer={self.bias_initializer!r} needs use_bias=True")

    @property
    def activation_function(self) -> ActivationFunction:
        return get_activation(self.activation)

    def build(self, builder: Builder, x: Slot, path: str, following: str) -> Slot:
        times, initializer = 1.0, self.initializer
        if self.parametrization == "ntk":
            times = math.sqrt(x.width)
            initializer = "lecun_normal" if initializer == "auto" else initializer
        weight = builder.weight(
            f"{path}.weight",
            (x.width, self.units),
            initializer,
            following,
            self.l1,
            self.l2,
            mean_penalty=self.mean_penalty,
            factors=factors_of(self),
            times=times,
        )
        bias = None
        if self.use_bias:
            factors = factors_of(self, "bias_")
            bias = builder.drawn(f"{path}.bias", (self.units,), self.bias_initializer, factors)
        z = builder.add(
            DenseOp,
            f"{path}.preactivation",
            self.units,
            x=x,
            weight=weight,
            bias=bias,
            factor=1.0 / times,
        )
        return builder.activate(z, self.activation_function, f"{path}.output")


@declaration
@dataclass(frozen=True)
class BatchNorm(TrainedLayer):
    """Batch normalization (Ioffe and Szegedy 2015) of each column.

    ``gamma * (x - mean) / sqrt(var + epsilon) + beta``, with the biased variance of the batch in
    training and with running statistics in prediction, where
    ``running = (1 - momentum) * running + momentum * batch`` takes the unbiased variance. On a
    training batch of one row the output is beta and the running statistics stay.

    Parameters
    ----------
    momentum : float
        In (0, 1]; the share of a batch in the running statistics.
    epsilon : float
    learning_rate_factor, weight_decay_factor : float
        What gamma and beta multiply the optimizer's learning rate and weight decay by.
    """

    momentum: float = 0.1
    epsilon: float = 1e-5

    is_normalization = True
    keeps_activation = True

    def __post_init__(self) -> None:
        check_factors(self)
        assign(
            self,
            momentum=check_number("momentum", self.momentum, 0, 1, open_low=True),
            epsilon=check_number("epsilon", self.epsilon, 0, open_low=True),
        )

    def build(self, builder: Builder, x: Slot, path: str, following: str) -> Slot:
        factors = factors_of(self)
        return builder.add(
            BatchNormOp,
            f"{path}.output",
            x.width,
            x=x,
            gamma=builder.parameter(f"{path}.gamma", (x.width,), value=1.0, factors=factors),
            beta=builder.parameter(f"{path}.beta", (x.width,), factors=factors),
            running_mean=builder.buffer(f"{path}.running_mean", (x.width,)),
            running_var=builder.buffer(f"{path}.running_var", (x.width,), value=1.0),
            momentum=self.momentum,
            epsilon=self.epsilon,
        )


@declaration
@dataclass(frozen=True)
class Dropout(Layer):
    """Inverted dropout (Srivastava et al. 2014).

    In training each value is 0 with probability `rate` and otherwise divided by ``1 - rate``; in
    prediction nothing happens.

    Parameters
    ----------
    rate : float or Schedule
        In [0, 1); a schedule gives that of each step, as `FlatCosine` does.
    """

    rate: float | Schedule

    keeps_activation = True

    def __post_init__(self) -> None:
        assign(self, rate=check_scheduled("rate", self.rate, 0, 1, open_high=True))

    def build(self, builder: Builder, x: Slot, path: str, following: str) -> Slot:
        number = builder.next_dropout()
        return builder.add(DropoutOp, f"{path}.output", x.width, x=x, rate=self.rate, number=number)


@declaration
@dataclass(frozen=True)
class Activation(Layer):
    """An activation function as a layer of its own.

    Parameters
    ----------
    name : str or Activation
        ``"relu"``, ``fm.LeakyReLU(0.1)``, ...
    """

    name: str | ActivationFunction

    def __post_init__(self) -> None:
        assign(self, name=get_activation(self.name))

    @property
    def activation_function(self) -> ActivationFunction:
        return get_activation(self.name)

    def build(self, builder: Builder, x: Slot, path: str, following: str) -> Slot:
        return builder.activate(x, self.activation_function, f"{path}.output")


@declaration
@dataclass(frozen=True)
class Residual(Layer):
    """``x + f(x)`` (He et al. 2016).

    Parameters
    ----------
    layers : list of Layer
        f; its output is as wide as x, or as that of `shortcut`.
    shortcut : list of Layer, optional
        What is added in place of x itself, where widths differ: ``[Dense(k)]``.
    """

    layers: Sequence[Layer]
    shortcut: Sequence[Layer] | None = None

    def __post_init__(self) -> None:
        assign(self, layers=check_layers(self.layers, "Residual"))
        if self.shortcut is not None:
            assign(self, shortcut=check_layers(self.shortcut, "Residual's shortcut"))

    def build(self, builder: Builder, x: Slot, path: str, following: str) -> Slot:
        skipped = x
        if self.shortcut is not None:
            skipped = builder.chain(self.shortcut, x, f"{path}.shortcut.", "linear")
        f = builder.chain(self.layers, x, f"{path}.", "linear")
        if f.width != skipped.width:
            raise ValueError(
                f"Residual (layer {path}) adds an input of width {skipped.width} to an output of "
                f"width {f.width}; end its layers with Dense({skipped.width}), or give "
                f"shortcut=[Dense({f.width})]"
            )
        return builder.add(AddOp, f"{path}.output", f.width, x=skipped, y=f)


@declaration
@dataclass(frozen=True, init=False)
class Branch(Layer):
    """Several paths from the same input, whose outputs are joined.

    Parameters
    ----------
    *paths : list of Layer
        At least two; an empty list passes the input on.
    merge : {"concat", "add"}
        Columns side by side, in the order of the paths, or the sum of outputs of one width.
    """

    paths: tuple[tuple[Layer, ...], ...]
    merge: str = "concat"

    def __init__(self, *paths: Sequence[Layer], merge: str = "concat") -> None:
        assign(self, paths=paths, merge=merge)
        self.__post_init__()

    def __post_init__(self) -> None:
        checked = tuple(
            () if isinstance(path, list | tuple) and not path else check_layers(path, "Branch")
            for path in self.paths
        )
        if len(checked) < 2 or not any(checked):
            raise ValueError(
                "Branch takes at least two lists of layers, of which one may be empty, got "
                f"{len(checked)}: Branch([Dense(8)], [Dense(8)])"
            )
        assign(self, paths=checked, merge=find_name("merge", self.merge, ("concat", "add")))

    def build(self, builder: Builder, x: Slot, path: str, following: str) -> Slot:
        parts = tuple(
            builder.chain(layers, x, f"{path}.{number}.", "linear")
            for number, layers in enumerate(self.paths)
        )
        name, widths = f"{path}.output", [part.width for part in parts]
        if self.merge == "concat":
            return builder.add(ConcatOp, name, sum(widths), parts=parts)
        if len(set(widths)) > 1:
            raise ValueError(
                f"Branch (layer {path}) adds outputs of one width, got {widths}; use "
                "merge='concat' or Dense layers of one width"
            )
        total = parts[0]
        for part in parts[1:]:
            total = builder.add(
                AddOp, name if part is parts[-1] else "", widths[0], x=total, y=part
            )
        return total


@declaration
@dataclass(frozen=True)
class Embedding(TrainedLayer):
    """A column of codes replaced by trained vectors, one for each category.

    The output has the columns of X that are not embedded, in their order, and then the
    embeddings: ``weight[x[:, column]]``. Several stand one after the other, first in the network
    or in the deep part of a `WideAndDeep`. First vectors are drawn from N(0, 1).

    Parameters
    ----------
    n_categories : int
        Codes in the column are whole numbers from 0 to ``n_categories - 1``.
    dim : int
        Length of a vector.
    column : int
        Counts in X, of two inputs in X_deep.
    learning_rate_factor, weight_decay_factor : float
        What the vectors multiply the optimizer's learning rate and weight decay by.
    """

    n_categories: int
    dim: int
    column: int

    def __post_init__(self) -> None:
        check_factors(self)
        assign(
            self,
            n_categories=check_positive_int("n_categories", self.n_categories),
            dim=check_positive_int("dim", self.dim),
            column=check_int("column", self.column, 0),
        )

    def build(self, builder: Builder, x: Slot, path: str, following: str) -> Slot:
        shape = (self.n_categories, self.dim)
        return builder.embed(x, self.column, path, shape, factors_of(self))


def check_columns(name: str, columns: object) -> tuple[int, ...] | None:
    """Return a list of distinct column numbers as a tuple, None as it is."""
    if columns is None:
        return None
    if isinstance(columns, str) or not isinstance(columns, Sequence):
        raise TypeError(f"{name} must be a list of column numbers or None, got {describe(columns)}")
    checked = []
    for column in columns:
        if isinstance(column, bool) or not hasattr(column, "__index__"):
            raise TypeError(f"{name} must hold column numbers, got {describe(column)}")
        checked.append(int(column.__index__()))
    if not checked or min(checked) < 0 or len(set(checked)) < len(checked):
        raise ValueError(
            f"{name} must hold at least one column number, each at least 0 and only once, "
            f"got {checked}"
        )
    return tuple(checked)


@declaration
@dataclass(frozen=True)
class WideAndDeep(Layer):
    """An output layer that reads the last hidden layer and the inputs (Cheng et al. 2016).

    ``activation(h @ W_deep + x[:, wide] @ W_wide + b)``, h the output of `deep` on
    ``x[:, deep_columns]``; parameters ``weight`` (deep), ``wide_weight``, ``bias``. W_wide starts
    at zero, so that a column which training has not seen adds nothing to a prediction.

    As the first layer it also takes two inputs, ``X = (X_wide, X_deep)``, of which X_wide may be a
    SciPy sparse matrix. It is read row by row as it is stored, never made dense.

    Parameters
    ----------
    units : int
    activation : str or Activation
    deep : list of Layer
        The hidden layers.
    wide, deep_columns : list of int, optional
        Columns that the two parts read; None means all, or with two inputs each its own.
    wide_optimizer : str or Optimizer, optional
        An optimizer of its own for ``wide_weight``. With many sparse columns AdaGrad, FTRL and SGD
        without momentum are fast: they update only the rows of ``wide_weight`` that a batch has
        read, with the same result.
    """

    units: int
    activation: str | ActivationFunction = "linear"
    deep: Sequence[Layer] = ()
    wide: Sequence[int] | None = None
    deep_columns: Sequence[int] | None = None
    wide_optimizer: str | Optimizer | None = None

    def __post_init__(self) -> None:
        assign(
            self,
            units=check_positive_int("units", self.units),
            activation=get_activation(self.activation),
            deep=check_layers(self.deep, "WideAndDeep's deep"),
            wide=check_columns("wide", self.wide),
            deep_columns=check_columns("deep_columns", self.deep_columns),
        )
        if self.wide_optimizer is not None:
            assign(self, wide_optimizer=get_optimizer(self.wide_optimizer))

    @property
    def activation_function(self) -> ActivationFunction:
        return get_activation(self.activation)

    def build(self, builder: Builder, x: Slot, path: str, following: str) -> Slot:
        wide = builder.take_wide() or self._columns(builder, x, self.wide, f"{path}.wide")
        deep = self._columns(builder, x, self.deep_columns, f"{path}.deep")
        h = builder.chain(self.deep, deep, f"{path}.", "linear")
        weight = builder.weight(f"{path}.weight", (h.width, self.units), "auto", following)
        optimizer = get_optimizer(self.wide_optimizer) if self.wide_optimizer else None
        wide_weight = builder.weight(
            f"{path}.wide_weight", (wide.width, self.units), "zeros", following, optimizer=optimizer
        )
        bias = builder.parameter(f"{path}.bias", (self.units,))
        from_deep = builder.add(DenseOp, "", self.units, x=h, weight=weight, bias=bias)
        from_wide = builder.add(DenseOp, "", self.units, x=wide, weight=wide_weight, bias=None)
        z = builder.add(AddOp, f"{path}.preactivation", self.units, x=from_deep, y=from_wide)
        return builder.activate(z, self.activation_function, f"{path}.output")

    @staticmethod
    def _columns(builder: Builder, x: Slot, columns: Sequence[int] | None, name: str) -> Slot:
        if columns is None:
            return x
        if max(columns) >= x.width:
            raise ValueError(
                f"WideAndDeep reads column {max(columns)}, but its input has columns 0 to "
                f"{x.width - 1}"
            )
        return builder.add(SelectOp, "", len(columns), x=x, columns=tuple(columns))
