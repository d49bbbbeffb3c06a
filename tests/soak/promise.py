"""A promise, and the numbered trials that could break it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path

# What one trial came to, in a word or two, such as "refused". It raises what breaks the promise.
Trial = Callable[[int], str]


@dataclass(frozen=True)
class Promise:
    """One thing that people may rely on.

    Parameters
    ----------
    name : str
        As ``python -m tests.soak`` takes it.
    says : str
        The promise, as docs/guarantees.md has it.
    unit : str
        What is counted: "mutations", "kills".
    full : int
        How many trials the full count has. Trial k is the same in every run.
    quick : int
        How many of them, from all over, the test has that runs each time.
    trials : function
        Given an empty folder, makes ready what trials share.
    """

    name: str
    says: str
    unit: str
    full: int
    quick: int
    trials: Callable[[Path], AbstractContextManager[Trial]]

    @property
    def quick_numbers(self) -> list[int]:
        """The trials of the quick form."""
        return [k * self.full // self.quick for k in range(self.quick)]


PROMISES: dict[str, Promise] = {}


def promise(
    says: str, *, unit: str, full: int, quick: int
) -> Callable[[Callable[[Path], Iterator[Trial]]], Promise]:
    """Make a promise of a function that yields its trial; the name is that of the function."""

    def register(trials: Callable[[Path], Iterator[Trial]]) -> Promise:
        name = trials.__name__.replace("_", "-")
        assert name not in PROMISES, f"there are two promises {name}"
        made = Promise(name, says, unit, full, quick, contextmanager(trials))
        PROMISES[name] = made
        return made

    return register
