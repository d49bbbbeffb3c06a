"""The memory of a fit beyond its X: ``python -m benchmarks.memory``.

Two tables. The first holds the most anonymous memory that a fit takes, beside what is aimed at:
64 MiB, 16 bytes a row, 8 times the parameters, and the workspace of a batch (what each layer keeps
of each row, which a full batch has for all rows). Each line is a process of its own. It imports
what a compiled fit needs, makes the data, fits a small model so that the kernels are loaded (they
are compiled before), and then fits. "Beyond X" counts all that has come since the imports, y and
the kernels too; "the fit" counts what has come since the data and the small model.

The second table is of files of float32 rows, larger than the data that the process may have: its
limit is what it has before the fit and what is aimed at. The files are sparse.

Linux alone tells a process its peak of memory and lets it set the mark back.
"""

from __future__ import annotations

import argparse
import ctypes
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

import fastmlp as fm

from . import CHECKOUT
from .shared.rounds import conditions, say, table

_STATUS = Path("/proc/self/status")
# The fastmlp that this process has imported goes before that of this checkout.
_PATHS = (Path(fm.__file__).resolve().parent.parent, CHECKOUT)
_MIB = 2**20
_ROWS = (100_000, 1_000_000, 4_000_000)
_BLOCK = 65_536
# Of the files: their rows are long beside the 16 bytes of the target.
FILE_ROWS, _FILE_COLUMNS = 4_000_000, 64


@dataclass(frozen=True)
class Case:
    """A fit of one epoch.

    Attributes
    ----------
    rows : int
    targets : str
        A dtype for numbers, ``"labels "`` and a dtype for ten classes, or ``"one-hot"``.
    widths : tuple of int
        Of the input and the hidden layers.
    batch : int or None
    split : float
        Share of the rows for validation.
    weights : str
        ``"class"``, a dtype for sample weights, or nothing.
    backend : str
    """

    rows: int
    targets: str = "labels int64"
    widths: tuple[int, ...] = (8, 64, 64)
    batch: int | None = 256
    split: float = 0.0
    weights: str = ""
    backend: str = "numba"

    def __str__(self) -> str:
        parts = [f"{'-'.join(map(str, self.widths))}, y: {self.targets}"]
        parts += ["full batch"] * (self.batch is None)
        parts += [f"split {self.split:g}"] * (self.split > 0)
        parts += [f"{self.weights} weights"] * bool(self.weights)
        parts += [self.backend] * (self.backend != "numba")
        return ", ".join(parts)


def ordinary_cases(rows: int) -> list[Case]:
    """Labels and numbers as they come most often, with shuffling."""
    return [
        Case(rows),
        Case(rows, split=0.2),
        Case(rows, "float32"),
        Case(rows, "float64"),
        Case(rows, "float64", split=0.2),
    ]


