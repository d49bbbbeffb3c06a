"""``python -m tests.soak``: what is promised, tried by its full counts; or the page about it."""

from __future__ import annotations

import argparse
import datetime
import json
import signal
import subprocess
import sys
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import fastmlp as fm
from benchmarks.shared.marked_part import write_between

from . import ROOT
from . import promises as promises
from .journal import Journal
from .page import duration, table
from .promise import PROMISES

_PAGE = ROOT / "docs/guarantees.md"


def main(argv: list[str] | None = None) -> int:
    """Try, or write what was tried."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.soak",
        description="Try each promise of docs/guarantees.md by its full count. A run that is "
        "stopped, by Ctrl-C too, goes on where it was.",
    )
    names = list(PROMISES)
    parser.add_argument(
        "--only", nargs="+", default=names, choices=names, metavar="NAME", help="these promises"
    )
    parser.add_argument("--list", action="store_true", help="name them all, and try nothing")
    parser.add_argument("--jobs", type=int, default=1, help="how many at a time")
    parser.add_argument("--minutes", type=float, help="stop after so many, to go on later")
    parser.add_argument(
        "--again", action="store_true", help="begin anew; what was counted before is forgotten"
    )
    parser.add_argument(
        "--results", type=Path, default=Path(__file__).parent / "results.jsonl", metavar="FILE"
    )
    parser.add_argument(
        "--write",
        nargs="?",
        const=_PAGE,
        type=Path,
        metavar="PAGE",
        help="write the table of what was counted, and try nothing (default: docs/guarantees.md)",
    )
    arguments = parser.parse_args(argv)
    journal = Journal(arguments.results)
    if arguments.list:
        for name in arguments.only:
            made, tried = PROMISES[name], journal.of(name)
            print(f"{name}: {tried.count:,} of {made.full:,} {made.unit}. {made.says}")
        return 0
    if arguments.write is not None:
        journal.merge()
        write_between(arguments.write, table(journal), "tests.soak")
        return 0
    if arguments.again:
        journal.forget(arguments.only)
    until = time.monotonic() + 60 * arguments.minutes if arguments.minutes else float("inf")
    soak = Soak(journal, until)
    with ThreadPoolExecutor(arguments.jobs) as pool:
        try:
            list(pool.map(soak.run, arguments.only))
        finally:
            soak.stop()
    return int(any(journal.of(name).broken for name in arguments.only))


class Soak:
    """Trials in processes of their own, so that one which ends its process is one more finding."""

    def __init__(self, journal: Journal, until: float) -> None:
        self._journal, self._until = journal, until
        self._lock = threading.Lock()
        self._running: set[subprocess.Popen[str]] = set()
        self._stopped = False

    def stop(self) -> None:
        self._stopped = True
        for process in list(self._running):
            process.kill()

    def run(self, name: str) -> None:
        """Try one promise, from where the journal has it, until all is done or time is up."""
        made = PROMISES[name]
        deaths: dict[int, str] = {}
        while not self._is_over() and (first := self._journal.of(name).count) < made.full:
            if first in deaths:
                how = {"outcomes": {}, "broken": [(first, deaths[first])], "seconds": 0.0}
                self._add(name, {"first": first, "stop": first + 1, **how})
                continue
            # Up to a trial that ended its process, so that all before it are counted.
            stop = min((number for number in deaths if number > first), default=made.full)
            with tempfile.TemporaryDirectory() as folder:
                deaths |= self._from(name, first, stop, Path(folder))
        tried = self._journal.of(name)
        with self._lock:
            told = f"{name}: {tried.count:,} of {made.full:,} {made.unit}, "
            told += f"{len(tried.broken)} broken, {duration(tried.seconds)}"
            print(told, flush=True)
            for number, what in tried.broken:
                print(f"  {number}: {what}", flush=True)

    def _is_over(self) -> bool:
        return self._stopped or time.monotonic() > self._until

    def _from(self, name: str, first: int, stop: int, folder: Path) -> dict[int, str]:
        """Make these trials; the one that ended their process, if one did, and how."""
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.soak.trying", name, str(first), str(stop), str(folder)],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            text=True,
            # Ctrl-C ends this process, which ends those.
            start_new_session=True,
        )
        self._running.add(process)
        assert process.stdout is not None
        for line in process.stdout:
            if line.startswith('{"first"'):
                self._add(name, json.loads(line))
            if self._is_over():
                process.kill()
        code = process.wait()
        self._running.discard(process)
        if code == 0 or self._is_over():
            return {}
        marker = folder / "number"
        if not marker.exists():
            raise RuntimeError(f"{name} could not begin; its process ended with {code}")
        how = signal.Signals(-code).name if code < 0 else f"exit status {code}"
        return {int(marker.read_text()): f"the process ended with {how}"}

    def _add(self, name: str, told: dict[str, object]) -> None:
        day = datetime.datetime.now(datetime.timezone.utc).date().isoformat()
        with self._lock:
            self._journal.add({"promise": name, **told, "day": day, "version": fm.__version__})


if __name__ == "__main__":
    sys.exit(main())
