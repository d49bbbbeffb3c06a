"""The parent's end of a worker process."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from types import TracebackType
from typing import Any

from . import worker
from .machine import threads_of
from .peer import LIBRARIES

# Without the empty path, by which Python would take files of the working folder for modules.
_START = f"""
import sys
sys.path = [path for path in sys.path if path]
from {worker.__name__} import main
main(sys.argv[1:])
"""


class PeerError(RuntimeError):
    """A worker could not do what it was asked; the message says why."""


class Process:
    """A worker process of one library with so many threads; a context manager that ends it.

    It finds packages where this process does.

    Parameters
    ----------
    library : str
    threads : int or "auto"
    """

    def __init__(self, library: str, threads: int | str) -> None:
        self.library = library
        number = threads_of(threads)
        environment = {
            **os.environ,
            **worker.environment(number),
            **LIBRARIES[library].load().environment(number),
            "PYTHONPATH": os.pathsep.join(os.path.abspath(path) for path in sys.path),
        }
        # It is closed by `close`.
        self._stderr = tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace")  # noqa: SIM115
        self._process = subprocess.Popen(
            [sys.executable, "-c", _START, library, str(threads)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._stderr,
            env=environment,
            text=True,
        )

    def is_alive(self) -> bool:
        """Whether it can be asked."""
        return self._process.poll() is None

    def ask(self, do: str, **arguments: Any) -> Any:
        """Send a request, wait for its answer and return the value.

        Raises
        ------
        PeerError
            The worker failed or ended.
        """
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        try:
            self._process.stdin.write(json.dumps({"do": do, **arguments}) + "\n")
            self._process.stdin.flush()
            line = self._process.stdout.readline()
        except BrokenPipeError:
            line = ""
        if not line:
            self._process.wait()
            raise PeerError(f"{self.library}'s process ended: {self._last_words()}")
        answer = json.loads(line)
        if "error" in answer:
            raise PeerError(answer["error"])
        return answer["value"]

    def _last_words(self) -> str:
        self._stderr.seek(0)
        lines = self._stderr.read().split("\n")
        said = [line.strip() for line in lines if line.strip()]
        return said[-1] if said else f"exit code {self._process.returncode}"

    def close(self) -> None:
        """End the process."""
        # Both pipes are closed, also where one is broken already.
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                try:
                    pipe.close()
                except BrokenPipeError:
                    continue
        try:
            self._process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._stderr.close()

    def __enter__(self) -> Process:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()
