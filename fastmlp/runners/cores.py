"""How many cores a fit or a prediction may use: those of the process, shared out in it."""

from __future__ import annotations

import functools
import math
import os
import threading
from collections.abc import Iterator
from contextvars import ContextVar
from pathlib import Path

# Those that joblib sets or counts by, so that what runs in its processes does not take all cores.
_LIMITS = ("OMP_NUM_THREADS", "LOKY_MAX_CPU_COUNT")
_CONTROL_GROUPS, _OWN_GROUPS = Path("/sys/fs/cgroup"), Path("/proc/self/cgroup")

# What fits side by side are given of the cores, each its share.
_limit: ContextVar[int | None] = ContextVar("cores_of_a_fit", default=None)

# The thread that each piece of work was begun in. Single calls on a dict need no lock, which a fork
# could leave locked.
_at_work: dict[object, int] = {}
if hasattr(os, "register_at_fork"):
    # Only one thread goes on in the child.
    os.register_at_fork(after_in_child=_at_work.clear)


def begin_work() -> object:
    """Count this thread as one that wants cores, until `end_work` is given what is returned."""
    work = object()
    _at_work[work] = threading.get_ident()
    return work


def end_work(work: object) -> None:
    """Take back what `begin_work` has counted."""
    _at_work.pop(work, None)


def threads_at_work() -> int:
    """Threads of this process that want cores, this one among them."""
    return len({*tuple(_at_work.values()), threading.get_ident()})


def allowed_cores() -> int:
    """Cores that the system lets this process use: of its affinity, of its groups' quotas."""
    if hasattr(os, "sched_getaffinity"):
        cores = len(os.sched_getaffinity(0))
    else:
        cores = os.cpu_count() or 1
    return min(cores, quota_of_groups() or cores)


def available_cores() -> int:
    """Those of `allowed_cores` that the environment leaves, or as many as `limit_cores` has set."""
    limit = _limit.get()
    if limit is not None:
        return limit
    limits = [limit for name in _LIMITS if (limit := _number(os.environ.get(name, "")))]
    return min([allowed_cores(), *limits])


def share_of_cores(cores: int) -> int:
    """What is left for each where all threads of this process that are at work share the cores."""
    return cores if _limit.get() is not None else max(1, cores // threads_at_work())


def limit_cores(cores: int) -> None:
    """From now on, what runs in this context uses so many cores."""
    _limit.set(cores)


def free_cores() -> int:
    """Cores that no other thread wants now, of any process; all where the system does not tell."""
    cores = os.cpu_count() or 1
    try:
        with open("/proc/loadavg", "rb") as file:
            wanting = int(file.read().split()[3].partition(b"/")[0])
    except (OSError, ValueError, IndexError):
        return cores
    # This thread is one of those that want a core.
    return max(1, cores - (wanting - 1))


def _number(text: str) -> int | None:
    """Read a number above 0, of a list the first: OpenMP's are by levels of nesting."""
    first = text.partition(",")[0].strip()
    return int(first) or None if first.isdecimal() else None


@functools.cache
def quota_of_groups(root: Path = _CONTROL_GROUPS, own: Path = _OWN_GROUPS) -> int | None:
    """Cores' worth of time that Linux's control groups leave to this process; None is no limit.

    A quota is one of the group or of any above it (``cpu.max``; of the first version
    ``cpu.cfs_quota_us`` by ``cpu.cfs_period_us``), and parts of a core count as one.
    """
    found = []
    for folder, group in _groups(root, own):
        for part in (group, *group.parents):
            found += _quotas(folder / part.relative_to("/"))
    return min(found) if found else None


def _groups(root: Path, own: Path) -> Iterator[tuple[Path, Path]]:
    """Yield where each hierarchy that limits time is found, and this process's group in it."""
    for line in _read(own).splitlines():
        number, _, rest = line.partition(":")
        controllers, _, group = rest.partition(":")
        if not group.startswith("/"):
            continue
        if number == "0":
            yield root, Path(group)
        elif "cpu" in controllers.split(","):
            yield root / "cpu", Path(group)


def _quotas(folder: Path) -> list[int]:
    both = _read(folder / "cpu.max").split()
    if len(both) != 2:
        both = [_read(folder / f"cpu.cfs_{name}_us").strip() for name in ("quota", "period")]
    # Without a limit the quota is "max" or -1.
    numbers = [int(text) for text in both if text.isdecimal()]
    return [math.ceil(numbers[0] / numbers[1])] if len(numbers) == 2 and all(numbers) else []


def _read(path: Path) -> str:
    try:
        return path.read_text()
    except OSError:
        return ""
