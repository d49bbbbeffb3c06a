"""Executables that are kept for their next use."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .executable import Executable

_MOST = 8
# The memory that tables may hold on to.
_MOST_BYTES = 16 * 2**20


class ExecutableCache:
    """Executables by what they depend on; whoever takes one has it for itself."""

    def __init__(self) -> None:
        self._executables: dict[Any, Executable] = {}

    @property
    def largest(self) -> int:
        """Bytes of the largest one."""
        return max(
            (executable.n_bytes for executable in tuple(self._executables.values())), default=0
        )

    def take(self, kind: Any, make: Callable[[], Executable]) -> Executable:
        """Tables of this kind, from the last ones used or newly made; nobody else has them."""
        return self._executables.pop(kind, None) or make()

    def give_back(self, kind: Any, executable: Executable) -> None:
        """Keep tables for the next use, but not the arrays that they were bound to."""
        executable.release()
        if executable.n_bytes <= _MOST_BYTES:
            self._executables[kind] = executable
            # A list is made in one step: other threads change the dictionary meanwhile.
            for oldest in list(self._executables)[:-_MOST]:
                self._executables.pop(oldest, None)
