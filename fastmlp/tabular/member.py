"""The network of a fold: the rows that it learns, those that judge it, and the best that it was."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from ..model.many import fit_many
from ..training.fit import check_fit_arguments
from ..training.prepare import prepare_fit
from .network import network

if TYPE_CHECKING:
    from ..kernels.typing import Array
    from ..model.sequential import Sequential
    from ..program.state import Snapshot
    from ..training.fit import FitArguments
    from ..training.sources import FitData, Source
    from .deadline import Deadline
    from .plan import Recipe

__all__ = ["Member", "fit_epoch", "prepared"]


def prepared(
    model: Sequential,
    X: Array,
    y: Array,
    weight: Array | None,
    arguments: FitArguments | None = None,
) -> Source:
    """Let a network know its rows, labels above all, though no epoch may follow; return them."""
    arguments = arguments or check_fit_arguments(1, None, True, 0.0, (), 0)
    training = model.training_state
    source, _ = prepare_fit(
        *(training, arguments, X, y),
        sample_weight=weight,
        class_weight=None,
        validation_data=None,
    )
    return source


class Member:
    """The network of a fold, in a fit that goes on epoch by epoch.

    Attributes
    ----------
    network : Sequential
    baseline : Sequential or None
        What is kept where the network is not better.
    """

    def __init__(
        self,
        X: Array,
        y: Array,
        n_classes: int,
        rows: Array,
        others: Array,
        embedded: list[int],
        recipe: Recipe,
        weight: Array | None,
        seed: int,
    ) -> None:
        self._rows = np.ascontiguousarray(X[rows]), y[rows]
        self._weight = None if weight is None else weight[rows]
        self._held = np.ascontiguousarray(X[others])
        batch = recipe.rows_of_batch(len(rows))
        self._arguments = check_fit_arguments(recipe.epochs, batch, True, 0.0, (), 0)
        self.network = network(n_classes, X.shape[1], embedded, recipe, seed)
        self._source = prepared(self.network, *self._rows, self._weight, self._arguments)
        self._is_open = False
        self.baseline: Sequential | None = None
        self._best: Snapshot | None = None

    @property
    def data(self) -> FitData:
        """The rows that it learns, as callbacks are shown them."""
        return self._source.data()

    def hold_against(self, model: Sequential) -> Array:
        """Keep this model where the network is not better; return its outputs."""
        prepared(model, *self._rows, self._weight)
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
        sums = source.epoch(training.rates(source.steps), lambda share: deadline.check())
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
        return (model or self.network).runner.predict(self._held)

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
