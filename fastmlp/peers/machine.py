"""What a measurement was made on."""

from __future__ import annotations

import os
import platform
from pathlib import Path
from typing import Any

# Beginnings of environment variables that change how fast a library is.
_VARIABLES = ("OPENBLAS_", "MKL_", "OMP_", "KMP_", "XLA_", "NUMBA_CPU_", "NUMBA_THREADING_")


def describe_machine() -> dict[str, Any]:
    """Processor, cores, memory, system, Python and the variables that bear on speed."""
    return {
        "cpu": _cpu_model(),
        "cores": os.cpu_count(),
        "available_cores": available_cores(),
        "memory_gib": _memory_gib(),
        "system": platform.platform(),
        "python": platform.python_version(),
        "variables": {
            name: value for name, value in sorted(os.environ.items()) if name.startswith(_VARIABLES)
        },
    }


def available_cores() -> int:
    """Cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def threads_of(threads: int | str) -> int:
    """A number of threads; "auto" may use every core."""
    return threads if isinstance(threads, int) else available_cores()


def blas_of_scipy() -> str:
    """SciPy's BLAS, its version and the processor that its kernels are for."""
    from scipy.linalg import cython_blas

    return _blas(Path(cython_blas.__file__).parents[2] / "scipy.libs")


def blas_of_numpy() -> str:
    """NumPy's BLAS, in the same form."""
    import numpy as np

    return _blas(Path(np.__file__).parents[1] / "numpy.libs")


def _blas(folder: Path) -> str:
    from threadpoolctl import threadpool_info

    libraries = [info for info in threadpool_info() if info["user_api"] == "blas"]
    # The wheels of NumPy and SciPy have one each, in folders of their own.
    own = [info for info in libraries if Path(info["filepath"]).parent == folder] or libraries
    return ", ".join(
        f"{info['internal_api']} {info['version']} ({info.get('architecture', 'unknown')})"
        for info in own
    )


def load_average() -> float | None:
    """Processes that ran or waited, on average over the last minute."""
    return round(os.getloadavg()[0], 2) if hasattr(os, "getloadavg") else None


def _cpu_model() -> str:
    info = Path("/proc/cpuinfo")
    if info.exists():
        fields = [line.partition(":") for line in info.read_text(encoding="utf-8").splitlines()]
        named = {name.strip(): value.strip() for name, _, value in fields}
        if "model name" in named:
            numbers = f"family {named.get('cpu family')}, model {named.get('model')}"
            return f"{named['model name']} ({numbers})"
    return platform.processor() or platform.machine()


def _memory_gib() -> float | None:
    if not hasattr(os, "sysconf") or "SC_PHYS_PAGES" not in os.sysconf_names:
        return None
    return round(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 2**30, 1)
