"""Processes that compile: what is missing and nothing twice, and none is left when one fails."""

from __future__ import annotations

import os
import signal
import sys
import time
from pathlib import Path

import pytest
from warmup_scripts import COUNTED, NO_WORKERS, SCRIPT, output_of, start

pytest.importorskip("numba")


# What workers do beyond their work, or in its place.
WORKER = (
    "import sys; sys.path[:] = sys.argv[1:]; "
    "from fastmlp.runners.compiled import warmup_workers as warm_workers; "
)


def test_workers_compile_what_is_missing_and_nothing_twice(tmp_path, cache):
    """Nor does a worker run the script: neither by itself nor as `__main__`."""
    code = SCRIPT + COUNTED + "fm.warmup()\nprint(sorted(compiled))"
    output, errors = output_of(tmp_path, code, cache)
    assert output == "the script runs\n[]\n"
    assert errors == ""
    kept = {path.name.split("_float")[0] for path in cache.rglob("*.nbc")}
    assert kept == {"optimizers.sgd_update", "rows.store_rows"}
    assert len(list(cache.rglob("*.nbc"))) == 4
    output, _ = output_of(tmp_path, SCRIPT + NO_WORKERS + COUNTED + "fm.warmup()", cache)
    assert output == "the script runs\n"
    code = SCRIPT + COUNTED + "for kernel in few: warm.load(kernel)\nprint(sorted(compiled))"
    assert output_of(tmp_path, code, cache)[0] == "the script runs\n[]\n"


def test_few_kernels_are_compiled_without_workers(tmp_path, cache):
    code = SCRIPT + "warm._WORTH_WORKERS = 5" + NO_WORKERS + COUNTED
    output, _ = output_of(tmp_path, code + "fm.warmup()\nprint(len(compiled) >= 4)", cache)
    assert output == "the script runs\nTrue\n"


def test_kernels_that_workers_do_not_know_are_compiled_here(tmp_path, cache):
    pytest.importorskip("tqdm")
    code = f"""
from fastmlp.kernels.compiled.machine.arguments import Doubles
from fastmlp.kernels.compiled.machine.op import op


@op()
def mine(variant, *, out: Doubles):
    out[0] = 7.0


few.append(Kernel("mine", "float32"))
{COUNTED}
fm.warmup(progress=True)
print(sorted(name.rpartition("_")[0] for name in compiled))
"""
    output, errors = output_of(tmp_path, SCRIPT + code, cache)
    assert output == "the script runs\n['mine_float32']\n"
    assert "5/5" in errors


def test_modules_beside_the_script_do_not_get_in_the_way(tmp_path, cache):
    """A worker is started in the same folder, and looks for modules where its parent does."""
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    (folder / "numba.py").write_text("raise ImportError('the wrong numba')", encoding="utf-8")
    code = SCRIPT + f"import os\nos.chdir({str(folder)!r})\nfm.warmup()"
    output_of(tmp_path, code, cache)
    assert len(list(cache.rglob("*.nbc"))) == 4


@pytest.mark.parametrize(
    ("work", "words"),
    [
        ("import os; os._exit(3)", ["exit code 3", "it said nothing"]),
        ("raise SystemExit('no memory left')", ["exit code 1", "no memory left"]),
        (
            WORKER + "warm_workers.load = lambda kernel: 1 // 0; warm_workers.work()",
            ["compiling ", " (float", "failed: ZeroDivisionError"],
        ),
    ],
)
def test_a_worker_that_fails_gives_one_error(work, words, tmp_path, cache):
    code = f"""
warm_workers._WORK = {work!r}
try:
    fm.warmup()
except ChildProcessError as error:
    print(error)
"""
    output, errors = output_of(tmp_path, SCRIPT + code, cache)
    assert errors == ""
    assert len(output.splitlines()) == 2
    for word in words:
        assert word in output


def is_running(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    # A process that has ended and that nobody has waited for is there still.
    state = Path(f"/proc/{pid}/stat")
    return not state.exists() or state.read_text().rpartition(")")[2].split()[0] != "Z"


def wait_until(condition):
    end = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.05)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no signals to processes")
@pytest.mark.parametrize("sent", ["SIGINT", "SIGTERM", "SIGKILL"])
def test_workers_end_with_the_process_that_started_them(sent, tmp_path, cache):
    code = """
import fastmlp as fm
from fastmlp.runners.compiled import warmup_workers as warm_workers

start = warm_workers._Worker.__init__


def report(worker, process, errors):
    start(worker, process, errors)
    print(process.pid, flush=True)


warm_workers._Worker.__init__ = report
warm_workers.allowed_cores = lambda: 2
fm.warmup()
"""
    process = start(tmp_path, code, cache)
    workers = [int(process.stdout.readline()) for _ in range(2)]
    # Some after they have begun to compile.
    wait_until(lambda: list(cache.rglob("*.nbc")))
    assert all(map(is_running, workers))
    process.send_signal(getattr(signal, sent))
    output, errors = process.communicate(timeout=60)
    assert output == ""
    assert process.returncode == -getattr(signal, sent)
    assert errors.splitlines()[-1:] == (["KeyboardInterrupt"] if sent == "SIGINT" else [])
    assert errors.count("Traceback") == (sent == "SIGINT")
    wait_until(lambda: not any(map(is_running, workers)))