def further_cases(rows: int) -> list[Case]:
    """What has to be converted, weights, wide networks, a full batch."""
    return [
        Case(rows, "labels int32"),
        Case(rows, "labels int32", split=0.2),
        Case(rows, "labels str"),
        Case(rows, "labels object"),
        Case(rows, "one-hot", split=0.2),
        Case(rows, weights="float32"),
        Case(rows, weights="float64"),
        Case(rows, weights="class"),
        Case(rows, "labels str", weights="class"),
        Case(rows, backend="numpy", batch=4096),
        Case(rows // 10, batch=None),
        Case(10_000, widths=(784, 2048, 1024)),
    ]


@dataclass(frozen=True)
class Peak:
    """Bytes: those aimed at, and those that a fit took at most."""

    bound: int
    beyond_x: int
    beyond_data: int
    fit: int


def is_supported() -> bool:
    """Whether this system tells what is measured here."""
    return os.access("/proc/self/clear_refs", os.W_OK)


def measure(case: Case) -> Peak:
    """Fit in a process of its own."""
    return Peak(**_in_process("_measure", asdict(case)))


def _in_process(function: str, arguments: dict[str, Any]) -> dict[str, Any]:
    code = f"import json, sys\nfrom benchmarks.memory import {function} as run\n"
    code += "print(json.dumps(run(**json.loads(sys.argv[1]))))"
    path = os.pathsep.join(map(str, _PATHS))
    done = subprocess.run(
        [sys.executable, "-c", code, json.dumps(arguments)],
        env={**os.environ, "PYTHONPATH": path},
        stdout=subprocess.PIPE,
        check=True,
        text=True,
    )
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def _status(name: str) -> int:
    """A line of the process's status, in bytes."""
    match = re.search(rf"^{name}:\s+(\d+) kB$", _STATUS.read_text(), re.MULTILINE)
    assert match is not None
    return 1024 * int(match[1])


def _measure(**arguments: Any) -> dict[str, int]:
    case = Case(**{**arguments, "widths": tuple(arguments["widths"])})
    import_backend(case.backend)
    imported = _status("RssAnon")
    small = Case(**{**asdict(case), "rows": 200, "batch": 32})
    _fit(small, *_data(small))
    x, y, weights = _data(case)
    # What the C library has kept of arrays that are gone would be taken again unseen.
    ctypes.CDLL(None).malloc_trim(0)
    before = _status("RssAnon")
    Path("/proc/self/clear_refs").write_text("5")
    model = _fit(case, x, y, weights)
    # Pages of files only become more.
    peak = _status("VmHWM") - _status("RssFile")
    beyond_x = peak - x.nbytes - imported
    data = y.nbytes + (0 if weights is None else weights.nbytes)
    return {
        "bound": _bound(case.rows, model, case.batch or case.rows),
        "beyond_x": beyond_x,
        "beyond_data": beyond_x - data,
        "fit": peak - before,
    }


def _bound(rows: int, model: Any, batch: int) -> int:
    """What is aimed at, in bytes."""
    weights = [view for name, view in model.parameters.items() if name.endswith(".weight")]
    # A layer keeps its input, and its output's gradient where a further one reads the output.
    widths = [weights[0].shape[0], *(weight.shape[1] for weight in weights)]
    kept = sum(widths) + sum(widths[1:-1])
    parameters = sum(view.nbytes for view in model.parameters.values())
    return int(64 * _MIB + 16 * rows + 8 * parameters + batch * kept * weights[0].itemsize)


def import_backend(backend: str) -> None:
    """Import what a fit needs before its first step."""
    fm.Sequential([fm.Dense(1)], backend=backend).build(1)


def _model(case: Case) -> Any:
    classifies = case.targets.startswith(("labels", "one-hot"))
    last = fm.Dense(10, "softmax") if classifies else fm.Dense(1)
    hidden = [fm.Dense(units, "relu") for units in case.widths[1:]]
    return fm.Sequential([*hidden, last], random_state=0, n_threads=1, backend=case.backend)


def _fit(case: Case, x: Any, y: Any, weights: Any) -> Any:
    extra: dict[str, Any] = {}
    if case.weights == "class":
        extra["class_weight"] = "balanced"
    elif case.weights:
        extra["sample_weight"] = weights
    model = _model(case)
    model.fit(
        *(x, y),
        epochs=1,
        batch_size=case.batch,
        validation_split=case.split,
        verbose=0,
        **extra,
    )
    return model


def _data(case: Case) -> tuple[Any, Any, Any]:
    rng = np.random.default_rng(0)
    x = np.empty((case.rows, case.widths[0]), np.float32)
    for start in range(0, case.rows, _BLOCK):
        x[start : start + _BLOCK] = rng.standard_normal(
            x[start : start + _BLOCK].shape, dtype=np.float32
        )
    y = _targets(case.targets, case.rows)
    weights = np.ones(case.rows, case.weights) if case.weights.startswith("float") else None
    return x, y, weights


def _targets(kind: str, rows: int) -> Any:
    codes = np.arange(rows) % 10
    if kind.startswith("float"):
        return np.sin(codes).astype(kind)
    if kind == "one-hot":
        return np.eye(10, dtype=np.float32)[codes]
    dtype = kind.removeprefix("labels ")
    if dtype in ("str", "object"):
        return np.array([f"class {code}" for code in range(10)]).astype(dtype)[codes]
    return codes.astype(dtype)


@dataclass(frozen=True)
class BeyondLimit:
    """A fit of a file larger than the data that its process may have: bytes, and seconds."""

    file: int
    limit: int
    seconds: float


def train_beyond_limit(rows: int, backend: str, split: float) -> BeyondLimit:
    """Fit on a file of so many rows in a process of its own, under a limit on its data.

    Raises
    ------
    subprocess.CalledProcessError
        The fit needed more.
    """
    with tempfile.TemporaryDirectory() as folder:
        path = str(Path(folder) / "x.npy")
        np.lib.format.open_memmap(path, "w+", np.float32, (rows, _FILE_COLUMNS)).flush()
        arguments = {"path": path, "backend": backend, "split": split}
        return BeyondLimit(**_in_process("_train_beyond_limit", arguments))


def _train_beyond_limit(path: str, backend: str, split: float) -> dict[str, float]:
    import resource

    x = np.load(path, mmap_mode="r")
    case = Case(len(x), "float32", (_FILE_COLUMNS, 16), 256, split, backend=backend)
    small = Case(**{**asdict(case), "rows": 200})
    bound = _bound(case.rows, _fit(small, *_data(small)), 256)
    y = _targets("float32", case.rows)
    limit = _status("VmData") + bound
    resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))
    start = time.perf_counter()
    _fit(case, x, y, None)
    return {"file": x.nbytes, "limit": limit, "seconds": time.perf_counter() - start}


