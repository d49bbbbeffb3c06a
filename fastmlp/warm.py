"""Compiling everything beforehand, so that no first use has to wait.

Numba compiles one function at a time in a process, so that there is a worker process for each
core. Workers are started by a command line, not by multiprocessing, which would run the caller's
script once more in each of them.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import threading
import traceback
import warnings
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from contextlib import ExitStack, contextmanager, nullcontext, suppress
from functools import partial
from typing import IO, Any, NamedTuple, cast

from .errors import missing_extra
from .kernels import get_backend
from .kernels.compiling import before_compiling
from .threads import available_cores

# A worker takes some 200 MB, and a second before it compiles: the time of five kernels.
_MOST_WORKERS = 8
_WORTH_WORKERS = 10
# What ops call by name is compiled with the first of them, and takes as long as ten ops.
_WORK_OF_PREPARING = 10

_WORK = "import sys; sys.path[:] = sys.argv[1:]; from fastmlp.warm import work; work()"


class Kernel(NamedTuple):
    """An op, the dtype that it is compiled for, and the member of its family."""

    op: str
    dtype: str
    member: str = ""

    def __str__(self) -> str:
        return f"{self.op} ({', '.join(filter(None, self[1:]))})"


_RUNNER = Kernel("run_steps", "")


def everything() -> Iterator[Kernel]:
    """What runs a program, and each op, dtype and member that a program can name."""
    from .kernels.compiled.activations import ELEMENTWISE
    from .kernels.compiled.losses import LOSSES
    from .kernels.compiled.op import OPS

    members = {
        "activation_forward": tuple(ELEMENTWISE),
        "activation_backward": tuple(ELEMENTWISE),
        "elementwise_loss": tuple(LOSSES),
        "gather_rows": ("float32", "float64", "uint8"),
    }
    yield _RUNNER
    for dtype in ("float32", "float64"):
        for op in OPS:
            for member in members.get(op, ("",)):
                yield Kernel(op, dtype, member)


def warmup(progress: bool = False) -> None:
    """Compile every kernel, for both dtypes, into the on-disk cache, on all cores.

    Afterwards no fit and no prediction compiles anything, in this process or in another one. What
    is in the cache already is only loaded.

    Parameters
    ----------
    progress : bool
        Show a bar (by tqdm) where something has to be compiled.

    Raises
    ------
    ImportError
        The numba backend is not installed, or tqdm is not and a bar was asked for.
    OSError
        Compiled kernels cannot be kept: no folder for them can be written.
    ChildProcessError
        A worker process failed.
    """
    bar = _bar() if progress else None
    get_backend("numba")
    from .kernels.compiled.cache import cache_folder

    if cache_folder() is None:
        raise OSError(
            "there is no folder that compiled kernels could be kept in; set NUMBA_CACHE_DIR to a "
            "folder that can be written"
        )
    missing = [kernel for kernel in everything() if not _is_cached(kernel)]
    if not missing:
        return
    shown = nullcontext() if bar is None else bar(total=len(missing))
    lock = threading.Lock()
    with shown as moving:

        def advance() -> None:
            if moving is not None:
                with lock:
                    moving.update()

        _compile_all(missing, advance)


def _bar() -> Callable[..., Any]:
    try:
        from tqdm import tqdm
    except ImportError as error:
        raise missing_extra("tqdm", "cli") from error
    return partial(tqdm, desc="compiling", unit="kernel")


class _NotCachedError(Exception):
    pass


def _is_cached(kernel: Kernel) -> bool:
    """Load a kernel and what it calls; False where something would have to be compiled."""

    def refuse(folder: object) -> None:
        raise _NotCachedError

    try:
        with before_compiling(refuse):
            _load(kernel)
    except _NotCachedError:
        return False
    return True


def _load(kernel: Kernel) -> None:
    """Load a kernel, or compile it where it is not in the cache."""
    from .kernels.compiled.op import OPS
    from .kernels.compiled.runner import runner

    if kernel == _RUNNER:
        runner()
    else:
        OPS[kernel.op].compiled(kernel.dtype, kernel.member)


def _compile_all(kernels: list[Kernel], advance: Callable[[], None]) -> None:
    units = _units(kernels)
    workers = min(available_cores(), len(units), _MOST_WORKERS)
    # The executable of a frozen application is no interpreter.
    alone = not sys.executable or getattr(sys, "frozen", False)
    if not alone and workers > 1 and len(kernels) >= _WORTH_WORKERS:
        kernels = _compile_by_workers(units, workers, advance)
    with _kept_or_error():
        for kernel in kernels:
            _load(kernel)
            advance()


def _units(kernels: Iterable[Kernel]) -> list[list[Kernel]]:
    """Kernels by dtype and module, for those share what they call; the most work first."""
    from .kernels.compiled.op import OPS

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
def _kept_or_error() -> Iterator[None]:
    """Make it an error that a kernel is compiled and cannot be kept."""
    from .kernels.compiled.cache import CacheWarning

    with warnings.catch_warnings():
        warnings.simplefilter("error", CacheWarning)
        try:
            yield
        except CacheWarning as problem:
            raise OSError(str(problem)) from None


def _compile_by_workers(
    units: list[list[Kernel]], count: int, advance: Callable[[], None]
) -> list[Kernel]:
    """Compile on `count` processes and return the kernels that only this process knows."""
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
    known = set(everything())
    for line in sys.stdin:
        kernel = Kernel(*json.loads(line))
        answer: dict[str, Any] = {"known": kernel in known}
        if answer["known"]:
            try:
                with _kept_or_error():
                    _load(kernel)
            except Exception as error:
                reason = traceback.format_exception_only(error)[-1].strip().split("\n")[0]
                answer = {"problem": reason, "traceback": traceback.format_exc()}
        print(json.dumps(answer), file=answers, flush=True)
