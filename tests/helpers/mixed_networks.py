"""Random networks that mix all that layers can be nested in, drawn from a seed."""

from __future__ import annotations

from typing import Any

import numpy as np
from architectures import (
    CURVED,
    HEADS,
    OPTIMIZERS,
    SCHEDULES,
    WEIGHTS,
    Draw,
    Run,
    fit_arguments,
    optimizer,
    targets,
)
from scipy.sparse import csr_array

import fastmlp as fm
from fastmlp.kernels.typing import Array
from fastmlp.network.layers import Layer

FUNCTIONS: dict[str, Any] = {
    "mixed_softsign": (lambda z: z / (1 + abs(z)), lambda z: 1 / (1 + abs(z)) ** 2),
    "mixed_gaussian": (lambda z: fm.math.exp(-z * z), lambda z: -2 * z * fm.math.exp(-z * z)),
}
LOSS_FUNCTIONS: dict[str, Any] = {
    "mixed_log_cosh": (
        lambda p, y: abs(p - y) + fm.math.log1p(fm.math.exp(-2 * abs(p - y))),
        lambda p, y: fm.math.tanh(p - y),
    ),
    "mixed_lopsided": (
        lambda p, y: (p - y) ** 2 if p > y else 3 * (p - y) ** 2,
        lambda p, y: 2 * (p - y) if p > y else 6 * (p - y),
    ),
}
NAMES = (*CURVED, *FUNCTIONS, "softmax", "relu", "linear")
OWN_HEADS = (
    ("linear", "mixed_log_cosh", "numbers", 2),
    ("sigmoid", "mixed_lopsided", "two labels", 1),
    ("mixed_softsign", "mse", "numbers", 1),
    ("tanh", "mixed_lopsided", "numbers", 1),
)


def register() -> None:
    """Make the functions of these networks known."""
    for name, pair in FUNCTIONS.items():
        fm.register_activation(name, *pair)
    for name, pair in LOSS_FUNCTIONS.items():
        fm.register_loss(name, *pair)


class Maker:
    """Draws layers and keeps track of how wide their output is."""

    def __init__(self, draw: Draw, norm: bool) -> None:
        self.draw = draw
        self.norm = norm

    def name(self) -> str:
        return str(self.draw.one(NAMES))

    def dense(self, units: int, activation: Any) -> fm.Dense:
        use_bias = self.draw.chance(0.85)
        return fm.Dense(units, activation, use_bias=use_bias, **self.draw.penalties())

    def simple(self, width: int) -> tuple[list[Layer], int]:
        """A dense layer, with BatchNorm or dropout at times."""
        units, name = max(2, self.draw.width(self.norm)), self.name()
        kind = self.draw.rng.integers(4)
        if kind == 0 and self.norm and name != "linear":
            layers = [
                self.dense(units, "tanh"),
                self.dense(units, "linear"),
                self.draw.batch_norm(),
                fm.Activation(name),
            ]
        elif kind == 1 and self.norm:
            layers = [self.dense(units, self.draw.one(CURVED)), self.draw.batch_norm()]
        else:
            layers = [self.dense(units, name)]
        if self.draw.chance(0.2):
            layers.append(fm.Dropout(float(self.draw.one((0.1, 0.4)))))
        return layers, units

    def branch(self, width: int, depth: int) -> tuple[list[Layer], int]:
        n_paths = int(self.draw.rng.integers(2, 4))
        paths, widths = [], []
        for _ in range(n_paths):
            path, out = self.chain(width, depth - 1) if self.draw.chance(0.75) else ([], width)
            paths.append(path)
            widths.append(out)
        if not any(paths):
            paths[0], widths[0] = self.simple(width)
        if self.draw.chance(0.5):
            return [fm.Branch(*paths)], sum(widths)
        # Identity paths fix the width of the sum.
        common = width if not all(paths) else max(2, self.draw.width(self.norm))
        for path in paths:
            if path:
                path.append(self.dense(common, self.draw.one(("linear", "silu"))))
        return [fm.Branch(*paths, merge="add")], common

    def residual(self, width: int, depth: int) -> tuple[list[Layer], int]:
        inner, _ = self.chain(width, depth - 1)
        if self.draw.chance(0.5):
            return [fm.Residual([*inner, self.dense(width, "linear")])], width
        shortcut, common = self.chain(width, 0)
        return [fm.Residual([*inner, self.dense(common, "tanh")], shortcut=shortcut)], common

    def wide(self, width: int, depth: int) -> tuple[list[Layer], int]:
        """WideAndDeep as a hidden layer."""
        deep, _ = self.chain(width, depth - 1)
        units = max(2, self.draw.width(self.norm))
        own = optimizer(self.draw.one(OPTIMIZERS), "number", {}) if self.draw.chance(0.3) else None
        return [fm.WideAndDeep(units, self.name(), deep=deep, wide_optimizer=own)], units

    def chain(self, width: int, depth: int) -> tuple[list[Layer], int]:
        layers: list[Layer] = []
        for _ in range(int(self.draw.rng.integers(1, 3))):
            kinds = ["simple", "simple", "dropout", "activation"]
            if depth:
                kinds += ["branch", "branch", "residual", "wide"]
            kind = self.draw.one(kinds)
            if kind == "dropout":
                part, out = [fm.Dropout(0.2)], width
            elif kind == "activation":
                part, out = [fm.Activation(self.draw.one(("tanh", "mixed_softsign")))], width
            elif kind == "simple":
                part, out = self.simple(width)
            else:
                part, out = getattr(self, kind)(width, depth)
            layers += part
            width = out
        return layers, width


