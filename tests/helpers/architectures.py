"""Random networks with data and fit arguments, drawn from a seed: what whole-run tests train."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from scipy.sparse import csr_array

import fastmlp as fm
from fastmlp.declarations.optimizers import Optimizer
from fastmlp.kernels.typing import Array
from fastmlp.network.layers import Layer

CURVED = ("tanh", "sigmoid", "gelu", "silu", "mish", "softplus")
PIECEWISE = ("relu", "leaky_relu", "elu", "selu")
HIDDEN = (*CURVED, *PIECEWISE, "softmax", "exp", "linear")

# Output activation, loss, what y is, and how many outputs.
HEADS = (
    ("softmax", "cce", "labels", 3),
    ("linear", "mse", "numbers", 1),
    ("sigmoid", "bce", "two labels", 1),
    ("exp", "poisson", "counts", 1),
    ("softmax", fm.CategoricalCrossentropy(0.1), "labels", 5),
    ("linear", "mae", "numbers", 2),
    ("sigmoid", fm.BinaryCrossentropy(0.2), "columns", 4),
    ("softplus", "poisson", "counts", 2),
    ("linear", fm.Huber(0.7), "numbers", 1),
    ("softmax", "auto", "probabilities", 4),
    ("linear", fm.Quantile(0.3), "numbers", 1),
    ("sigmoid", "mse", "columns", 2),
    ("tanh", "mse", "numbers", 2),
    ("sigmoid", "mae", "columns", 3),
    ("softmax", fm.CategoricalCrossentropy(0.2), "probabilities", 3),
    ("sigmoid", "huber", "two labels", 1),
    ("exp", "mse", "positive", 1),
    ("gelu", "mse", "numbers", 1),
    ("softplus", "mse", "positive", 1),
    ("sigmoid", fm.BinaryCrossentropy(0.1), "two labels", 1),
    ("leaky_relu", "huber", "numbers", 1),
    ("elu", "mse", "numbers", 1),
    ("selu", "mae", "numbers", 1),
    ("silu", "mse", "numbers", 1),
    ("mish", "quantile", "numbers", 1),
    ("softmax", "cce", "labels", 130),
)

OPTIMIZERS = ("sgd", "momentum", "nesterov", "rmsprop", "adam", "adamw", "nadam", "adagrad", "ftrl")

SCHEDULES = (
    "number",
    "ExponentialDecay",
    "OneCycle",
    "InverseTimeDecay",
    "StepDecay",
    "CosineDecay",
    "ReduceOnPlateau",
)

WEIGHTS = ("none", "sample", "zero batch", "class", "balanced")

EPOCHS = 10
BATCHES = 5


@dataclass(frozen=True)
class Run:
    """A network and what it is to be trained on."""

    layers: list[Layer]
    loss: Any
    optimizer: Optimizer
    X: Any
    y: Array
    fit: dict[str, Any] = field(default_factory=dict)

    def model(self, backend: str, dtype: str, **arguments: Any) -> fm.Sequential:
        """The network, not yet built."""
        return fm.Sequential(
            self.layers,
            loss=self.loss,
            optimizer=self.optimizer,
            dtype=dtype,
            backend=backend,
            random_state=5,
            **arguments,
        )


def train(model: fm.Sequential, run: Run) -> dict[str, Array]:
    """Train a model for 50 batches; all tensors, the predictions and the history by name."""
    history = model.fit(run.X, run.y, verbose=0, **run.fit)
    results: dict[str, Array] = {
        **model.parameters,
        **model.buffers,
        "output": model.predict(run.X),
    }
    for name in set(history.keys()) - {"seconds"}:
        results[f"history {name}"] = np.array(history[name])
    return results


def error(a: Array, b: Array) -> float:
    """The largest difference, relative to the largest element."""
    return float(np.max(np.abs(a - b)) / (1e-6 + np.max(np.abs(b))))


class Draw:
    """Draws the parts of a network."""

    def __init__(self, rng: np.random.Generator) -> None:
        self.rng = rng

    def chance(self, probability: float) -> bool:
        return bool(self.rng.random() < probability)

    def one(self, choices: Any) -> Any:
        return choices[self.rng.integers(len(choices))]

    def width(self, norm: bool) -> int:
        """From one unit to enough for several shards; narrow ones are the most frequent.

        What passes through a single unit and is then normalized is too sensitive to rounding.
        """
        least = 4 if norm else 1
        narrow, wide = self.rng.integers(least, 25), self.rng.integers(25, 151)
        return int(self.one((least, narrow, narrow, narrow, wide, wide)))

    def penalties(self) -> dict[str, float]:
        return {name: float(self.one((1e-3, 1e-2))) for name in ("l1", "l2") if self.chance(0.25)}

    def activation(self, name: str) -> Any:
        if name == "leaky_relu":
            return self.one((name, fm.LeakyReLU(0.2)))
        if name == "elu":
            return self.one((name, fm.ELU(0.7)))
        return name

    def batch_norm(self) -> fm.BatchNorm:
        return fm.BatchNorm(float(self.one((0.1, 0.3))), float(self.one((1e-5, 1e-3))))


def hidden_block(draw: Draw, name: str, norm: bool, curved: bool, first: bool) -> list[Layer]:
    """A dense layer with an activation, and at times BatchNorm before or after it, or dropout.

    BatchNorm takes away what earlier layers add to all rows. Where nothing but linear layers lie
    between, their gradient is zero but for rounding, and optimizers that divide by its size make
    steps of any sign of it. `curved` tells that the input of the block is not linear in anything
    trained; an activation made of straight pieces is trusted only where both pieces are met.
    """
    units = draw.width(norm)
    if name == "softmax":
        units = max(units, 2)
    activation = draw.activation(name)
    dense = {"initializer": draw.one(("auto", "auto", "he_uniform", "glorot_normal", "xavier"))}
    dense |= {**draw.penalties(), "use_bias": draw.chance(0.85)}
    layers: list[Layer]
    kind = draw.rng.integers(5)
    if norm and curved and kind in (0, 1) and name != "linear":
        layers = [fm.Dense(units, **dense), draw.batch_norm(), fm.Activation(activation)]
    elif norm and kind == 2 and (name in CURVED or (first and name in PIECEWISE)):
        layers = [fm.Dense(units, activation, **dense), draw.batch_norm()]
    elif kind == 3:
        layers = [fm.Dense(units, **dense), fm.Activation(activation)]
    else:
        layers = [fm.Dense(units, activation, **dense)]
    if draw.chance(0.25):
        layers.append(fm.Dropout(float(draw.one((0.1, 0.3, 0.5)))))
    return layers


def residual_block(draw: Draw, name: str, width: int, norm: bool, nested: bool) -> list[Layer]:
    """A residual layer behind an activation, whose inner layers may hold another."""
    inner = hidden_block(draw, name, norm, curved=True, first=False)
    if nested:
        normed = [draw.batch_norm()] if norm else []
        inner += [
            fm.Dense(7, "tanh"),
            fm.Residual([fm.Dense(5, "silu"), *normed, fm.Dense(7)]),
        ]
    if draw.chance(0.5):
        return [fm.Residual([*inner, fm.Dense(width)])]
    units = draw.width(norm)
    return [fm.Residual([*inner, fm.Dense(units)], shortcut=[fm.Dense(units)])]


def hidden_layers(draw: Draw, names: list[str], norm: bool) -> list[Layer]:
    """Hidden layers, one with each of these activations."""
    layers: list[Layer] = []
    curved = True
    residual = int(draw.rng.integers(2 * len(names)))
    for place, name in enumerate(names):
        block = hidden_block(draw, name, norm, curved, first=place == 0)
        layers += block
        last = [layer for layer in block if not isinstance(layer, fm.Dropout)][-1]
        if isinstance(last, fm.BatchNorm) or name not in CURVED:
            normed = any(isinstance(layer, fm.BatchNorm) for layer in block)
            curved = normed and isinstance(last, fm.Activation)
        else:
            curved = True
        if place == residual:
            width = draw.width(norm)
            layers.append(fm.Dense(width, "tanh"))
            layers += residual_block(draw, draw.one(CURVED), width, norm, draw.chance(0.4))
            curved = False
    return layers


def optimizer(name: str, rate: str, clip: dict[str, float]) -> Optimizer:
    """An optimizer with a rate at which 50 steps are a training and no chaos."""
    initial = {"sgd": 0.02, "momentum": 0.005, "nesterov": 0.005, "adagrad": 0.005, "ftrl": 0.05}
    first = initial.get(name, 1e-3)
    schedule = {
        "number": lambda: first,
        "ExponentialDecay": lambda: fm.ExponentialDecay(first, 0.9),
        "OneCycle": lambda: fm.OneCycle(first, EPOCHS),
        "InverseTimeDecay": lambda: fm.InverseTimeDecay(first, 0.5),
        "StepDecay": lambda: fm.StepDecay(first, 0.5, 3),
        "CosineDecay": lambda: fm.CosineDecay(first, EPOCHS - 2, first / 10),
        "ReduceOnPlateau": lambda: fm.ReduceOnPlateau(first, 0.5, patience=0),
    }[rate]()
    kind = {
        "sgd": fm.SGD,
        "momentum": fm.SGD,
        "nesterov": fm.SGD,
        "rmsprop": fm.RMSprop,
        "adam": fm.Adam,
        "adamw": fm.AdamW,
        "nadam": fm.Nadam,
        "adagrad": fm.AdaGrad,
        "ftrl": fm.Ftrl,
    }[name]
    extra: dict[str, Any] = {
        "momentum": {"momentum": 0.9},
        "nesterov": {"momentum": 0.9, "nesterov": True},
        "ftrl": {"l1": 1e-3, "l2": 1e-2},
    }.get(name, {})
    return kind(schedule, **extra, **clip)


def targets(draw: Draw, kind: str, units: int, X: Array) -> Array:
    """Targets of a kind that have something to do with X."""
    rng = draw.rng
    score = X @ rng.normal(size=(X.shape[1], units)) / np.sqrt(X.shape[1])
    score = score + 0.3 * rng.normal(size=score.shape)
    if kind == "labels":
        return np.concatenate([np.arange(units), score.argmax(axis=1)])[-len(X) :]
    if kind == "probabilities":
        shares = np.exp(score)
        return shares / shares.sum(axis=1, keepdims=True)
    if kind == "two labels":
        return np.array(["no", "yes"])[(score[:, 0] > 0).astype(int)]
    if kind == "columns":
        return (score > 0).astype(float)
    if kind == "counts":
        return rng.poisson(np.exp(0.3 * score)).astype(float)
    if kind == "positive":
        return np.exp(0.3 * score)
    return score


def class_weights(kind: str, y: Array) -> Any:
    """Weights of the classes that occur, as fit takes them."""
    if kind == "balanced":
        return "balanced"
    return {label: 0.5 + 0.25 * place for place, label in enumerate(np.unique(y).tolist())}


def fit_arguments(draw: Draw, weights: str, kind: str, y: Array, size: int) -> dict[str, Any]:
    """Epochs, the size of a batch, and weights of one of the `WEIGHTS`."""
    fit: dict[str, Any] = {"epochs": EPOCHS, "batch_size": size}
    if weights in ("sample", "zero batch"):
        fit["sample_weight"] = draw.rng.uniform(0.1, 2.0, size=len(y))
    if weights == "zero batch":
        fit["sample_weight"][size : 2 * size] = 0.0
        fit["shuffle"] = False
    if weights in ("class", "balanced") and kind in ("labels", "two labels"):
        fit["class_weight"] = class_weights(weights, y)
    return fit


def random_run(number: int, attempt: int = 0) -> Run:
    """Network number `number`; activations, heads, optimizers and schedules take turns."""
    draw = Draw(np.random.default_rng([number, 77 + attempt]))
    output, loss, kind, units = HEADS[number % len(HEADS)]
    n_features = int(draw.one((1, 3, 8, 20, 60)))
    size = int(draw.one((8, 16, 33)))
    n_rows = size * (BATCHES - 1) + int(draw.rng.integers(8, size + 1))
    X = draw.rng.normal(size=(n_rows, n_features))
    y = targets(draw, kind, units, X)

    cycle = itertools.islice(itertools.cycle(HIDDEN), number, None)
    n_hidden = int(draw.rng.integers(1, 4))
    names = [next(cycle) for _ in range(n_hidden)]
    clip = {
        name: value
        for name, value in (("clip_value", 0.05), ("clip_norm", 0.5))
        if draw.chance(0.3)
    }
    turn = number // len(OPTIMIZERS)
    chosen = optimizer(OPTIMIZERS[number % len(OPTIMIZERS)], SCHEDULES[turn % len(SCHEDULES)], clip)
    # The first step of FTRL leaves weights near 0, so that columns are all but constant.
    norm = not isinstance(chosen, fm.Ftrl) and draw.chance(0.75)
    layers = hidden_layers(draw, names, norm)
    features: Any = X
    if number % 4 == 3:
        own = optimizer("ftrl" if number % 8 == 3 else "adagrad", "number", clip)
        own = own if draw.chance(0.8) else None
        deep: dict[str, Any] = {"deep": layers, "wide_optimizer": own}
        if n_features > 1 and draw.chance(0.7):
            cut = n_features // 2
            if number % 8 == 3:
                wide = X[:, :cut]
                features = (csr_array(wide) if number % 16 == 11 else wide, X[:, cut:])
            else:
                order = draw.rng.permutation(n_features).tolist()
                deep |= {"wide": order[: cut + 1], "deep_columns": order[cut:]}
        layers = [fm.WideAndDeep(units, output, **deep)]
    elif draw.chance(0.5):
        layers = [*layers, fm.Dense(units, output, **draw.penalties())]
    else:
        layers = [*layers, fm.Dense(units, **draw.penalties()), fm.Activation(output)]

    fit = fit_arguments(draw, WEIGHTS[number % len(WEIGHTS)], kind, y, size)
    if draw.chance(0.3):
        fit["validation_data"] = (features, y)
    return Run(layers, loss, chosen, features, y, fit)
