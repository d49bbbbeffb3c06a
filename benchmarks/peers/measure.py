"""Takes the measurements: libraries take turns, round by round."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field
from math import ceil
from typing import Any

from .machine import available_cores, describe_machine, load_average
from .networks import CASES, Case, get_case
from .peer import LIBRARIES
from .process import PeerError, Process

BASE = "fastmlp"
# Fits of one and of two epochs each, the fastest of which tell the fixed cost of a fit.
_FIXED_REPEATS = 3
# How far a loss may be from fastmlp's, as a share of what that has fallen since the start: after an
# epoch in the order of the rows, which differs by rounding alone; after epochs in random order, or
# with dropout. Then the largest error of a prediction.
_TOLERANCE_SAME_ORDER = 0.01
_TOLERANCE_RANDOM = 0.1
_TOLERANCE_PREDICTION = 1e-4


@dataclass(frozen=True)
class Options:
    """How thoroughly to measure.

    Attributes
    ----------
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


@dataclass
class Measurement:
    """One library on one case.

    Attributes
    ----------
    variant : str
        The fastest.
    trials : dict
        Seconds of an epoch, or of a prediction of all rows, by variant, in the trial.
    number : int
        Epochs of a timed fit, or predictions timed together.
    seconds : list of float
        Of a step (a fit divided by its updates), or of a prediction of all rows; one a round.
    fixed_seconds : float or None
        Of a fit besides its epochs: twice a fit of one epoch less a fit of two.
    loss_same_order : float or None
        After one epoch in the order of the rows.
    loss_random_order : float or None
        After `Comparison.compared_epochs` epochs.
    error : float or None
        Of a prediction: the largest difference from NumPy.
    agrees : bool
        Whether it did the same work as fastmlp, by the losses or the error.
    """

    variant: str
    trials: dict[str, float]
    number: int
    seconds: list[float] = field(default_factory=list)
    fixed_seconds: float | None = None
    loss_same_order: float | None = None
    loss_random_order: float | None = None
    error: float | None = None
    agrees: bool = True


@dataclass
class Comparison:
    """All libraries on one case with one number of threads.

    ``skipped`` tells why by the name of the library.
    """

    case: str
    threads: int
    rows: int
    compared_epochs: int = 0
    first_loss: float = 0.0
    libraries: dict[str, Measurement] = field(default_factory=dict)
    skipped: dict[str, str] = field(default_factory=dict)

    def ratios(self, library: str) -> list[float]:
        """Time of a library by fastmlp's of the same round, in ascending order."""
        base = self.libraries[BASE].seconds
        return sorted(
            theirs / ours
            for theirs, ours in zip(self.libraries[library].seconds, base, strict=True)
        )


@dataclass
class Results:
    """What `measure` returns; `to_dict` is what is written as JSON."""

    machine: dict[str, Any]
    versions: dict[str, str]
    options: Options
    load: dict[str, float | None]
    comparisons: list[Comparison] = field(default_factory=list)

    def to_dict(self) -> dict[str, Any]:
        """Plain values."""
        return asdict(self)


def measure(
    cases: Sequence[str] = tuple(CASES),
    threads: Sequence[int] = (1, 2),
    libraries: Sequence[str] = tuple(LIBRARIES),
    options: Options | None = None,
    say: Callable[[str], None] = print,
) -> Results:
    """Measure fastmlp beside other libraries.

    Parameters
    ----------
    cases, libraries : sequence of str
        Out of ``CASES`` and ``LIBRARIES``; fastmlp is always measured.
    threads : sequence of int
    options : Options, optional
    say : callable
        Is told how far things are, a line at a time.

    Raises
    ------
    ValueError
        An unknown case or library, or more threads than cores.
    PeerError
        fastmlp failed.
    """
    chosen = [get_case(name) for name in cases]
    for library in libraries:
        if library not in LIBRARIES:
            raise ValueError(f"unknown library {library!r}; known: {', '.join(LIBRARIES)}")
    if max(threads) > available_cores():
        raise ValueError(
            f"{max(threads)} threads need as many cores, but there are {available_cores()}"
        )
    ordered = [BASE, *(library for library in libraries if library != BASE)]
    options = options or Options()
    results = Results(describe_machine(), {}, options, {"start": load_average(), "end": None})
    for case in chosen:
        for number in threads:
            say(f"{case.name} with {number} thread{'s' * (number > 1)}: {case}")
            results.comparisons.append(
                _compare(case, number, ordered, options, results.versions, say)
            )
    results.load["end"] = load_average()
    return results


