"""A training that was killed goes on as if it had not been."""

from __future__ import annotations

import random
import subprocess
import sys
import time
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

import fastmlp as fm

from .. import ROOT
from ..children.fits import EPOCHS, ROUNDS, Fit, Rounds
from ..promise import Trial, promise


def _killed(kind: str, number: int, path: Path, seconds: float) -> bool:
    """Kill a process at a moment of its work, which takes so long; whether it was still at it."""
    rng = random.Random(number)
    parts = EPOCHS if kind == "fit" else ROUNDS
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.soak.children.fits", kind, str(number), str(path)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    with process.stdout as told:
        for part in range(rng.randint(1, parts)):
            if told.readline() != "begun\n":
                assert part > 0, "the process could not begin"
                break
        # To write a file takes a while too.
        time.sleep(rng.uniform(0.0, 0.005 + 2.0 * seconds / parts))
        process.kill()
    return process.wait() < 0


def _timed(work: Callable[[], object]) -> float:
    begun = time.perf_counter()
    work()
    return time.perf_counter() - begun


@promise(
    "A fit whose process is killed is resumed from its last checkpoint and ends with the same "
    "bits as without a break: parameters, statistics, history and predictions.",
    unit="kills",
    full=200,
    quick=3,
)
def killed_fits(folder: Path) -> Iterator[Trial]:
    def trial(number: int) -> str:
        work, path = Fit(number), folder / f"{number}.safetensors"
        try:
            whole = work.run()
        except fm.DivergenceError:
            return "not trainable"
        was_killed = _killed("fit", number, path, _timed(work.run))
        began_anew = not path.exists()
        resumed = work.run() if began_anew else work.resume(path)
        for name, values in {**whole.parameters, **whole.buffers}.items():
            found = {**resumed.parameters, **resumed.buffers}[name]
            assert found.tobytes() == values.tobytes(), name
        columns = whole.history.keys() - {"seconds"}
        assert columns == resumed.history.keys() - {"seconds"}
        for name in columns:
            np.testing.assert_array_equal(resumed.history[name], whole.history[name])
        x = work.rows[0][0][0] if len(work.rows) == 1 else work.rows[0]
        assert resumed.predict(x).tobytes() == whole.predict(x).tobytes()
        if not was_killed:
            return "ended first"
        return "nothing written yet" if began_anew else "resumed"

    yield trial


@promise(
    "An estimator with warm_start that is written between its fits goes on after a kill with the "
    "same bits.",
    unit="kills",
    full=60,
    quick=2,
)
def killed_estimators(folder: Path) -> Iterator[Trial]:
    def trial(number: int) -> str:
        work, path = Rounds(number), folder / f"{number}.joblib"
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            whole = work.run()
            was_killed = _killed("estimator", number, path, _timed(work.run))
            began_anew = not path.exists()
            resumed = work.run(path)
        for found, values in zip(
            (*resumed.coefs_, *resumed.intercepts_),
            (*whole.coefs_, *whole.intercepts_),
            strict=True,
        ):
            assert found.tobytes() == values.tobytes()
        assert getattr(resumed, "loss_curve_", None) == getattr(whole, "loss_curve_", None)
        if not was_killed:
            return "ended first"
        return "nothing written yet" if began_anew else "resumed"

    yield trial
