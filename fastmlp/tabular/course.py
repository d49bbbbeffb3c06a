"""Networks of some folds that train side by side, epoch by epoch, until none is better any more."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from time import perf_counter
from typing import TYPE_CHECKING

import numpy as np

from ..declarations.optimizers import Adam
from ..errors import DivergenceError
from ..model.sequential import Sequential
from ..training.examples import read_examples
from ..training.history import History
from ..training.sources import FitData
from . import deadline as clock
from .deadline import OutOfTimeError
from .head import Start, begin_at, layers, starts
from .losses import is_surely_lower, loss_name, mean, row_losses

if TYPE_CHECKING:
    from ..kernels.typing import Array
    from ..program.state import Snapshot
    from ..training.callbacks import Callback
    from .deadline import Deadline
    from .judge import Judge
    from .plan import Recipe

    Fold = tuple[Array, Array]

# Standard errors by which a loss must be lower: of a linear model than of a constant answer, of
# the network than of where it began. Chosen on 44 tables, docs/decisions.md.
_SURE_OF_LINEAR, _SURE_OF_NETWORK = 2.0, 2.0

__all__ = ["Course", "Member"]


class Member:
    """The network of a fold.

    Attributes
    ----------
    model : Sequential
    data : FitData
        The rows that it learns, as callbacks are shown them.
    best : Snapshot
    """

    def __init__(
        self,
        X: Array,
        y: Array,
        n_classes: int,
        rows: Array,
        others: Array,
        recipe: Recipe,
        weight: Array | None,
        seed: int,
    ) -> None:
        self._batch = recipe.rows_of_batch(len(rows))
        self._X, self._y = np.ascontiguousarray(X[rows]), y[rows]
        self._weight = None if weight is None else weight[rows]
        self._held = np.ascontiguousarray(X[others])
        self.model = Sequential(
            layers(n_classes, recipe.hidden, recipe.activation),
            loss=loss_name(n_classes, recipe.loss),
            optimizer=Adam(recipe.learning_rate),
            dtype=recipe.dtype,
            backend=recipe.backend,
            random_state=seed,
            n_threads=recipe.n_threads,
        ).build(X.shape[1])
        # The labels are known though no epoch may follow.
        state = self.model.training_state
        examples = read_examples(state, self._X, self._y, self._weight, learn=True)
        examples.adopt(state)
        self.data = FitData(examples.x, examples.y, examples.weight)
        self.best: Snapshot = self.model.get_weights()

    def fit(self, epochs: int, deadline: Deadline) -> float:
        """Train on; return the last epoch's loss."""
        history = self.model.fit(
            *(self._X, self._y),
            sample_weight=self._weight,
            epochs=epochs,
            batch_size=self._batch,
            callbacks=deadline.watchers(),
            verbose=0,
        )
        return history["loss"][-1]

    def outputs(self) -> Array:
        """What the network says of the rows that it does not learn."""
        return self.model.predict(self._held) if len(self._held) else np.empty((0, 1))


