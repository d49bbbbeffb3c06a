"""Where the rows of a fit come from, and how an epoch goes through them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

import numpy as np

from ..common.checks import check_number
from ..data.batches import Batches, RowOrder, Validation
from ..data.features import split_validation

if TYPE_CHECKING:
    from ..data.rows import Features
    from ..data.targets import TargetEncoder
    from ..kernels.typing import Array
    from ..model.sequential import Sequential

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
    def split(
        cls,
        x: Features,
        y: Array,
        weight: Array | None,
        encoder: TargetEncoder,
        fraction: float,
        seed: list[int],
    ) -> FitData:
        """Draw the share of the rows that is for validation; no row is copied."""
        fraction = check_number("validation_split", fraction, 0.0, 1.0, open_high=True)
        if fraction == 0.0:
            return cls(x, y, weight)
        rng = np.random.default_rng(seed)
        _, held = split_validation(len(x), fraction, rng, encoder.class_codes(y))
        return cls(x, y, weight, Validation(x, y, weight, held), held)

    def first(self, count: int) -> tuple[Features, Array, Array | None]:
        """X, y and weights of the first rows that are trained on and have a weight above 0."""
        rows = np.arange(len(self.x))
        if self.held is not None:
            rows = np.delete(rows, self.held)
        if self.weight is not None:
            rows = rows[self.weight[rows] > 0]
        rows = rows[:count]
        return self.x[rows], self.y[rows], None if self.weight is None else self.weight[rows]


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

    def open(self) -> None:
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


def train_batches(
    model: Sequential, session: Any, batches: Batches, first: int, progress: Progress
) -> None:
    """All batches of a session; `first` is the number of the first within the epoch."""
    number, count = 0, batches.count
    while number < count:
        try:
            number = session.run(number)
        except FloatingPointError as error:
            failed = error.args[0]
            batch = batches.take(failed, model.dtype)
            raise NotFiniteError(batch, first + failed) from None
        progress(number / count)


class ArraySource:
    """All rows in arrays, which are read where they lie."""

    def __init__(
        self,
        model: Sequential,
        data: FitData,
        batch_size: int | None,
        shuffle: bool,
    ) -> None:
        self._model, self._data, self._shuffle = model, data, shuffle
        n_rows, held = len(data.x), data.held
        self._order = RowOrder(n_rows, held) if shuffle or held is not None else None
        rows = None if self._order is None else self._order.rows
        size = min(batch_size or n_rows, n_rows)
        self._batches = Batches(data.x, data.y, data.weight, size, rows)
        self.steps = self._batches.count

    def open(self) -> None:
        rates = self._model._rates(self.steps)
        self._session = self._model._runner.session(self._batches, rates)

    def close(self) -> None:
        self._session.close()

    def epoch(self, rates: list[float | Array], progress: Progress) -> Sums:
        model, session, batches = self._model, self._session, self._batches
        if self._order is not None:
            self._order.draw(model._shuffle_rng if self._shuffle else None)
        session.start_epoch(rates)
        train_batches(model, session, batches, 0, progress)
        if not model._state.is_finite():
            raise NotFiniteError(batches.take(self.steps - 1, model.dtype), self.steps - 1)
        return Sums(session.loss_sum, session.correct_sum, session.rows_sum)

    def data(self) -> FitData:
        return self._data
