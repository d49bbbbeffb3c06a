"""The parent's end of the process of one fit."""

from __future__ import annotations

import json
import os
import pickle
import subprocess
import sys
from typing import TYPE_CHECKING, Any

from ..worker import environment
from . import worker

if TYPE_CHECKING:
    from .tables import Table

# Without the empty path, by which Python would take files of the working folder for modules.
_START = f"""
import sys
sys.path = [path for path in sys.path if path]
from {worker.__name__} import main
main()
"""


def measure_apart(method: str, table: Table, split: int) -> dict[str, Any]:
    """What `worker.measure` gives in a process of its own with one thread.

    Of a fit that failed there is ``failure``, its message. Both say the table's ``rows``,
    ``columns`` and ``classes``, None of a regression.
    """
    rows, columns = table.X.shape
    classes = None if table.is_regression else int(table.y.max()) + 1
    found = _answer(method, table, split)
    return {"rows": rows, "columns": columns, "classes": classes, **found}


def outcome(result: dict[str, Any]) -> str:
    """The error and the seconds of a fit, or why it failed."""
    if "failure" in result:
        return f"failed: {result['failure']}"
    return f"error {result['error']:.4g}, {result['fit_cpu_seconds']:.1f} s"


def _answer(method: str, table: Table, split: int) -> dict[str, Any]:
    finished = subprocess.run(
        [sys.executable, "-c", _START],
        input=pickle.dumps((method, tuple(table), split)),
        capture_output=True,
        env={
            **os.environ,
            **environment(1),
            "PYTHONPATH": os.pathsep.join(os.path.abspath(path) for path in sys.path),
        },
    )
    if finished.stdout:
        answer: dict[str, Any] = json.loads(finished.stdout)
        return answer
    said = finished.stderr.decode(errors="replace").strip().split("\n")[-1]
    return {"failure": f"its process ended with code {finished.returncode}: {said}"}
