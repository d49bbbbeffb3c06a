"""Trials one after the other: ``python -m tests.soak.trying NAME FIRST STOP FOLDER``.

Prints a JSON object a line for each few seconds of trials. The file ``number`` in the folder has
the trial that is being made, for one that ends the process.
"""

from __future__ import annotations

import json
import sys
import time
import traceback
import warnings
from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from .promise import PROMISES, Promise

Report = dict[str, Any]

SECONDS = 5.0


def trials(
    promise: Promise, numbers: Iterable[int], folder: Path, tell: Callable[[Report], None]
) -> None:
    """Make the trials, and tell every few seconds which they were and what they came to."""
    shared, marker = folder / "shared", folder / "number"
    shared.mkdir()
    with promise.trials(shared) as trial:
        batch: list[int] = []
        outcomes: Counter[str] = Counter()
        broken: list[tuple[int, str]] = []
        begun = time.perf_counter()

        def report() -> None:
            nonlocal begun
            now = time.perf_counter()
            counts = dict(sorted(outcomes.items()))
            ends = {"first": batch[0], "stop": batch[-1] + 1}
            tell({**ends, "seconds": round(now - begun, 2), "outcomes": counts, "broken": broken})
            begun = now

        for number in numbers:
            marker.write_text(str(number))
            batch.append(number)
            try:
                outcomes[trial(number)] += 1
            except Exception as error:
                last = "".join(traceback.format_exception(error)).strip()[-2000:]
                broken.append((number, last))
            if time.perf_counter() - begun > SECONDS:
                report()
                batch, broken = [], []
                outcomes.clear()
        if batch:
            report()


def main(name: str, first: str, stop: str, folder: str) -> None:
    from . import promises as promises

    warnings.simplefilter("error")
    numbers = range(int(first), int(stop))
    trials(PROMISES[name], numbers, Path(folder), lambda told: print(json.dumps(told), flush=True))


if __name__ == "__main__":
    main(*sys.argv[1:])
