"""Where the rows of a fit come from, and how an epoch goes through them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple, Protocol

import numpy as np

from ..data.batches import Batches, RowOrder, Validation
from ..data.features import split_validation
from ..runners.side_by_side import check_stopped
from .digests import Parts, parts_of

if TYPE_CHECKING:
    from ..data.rows import Features
    from ..kernels.typing import Array
    from ..runners.runner import Runner, Session
    from .examples import Examples
    from .state import TrainingState

Progress = Callable[[float], None]
"""Told which share of the epoch is done."""


@dataclass(frozen=True)
class FitData:
    """Checked and encoded rows to train on and, if any, to validate with.

    Attributes
    ----------
    x, y, weight
        As those of `Batches`.
    validation : Validation or None
    held : ndarray of int64, or None
        Rows of x that are for validation, in ascending order.
    """

    x: Features
    y: Array
    weight: Array | None
    validation: Validation | None = None
    held: Array | None = None

    @classmethod
    def split(cls, examples: Examples, fraction: float, seed: list[int]) -> FitData:
        """Draw the share of the rows that is for validation; no row is copied."""
        x, y, weight = examples.x, examples.y, examples.weight
        if fraction == 0.0:
            return cls(x, y, weight)
        rng = np.random.default_rng(seed)
        _, held = split_validation(len(x), fraction, rng, examples.encoder.class_indices(y))
        return cls(x, y, weight, Validation(x, y, weight, held), held)

    def first(self, count: int) -> tuple[Features, Array, Array | None]:
        """X, y and weights of the first rows that are trained on and have a weight above 0."""
        rows = self._trained()[:count]
        return self.x[rows], self.y[rows], None if self.weight is None else self.weight[rows]

    def sample(self, count: int, rng: np.random.Generator) -> Features:
        """X of at most so many of those rows, drawn at random."""
        rows = self._trained()
        if len(rows) > count:
            rows = np.sort(rng.choice(rows, count, replace=False, shuffle=False))
        return self.x[rows]

    def _trained(self) -> Array:
        rows = np.arange(len(self.x))
        if self.held is not None:
            rows = np.delete(rows, self.held)
        return rows if self.weight is None else rows[self.weight[rows] > 0]


class Sums(NamedTuple):
    """Of an epoch: rows times loss, right predictions, rows that were trained on."""

    loss: float
    correct: float
    rows: int


class NotFiniteError(Exception):
    """A loss, or what an update left, is not finite.

    Attributes
    ----------
    batch : tuple
        X, y and weights of the batch.
    number : int
        Its number within the epoch.
    """

    def __init__(self, batch: tuple[Features, Array, Array | None], number: int) -> None:
        super().__init__(number)
        self.batch = batch
        self.number = number


class Source(Protocol):
    """The rows of a fit, checked and encoded."""

    steps: int
    """Updates of an epoch."""

    def open(self, runner: Runner) -> None:
        """Make everything ready; what has to be compiled is compiled here."""

    def close(self) -> None:
        """Release what `open` took."""

    def epoch(self, rates: list[float | Array], progress: Progress) -> Sums:
        """Train on all rows once, with the learning rate of each optimizer.

        Raises
        ------
        NotFiniteError
        """

    def data(self) -> FitData:
        """All rows, or the first chunk of them."""

    def parts(self) -> Parts:
        """The arrays that tell these rows from others."""


def train_batches(
    session: Session, batches: Batches, dtype: str, first: int, progress: Progress
) -> None:
    """All batches of a session; `first` is the number of the first within the epoch."""
    number, count = 0, batches.count
    while number < count:
        try:
            number = session.run(number)
        except FloatingPointError as error:
            failed = error.args[0]
            raise NotFiniteError(batches.take(failed, dtype), first + failed) from None
        check_stopped()
        progress(number / count)


class ArraySource:
    """All rows in arrays, which are read where they lie."""

    def __init__(
        self, training: TrainingState, data: FitData, batch_size: int | None, shuffle: bool
    ) -> None:
        self._training, self._data, self._shuffle = training, data, shuffle
        n_rows, held = len(data.x), data.held
        self._order = RowOrder(n_rows, held) if shuffle or held is not None else None
        rows = None if self._order is None else self._order.rows
        size = min(batch_size or n_rows, n_rows)
        self._batches = Batches(data.x, data.y, data.weight, size, rows)
        self.steps = self._batches.count

    def open(self, runner: Runner) -> None:
        self._session = runner.session(self._batches, self._training.rates(self.steps))

    def close(self) -> None:
        self._session.close()

    def epoch(self, rates: list[float | Array], progress: Progress) -> Sums:
        training, session, batches = self._training, self._session, self._batches
        dtype = training.network.dtype
        if self._order is not None:
            self._order.draw(training.shuffles if self._shuffle else None)
        session.start_epoch(rates)
        train_batches(session, batches, dtype, 0, progress)
        if not training.state.is_finite():
            raise NotFiniteError(batches.take(self.steps - 1, dtype), self.steps - 1)
        return Sums(session.loss_sum, session.correct_sum, session.rows_sum)

    def data(self) -> FitData:
        return self._data

    def parts(self) -> Parts:
        data = self._data
        return parts_of(data.x, data.y, data.weight)
