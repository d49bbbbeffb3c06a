"""The network of a fold: the rows that it learns, those that judge it, and the best that it was."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from ..model.many import fit_many
from ..training.examples import read_examples
from ..training.first_rows import draw_from_rows
from ..training.fit import check_fit_arguments
from ..training.sources import ArraySource, FitData
from .network import network

if TYPE_CHECKING:
    from ..kernels.typing import Array
    from ..model.sequential import Sequential
    from ..program.state import Snapshot
    from .deadline import Deadline
    from .plan import Recipe

__all__ = ["Member", "fit_epoch", "learned_rows"]


def learned_rows(
    model: Sequential,
    X: Array,
    y: Array,
    weight: Array | None = None,
    others: Array | None = None,
) -> FitData:
    """Let a network know what it is to learn, labels above all; X stays where it lies.

    `others` are the rows that it does not learn, ascending.
    """
    training = model.training_state
    examples = read_examples(training, X, y, weight, learn=True)
    examples.adopt(training)
    return FitData(examples.x, examples.y, examples.weight, held=others)


class Member:
    """The network of a fold, in a fit that goes on epoch by epoch.

    Attributes
    ----------
    network : Sequential
    data : FitData
        The rows that it learns, as callbacks are shown them.
    rate : float
        The learning rate of the last update.
    baseline : Sequential or None
        What is kept where the network is not better.
    """

    def __init__(
        self,
        X: Array,
        y: Array,
        n_classes: int,
        rows: Array,
        held: Array,
        embedded: list[int],
        recipe: Recipe,
        weight: Array | None,
        seed: int,
    ) -> None:
        self._rows, self._held = (X, y, weight), held
        self.network = network(n_classes, X.shape[1], embedded, recipe, seed)
        left_out = np.ones(len(X), bool)
        left_out[rows] = False
        self.data = learned_rows(self.network, *self._rows, np.flatnonzero(left_out))
        batch = recipe.rows_of_batch(len(rows))
        self._arguments = check_fit_arguments(recipe.epochs, batch, True, 0.0, (), 0)
        training = self.network.training_state
        self._source = ArraySource(training, self.data, batch, True)
        draw_from_rows(training, lambda count, rng: self.data.sample(count, rng))
        self._is_open = False
        self.rate = 0.0
        self.baseline: Sequential | None = None
        self._best: Snapshot | None = None

    def hold_against(self, model: Sequential) -> Array:
        """Keep this model where the network is not better; return its outputs."""
        learned_rows(model, *self._rows)
        self.baseline = model
        return self.outputs(model)

    def fit_epoch(self, deadline: Deadline) -> float:
        """Train the network for an epoch, and return its loss.

        Raises
        ------
        NotFiniteError
            A loss is not finite.
        OutOfTimeError
            The time is over.
        """
        model, source = self.network, self._source
        training = model.training_state
        if not self._is_open:
            training.begin_fit(self._arguments.unfinished())
            source.open(model.runner)
            self._is_open = True
        rates = training.rates(source.steps)
        sums = source.epoch(rates, lambda share: deadline.check())
        self.rate = float(np.ravel(rates[0])[-1])
        logs = {"loss": sums.loss / max(sums.rows, 1)}
        model.history.append(training.epoch, logs)
        training.end_epoch(logs)
        return logs["loss"]

    def close(self) -> None:
        """End the fit."""
        if self._is_open:
            self._source.close()
            self.network.training_state.end_fit()
            self._is_open = False

    def outputs(self, model: Sequential | None = None) -> Array:
        """What a model, by default the network, says of the rows that it does not learn."""
        if not len(self._held):
            return np.empty((0, 1))
        return (model or self.network).runner.predict(self._rows[0][self._held])

    def keep(self) -> None:
        """Let the network, as it is now, be the best."""
        self._best = self.network.get_weights()

    @property
    def model(self) -> Sequential:
        """The best, with its weights."""
        if self._best is None:
            return self.baseline or self.network
        self.network.set_weights(self._best)
        return self.network


class _Epoch:
    """An epoch of a network, as `fit_many` takes it."""

    def __init__(self, member: Member, deadline: Deadline) -> None:
        self._member, self._deadline = member, deadline

    def fit(self, X: None, y: None) -> tuple[float, Array]:
        return self._member.fit_epoch(self._deadline), self._member.outputs()


def fit_epoch(
    members: Sequence[Member], deadline: Deadline, n_threads: int
) -> tuple[list[float], list[Array]]:
    """Train some networks for an epoch each, side by side.

    Returns
    -------
    losses, outputs : list
        Of each network the loss, and what it then says of its validation rows.
    """
    epochs = [_Epoch(member, deadline) for member in members]
    losses, outputs = zip(*fit_many(epochs, None, n_jobs=n_threads), strict=True)
    return list(losses), list(outputs)