def embeddings(draw: Draw, counts: dict[int, int], columns: list[int]) -> tuple[list[Layer], int]:
    """Embeddings of the columns of codes among `columns`, and the width that they leave."""
    chosen = [column for column in columns if column in counts]
    layers: list[Layer] = []
    width = len(columns) - len(chosen)
    for column in draw.rng.permutation(chosen).tolist():
        dim = int(draw.rng.integers(1, 4))
        layers.append(fm.Embedding(counts[column], dim, column))
        width += dim
    return layers, width


def mixed_run(number: int, attempt: int = 0) -> Run:
    """Network number `number`; heads, optimizers, weights and kinds of input take turns."""
    draw = Draw(np.random.default_rng([number, 91 + attempt]))
    heads = (*OWN_HEADS, *(head for head in HEADS if head[3] < 100))
    output, loss, kind, units = heads[number % len(heads)]
    n_numbers, n_codes = int(draw.rng.integers(1, 12)), int(draw.rng.integers(0, 4))
    size = int(draw.one((8, 16, 33)))
    n_rows = size * 4 + int(draw.rng.integers(8, size + 1))
    n_features = n_numbers + n_codes
    X = draw.rng.normal(size=(n_rows, n_features))
    y = targets(draw, kind, units, X)
    counts = {}
    for column in draw.rng.permutation(n_features)[:n_codes].tolist():
        counts[column] = int(draw.rng.integers(2, 7))
        X[:, column] = draw.rng.integers(0, counts[column], n_rows)
    clip = {
        name: value
        for name, value in (("clip_value", 0.05), ("clip_norm", 0.5))
        if draw.chance(0.3)
    }
    schedule = SCHEDULES[(number // len(OPTIMIZERS)) % len(SCHEDULES)]
    chosen = optimizer(OPTIMIZERS[number % len(OPTIMIZERS)], schedule, clip)
    norm = not isinstance(chosen, fm.Ftrl) and draw.chance(0.6)
    maker = Maker(draw, norm)
    features: Any = X
    own = None
    if draw.chance(0.8):
        own = optimizer(draw.one(OPTIMIZERS), draw.one(SCHEDULES), clip if draw.chance(0.5) else {})
    form = number % 5
    if form in (0, 1):
        layers, width = embeddings(draw, counts, list(range(n_features)))
        if layers and draw.chance(0.3):
            # Each path reads the codes for itself.
            other, second = embeddings(draw, counts, list(range(n_features)))
            layers, width = [fm.Branch(layers, other)], width + second
        hidden, width = maker.chain(width, 2)
        layers = [*layers, *hidden, fm.Dense(units, output, **draw.penalties())]
    else:
        columns = list(range(n_features))
        parts: dict[str, Any] = {}
        if form == 2:
            n_wide = int(draw.one((5, 30, 3000)))
            wide = draw.rng.normal(size=(n_rows, n_wide)) * (
                draw.rng.random((n_rows, n_wide)) < min(0.3, 3 / n_wide)
            )
            features = (csr_array(wide) if draw.chance(0.7) else wide, X)
        elif form == 3:
            columns = draw.rng.permutation(n_features)[: max(1, n_features - 2)].tolist()
            read = draw.rng.permutation(n_features)[: max(1, n_features // 2)].tolist()
            parts = {"deep_columns": columns, "wide": read}
        layers, width = embeddings(draw, counts, columns)
        hidden, width = maker.chain(width, 2)
        layers = [
            fm.WideAndDeep(units, output, deep=[*layers, *hidden], wide_optimizer=own, **parts)
        ]

    fit = fit_arguments(draw, WEIGHTS[(number // 2) % len(WEIGHTS)], kind, y, size)
    if draw.chance(0.3):
        fit["validation_data"] = (features, y)
    elif draw.chance(0.2):
        fit["validation_split"] = 0.2
    return Run(layers, loss, chosen, features, y, fit)


def rows_of(X: Any, part: Any) -> Any:
    """Some rows of X, or of both its parts."""
    return tuple(x[part] for x in X) if isinstance(X, tuple) else X[part]


def moved(X: Any) -> Any:
    """X changed by two units of rounding, but for whole numbers, which may be codes."""
    rng = np.random.default_rng(0)

    def of_array(x: Array) -> Array:
        signs = rng.choice([-1.0, 1.0], x.shape)
        return np.where(x == np.floor(x), x, x * (1.0 + signs * np.finfo(np.float64).eps))

    if isinstance(X, tuple):
        return tuple(moved(part) for part in X)
    if isinstance(X, csr_array):
        return csr_array((of_array(X.data), X.indices, X.indptr), X.shape)
    return of_array(X)