def _mib(count: float) -> str:
    return f"{count / _MIB:,.0f}"


def main(argv: list[str] | None = None) -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.memory",
        description="The most memory that a fit takes beyond its X, and fits of files under a "
        "limit on the process's data.",
    )
    parser.add_argument("--rows", type=int, nargs="+", default=_ROWS, metavar="N")
    parser.add_argument("--no-files", action="store_true", help="leave out the second table")
    arguments = parser.parse_args(argv)
    if not is_supported():
        sys.exit("python -m benchmarks.memory needs Linux and a writable /proc/self/clear_refs")
    fm.warmup()
    cases = [case for rows in arguments.rows for case in ordinary_cases(rows)]
    cases += further_cases(max(arguments.rows))
    lines = []
    for case in cases:
        say(f"{case.rows:,} rows, {case}")
        peak = measure(case)
        marked = [
            _mib(size) + " (above)" * (size > peak.bound)
            for size in (peak.beyond_x, peak.beyond_data, peak.fit)
        ]
        bytes_a_row = f"{peak.fit / case.rows:.1f}"
        lines.append([f"{case.rows:,}", str(case), _mib(peak.bound), *marked, bytes_a_row])
    print(conditions(), end="\n\n")
    sizes = ["aim, MiB", "beyond X", "beyond X, y, weights", "the fit"]
    print(table(["rows", "fit", *sizes, "the fit, bytes a row"], lines))
    if arguments.no_files:
        return
    lines = []
    for backend in ("numba", "numpy"):
        for split in (0.0, 0.2):
            say(f"a file, {backend}, split {split:g}")
            found = train_beyond_limit(FILE_ROWS, backend, split)
            sizes = [_mib(found.file), _mib(found.limit)]
            lines.append([backend, f"{split:g}", *sizes, f"{found.seconds:.1f}"])
    print()
    print(table(["backend", "split", "file, MiB", "limit of data, MiB", "seconds"], lines))


if __name__ == "__main__":
    main()
