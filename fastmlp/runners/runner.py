"""What both runners can do; nothing outside them knows which one it works with."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    from ..data.batches import Batches
    from ..data.rows import Features
    from ..kernels.typing import Array
    from ..program.state import State


class BatchGradients(NamedTuple):
    """Loss and gradient of one batch.

    Attributes
    ----------
    loss : float
        As reported, penalties included.
    penalty : float
        The penalties alone.
    gradients : ndarray
        Flat, with those of the penalties.
    """

    loss: float
    penalty: float
    gradients: Array


class Session(Protocol):
    """One fit in progress."""

    @property
    def loss_sum(self) -> float:
        """Sum over the epoch's batches of rows times loss."""

    @property
    def penalty_sum(self) -> float:
        """The part of penalties in `loss_sum`."""

    @property
    def correct_sum(self) -> float:
        """Right predictions of the epoch."""

    @property
    def rows_sum(self) -> int:
        """Rows of the epoch that were trained on."""

    def start_epoch(self, rates: list[float | Array]) -> None:
        """Begin an epoch with the learning rate of each optimizer."""

    def run(self, first: int) -> int:
        """Train on one or more batches from `first` on and return the number of the next.

        Raises
        ------
        FloatingPointError
            The loss of a batch is not finite, and the session stops at such; its number is the
            first argument.
        """

    def close(self) -> None:
        """Release what the session holds."""


class Objective(Protocol):
    """Loss and gradient of the same rows, as often as the parameters change."""

    def evaluate(self) -> BatchGradients:
        """Return both as in training; the gradients stay as they are until the next call."""

    def close(self) -> None:
        """Release what is held between calls."""


class Runner(Protocol):
    """Carries a program out on its state."""

    state: State

    def session(self, batches: Batches, rates: list[float | Array], stops: bool = True) -> Session:
        """Make ready to train on these rows; `rates` tells what learning rates will look like.

        With `stops` it ends at a loss that is not finite, before the update; else it runs on.
        """

    def evaluate_batch(self, x: Features, y: Array, weight: Array | None) -> BatchGradients:
        """Return a batch's loss and flat gradient as in training; nothing is changed."""

    def gradients(self, x: Features, y: Array, weight: Array | None, training: bool) -> Array:
        """Return the flat gradient of a batch; nothing is changed."""

    def objective(self, x: Features, y: Array, weight: Array | None) -> Objective:
        """Make ready to evaluate loss and gradient of these rows, again and again."""

    def predict(self, x: Features, head: bool = False, checks_finite: bool = False) -> Array:
        """Return the network's output for all rows; with `head`, what the loss reads.

        Raises
        ------
        FloatingPointError
            With `checks_finite`: an array is not finite in the network's dtype.
        """