def _compare(
    case: Case,
    threads: int,
    libraries: list[str],
    options: Options,
    versions: dict[str, str],
    say: Callable[[str], None],
) -> Comparison:
    comparison = Comparison(case.name, threads, min(options.rows or case.rows, case.rows))
    with ExitStack() as stack:
        processes: dict[str, Process] = {}
        seconds: dict[str, float] = {}

        def leave_out(library: str, reason: str) -> None:
            if library == BASE:
                raise PeerError(reason)
            comparison.skipped[library] = reason
            comparison.libraries.pop(library, None)
            processes.pop(library, None)
            say(f"  {library:12} skipped: {reason}")

        def each(action: Callable[[str, Process], None], shift: int = 0) -> None:
            """Let all libraries take their turn, beginning with another one each round."""
            names = list(processes)
            shift %= len(names)
            for name in names[shift:] + names[:shift]:
                time.sleep(options.pause)
                try:
                    action(name, processes[name])
                except PeerError as error:
                    leave_out(name, str(error))

        for library in libraries:
            reason = _why_not(library, case)
            if reason is not None:
                leave_out(library, reason)
                continue
            process = stack.enter_context(Process(library, threads))
            try:
                versions.update(process.ask("versions"))
                ready = process.ask("setup", case=case.name, rows=options.rows, variant=None)
            except PeerError as error:
                process.close()
                leave_out(library, str(error))
                continue
            processes[library] = process
            comparison.first_loss = ready["first_loss"]
            seconds[library] = ready["seconds"]
            count = options.predictions_of if case.predicts else options.epochs_of
            comparison.libraries[library] = Measurement(
                ready["variant"], ready["trials"], count(ready["seconds"])
            )
            say(f"  {library:12} ready: {ready['variant']}")

        measured = comparison.libraries

        def check(library: str, process: Process) -> None:
            found = process.ask("check", epochs=1, shuffle=False)
            if case.predicts:
                measured[library].error = found
                return
            measured[library].loss_same_order = found
            measured[library].loss_random_order = process.ask(
                "check", epochs=comparison.compared_epochs, shuffle=True
            )

        def time_one(library: str, process: Process) -> None:
            number = measured[library].number
            steps = 1 if case.predicts else case.steps(comparison.rows)
            taken = process.ask("run", number=number)
            measured[library].seconds.append(taken / (number * steps))

        def time_fixed(library: str, process: Process) -> None:
            one, two = (
                min(process.ask("run", number=number) for _ in range(_FIXED_REPEATS))
                for number in (1, 2)
            )
            measured[library].fixed_seconds = 2 * one - two

        slowest = max(seconds[library] for library in processes)
        comparison.compared_epochs = max(1, min(options.epochs, int(options.limit / slowest)))
        each(check)
        for number in range(options.rounds):
            each(time_one, shift=number)
        if not case.predicts:
            each(time_fixed)
    _judge(case, comparison)
    return comparison


def _why_not(library: str, case: Case) -> str | None:
    missing = LIBRARIES[library].missing()
    if missing is not None:
        return f"{missing} is not installed"
    return LIBRARIES[library].load().refusal(case)


def _judge(case: Case, comparison: Comparison) -> None:
    """Say of each library whether its losses, or its predictions, are those of fastmlp."""
    base = comparison.libraries[BASE]

    def close(found: float | None, expected: float | None, share: float) -> bool:
        if found is None or expected is None:
            return False
        return abs(found - expected) <= share * abs(comparison.first_loss - expected)

    same_order = _TOLERANCE_RANDOM if case.dropout else _TOLERANCE_SAME_ORDER
    for measurement in comparison.libraries.values():
        if case.predicts:
            error = measurement.error
            measurement.agrees = error is not None and error <= _TOLERANCE_PREDICTION
        else:
            measurement.agrees = close(
                measurement.loss_same_order, base.loss_same_order, same_order
            ) and close(measurement.loss_random_order, base.loss_random_order, _TOLERANCE_RANDOM)
