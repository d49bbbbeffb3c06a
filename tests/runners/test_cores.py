"""How many cores there are for this process, and how its threads share them."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

import fastmlp as fm

pytest.importorskip("numba")

from threaded_fits import bits, fit, large, wide

from fastmlp.runners import cores
from fastmlp.runners.compiled import prediction, runner, workers
from fastmlp.runners.compiled.executable import Executable
from fastmlp.runners.cores import (
    allowed_cores,
    available_cores,
    begin_work,
    end_work,
    free_cores,
    quota_of_groups,
    share_of_cores,
    threads_at_work,
)

pytestmark = pytest.mark.usefixtures("no_thread_left")


@pytest.fixture
def eight(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine of eight cores, all of them free, and no limits."""
    monkeypatch.setattr(cores, "allowed_cores", lambda: 8)
    monkeypatch.setattr(workers, "free_cores", lambda: 8)
    for name in ("OMP_NUM_THREADS", "LOKY_MAX_CPU_COUNT"):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.parametrize(
    ("variables", "left"),
    [
        ({}, 8),
        ({"OMP_NUM_THREADS": "3"}, 3),
        ({"OMP_NUM_THREADS": "4,2"}, 4),
        ({"OMP_NUM_THREADS": "64"}, 8),
        ({"LOKY_MAX_CPU_COUNT": "2", "OMP_NUM_THREADS": "5"}, 2),
        ({"OMP_NUM_THREADS": ""}, 8),
        ({"OMP_NUM_THREADS": "0"}, 8),
        ({"OMP_NUM_THREADS": "many"}, 8),
        ({"OMP_NUM_THREADS": "-1"}, 8),
    ],
)
@pytest.mark.usefixtures("eight")
def test_variables_limit_the_cores(
    variables: dict[str, str], left: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert available_cores() == left


def group(tmp_path: Path, own: str, files: dict[str, str]) -> int | None:
    """The quota of a process whose groups are written like this."""
    (tmp_path / "own").write_text(own)
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    return quota_of_groups(tmp_path, tmp_path / "own")


@pytest.mark.parametrize(
    ("own", "files", "quota"),
    [
        ("0::/\n", {"cpu.max": "150000 100000\n"}, 2),
        ("0::/\n", {"cpu.max": "max 100000\n"}, None),
        ("0::/\n", {}, None),
        ("", {"cpu.max": "100000 100000\n"}, None),
        ("0::/jobs/a\n", {"jobs/cpu.max": "400000 100000", "jobs/a/cpu.max": "max 100000"}, 4),
        ("0::/jobs/a\n", {"jobs/cpu.max": "400000 100000", "jobs/a/cpu.max": "50000 100000"}, 1),
        (
            "3:cpuset:/\n2:cpu,cpuacct:/docker/1\n",
            {"cpu/cpu.cfs_quota_us": "300000\n", "cpu/cpu.cfs_period_us": "100000\n"},
            3,
        ),
        (
            "2:cpu,cpuacct:/\n",
            {"cpu/cpu.cfs_quota_us": "-1\n", "cpu/cpu.cfs_period_us": "100000\n"},
            None,
        ),
    ],
)
def test_quotas_of_control_groups(
    own: str, files: dict[str, str], quota: int | None, tmp_path: Path
) -> None:
    assert group(tmp_path, own, files) == quota


def test_a_quota_limits_the_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cores, "quota_of_groups", lambda: 1)
    assert allowed_cores() == 1


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="no affinity on this system")
def test_an_affinity_limits_the_cores() -> None:
    code = (
        "import os; os.sched_setaffinity(0, list(os.sched_getaffinity(0))[:1]);"
        "from fastmlp.runners.cores import available_cores; print(available_cores())"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout == "1\n"


def test_free_cores_are_counted() -> None:
    assert 1 <= free_cores() <= (os.cpu_count() or 1)


def test_threads_at_work_are_counted_once_each() -> None:
    assert threads_at_work() == 1
    own = [begin_work(), begin_work()]
    assert threads_at_work() == 1
    with ThreadPoolExecutor(1) as pool:
        other = pool.submit(begin_work).result()
        assert threads_at_work() == 2
        assert pool.submit(threads_at_work).result() == 2
        assert [share_of_cores(count) for count in (8, 3, 1)] == [4, 1, 1]
        # Whoever ends it.
        end_work(other)
    for work in own:
        end_work(work)
    assert not cores._at_work


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_forked_process_does_not_count_threads_that_it_lacks() -> None:
    with ThreadPoolExecutor(1) as pool:
        other = pool.submit(begin_work).result()
        child = os.fork()
        if child == 0:
            os._exit(threads_at_work())
        end_work(other)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 1


def workers_used(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many workers each run from here on has."""
    used: list[int] = []
    use = Executable.use

    def note(executable: Executable, count: int) -> None:
        used.append(count)
        use(executable, count)

    monkeypatch.setattr(Executable, "use", note)
    return used


@pytest.mark.usefixtures("eight")
def test_fits_at_once_share_the_cores_and_keep_their_bits(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each of four fits, which would take four workers alone, takes two while all are there."""
    monkeypatch.setattr(runner, "training_threads", lambda *_: 4)
    used = workers_used(monkeypatch)
    alone = wide(0, "auto")
    fit(alone)
    assert set(used) == {4}
    used.clear()
    together = threading.Barrier(4)
    wait = fm.Callback()
    # All sessions are open by the first epoch.
    wait.on_epoch_begin = lambda model, epoch: together.wait(20)
    wait.on_epoch_end = lambda model, epoch, logs=None: together.wait(20)

    def train(_: int) -> list[bytes]:
        model = wide(0, "auto")
        fit(model, callbacks=[wait])
        return bits(model)

    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(train, range(4)))
    assert set(used) == {2}
    assert found == [bits(alone)] * 4


@pytest.mark.usefixtures("eight")
def test_predictions_leave_others_their_share(monkeypatch: pytest.MonkeyPatch) -> None:
    model, rows = large()
    model.n_threads = "auto"
    started: list[int] = []
    blocks = prediction.predict_blocks

    def note(executables, *args):
        started.append(len(executables))
        return blocks(executables, *args)

    monkeypatch.setattr(prediction, "predict_blocks", note)
    rows = np.tile(rows, (2, 1))
    expected = model.predict(rows)
    with ThreadPoolExecutor(3) as pool:
        ready = threading.Barrier(3)

        def begin(_: int) -> object:
            ready.wait(20)
            return begin_work()

        others = list(pool.map(begin, range(3)))
        found = model.predict(rows)
        for work in others:
            end_work(work)
    np.testing.assert_array_equal(found, expected)
    assert started[0] > 2
    assert started[1] == 2
