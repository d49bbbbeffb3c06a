"""How thoroughly to measure."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil

from .networks import CASES


@dataclass(frozen=True)
class Options:
    """Rounds, seconds and rows of a measurement.

    Attributes
    ----------
    variants : int or None
        How many ways to use a library are tried, the likeliest first; None is all.
    rounds : int
    epochs : int
        Least epochs of a fit.
    seconds : float
        Least seconds of a fit.
    limit : float
        Most seconds of a fit: it has fewer epochs where an epoch is long.
    rows : int or None
        Most rows of an epoch or a prediction; None is all.
    pause : float
        Seconds between two libraries, for spinning threads to fall asleep.
    """

    variants: int | None = None
    rounds: int = 5
    epochs: int = 20
    seconds: float = 0.3
    limit: float = 5.0
    rows: int | None = None
    pause: float = 0.5

    def epochs_of(self, seconds_each: float) -> int:
        """Epochs of a fit whose epochs take so long."""
        wanted = max(self.epochs, ceil(self.seconds / seconds_each))
        return max(1, min(wanted, int(self.limit / seconds_each)))

    def predictions_of(self, seconds_each: float) -> int:
        """Predictions of all rows that are timed together."""
        return max(1, min(ceil(self.seconds / seconds_each), int(self.limit / seconds_each)))


FULL, FULL_CASES = Options(), tuple(CASES)
# Some minutes.
SHORT = Options(variants=2, rounds=3, epochs=5, seconds=0.15, limit=1.0, rows=12_800, pause=0.1)
SHORT_CASES = ("T", "M", "P")
