"""Takes the measurements: libraries take turns, round by round."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field
from functools import partial
from statistics import median
from typing import Any

from .machine import available_cores, describe_machine, load_average
from .networks import CASES, Case, get_case
from .options import Options
from .peer import AUTO, BASE, LIBRARIES
from .process import PeerError, Process
from .wording import cost, count_of

# Fits of one and of two epochs each, the fastest of which tell the fixed cost of a fit.
_FIXED_REPEATS = 3
# How far a loss may be from fastmlp's, as a share of what that has fallen since the start: after an
# epoch in the order of the rows, which differs by rounding alone; after epochs in random order, or
# with dropout. Then the largest error of a prediction.
_TOLERANCE_SAME_ORDER = 0.01
_TOLERANCE_RANDOM = 0.1
_TOLERANCE_PREDICTION = 1e-4


@dataclass
class Measurement:
    """One library on one case with one number of threads.

    Attributes
    ----------
    library : str
    threads : int or "auto"
        fastmlp alone is measured at "auto" too: it then may use all cores.
    variant : str
        The fastest of those that were tried.
    trials : dict
        Seconds of an epoch, or of a prediction of all rows, by variant, in the trial.
    failures : dict
        Messages of the variants that failed.
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

    library: str
    threads: int | str
    variant: str
    trials: dict[str, float]
    failures: dict[str, str]
    number: int
    seconds: list[float] = field(default_factory=list)
    fixed_seconds: float | None = None
    loss_same_order: float | None = None
    loss_random_order: float | None = None
    error: float | None = None
    agrees: bool = True


@dataclass
class Comparison:
    """All libraries on one case.

    Attributes
    ----------
    case : str
    rows : int
        Of an epoch or a prediction.
    compared_epochs : int
        After which losses are compared.
    first_loss : float
        Before training.
    variants : dict
        How many there are, by the name of the library.
    measurements : list of Measurement
    skipped : dict
        Why, by the name of the library, with the number of threads where only that failed.
    """

    case: str
    rows: int
    compared_epochs: int = 0
    first_loss: float = 0.0
    variants: dict[str, int] = field(default_factory=dict)
    measurements: list[Measurement] = field(default_factory=list)
    skipped: dict[str, str] = field(default_factory=dict)

    @property
    def steps(self) -> int:
        """Updates of an epoch, or 1."""
        case = get_case(self.case)
        return 1 if case.predicts else case.steps(self.rows)

    def of(self, library: str) -> dict[int | str, Measurement]:
        """The measurements of this library by the number of threads."""
        return {one.threads: one for one in self.measurements if one.library == library}

    def best(self, library: str) -> Measurement | None:
        """The fastest measurement of this library over the numbers of threads."""
        counted = [one for threads, one in self.of(library).items() if threads != AUTO]
        return min(counted, key=lambda one: median(one.seconds), default=None)

    def ratios(self, measurement: Measurement, threads: int | str) -> list[float] | None:
        """A time by fastmlp's with so many threads, round by round; None where there is none."""
        base = self.of(BASE).get(threads)
        if base is None:
            return None
        return [
            theirs / ours for theirs, ours in zip(measurement.seconds, base.seconds, strict=True)
        ]


@dataclass
class Results:
    """What `measure` returns; `to_dict` is what is written as JSON.

    ``missing`` tells by name of a library which package is not installed.
    """

    machine: dict[str, Any]
    versions: dict[str, str]
    options: Options
    load: dict[str, float | None]
    missing: dict[str, str] = field(default_factory=dict)
    comparisons: list[Comparison] = field(default_factory=list)

    def to_dict(self) -> dict[str, Any]:
        """Plain values."""
        return asdict(self)


def default_threads() -> tuple[int | str, ...]:
    """One thread, as many as there are cores, and fastmlp's own choice."""
    cores = available_cores()
    return (1,) if cores == 1 else (1, cores, AUTO)


def measure(
    cases: Sequence[str] = tuple(CASES),
    threads: Sequence[int | str] | None = None,
    libraries: Sequence[str] = tuple(LIBRARIES),
    options: Options | None = None,
    say: Callable[[str], None] = print,
    keep: Callable[[Results], None] | None = None,
) -> Results:
    """Measure fastmlp beside other libraries.

    Parameters
    ----------
    cases, libraries : sequence of str
        Out of ``CASES`` and ``LIBRARIES``; fastmlp is always measured. Libraries that are not
        installed are left out.
    threads : sequence of int or "auto", optional
        With "auto" fastmlp is also measured at ``n_threads="auto"``, beside the best of each
        library over the numbers given. By default `default_threads`.
    options : Options, optional
    say : callable
        Is told how far things are, a line at a time.
    keep : callable, optional
        Is given the results so far after each case.

    Raises
    ------
    ValueError
        An unknown case or library, no number of threads, or more threads than cores.
    PeerError
        fastmlp failed.
    """
    chosen = [get_case(name) for name in cases]
    settings = _checked(default_threads() if threads is None else threads)
    for library in libraries:
        if library not in LIBRARIES:
            raise ValueError(f"unknown library {library!r}; known: {', '.join(LIBRARIES)}")
    wanted = dict.fromkeys((BASE, *libraries))
    results = Results(
        describe_machine(),
        {},
        options or Options(),
        {"start": load_average(), "end": None},
        {name: gap for name in wanted if (gap := LIBRARIES[name].missing()) is not None},
    )
    if BASE in results.missing:
        raise PeerError(f"{results.missing[BASE]} is not installed")
    for library, package in results.missing.items():
        say(f"{library} skipped: {package} is not installed")
    with ExitStack() as stack:
        crew = _Crew(stack, [name for name in wanted if name not in results.missing], settings)
        for number, case in enumerate(chosen, 1):
            say(f"[{number}/{len(chosen)}] {case.name}: {case}")
            results.comparisons.append(_compare(case, crew, results, say))
            results.load["end"] = load_average()
            if keep is not None:
                keep(results)
    return results


