"""What of a training fits into a time limit: epochs first, then networks, then rows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from ..training.sources import NotFiniteError
from . import deadline as clock
from .deadline import OutOfTimeError
from .member import fit_epoch

if TYPE_CHECKING:
    from ..kernels.typing import Array
    from .deadline import Deadline
    from .member import Member
    from .plan import Recipe

    Fold = tuple[Array, Array]

# Rows of a look at how long an epoch takes.
_LOOK = 4096
# Of the time that is left, what is planned: baselines and predictions take some, too.
_PLANNED = 0.8
# Rather than fewer epochs, fewer networks.
_FEWEST_EPOCHS = 8

__all__ = ["within"]


def within(
    deadline: Deadline,
    folds: Sequence[Fold],
    recipe: Recipe,
    beside: int,
    make: Callable[[Array, Array], Member],
) -> tuple[Sequence[Fold], Recipe]:
    """Return the folds and the recipe that a time limit allows; without one they stay.

    Rates follow the share of the epochs that is done: to end in the middle is worse than to plan
    fewer of them.

    Parameters
    ----------
    deadline : Deadline
    folds : sequence of (training rows, validation rows)
    recipe : Recipe
    beside : int
        How many networks train at once.
    make : callable (rows, others) -> Member
    """
    if not deadline.is_set:
        return folds, recipe
    rows, others = folds[0]
    few = rows[:: -(-len(rows) // _LOOK)]
    seconds = _seconds(make(few, others[:_LOOK]), deadline)
    if seconds is None:
        return folds[:1], recipe
    left = _PLANNED * deadline.left() / max(seconds * len(rows) / len(few), 1e-9)
    # Epochs of one network, where as many as there are cores train at once.
    total = left * min(beside, len(folds))
    least = min(_FEWEST_EPOCHS, recipe.epochs)
    n = int(min(max(total // least, 1), len(folds)))
    epochs = int(min(left if n == 1 else total / n, recipe.epochs))
    folds = folds[:n]
    if epochs < 1:
        step = int(1 / max(left, 1e-6)) + 1
        folds = [(rows[::step], others[::step]) for rows, others in folds]
    return folds, replace(recipe, epochs=max(epochs, 1))


def _seconds(member: Member, deadline: Deadline) -> float | None:
    """How long an epoch of a network takes; None where there was no time for it."""
    try:
        # The first epoch of a process may compile, which the next one does not.
        for _ in range(2):
            began = clock.now()
            fit_epoch([member], deadline, 1)
            seconds = clock.now() - began
    except (NotFiniteError, OutOfTimeError):
        return None
    finally:
        member.close()
    return seconds
