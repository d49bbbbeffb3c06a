"""A process that goes on for days does not grow."""

from __future__ import annotations

import gc
import os
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

import fastmlp as fm

from ..promise import Trial, promise

# Caches fill in the first rounds: of Numba, of re, of attribute lookups, of the allocator.
WARM = 20
_MIB = 1 << 20


@dataclass(frozen=True)
class Footprint:
    """What a process holds."""

    # Blocks of Python's allocator: objects, to the last one.
    blocks: int
    threads: int
    files: int
    resident: int

    @classmethod
    def now(cls) -> Footprint:
        gc.collect()
        pages = int(Path("/proc/self/statm").read_text().split()[1])
        files = len(os.listdir("/proc/self/fd"))
        resident = pages * os.sysconf("SC_PAGE_SIZE")
        return cls(sys.getallocatedblocks(), threading.active_count(), files, resident)

    def check(self, begun: Footprint, rounds: int) -> None:
        """Compare with the footprint so many rounds before."""
        assert self.threads <= begun.threads, "threads are left"
        assert self.files <= begun.files, "files are left open"
        # Free lists and tables of names go on filling for some hundreds of rounds. Of all rounds, a
        # block of each would be too many; of a few, a network of each.
        assert self.blocks - begun.blocks <= 2000 + rounds / 4, (begun, self)
        assert self.resident - begun.resident <= 32 * _MIB, (begun, self)


def _grows(uses: tuple[Callable[[], object], ...]) -> Trial:
    begun: list[Footprint] = []

    def trial(_: int) -> str:
        # Made in every process anew, whichever trial is its first.
        rounds = 1 if begun else WARM
        for _ in range(rounds):
            for use in uses:
                use()
        now = Footprint.now()
        begun.append(begun[0] if begun else now)
        now.check(begun[0], len(begun))
        return "no larger"

    return trial


def _rows() -> tuple[np.ndarray, np.ndarray]:
    X = np.random.default_rng(0).normal(size=(60, 5))
    return X, np.where(X[:, 0] + X[:, 1] > 0, "yes", "no")


@promise(
    "Fits, copies, files, predictions and exports leave nothing behind in the process.",
    unit="rounds of fits, files, predictions and exports",
    full=10_000,
    quick=60,
)
def memory_of_networks(folder: Path) -> Iterator[Trial]:
    X, y = _rows()
    layers = [fm.Dense(8, "relu"), fm.BatchNorm(), fm.Dropout(0.2), fm.Dense(2, "softmax")]
    options = {"epochs": 2, "batch_size": 16, "verbose": 0}

    def fits() -> None:
        for backend, n_threads in (("numba", 1), ("numba", 2), ("numpy", 1)):
            model = fm.Sequential(layers, backend=backend, n_threads=n_threads, random_state=0)
            model.fit(X, y, validation_split=0.2, **options)
            model.predict(X)

    trained = fm.Sequential(layers, random_state=0)
    trained.fit(X, y, **options)
    predictor = trained.freeze()
    int8 = predictor.quantize(X)

    def files() -> None:
        for thing, load in ((trained, fm.load), (predictor, fm.load_predictor)):
            thing.save(folder / "thing")
            load(folder / "thing").predict_classes(X)

    def predictions() -> None:
        for rows in (X, X[0], X.astype("f4"), X.tolist(), np.asfortranarray(X)):
            trained.predict_classes(rows[None] if np.ndim(rows) == 1 else rows)
            predictor(rows)
        int8(X)

    def exports() -> None:
        predictor.export_c(folder / "net.h")
        predictor.export_python(folder / "net.py")
        predictor.export_onnx(folder / "net.onnx")

    def refusals() -> None:
        for wrong in (X[:, :2], X * np.nan, "no table"):
            try:
                trained.predict(wrong)
            except (ValueError, TypeError):
                continue
            raise AssertionError("it was not refused")

    yield _grows((fits, files, predictions, exports, refusals))


@promise(
    "Fits of estimators, on arrays and on data frames, leave nothing behind in the process.",
    unit="rounds of fits and predictions",
    full=2_000,
    quick=12,
)
def memory_of_estimators(folder: Path) -> Iterator[Trial]:
    import pandas as pd

    X, y = _rows()
    frame = pd.DataFrame(X, columns=list("abcde")).assign(town=np.where(X[:, 2] > 0, "A", "B"))

    def networks() -> None:
        model = fm.MLPClassifier((8,), max_iter=2, tol=0.0, n_iter_no_change=100, random_state=0)
        model.partial_fit(X, y, classes=["no", "yes"]).predict_proba(X)

    def tables() -> None:
        model = fm.TabularClassifier(preset="fast", random_state=0, time_limit=0.2)
        model.fit(frame, y)
        model.save(folder / "model")
        fm.load(folder / "model").predict(frame)

    yield _grows((networks, tables))