def _checked(threads: Sequence[int | str]) -> list[int | str]:
    """The settings, each once, "auto" last."""
    numbers = list(dict.fromkeys(number for number in threads if isinstance(number, int)))
    if not numbers:
        raise ValueError(f"threads must hold a number beside {AUTO!r}, which only fastmlp knows")
    if max(numbers) > available_cores():
        raise ValueError(
            f"{max(numbers)} threads need as many cores, but there are {available_cores()}"
        )
    return [*numbers, *([AUTO] if AUTO in threads else [])]


class _Crew:
    """The worker processes: one for each library and number of threads, started when first used."""

    def __init__(self, stack: ExitStack, libraries: list[str], settings: list[int | str]) -> None:
        self._stack = stack
        self.members = [
            (library, threads)
            for threads in settings
            for library in libraries
            if threads != AUTO or library == BASE
        ]
        self._processes: dict[tuple[str, int | str], Process] = {}

    def ask(self, library: str, threads: int | str, do: str, **arguments: Any) -> Any:
        """Let a process do something; a new process where the last has ended."""
        process = self._processes.get((library, threads))
        if process is None or not process.is_alive():
            process = self._stack.enter_context(Process(library, threads))
            self._processes[library, threads] = process
        return process.ask(do, **arguments)


def _compare(case: Case, crew: _Crew, results: Results, say: Callable[[str], None]) -> Comparison:
    options = results.options
    comparison = Comparison(case.name, min(options.rows or case.rows, case.rows))

    def leave_out(library: str, threads: int | str, reason: str) -> None:
        if library == BASE:
            raise PeerError(reason)
        comparison.skipped[f"{library}, {count_of(threads)}"] = reason
        say(f"  {library:12} {count_of(threads):10} skipped: {reason}")

    longest = 0.0
    for library, threads in crew.members:
        refusal = LIBRARIES[library].load().refusal(case)
        if refusal is not None:
            comparison.skipped[library] = refusal
            continue
        time.sleep(options.pause)
        try:
            results.versions.update(crew.ask(library, threads, "versions"))
            ready = crew.ask(
                *(library, threads, "setup"),
                case=case.name,
                rows=options.rows,
                variants=options.variants,
            )
        except PeerError as error:
            leave_out(library, threads, str(error))
            continue
        comparison.first_loss, comparison.variants[library] = ready["first_loss"], ready["variants"]
        longest = max(longest, ready["seconds"])
        count = options.predictions_of if case.predicts else options.epochs_of
        comparison.measurements.append(
            Measurement(
                *(library, threads, ready["variant"], ready["trials"], ready["failures"]),
                count(ready["seconds"]),
            )
        )
        first = cost(case, comparison.rows, ready["seconds"] / comparison.steps)
        say(f"  {library:12} {count_of(threads):10} {first} at first: {ready['variant']}")

    comparison.compared_epochs = max(1, min(options.epochs, int(options.limit / longest)))
    actions = [_check, *[_time_one] * options.rounds, *[_time_fixed] * (not case.predicts)]
    for number, action in enumerate(actions):
        # Another one begins each time.
        shift = number % len(comparison.measurements)
        for one in comparison.measurements[shift:] + comparison.measurements[:shift]:
            time.sleep(options.pause)
            try:
                action(case, comparison, one, partial(crew.ask, one.library, one.threads))
            except PeerError as error:
                comparison.measurements.remove(one)
                leave_out(one.library, one.threads, str(error))
    _judge(case, comparison)
    return comparison


def _check(case: Case, comparison: Comparison, one: Measurement, ask: Callable[..., Any]) -> None:
    found = ask("check", epochs=1, shuffle=False)
    if case.predicts:
        one.error = found
        return
    one.loss_same_order = found
    one.loss_random_order = ask("check", epochs=comparison.compared_epochs, shuffle=True)


def _time_one(
    case: Case, comparison: Comparison, one: Measurement, ask: Callable[..., Any]
) -> None:
    one.seconds.append(ask("run", number=one.number) / (one.number * comparison.steps))


def _time_fixed(
    case: Case, comparison: Comparison, one: Measurement, ask: Callable[..., Any]
) -> None:
    first, second = (
        min(ask("run", number=number) for _ in range(_FIXED_REPEATS)) for number in (1, 2)
    )
    one.fixed_seconds = 2 * first - second


def _judge(case: Case, comparison: Comparison) -> None:
    """Say of each library whether its losses, or its predictions, are those of fastmlp."""
    base = comparison.measurements[0]

    def close(found: float | None, expected: float | None, share: float) -> bool:
        if found is None or expected is None:
            return False
        return abs(found - expected) <= share * abs(comparison.first_loss - expected)

    same_order = _TOLERANCE_RANDOM if case.dropout else _TOLERANCE_SAME_ORDER
    for one in comparison.measurements:
        if case.predicts:
            one.agrees = one.error is not None and one.error <= _TOLERANCE_PREDICTION
        else:
            one.agrees = close(one.loss_same_order, base.loss_same_order, same_order) and close(
                one.loss_random_order, base.loss_random_order, _TOLERANCE_RANDOM
            )
