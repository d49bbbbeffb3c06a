"""Networks of some folds that train side by side, epoch by epoch, until none is better any more."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from time import perf_counter
from typing import TYPE_CHECKING

import numpy as np

from ..runners.cores import available_cores
from ..training.history import History
from ..training.sources import NotFiniteError
from . import deadline as clock
from .baselines import Baseline, baselines
from .deadline import OutOfTimeError
from .hurry import within
from .losses import is_surely_lower, mean, row_losses
from .member import Member, fit_epoch
from .network import measured
from .temperature import best_factor, scaled

if TYPE_CHECKING:
    from ..kernels.typing import Array
    from ..training.callbacks import Callback
    from .deadline import Deadline
    from .judge import Judge
    from .plan import Recipe

    Fold = tuple[Array, Array]

# Standard errors by which a loss must be lower: of a linear model than of a constant answer, of
# the network than of the better of them. Chosen on 44 tables, docs/decisions.md.
_SURE_OF_LINEAR, _SURE_OF_NETWORK = 2.0, 2.0

__all__ = ["Course"]


class Course:
    """The networks of some folds, of as many as there is time for.

    Attributes
    ----------
    members : list of Member
    held : ndarray of int
        The validation rows of all folds, one fold behind the other.
    recipe : Recipe
        With as many epochs as there is time for.
    embedded : list of int
        See `fastmlp.tabular.network.network`.
    history : History
    baseline : str
        What the networks are held against.
    place : int
        Which of the baselines it was.
    best_epoch : int
        0 where the baseline is the best.
    factor : float
        Of the logits of the best networks, see `fastmlp.tabular.temperature`.
    is_out_of_time : bool
        Whether the time limit has ended the training, or made it shorter.
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
        self._folds, self.recipe, self._judge = folds, recipe, judge
        self._weight, self._deadline = weight, deadline
        self.members: list[Member] = []
        self.held = np.empty(0, np.int64)
        self._held_weight: Array | None = None
        self.history = History()
        self.baseline, self.place, self.best_epoch, self.factor = "constant", 0, 0, 1.0
        self.is_out_of_time = False
        self.embedded = measured(X)
        self._outputs: list[Array] = []
        self._seconds, self._factor = 0.0, 1.0

    def open(self) -> None:
        """Make the networks, each with first weights of its own."""
        recipe, seed, folds = self.recipe, self.recipe.seed, self._folds
        self._folds, self.recipe = within(
            *(self._deadline, folds, recipe, self._beside),
            lambda rows, others: self._member(rows, others, recipe, seed),
        )
        # As soon as it makes less of it.
        planned = len(self._folds), self.recipe.epochs
        self.is_out_of_time = planned != (len(folds), recipe.epochs)
        self.held = np.concatenate([others for _, others in self._folds])
        self._held_weight = None if self._weight is None else self._weight[self.held]
        of_each = replace(self.recipe, alone=len(self._folds) == 1)
        if not of_each.alone and of_each.n_threads != "auto":
            # Threads train one network each.
            of_each = replace(of_each, n_threads=1)
        for number, (rows, others) in enumerate(self._folds):
            self.members.append(self._member(rows, others, of_each, seed + number))

    def _member(self, rows: Array, others: Array, recipe: Recipe, seed: int) -> Member:
        data = self._X, self._learned, self._n_classes, rows, others, self.embedded
        return Member(*data, recipe, self._weight, seed)

    @property
    def _beside(self) -> int:
        """How many networks train at once."""
        n_threads = self.recipe.n_threads
        most = available_cores() if n_threads == "auto" else int(n_threads)
        return min(most, len(self._folds))

    def choose_baseline(self) -> None:
        """Take the linear model with the lowest loss, if that is surely below a constant's."""
        options, found = self._baselines()
        means = [mean(losses, self._held_weight) if len(losses) else 0.0 for losses in found]
        best = 1 + int(np.argmin(means[1:])) if len(means) > 1 else 0
        sure = _SURE_OF_LINEAR
        if best and (
            not len(self.held) or is_surely_lower(found[best], found[0], sure, self._held_weight)
        ):
            self.place, self.baseline = best, options[best][0].name
        seed = self.recipe.seed
        self._outputs = [
            member.hold_against(option.network(self.recipe, seed))
            for member, option in zip(self.members, options[self.place], strict=True)
        ]

    def _baselines(self) -> tuple[list[tuple[Baseline, ...]], list[Array]]:
        """Baselines of all folds, and their losses; as many as there is time for."""
        data = self._X, self._codes, self._n_classes
        ways = [baselines(*data, rows, self._weight) for rows, _ in self._folds]
        options, found = [], []
        began = clock.now()
        for option in zip(*ways, strict=True):
            pairs = zip(option, self._folds, strict=True)
            outputs = [one.linear.outputs(self._X[others]) for one, (_, others) in pairs]
            found.append(self._losses_of(outputs))
            options.append(option)
            seconds, began = clock.now() - began, clock.now()
            if self._deadline.left() < seconds:
                break
        return options, found

    def run(self, callbacks: Iterable[Callback]) -> None:
        """Train until no epoch is better any more, and go back to the best one."""
        model, watchers, recipe = self.members[0].network, list(callbacks), self.recipe
        best = _Best(self)
        model.fit_epochs, model.stop_training = recipe.epochs, False
        try:
            for watcher in watchers:
                watcher.on_fit_data(model, self.members[0].data)
                watcher.on_fit_begin(model)
            for epoch in range(1, recipe.epochs + 1):
                if self._deadline.left() < self._seconds:
                    self.is_out_of_time = True
                    break
                try:
                    outputs = self._epoch(epoch, watchers)
                except NotFiniteError:
                    break
                except OutOfTimeError:
                    self.is_out_of_time = True
                    break
                if not recipe.most_idle or not len(self.held) or best.improves(epoch, outputs):
                    self._keep(epoch, outputs)
                elif epoch - best.epoch >= recipe.most_idle:
                    break
                if model.stop_training:
                    break
        finally:
            for member in self.members:
                member.close()
            for watcher in watchers:
                watcher.on_fit_end(model)

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

    def _epoch(self, epoch: int, watchers: Iterable[Callback]) -> list[Array]:
        """Train all networks for an epoch, and return what they say of their validation rows."""
        began, model, at = perf_counter(), self.members[0].network, clock.now()
        for watcher in watchers:
            watcher.on_epoch_begin(model, epoch - 1)
        found, outputs = fit_epoch(self.members, self._deadline, self._beside)
        logs = {"loss": float(np.mean(found))}
        factor, outputs = self._scaled(outputs)
        if len(self.held):
            logs["val_loss"] = mean(self._losses_of(outputs), self._held_weight)
            if self._judge is not None:
                logs[f"val_{self._judge.name}"] = self._judge.measure(*self._by_row(outputs))
        logs |= {"seconds": perf_counter() - began, "learning_rate": self.members[0].rate}
        self.history.append(epoch - 1, logs)
        for watcher in watchers:
            watcher.on_epoch_end(model, epoch - 1, logs)
        # The first epoch of a process may compile, which no other one does.
        taken = clock.now() - at
        self._seconds = taken if epoch < 3 else max(taken, 0.9 * self._seconds)
        self._factor = factor
        return outputs

    def _scaled(self, outputs: list[Array]) -> tuple[float, list[Array]]:
        """The best factor of logits, and the outputs with it."""
        if not self._n_classes or not len(self.held):
            return 1.0, outputs
        y, joined = self._codes[self.held], np.concatenate(outputs)
        factor = best_factor(joined, y, self._held_weight, self._factor)
        return factor, [scaled(part, factor) for part in outputs]

    def _keep(self, epoch: int, outputs: list[Array]) -> None:
        self.best_epoch, self._outputs, self.factor = epoch, outputs, self._factor
        for member in self.members:
            member.keep()

    def _losses_of(self, outputs: Sequence[Array]) -> Array:
        """The loss of each validation row."""
        y = self._codes[self.held]
        return row_losses(np.concatenate(outputs), y, self._n_classes, self.recipe.loss)


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
        """Whether the networks of an epoch are better than all before, and than the baseline."""
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
