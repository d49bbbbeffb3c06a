"""The training of a network for a table, judged on rows that it has not seen.

It begins at the best of a constant answer and some linear models, and ends at its best epoch. Both
are chosen by the mean loss of validation rows, each only where it is better by more than chance is
likely to make it: on a table of noise the constant answer is kept. Of small tables all rows serve
for both, by cross-fitting: one network for each part of the rows trains on the others, all side by
side, and one more then trains on all rows for as many epochs.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from time import perf_counter
from typing import TYPE_CHECKING

import numpy as np

from ..declarations.optimizers import Adam
from ..errors import DivergenceError
from ..model.sequential import Sequential
from ..training.examples import read_examples
from ..training.history import History
from .head import begin_at, layers, starts

if TYPE_CHECKING:
    from ..kernels.typing import Array
    from ..program.state import Snapshot
    from ..training.callbacks import Callback

    Fold = tuple[Array, Array]

# Tables of fewer rows are cross-fitted.
SMALL = 2000
# Updates of an epoch, and the sizes of a batch.
_UPDATES, _LEAST, _MOST = 40, 16, 256
# Standard errors by which a loss must be lower: of a linear model than of a constant answer, of
# the network than of where it began. Chosen on 44 tables, docs/decisions.md.
_SURE_OF_LINEAR, _SURE_OF_NETWORK = 2.0, 2.0


@dataclass(frozen=True)
class Recipe:
    """What the training can be told.

    Attributes
    ----------
    hidden : tuple of int
    activation : str
    learning_rate : float
    epochs : int
        The most.
    patience : int
        The training ends after so many epochs without a lower loss of the validation rows; 0:
        never, and the last epoch is kept.
    batch_size : int, optional
        By default a fortieth of the rows, from 16 to 256.
    seed : int
    dtype, backend, n_threads
        As `fastmlp.Sequential` takes them.
    """

    hidden: tuple[int, ...] = (64, 32)
    activation: str = "relu"
    learning_rate: float = 2e-3
    epochs: int = 300
    patience: int = 20
    batch_size: int | None = None
    seed: int = 0
    dtype: str = "float32"
    backend: str = "auto"
    n_threads: int | str = "auto"

    def rows_of_batch(self, n_rows: int) -> int:
        """How many rows an update takes: a power of two."""
        if self.batch_size is not None:
            return self.batch_size
        return int(np.clip(2 ** round(np.log2(max(n_rows, 1) / _UPDATES)), _LEAST, _MOST))


@dataclass(frozen=True)
class Trained:
    """A trained network, and how it came about.

    Attributes
    ----------
    model : Sequential
    start : str
        ``"constant"`` or ``"linear"``: where the training began.
    best_epoch : int
        How many epochs the weights have seen; 0 where none was better than the start.
    history : History
        ``loss`` and ``val_loss``, of the networks of all folds, a line an epoch.
    rows, outputs : ndarray
        The validation rows, ascending, and what was predicted for them by networks that had not
        seen them, ``(n, units)``; None without validation.
    """

    model: Sequential
    start: str
    best_epoch: int
    history: History
    rows: Array | None
    outputs: Array | None


def train(
    X: Array,
    y: Array,
    n_classes: int,
    folds: Sequence[Fold],
    recipe: Recipe,
    callbacks: Iterable[Callback] = (),
) -> Trained:
    """Train a network.

    Parameters
    ----------
    X : ndarray, shape (n, n_features)
        Scaled columns.
    y : ndarray, shape (n,)
        Labels that sort as their classes do, or scaled numbers.
    n_classes : int
        How many different labels y has; 0 for a regression.
    folds : sequence of (training rows, validation rows)
        One pair, whose network is returned; more, which are cross-fitted; or none, and the network
        trains on all rows for as many epochs as the recipe says.
    recipe : Recipe
    callbacks : iterable of Callback
        They watch the network of the first fold; its ``val_loss`` is the mean over all.
    """
    codes = np.unique(y, return_inverse=True)[1] if n_classes else y
    if len(folds) < 2:
        # Its one network is what is returned, and gets the labels themselves.
        whole = np.arange(len(X)) if not folds else folds[0][0]
        course = _Course(X, codes, n_classes, folds or [(whole, whole[:0])], recipe, labels=y)
    else:
        course = _Course(X, codes, n_classes, folds, recipe)
    course.choose_start()
    course.run(callbacks)
    model, best = course.members[0].model, course.best_epoch
    if len(folds) > 1:
        model = _on_all_rows(X, y, codes, n_classes, course, recipe)
    rows, outputs = course.validated() if folds else (None, None)
    return Trained(model, course.start, best, course.history, rows, outputs)


def _on_all_rows(
    X: Array, y: Array, codes: Array, n_classes: int, course: _Course, recipe: Recipe
) -> Sequential:
    """Train on all rows from the same kind of start for as many epochs."""
    member = _Member(X, y, n_classes, np.arange(len(X)), np.arange(0), recipe)
    options = list(starts(X, codes, n_classes))
    begin_at(member.model, options[course.place].linear)
    if course.best_epoch:
        member.fit(course.best_epoch)
    return member.model


class _Member:
    """The network of a fold."""

    def __init__(
        self, X: Array, y: Array, n_classes: int, rows: Array, others: Array, recipe: Recipe
    ) -> None:
        self._batch = recipe.rows_of_batch(len(rows))
        self._X, self._y = np.ascontiguousarray(X[rows]), y[rows]
        self._held = np.ascontiguousarray(X[others])
        loss = "mse"
        if n_classes:
            loss = "binary_crossentropy" if n_classes == 2 else "categorical_crossentropy"
        self.model = Sequential(
            layers(n_classes, recipe.hidden, recipe.activation),
            loss=loss,
            optimizer=Adam(recipe.learning_rate),
            dtype=recipe.dtype,
            backend=recipe.backend,
            random_state=recipe.seed,
            n_threads=recipe.n_threads,
        ).build(X.shape[1])
        # The labels are known though no epoch may follow.
        state = self.model.training_state
        read_examples(state, self._X, self._y, learn=True).adopt(state)
        self.best: Snapshot = self.model.get_weights()

    def fit(self, epochs: int) -> float:
        """Train on; return the last epoch's loss."""
        history = self.model.fit(self._X, self._y, epochs=epochs, batch_size=self._batch, verbose=0)
        return history["loss"][-1]

    def outputs(self) -> Array:
        """What the network says of the rows that it does not learn."""
        return self.model.predict(self._held) if len(self._held) else np.empty((0, 1))


