"""What training makes of a network, and what its next epoch begins with."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from ..network.build import Blueprint, fill_first_values
from ..network.declaration import Network
from ..program.program import Program, categories
from ..program.state import State
from .digests import Digests

if TYPE_CHECKING:
    from ..data.targets import TargetEncoder
    from ..declarations.learning_rate import Schedule
    from ..kernels.typing import Array


@dataclass
class UnfinishedFit:
    """A fit at hand, or that in a loaded checkpoint, as far as it can be taken up again.

    Attributes
    ----------
    epochs : int
        Those still to do.
    batch_size, shuffle, validation_split
        As given to the fit.
    done : int
        Epochs that it has done, before it was interrupted too.
    given : Digests
        Of its rows.
    kept : dict of int to Snapshot
        Weights and buffers of earlier epochs that it may go back to.
    """

    epochs: int
    batch_size: int | None
    shuffle: bool
    validation_split: float
    done: int = 0
    given: Digests = field(default_factory=lambda: Digests({}))
    kept: dict[int, Any] = field(default_factory=dict)

    def arguments(self) -> dict[str, Any]:
        """Return those of `Sequential.fit` that it has, by name."""
        return {
            "epochs": self.epochs,
            "batch_size": self.batch_size,
            "shuffle": self.shuffle,
            "validation_split": self.validation_split,
        }


class TrainingState:
    """The one thing that a fit changes, and that the next fit, a file or a copy continues.

    A model owns it and hands it down; whatever works on the model from within works on this.

    Parameters
    ----------
    network : Network
    seed : int
        Of the first weights, the order of rows, dropout and the validation split.

    Attributes
    ----------
    blueprint : Blueprint or None
        The program and how its vectors start; None until the width of X is known.
    built_for : int, or (int, int), or None
        Columns of X, or of X_wide and X_deep.
    epoch : int
        Epochs done since the last reset.
    shuffles : numpy.random.Generator
        Draws the order of rows.
    targets : TargetEncoder or None
        What y means; None before the first fit.
    feature_names : dict of str to tuple of str
        Names of the columns that a data frame had in the first fit, by the part of X that it was:
        ``"X"``, or ``"X_wide"`` and ``"X_deep"``.
    schedule_states : list of dict, or None
        What each optimizer's schedule remembers; None before the first epoch.
    unfinished : UnfinishedFit or None
    awaits_rows : bool
        Whether first values are still to be drawn that look at rows.
    continues : UnfinishedFit or None
        The one that was interrupted and that the coming fit takes up.
    categories : dict of int to int
        Columns of X that are embedded, and how many categories each has.
    """

    def __init__(self, network: Network, seed: int) -> None:
        self.network = network
        self.seed = seed
        self.blueprint: Blueprint | None = None
        self.built_for: int | tuple[int, int] | None = None
        self.categories: dict[int, int] = {}
        self.continues: UnfinishedFit | None = None
        self._state: State | None = None
        self._begin()

    def _begin(self) -> None:
        """Set everything that training changes, but the vectors, to its beginning."""
        weights, shuffles, dropout = np.random.SeedSequence(self.seed).spawn(3)
        self._weight_seed = weights
        self._dropout_seed = int(dropout.generate_state(1, np.uint64)[0])
        self.shuffles = np.random.default_rng(shuffles)
        self.epoch = 0
        self.targets: TargetEncoder | None = None
        self.feature_names: dict[str, tuple[str, ...]] = {}
        self.schedule_states: list[dict[str, Any]] | None = None
        self.unfinished: UnfinishedFit | None = None
        self.awaits_rows = False

    def reset(self) -> None:
        """Draw the same first weights again, and forget all else that training has left."""
        self._begin()
        if self.blueprint is not None:
            self.state.forget_training()
            self._fill(self.blueprint)
            self.settle()

    # The program and its vectors

    def plan(self, n_features: int | tuple[int, int]) -> Blueprint:
        """Return the program for this input; nothing is changed.

        Raises
        ------
        ValueError
            The network was built for another width.
        """
        width = self.network.check_width(n_features)
        if self.blueprint is None:
            return self.network.plan(width)
        if width != self.built_for:
            raise ValueError(
                f"the model was built for {self.built_for} features, got {width}; make a new "
                "model for other data"
            )
        return self.blueprint

    def build(self, planned: Blueprint) -> None:
        """Allocate what was planned and draw its first values, unless that was done before."""
        if self.blueprint is None:
            self._state = State(planned.program, self._dropout_seed)
            self.blueprint = planned
            self.built_for = planned.program.n_features
            self.categories = categories(planned.program)
            self._fill(planned)
            self.settle()

    def _fill(self, blueprint: Blueprint) -> None:
        rng = np.random.default_rng(self._weight_seed)
        fill_first_values(blueprint.parameters, self.state.parameters, rng)
        fill_first_values(blueprint.buffers, self.state.buffers)
        self.awaits_rows = any(first.from_rows for first in blueprint.parameters)

    @property
    def state(self) -> State:
        """The vectors.

        Raises
        ------
        ValueError
            The network is not built.
        """
        if self._state is None:
            raise ValueError(
                "the model has no parameters yet; call fit(X, y) or build(n_features) first"
            )
        return self._state

    @property
    def program(self) -> Program:
        """The program; an error as for `state` where there is none yet."""
        return self.state.program

    @property
    def takes_pair(self) -> bool:
        """Whether X may be ``(X_wide, X_deep)``."""
        if self.blueprint is None:
            return self.network.may_take_pair
        return self.blueprint.program.wide is not None

    # Labels, schedules, epochs

    def encoder(self, program: Program | None = None) -> TargetEncoder:
        """Return what reads y; a copy, so that nothing is learned before all is checked."""
        if self.targets is not None:
            return copy.copy(self.targets)
        return self.network.target_encoder(self.program if program is None else program)

    def schedules(self, program: Program | None = None) -> list[tuple[Schedule, dict[str, Any]]]:
        """Return each schedule of the program and what it remembers."""
        schedules = list((self.program if program is None else program).schedules.values())
        states = self.schedule_states or [schedule.start() for schedule in schedules]
        return list(zip(schedules, states, strict=True))

    def rates(self, steps: int) -> list[float | Array]:
        """Return the value of each schedule in the coming epoch of so many updates.

        They come in the order of ``program.schedules``: learning rates first.
        """
        epoch, fit = self.epoch, self.unfinished
        span = None if fit is None else (epoch - fit.done, fit.done + fit.epochs)
        return [schedule.rates(epoch, steps, state, span) for schedule, state in self.schedules()]

    def settle(self) -> None:
        """Let the vectors know the dropout rates of the next step."""
        schedules = self.program.schedules
        if any(name == "rate" for name, _ in schedules):
            for (name, number), rate in zip(schedules, self.rates(1), strict=True):
                if name == "rate":
                    self.state.dropout_rates[number] = np.ravel(rate)[0]

    def begin_fit(self, unfinished: UnfinishedFit) -> None:
        """Let schedules know the fit whose epochs are to come."""
        if self.continues is not None:
            unfinished.done, unfinished.kept = self.continues.done, self.continues.kept
        self.unfinished, self.continues = unfinished, None
        self.settle()

    def end_fit(self) -> None:
        """The next fit is another one."""
        self.unfinished = None
        self.settle()

    def end_epoch(self, logs: Mapping[str, float]) -> None:
        """Let the schedules see an epoch's values, and count the epoch."""
        self.schedule_states = [
            schedule.observe(logs, state) for schedule, state in self.schedules()
        ]
        self.epoch += 1
        if self.unfinished is not None:
            self.unfinished.epochs -= 1
            self.unfinished.done += 1
        self.settle()

    def copy_to(self, other: TrainingState) -> None:
        """Give all to another state of the same network, which may have another dtype."""
        if self.blueprint is not None:
            other.build(other.plan(self.program.n_features))
            other.state.restore(self.state.snapshot())
            other.state.dropout_rates[:] = self.state.dropout_rates
        other.awaits_rows = self.awaits_rows
        other.epoch = self.epoch
        other.schedule_states = copy.deepcopy(self.schedule_states)
        other.shuffles = copy.deepcopy(self.shuffles)
        other.feature_names = dict(self.feature_names)
        other.targets = copy.copy(self.targets)
        if other.targets is not None:
            other.targets.dtype = np.dtype(other.network.dtype)
