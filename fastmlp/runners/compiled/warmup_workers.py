"""Processes that compile side by side, for Numba compiles one function at a time in each.

They are started by a command line, not by multiprocessing, which would run the caller's script
once more in each of them.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import traceback
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from contextlib import ExitStack, contextmanager, suppress
from typing import IO, Any, cast

from ...kernels import get_backend
from ...kernels.compiled.machine.op import OPS
from ..cores import allowed_cores
from .all_kernels import Kernel, all_kernels, load, require_cache

# Each takes some 200 MB.
_MOST_WORKERS = 8
# What ops call by name is compiled with the first of them, and takes as long as ten ops.
_WORK_OF_PREPARING = 10

_WORK = f"import sys; sys.path[:] = sys.argv[1:]; from {__name__} import work; work()"


def compile_by_workers(kernels: list[Kernel], advance: Callable[[], None]) -> list[Kernel]:
    """Compile on all cores, and return the kernels that are left to this process.

    Those are all where there is one core, else those that only this process knows.
    """
    units = _units(kernels)
    count = min(allowed_cores(), len(units), _MOST_WORKERS)
    if count == 1:
        return kernels
    queue = deque(units)
    unknown: list[Kernel] = []
    with ExitStack() as stack:
        workers = [stack.enter_context(_worker()) for _ in range(count)]
        pool = stack.enter_context(ThreadPoolExecutor(count))
        for worker in workers:
            # However this ends: then the threads that wait for answers end too.
            stack.callback(worker.process.kill)
        serving = {pool.submit(worker.serve, queue, unknown, advance) for worker in workers}
        while serving:
            # On Windows, Ctrl-C is not heard by a wait without an end.
            done, serving = wait(serving, timeout=0.5, return_when=FIRST_COMPLETED)
            for future in done:
                future.result()
    return unknown


def _units(kernels: Iterable[Kernel]) -> list[list[Kernel]]:
    """Kernels by dtype and module, for those share what they call; the most work first."""
    units: dict[tuple[str, str], list[Kernel]] = {}
    work: dict[tuple[str, str], int] = {}
    for kernel in kernels:
        op = OPS.get(kernel.op)
        unit = (kernel.dtype, op.module if op else "")
        units.setdefault(unit, []).append(kernel)
        prepares = op is not None and op.prepare is not None
        work[unit] = max(work.get(unit, 0), _WORK_OF_PREPARING * prepares) + 1
    return [units[unit] for unit in sorted(units, key=lambda unit: -work[unit])]


@contextmanager
def _worker() -> Iterator[_Worker]:
    """A process that compiles what it is told to; it does not outlive the block."""
    from numba import config

    environment = dict(os.environ)
    if config.CACHE_DIR:
        environment["NUMBA_CACHE_DIR"] = config.CACHE_DIR
    # Ctrl-C is for the process that was called; that one ends this one.
    apart: dict[str, Any] = {"start_new_session": True}
    if sys.platform == "win32":
        apart = {"creationflags": subprocess.CREATE_NEW_PROCESS_GROUP}
    with (
        tempfile.TemporaryFile() as errors,
        subprocess.Popen(
            [sys.executable, "-c", _WORK, *sys.path],
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            bufsize=0,
            **apart,
        ) as process,
    ):
        try:
            yield _Worker(process, errors)
        finally:
            process.kill()


class _Worker:
    """The other end of `work`: tells a process what to compile and hears how that went."""

    def __init__(self, process: subprocess.Popen[bytes], errors: IO[bytes]) -> None:
        self.process = process
        self._errors = errors

    def serve(
        self, queue: deque[list[Kernel]], unknown: list[Kernel], advance: Callable[[], None]
    ) -> None:
        """Hand over unit after unit until there are no more."""
        while queue:
            try:
                unit = queue.popleft()
            except IndexError:
                return
            for kernel in unit:
                answer = self._ask(kernel)
                if "problem" in answer:
                    problem = f"compiling {kernel} failed: {answer['problem']}"
                    raise ChildProcessError(problem) from RuntimeError(answer["traceback"])
                if answer["known"]:
                    advance()
                else:
                    unknown.append(kernel)

    def _ask(self, kernel: Kernel) -> dict[str, Any]:
        process = self.process
        words, answers = cast("IO[bytes]", process.stdin), cast("IO[bytes]", process.stdout)
        # A process that has ended takes no words and gives no answer.
        with suppress(OSError):
            words.write(f"{json.dumps(kernel)}\n".encode())
        answer = answers.readline()
        if answer:
            return dict(json.loads(answer))
        code = process.wait()
        self._errors.seek(0)
        said = self._errors.read().decode(errors="replace").split("\n")
        last = next((line for line in reversed(said) if line.strip()), "it said nothing")
        raise ChildProcessError(
            f"a worker process ended with exit code {code} while it compiled {kernel}: {last}"
        )


def work() -> None:
    """What a worker process does: compile the kernels named on stdin, one a line."""
    # Whatever else is printed must not come between the answers.
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    get_backend("numba")
    known = set(all_kernels())
    for line in sys.stdin:
        kernel = Kernel(*json.loads(line))
        answer: dict[str, Any] = {"known": kernel in known}
        if answer["known"]:
            try:
                with require_cache():
                    load(kernel)
            except Exception as error:
                reason = traceback.format_exception_only(error)[-1].strip().split("\n")[0]
                answer = {"problem": reason, "traceback": traceback.format_exc()}
        print(json.dumps(answer), file=answers, flush=True)
