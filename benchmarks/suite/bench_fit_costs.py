"""What a fit costs beside its steps; see `benchmarks.fit_costs`."""

from __future__ import annotations

from statistics import median

from benchmarks.fit_costs import (
    LARGE,
    SIZES,
    SMALL,
    Training,
    python_of_an_epoch,
    rows_by_size,
    rows_of,
)
from fastmlp.peers.networks import CASES

_ROUNDS = 3
_REPEATS = 300


class Fixed:
    """Of the smallest network."""

    timeout = 300
    unit = "seconds"

    def track_fit_beyond_epochs(self) -> float:
        training = Training(SMALL, *rows_of(SMALL, CASES[SMALL].rows))
        return training.beyond_epochs(_REPEATS)

    def track_python_of_an_epoch(self) -> float:
        return median(python_of_an_epoch(_ROUNDS))


class Rows:
    """A row of a thousand and of a million."""

    params = (list(LARGE), list(SIZES))
    param_names = ("network", "rows")
    timeout = 600

    def setup_cache(self) -> dict[str, dict[int, list[float]]]:
        return {name: rows_by_size(name, _ROUNDS) for name in LARGE}

    def track_row(self, found: dict[str, dict[int, list[float]]], network: str, rows: int) -> float:
        return median(found[network][rows])

    def track_times_a_thousand_rows(
        self, found: dict[str, dict[int, list[float]]], network: str, rows: int
    ) -> float:
        return median(found[network][rows]) / median(found[network][min(SIZES)])


Rows.track_row.unit = "seconds"  # type: ignore[attr-defined]
Rows.track_times_a_thousand_rows.unit = "times"  # type: ignore[attr-defined]
