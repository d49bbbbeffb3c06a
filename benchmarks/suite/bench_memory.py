"""The most memory that a process holds."""

from __future__ import annotations

import fastmlp
from benchmarks.memory import (
    FILE_ROWS,
    Peak,
    further_cases,
    import_backend,
    is_supported,
    measure,
    ordinary_cases,
    train_beyond_limit,
)
from benchmarks.shared.networks import new_model
from fastmlp.peers.networks import CASES, make_data

_FITS = {str(case): case for case in ordinary_cases(1_000_000) + further_cases(1_000_000)}


class Fit:
    """Anonymous memory of a fit of a million rows; see `benchmarks.memory`."""

    params = (list(_FITS),)
    param_names = ("fit",)
    timeout = 600

    def setup_cache(self) -> dict[str, Peak]:
        if not is_supported():
            raise NotImplementedError("this system does not tell a process its peak of memory")
        fastmlp.warmup()
        return {name: measure(case) for name, case in _FITS.items()}

    def track_beyond_x(self, peaks: dict[str, Peak], fit: str) -> float:
        return peaks[fit].beyond_x / 2**20

    def track_fit(self, peaks: dict[str, Peak], fit: str) -> float:
        return peaks[fit].fit / 2**20

    def track_share_of_aim(self, peaks: dict[str, Peak], fit: str) -> float:
        return peaks[fit].beyond_x / peaks[fit].bound


for _function in (Fit.track_beyond_x, Fit.track_fit):
    _function.unit = "MiB"  # type: ignore[attr-defined]
Fit.track_share_of_aim.unit = "of the aim"  # type: ignore[attr-defined]


class File:
    """Fits of a memory-mapped file, three times as large as the data that the process may have."""

    params = (["numba", "numpy"], [0.0, 0.2])
    param_names = ("backend", "split")
    timeout = 300
    unit = "seconds"

    def track_seconds(self, backend: str, split: float) -> float:
        return train_beyond_limit(FILE_ROWS, backend, split).seconds


class PeakMemoryOfPrediction:
    """One million rows."""

    params = (["P"],)
    param_names = ("network",)
    timeout = 300

    def peakmem_data(self, network: str) -> None:
        make_data(CASES[network])

    def peakmem_predict(self, network: str) -> None:
        case = CASES[network]
        new_model(case, "numba", 1).predict(make_data(case)[0])


def peakmem_import() -> None:
    """Import what a fit needs."""
    import_backend("numba")