class _Course:
    """Networks of some folds that train side by side, epoch by epoch."""

    def __init__(
        self,
        X: Array,
        codes: Array,
        n_classes: int,
        folds: Sequence[Fold],
        recipe: Recipe,
        labels: Array | None = None,
    ) -> None:
        self._X, self._codes, self._n_classes = X, codes, n_classes
        self._folds, self._recipe = folds, recipe
        learned = codes if labels is None else labels
        self.members = [
            _Member(X, learned, n_classes, rows, others, recipe) for rows, others in folds
        ]
        self._held = np.concatenate([others for _, others in folds])
        self.history = History()
        self.start, self.place, self.best_epoch = "constant", 0, 0
        self._outputs: list[Array] = []

    def choose_start(self) -> None:
        """Begin at the linear model with the lowest loss, if that is surely below a constant's."""
        options = [
            list(starts(self._X[rows], self._codes[rows], self._n_classes))
            for rows, _ in self._folds
        ]
        held = [self._X[others] for _, others in self._folds]
        found = []
        for option in zip(*options, strict=True):
            pairs = zip(option, held, strict=True)
            found.append(self._losses_of([start.linear.outputs(rows) for start, rows in pairs]))
        means = [losses.mean() if len(losses) else 0.0 for losses in found]
        best = 1 + int(np.argmin(means[1:]))
        if not len(self._held) or _is_surely_lower(found[best], found[0], _SURE_OF_LINEAR):
            self.place, self.start = best, options[0][best].name
        for member, fold in zip(self.members, options, strict=True):
            begin_at(member.model, fold[self.place].linear)
        self._keep(0, [member.outputs() for member in self.members])

    def run(self, callbacks: Iterable[Callback]) -> None:
        """Train until no epoch is better any more, and go back to the best one."""
        model, watchers, recipe = self.members[0].model, list(callbacks), self._recipe
        first = lowest = self._losses_of(self._outputs)
        best = 0
        model.fit_epochs, model.stop_training = recipe.epochs, False
        try:
            for watcher in watchers:
                watcher.on_fit_begin(model)
            for epoch in range(1, recipe.epochs + 1):
                try:
                    outputs = self._epoch(epoch, watchers)
                except DivergenceError:
                    break
                losses = self._losses_of(outputs)
                if not recipe.patience or not len(losses):
                    self._keep(epoch, outputs)
                elif losses.mean() < lowest.mean():
                    lowest, best = losses, epoch
                    if _is_surely_lower(lowest, first, _SURE_OF_NETWORK):
                        self._keep(epoch, outputs)
                elif epoch - best >= recipe.patience:
                    break
                if model.stop_training:
                    break
        finally:
            for watcher in watchers:
                watcher.on_fit_end(model)
        for member in self.members:
            member.model.set_weights(member.best)

    def validated(self) -> tuple[Array, Array]:
        """All validation rows, ascending, and what the networks said of them at their best."""
        order = np.argsort(self._held, kind="stable")
        return self._held[order], np.concatenate(self._outputs)[order]

    def _epoch(self, epoch: int, watchers: Iterable[Callback]) -> list[Array]:
        """Train all networks for an epoch, and return what they say of their validation rows."""
        began, model = perf_counter(), self.members[0].model
        for watcher in watchers:
            watcher.on_epoch_begin(model, epoch - 1)
        stopped = model.stop_training
        logs = {"loss": float(np.mean([member.fit(1) for member in self.members]))}
        # A fit takes back what a callback has asked for.
        model.stop_training = stopped
        outputs = [member.outputs() for member in self.members]
        losses = self._losses_of(outputs)
        if len(losses):
            logs["val_loss"] = float(losses.mean())
        logs |= {"seconds": perf_counter() - began, "learning_rate": self._recipe.learning_rate}
        self.history.append(epoch - 1, logs)
        model.fit_epochs = self._recipe.epochs
        for watcher in watchers:
            watcher.on_epoch_end(model, epoch - 1, logs)
        return outputs

    def _keep(self, epoch: int, outputs: list[Array]) -> None:
        self.best_epoch, self._outputs = epoch, outputs
        for member in self.members:
            member.best = member.model.get_weights()

    def _losses_of(self, outputs: Sequence[Array]) -> Array:
        """The loss of each validation row, as the network's own without penalties."""
        found, y = np.concatenate(outputs).astype(np.float64), self._codes[self._held]
        if not self._n_classes:
            errors: Array = (found[:, 0] - y) ** 2
            return errors
        if found.shape[1] == 1:
            found = np.hstack([1 - found, found])
        of_right = found[np.arange(len(y)), y]
        smallest = np.finfo(np.float32).eps
        losses: Array = -np.log(np.clip(of_right, smallest, 1.0))
        return losses


def _is_surely_lower(losses: Array, others: Array, errors: float) -> bool:
    """Whether a mean of paired losses is lower by more than some standard errors."""
    gain = others - losses
    return bool(gain.mean() > errors * gain.std() / np.sqrt(len(gain)) + 1e-9)
