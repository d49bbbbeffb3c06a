"""What users wait for: imports, and the first fit of a process."""

from __future__ import annotations

import tempfile

from .fresh_process import FIRST_FIT, Usage, run


class Import:
    """A process that imports and ends; NumPy's and Numba's are there to be compared with."""

    params = (["numpy", "numba", "fastmlp", "fastmlp.model", "fastmlp.kernels"],)
    param_names = ("module",)

    def time_import(self, module: str) -> None:
        run(f"import {module}")


class FirstFit:
    """A process that imports fastmlp, fits a small classifier once, and ends.

    Cold is with an empty cache of compiled kernels, warm with what that has left behind. The
    compiler's work is the difference in seconds of all cores.
    """

    timeout = 600

    def setup_cache(self) -> dict[str, Usage]:
        with tempfile.TemporaryDirectory() as folder:
            return {"cold": run(FIRST_FIT, folder), "warm": self._warm(folder)}

    def _warm(self, folder: str) -> Usage:
        return min((run(FIRST_FIT, folder) for _ in range(3)), key=lambda usage: usage.seconds)

    def track_cold(self, usages: dict[str, Usage]) -> float:
        return usages["cold"].seconds

    def track_warm(self, usages: dict[str, Usage]) -> float:
        return usages["warm"].seconds

    def track_compiling(self, usages: dict[str, Usage]) -> float:
        return usages["cold"].cpu_seconds - usages["warm"].cpu_seconds


for _function in (FirstFit.track_cold, FirstFit.track_warm, FirstFit.track_compiling):
    _function.unit = "seconds"  # type: ignore[attr-defined]