class Course:
    """The networks of some folds.

    Attributes
    ----------
    members : list of Member
    held : ndarray of int
        The validation rows of all folds, one fold behind the other.
    history : History
    start : str
        Where the training began.
    place : int
        Which of the starts it was.
    best_epoch : int
    is_out_of_time : bool
        Whether the time limit has ended the training.
    """

    def __init__(
        self,
        X: Array,
        learned: Array,
        codes: Array,
        n_classes: int,
        folds: Sequence[Fold],
        recipe: Recipe,
        weight: Array | None,
        judge: Judge | None,
        deadline: Deadline,
    ) -> None:
        self._X, self._learned, self._codes, self._n_classes = X, learned, codes, n_classes
        self._folds, self._recipe, self._judge = folds, recipe, judge
        self._weight, self._deadline = weight, deadline
        self.members: list[Member] = []
        self.held = np.concatenate([others for _, others in folds])
        self._held_weight = None if weight is None else weight[self.held]
        self.history = History()
        self.start, self.place, self.best_epoch = "constant", 0, 0
        self.is_out_of_time = False
        self._outputs: list[Array] = []
        self._seconds = 0.0

    def open(self, draws_anew: bool) -> None:
        """Make the networks, all with the same first weights, or each with others."""
        seed, weight = self._recipe.seed, self._weight
        for number, (rows, others) in enumerate(self._folds):
            own = seed + number if draws_anew else seed
            data = self._X, self._learned, self._n_classes, rows, others
            self.members.append(Member(*data, self._recipe, weight, own))

    def choose_start(self) -> None:
        """Begin at the linear model with the lowest loss, if that is surely below a constant's."""
        options, found = self._starts()
        means = [mean(losses, self._held_weight) if len(losses) else 0.0 for losses in found]
        best = 1 + int(np.argmin(means[1:])) if len(means) > 1 else 0
        sure = _SURE_OF_LINEAR
        if best and (
            not len(self.held) or is_surely_lower(found[best], found[0], sure, self._held_weight)
        ):
            self.place, self.start = best, options[best][0].name
        for member, option in zip(self.members, options[self.place], strict=True):
            begin_at(member.model, option.linear)
        self._keep(0, [member.outputs() for member in self.members])

    def _starts(self) -> tuple[list[tuple[Start, ...]], list[Array]]:
        """Starts of all folds, and their losses; as many as there is time for."""
        held = [self._X[others] for _, others in self._folds]
        weights = [None if self._weight is None else self._weight[rows] for rows, _ in self._folds]
        ways = [
            starts(self._X[rows], self._codes[rows], self._n_classes, weight)
            for (rows, _), weight in zip(self._folds, weights, strict=True)
        ]
        options, found = [], []
        began = clock.now()
        for option in zip(*ways, strict=True):
            pairs = zip(option, held, strict=True)
            found.append(self._losses_of([start.linear.outputs(rows) for start, rows in pairs]))
            options.append(option)
            seconds, began = clock.now() - began, clock.now()
            if self._deadline.left() < seconds:
                break
        return options, found

    def run(self, callbacks: Iterable[Callback], crosses: bool) -> None:
        """Train until no epoch is better any more, and go back to the best one.

        Where it `crosses`, time is left for one more network, on all rows.
        """
        model, watchers, recipe = self.members[0].model, list(callbacks), self._recipe
        best = _Best(self)
        model.fit_epochs, model.stop_training = recipe.epochs, False
        try:
            for watcher in watchers:
                watcher.on_fit_data(model, self.members[0].data)
                watcher.on_fit_begin(model)
            for epoch in range(1, recipe.epochs + 1):
                if not self._has_time(epoch, crosses):
                    self.is_out_of_time = True
                    break
                try:
                    outputs = self._epoch(epoch, watchers)
                except (DivergenceError, OutOfTimeError) as error:
                    self.is_out_of_time = isinstance(error, OutOfTimeError)
                    break
                if not recipe.patience or not len(self.held) or best.improves(epoch, outputs):
                    self._keep(epoch, outputs)
                elif epoch - best.epoch >= recipe.patience:
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
        return self._by_row(self._outputs)

    def _by_row(self, outputs: Sequence[Array]) -> tuple[Array, Array]:
        """Rows, ascending, and their outputs; the mean of those of a row in several folds."""
        order, found = np.argsort(self.held, kind="stable"), np.concatenate(outputs)
        rows, found = self.held[order], found[order]
        first = np.flatnonzero(np.append(True, rows[1:] != rows[:-1]))
        if len(first) == len(rows):
            return rows, found
        counts = np.diff(np.append(first, len(rows)))
        sums = np.add.reduceat(found.astype(np.float64), first)
        return rows[first], (sums / counts[:, None]).astype(found.dtype)

    def _has_time(self, epoch: int, crosses: bool) -> bool:
        """Whether there is time for an epoch and what follows."""
        needed = self._seconds
        if crosses:
            # An epoch on all rows beside one of k networks on k - 1 parts of k each.
            needed += self._seconds / max(len(self._folds) - 1, 1) * epoch
        return self._deadline.left() > needed

    def _epoch(self, epoch: int, watchers: Iterable[Callback]) -> list[Array]:
        """Train all networks for an epoch, and return what they say of their validation rows."""
        began, model, at = perf_counter(), self.members[0].model, clock.now()
        for watcher in watchers:
            watcher.on_epoch_begin(model, epoch - 1)
        stopped = model.stop_training
        found = [member.fit(1, self._deadline) for member in self.members]
        logs = {"loss": float(np.mean(found))}
        # A fit takes back what a callback has asked for.
        model.stop_training = stopped
        outputs = [member.outputs() for member in self.members]
        if len(self.held):
            logs["val_loss"] = mean(self._losses_of(outputs), self._held_weight)
            if self._judge is not None:
                logs[f"val_{self._judge.name}"] = self._judge.measure(*self._by_row(outputs))
        logs |= {"seconds": perf_counter() - began, "learning_rate": self._recipe.learning_rate}
        self.history.append(epoch - 1, logs)
        model.fit_epochs = self._recipe.epochs
        for watcher in watchers:
            watcher.on_epoch_end(model, epoch - 1, logs)
        # The first epoch of a process may compile, which no other one does.
        taken = clock.now() - at
        self._seconds = taken if epoch < 3 else max(taken, 0.9 * self._seconds)
        return outputs

    def _keep(self, epoch: int, outputs: list[Array]) -> None:
        self.best_epoch, self._outputs = epoch, outputs
        for member in self.members:
            member.best = member.model.get_weights()

    def _losses_of(self, outputs: Sequence[Array]) -> Array:
        """The loss of each validation row."""
        y = self._codes[self.held]
        return row_losses(np.concatenate(outputs), y, self._n_classes, self._recipe.loss)


class _Best:
    """The best epoch so far: by the judge, or by the mean loss where that is surely lower."""

    def __init__(self, course: Course) -> None:
        self._course, self.epoch = course, 0
        outputs = course._outputs
        self._first = self._lowest = course._losses_of(outputs)
        judge = course._judge
        if judge is not None and len(course.held):
            self._score = judge.measure(*course._by_row(outputs))

    def improves(self, epoch: int, outputs: list[Array]) -> bool:
        """Whether the networks of an epoch are better than all before, and than their start."""
        course, weight = self._course, self._course._held_weight
        if course._judge is not None:
            score = course.history[f"val_{course._judge.name}"][-1]
            if not course._judge.is_better(score, self._score):
                return False
            self._score, self.epoch = score, epoch
            return True
        losses = course._losses_of(outputs)
        if not mean(losses, weight) < mean(self._lowest, weight):
            return False
        self._lowest, self.epoch = losses, epoch
        return is_surely_lower(losses, self._first, _SURE_OF_NETWORK, weight)
