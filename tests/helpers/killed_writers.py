"""Writers that are killed, find no room or write at the same time, in processes of their own.

This file is also the program of a process that makes all files ready and forks a child for each
writer: a fork of pytest's own process would have its threads missing.
"""

from __future__ import annotations

import gc
import json
import os
import select
import signal
import subprocess
import sys
import time
import traceback
from pathlib import Path
from types import FrameType, TracebackType
from typing import Any

REFUSED = 3
"""The exit status of a writer that an OSError has ended."""
INTERRUPTED = 4
"""That of one which a KeyboardInterrupt has ended."""

Job = dict[str, Any]


class Writers:
    """A process that has what is to be written.

    A job is a dictionary: ``kind``, of `written_files`; ``which`` of its two files, or None for
    both in turns until the end; ``path``; and what happens: ``step``, the number of the line of
    code, counted from where a file is opened, before which the writer is killed, or with
    ``interrupted`` has a KeyboardInterrupt; ``count``, a file
    for the number of these lines; ``seconds`` until it is killed; ``limit``, the most bytes that a
    file may have; ``times`` that it writes.
    """

    def __init__(self) -> None:
        root = Path(__file__).resolve().parents[2]
        threads = {f"{name}_NUM_THREADS": "1" for name in ("OMP", "OPENBLAS", "MKL")}
        self._process = subprocess.Popen(
            [sys.executable, __file__],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, **threads, "PYTHONPATH": str(root), "MPLBACKEND": "Agg"},
        )

    def __enter__(self) -> Writers:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._process.communicate()

    def start(self, *jobs: Job) -> None:
        """Let writers begin, all at the same time."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(jobs, default=str) + "\n")
        self._process.stdin.flush()

    def are_busy(self) -> bool:
        """Tell whether the writers that were started have not ended."""
        return not select.select([self._process.stdout], [], [], 0)[0]

    def wait(self) -> list[int]:
        """How the writers have ended: 0, `REFUSED`, or less than 0, killed by that signal."""
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        assert line, "the process of the writers has ended"
        codes: list[int] = json.loads(line)
        return codes

    def run(self, **job: Any) -> int:
        """Let one writer write; how it has ended."""
        self.start(job)
        (code,) = self.wait()
        return code


def main() -> None:
    from written_files import writers

    # Modules that children need are there before them.
    Steps(None, interrupts=False)
    found = writers()
    # What is there by now is no garbage of a child's.
    gc.freeze()
    for line in sys.stdin:
        jobs = json.loads(line)
        begun = [(job, _forked(found, job)) for job in jobs]
        codes = []
        for job, child in begun:
            if "seconds" in job:
                time.sleep(job["seconds"])
                os.kill(child, signal.SIGKILL)
            codes.append(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
        print(json.dumps(codes), flush=True)


def _forked(found: Any, job: Job) -> int:
    child = os.fork()
    if child:
        return child
    code = 1
    try:
        _write(found[job["kind"]], job)
        code = 0
    except OSError as error:
        # It names a file that was to be written, not one of which users know nothing.
        path = Path(job["path"])
        if error.filename in map(str, (path, path.with_suffix(".npz"))):
            code = REFUSED
        else:
            traceback.print_exc()
    except KeyboardInterrupt:
        code = INTERRUPTED
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(code)


def _write(both: Any, job: Job) -> None:
    path = Path(job["path"])
    if "limit" in job:
        import resource

        hard = resource.getrlimit(resource.RLIMIT_FSIZE)[1]
        resource.setrlimit(resource.RLIMIT_FSIZE, (job["limit"], hard))
    steps = Steps(job.get("step"), "interrupted" in job)
    if "step" in job or "count" in job:
        sys.settrace(steps.trace)
    turns = 0
    while turns < job.get("times", 1) or job["which"] is None:
        both[turns % 2 if job["which"] is None else job["which"]](path)
        turns += 1
    sys.settrace(None)
    if "count" in job:
        Path(job["count"]).write_text(str(steps.done))


class Steps:
    """Counts lines of the library from where a file is opened, and ends the writer at one."""

    def __init__(self, last: int | None, interrupts: bool) -> None:
        from fastmlp import __file__ as own
        from fastmlp.common import atomic_file
        from fastmlp.export.python import beside

        self._begins = (atomic_file.__file__, beside.__file__)
        self._folder = os.path.dirname(own)
        self._last, self._interrupts, self._has_begun = last, interrupts, False
        self.done = 0

    def trace(self, frame: FrameType, event: str, argument: object) -> Any:
        name = frame.f_code.co_filename
        if not name.startswith(self._folder):
            return None
        self._has_begun = self._has_begun or name in self._begins
        if self._has_begun and event == "line":
            self.done += 1
            if self.done - 1 == self._last and self._interrupts:
                raise KeyboardInterrupt
            if self.done - 1 == self._last:
                os.kill(os.getpid(), signal.SIGKILL)
        return self.trace


if __name__ == "__main__":
    main()
