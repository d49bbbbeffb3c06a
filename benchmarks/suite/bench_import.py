"""What users wait for: imports, the first fit of a process, and compiling."""

from __future__ import annotations

import subprocess
import tempfile

from benchmarks.cold_start import DTYPES, KINDS, Compiling, warmups
from benchmarks.shared.fresh_process import FIRST_FIT, Usage, run

# By parameter; the model stands in different modules at different commits.
_IMPORTS = {
    "numpy": "import numpy",
    "numba": "import numba",
    "fastmlp": "import fastmlp",
    "fastmlp.model": "from fastmlp import Sequential",
    "fastmlp.kernels": "import fastmlp.kernels",
}


class Import:
    """A process that imports and ends; NumPy's and Numba's are there to be compared with."""

    params = (list(_IMPORTS),)
    param_names = ("module",)

    def time_import(self, module: str) -> None:
        run(_IMPORTS[module])


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


class FurtherKind:
    """CPU seconds that one more kind of operation takes to compile."""

    params = (list(KINDS), list(DTYPES))
    param_names = ("kind", "dtype")

    def setup_cache(self) -> dict[tuple[str, str], float]:
        with Compiling() as compiling:
            return {
                (kind, dtype): _seconds(compiling, kind, dtype)
                for kind in KINDS
                for dtype in DTYPES
            }

    setup_cache.timeout = 900  # type: ignore[attr-defined]

    def track_compiling(self, found: dict[tuple[str, str], float], kind: str, dtype: str) -> float:
        return found[kind, dtype]


def _seconds(compiling: Compiling, kind: str, dtype: str) -> float:
    """What it took; not a number where an older fastmlp does not have this kind."""
    try:
        return compiling.cpu_seconds(kind, dtype)
    except subprocess.CalledProcessError:
        return float("nan")


class Warmup:
    """Compiling everything, by the clock and in seconds of all cores."""

    def setup_cache(self) -> tuple[Usage, Usage]:
        return warmups()

    setup_cache.timeout = 600  # type: ignore[attr-defined]

    def track_seconds(self, usages: tuple[Usage, Usage]) -> float:
        return usages[0].seconds

    def track_cpu_seconds(self, usages: tuple[Usage, Usage]) -> float:
        return usages[0].cpu_seconds

    def track_filled(self, usages: tuple[Usage, Usage]) -> float:
        return usages[1].seconds


for _function in (
    *(FirstFit.track_cold, FirstFit.track_warm, FirstFit.track_compiling),
    FurtherKind.track_compiling,
    *(Warmup.track_seconds, Warmup.track_cpu_seconds, Warmup.track_filled),
):
    _function.unit = "seconds"  # type: ignore[attr-defined]
