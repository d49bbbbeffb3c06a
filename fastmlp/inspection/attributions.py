"""Attributions: what each column of a row has added to its prediction, by integrated gradients."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ..common.checks import check_array, check_positive_int, describe
from ..common.error_state import own_error_state
from ..data.rows import FeaturePair, SparseRows, as_dtype
from ..program.program import categories
from ..runners.input_gradients import InputGradients
from ..runners.numpy_runner import predict
from ..training.examples import check_names, read_rows

if TYPE_CHECKING:
    from ..kernels.typing import Array
    from ..model.sequential import Sequential
    from ..program.program import Program
    from ..training.state import TrainingState

# Points of paths that are looked at at a time: activations stay in the cache.
_BLOCK_POINTS = 2048
_SHOWN = 10

__all__ = ["Attributions", "attribute"]


@dataclass(frozen=True, eq=False)
class Attributions:
    """What each column has added to the prediction of each row.

    ``base_values + values.sum(axis=1)`` are the predictions, but for the error of the sum over the
    steps of a path. ``str()`` lists the columns, the most important first, and
    `fastmlp.plot_importance` draws them.

    Attributes
    ----------
    values : ndarray, shape (n, n_columns)
        In units of the prediction.
    base_values : ndarray, shape (n,)
        The prediction of the baseline of each row.
    columns : tuple of str
        Names of the columns.
    explained : str
        What is predicted, in words.
    """

    values: Array
    base_values: Array
    columns: tuple[str, ...]
    explained: str = "prediction"

    @property
    def importance(self) -> Array:
        """The mean absolute attribution of each column, ``(n_columns,)``."""
        found: Array = np.abs(self.values).mean(axis=0)
        return found

    def __str__(self) -> str:
        importance = self.importance
        order = np.argsort(-importance, kind="stable")[:_SHOWN]
        width = max((len(self.columns[place]) for place in order), default=0)
        lines = [f"mean |attribution| to the {self.explained}, of {len(self.values):,} rows"]
        lines += [f"{self.columns[place]:<{width}}  {importance[place]:.4g}" for place in order]
        if len(self.columns) > len(order):
            lines.append(f"... and {len(self.columns) - len(order)} columns of less importance")
        return "\n".join(lines)

    def __repr__(self) -> str:
        n_rows, n_columns = self.values.shape
        return f"<Attributions of {n_columns} columns to the {self.explained}, {n_rows} rows>"


@own_error_state
def attribute(
    model: Sequential, X: object, baseline: object, output: object, n_steps: int
) -> Attributions:
    """Return integrated gradients, see `Sequential.attributions`."""
    training = model.training_state
    program = training.state.program
    n_steps = check_positive_int("n_steps", n_steps)
    _refuse_codes(program)
    x = _joined(training, X, "X")
    start = np.zeros((1, x.shape[1]), x.dtype)
    if baseline is not None:
        start = _joined(training, _as_rows(training, baseline), "baseline")
        if len(start) not in (1, len(x)):
            raise ValueError(
                f"baseline must be one row, or one for each of the {len(x)} rows of X; got "
                f"{len(start)} rows"
            )
    outputs, explained = _outputs(model, X, output, len(x))
    # In NumPy, whatever the backend: both give the same bits.
    base = predict(
        training.state, program.ops + program.output_ops, program.output, _parted(program, start)
    )
    base = np.broadcast_to(base, (len(x), base.shape[1]))[np.arange(len(x)), outputs]
    start = np.broadcast_to(start, x.shape)
    values = _integrated(InputGradients(training.state), x, start, outputs, n_steps)
    return Attributions(values, base, _names(training), explained)


def _integrated(
    gradients: InputGradients, x: Array, start: Array, outputs: Array, n_steps: int
) -> Array:
    """``(x - start) sum_k share_k df(start + node_k (x - start))``, by Gauss and Legendre."""
    found, n_features = np.empty_like(x), x.shape[1]
    nodes, weights = np.polynomial.legendre.leggauss(n_steps)
    nodes, shares = ((1.0 + nodes) / 2.0).astype(x.dtype), weights / 2.0
    n_rows = max(1, _BLOCK_POINTS // n_steps)
    for first in range(0, len(x), n_rows):
        rows = slice(first, first + n_rows)
        way = x[rows] - start[rows]
        points = start[rows] + nodes[:, np.newaxis, np.newaxis] * way
        slopes = gradients.of_rows(points.reshape(-1, n_features), np.tile(outputs[rows], n_steps))
        found[rows] = way * np.tensordot(shares, slopes.reshape(points.shape), axes=1)
    return found


def _refuse_codes(program: Program) -> None:
    codes = sorted(categories(program))
    if codes:
        raise ValueError(
            f"columns {codes} of X are codes of an Embedding, which cannot change by small steps "
            "from a baseline: there are no attributions; a network of columns of 0 and 1 (one-hot) "
            "has them"
        )


def _as_rows(training: TrainingState, baseline: Any, part: str = "X") -> Any:
    """Make one row of a vector, in each part of a pair."""
    if training.takes_pair and isinstance(baseline, tuple) and len(baseline) == 2:
        return tuple(map(_as_rows, (training,) * 2, baseline, ("X_wide", "X_deep")))
    if not hasattr(baseline, "ndim"):
        check_array("baseline", baseline)
    if np.ndim(baseline) == 1:
        check_names(training, {part: baseline}, "baseline")
        return np.asarray(baseline)[np.newaxis]
    return baseline


def _joined(training: TrainingState, X: object, name: str) -> Array:
    """Rows in the network's dtype; of two inputs side by side."""
    x = as_dtype(read_rows(training, X, name).x, training.network.dtype)
    parts = (x.wide, x.deep) if isinstance(x, FeaturePair) else (x,)
    arrays = []
    for part in parts:
        if isinstance(part, SparseRows):
            raise TypeError(
                "attributions are dense, one for each column of each row: pass an array, such as "
                "some rows of X.toarray()"
            )
        arrays.append(part)
    return arrays[0] if len(arrays) == 1 else np.concatenate(arrays, axis=1)


