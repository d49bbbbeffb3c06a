"""Tables that are kept: few, small, and each for one user at a time."""

from __future__ import annotations

from typing import Any

import pytest

pytest.importorskip("numba")

import sys

from fastmlp.runners.compiled.executable_cache import ExecutableCache


class Tables:
    """What is asked of an `Executable`."""

    def __init__(self, n_bytes: int = 100) -> None:
        self.n_bytes = n_bytes
        self.released = 0

    def release(self) -> None:
        self.released += 1


def nothing_kept() -> Any:
    raise LookupError


def test_who_takes_tables_has_them_alone() -> None:
    cache = ExecutableCache()
    tables: Any = Tables()
    made: Any = cache.take("kind", lambda: tables)
    assert made is tables
    cache.give_back("kind", made)
    assert tables.released == 1
    assert cache.take("kind", nothing_kept) is made
    with pytest.raises(LookupError):
        cache.take("kind", nothing_kept)


def test_the_oldest_go_first_and_large_ones_at_once() -> None:
    cache = ExecutableCache()
    for kind in range(9):
        tables: Any = Tables()
        cache.give_back(kind, tables)
    with pytest.raises(LookupError):
        cache.take(0, nothing_kept)
    for kind in range(1, 9):
        cache.take(kind, nothing_kept)
    large: Any = Tables(2**25)
    cache.give_back("large", large)
    assert large.released == 1
    with pytest.raises(LookupError):
        cache.take("large", nothing_kept)


def test_tables_are_kept_while_other_threads_keep_theirs() -> None:
    pytest.importorskip("numba")
    from fastmlp.runners.compiled.executable_cache import ExecutableCache

    class Tables:
        n_bytes = 1

        def release(self) -> None: ...

    cache: Any = ExecutableCache()
    for i in range(8):
        cache.give_back(i, Tables())

    def come_between(frame: Any, event: str, argument: Any) -> None:
        # What another thread does after each call of the one that gives back.
        if event == "c_return":
            cache._executables[object()] = Tables()

    sys.setprofile(come_between)
    try:
        cache.give_back("last", Tables())
    finally:
        sys.setprofile(None)
    assert 0 not in cache._executables
    assert "last" in cache._executables