def _parted(program: Program, x: Array) -> Array | FeaturePair:
    if program.wide is None:
        return x
    n_wide = program.wide.width
    return FeaturePair(x[:, :n_wide], x[:, n_wide:])


def _outputs(model: Sequential, X: object, output: object, n_rows: int) -> tuple[Array, str]:
    """The number of the output of each row that is explained, and its name."""
    width = model.training_state.program.output.width
    task = model.training_state.encoder().task
    classes = model.classes
    if output is None:
        if width == 1:
            label = 1 if classes is None or len(classes) < 2 else classes[1]
            name = f"probability of {label}" if task == "binary" else "prediction"
            return np.zeros(n_rows, np.int64), name
        if task == "multiclass":
            return model.predict(X).argmax(axis=1), "probability of the predicted class"
        raise ValueError(
            f"the network has {width} outputs; say which one is to be explained, such as output=0"
        )
    chosen = check_array("output", output)
    if chosen.dtype.kind not in "iu" or chosen.shape not in ((), (n_rows,)):
        raise ValueError(
            f"output must be the number of an output, or one for each of the {n_rows} rows; got "
            f"{describe(output)}"
        )
    if chosen.min() < 0 or chosen.max() >= width:
        raise ValueError(
            f"output must be from 0 to {width - 1}, for the network has {width} outputs; got "
            f"{chosen.min() if chosen.min() < 0 else chosen.max()}"
        )
    name = "chosen output"
    if chosen.ndim == 0:
        name = f"output {int(chosen)}"
        if task == "multiclass" and classes is not None:
            name = f"probability of {classes[int(chosen)]}"
    return np.broadcast_to(chosen, (n_rows,)).astype(np.int64), name


def _names(training: TrainingState) -> tuple[str, ...]:
    """The names of the columns, where the first fit was given some, else numbers."""
    program, known = training.state.program, training.feature_names
    parts: dict[str, int] = {"X": program.input.width}
    if program.wide is not None:
        parts = {"X_wide": program.wide.width, "X_deep": program.input.width}
    found: list[str] = []
    for part, width in parts.items():
        word = "feature" if part == "X" else part
        found += known.get(part, tuple(f"{word} {place}" for place in range(width)))
    return tuple(found)
