"""Compiling everything beforehand: on all cores, once, and without a trace when it fails."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from paths import ROOT

pytest.importorskip("numba")


# A few kernels that compile fast, on two workers; without a guard, as a user's script may be.
SCRIPT = """
import sys

import fastmlp as fm
from fastmlp.runners.compiled import warmup as warm, warmup_workers as warm_workers
from fastmlp.runners.compiled.warmup import Kernel

print("the script runs")
few = [Kernel(op, dtype) for dtype in ("float32", "float64") for op in ("sgd_update", "store_rows")]
warm.everything = lambda: iter(few)
warm_workers.available_cores = lambda: 2
warm._WORTH_WORKERS = 2
"""
# What workers do beyond their work, or in its place.
WORKER = (
    "import sys; sys.path[:] = sys.argv[1:]; "
    "from fastmlp.runners.compiled import warmup_workers as warm_workers; "
)
NO_WORKERS = """
def refuse(*arguments, **options):
    raise AssertionError("a worker was started")


warm_workers.subprocess.Popen = refuse
"""
# Each function that Numba compiles runs through passes.
COUNTED = """
from numba.core import event

compiled = set()


class Listener(event.Listener):
    def on_start(self, event):
        compiled.add(event.data["qualname"])

    def on_end(self, event):
        pass


event.register("numba:run_pass", Listener())
"""


def start(folder, code, cache, **environment):
    """Start a script of its own, as a user would."""
    script = folder / "script.py"
    script.write_text(code, encoding="utf-8")
    environment = {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        "NUMBA_CACHE_DIR": str(cache),
        **environment,
    }
    return subprocess.Popen(
        [sys.executable, "-W", "error", str(script)],
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def output_of(folder, code, cache, **environment):
    process = start(folder, code, cache, **environment)
    output, errors = process.communicate(timeout=300)
    assert process.returncode == 0, errors
    return output, errors


def error_of(folder, code, cache, **environment):
    process = start(folder, code, cache, **environment)
    _, errors = process.communicate(timeout=300)
    assert process.returncode == 1, errors
    return errors


@pytest.fixture
def cache(tmp_path):
    return tmp_path / "cache"


def test_workers_compile_what_is_missing_and_nothing_twice(tmp_path, cache):
    """Nor does a worker run the script: neither by itself nor as `__main__`."""
    code = SCRIPT + COUNTED + "warm.warmup()\nprint(sorted(compiled))"
    output, errors = output_of(tmp_path, code, cache)
    assert output == "the script runs\n[]\n"
    assert errors == ""
    kept = {path.name.split("_float")[0] for path in cache.rglob("*.nbc")}
    assert kept == {"optimizers.sgd_update", "rows.store_rows"}
    assert len(list(cache.rglob("*.nbc"))) == 4
    output, _ = output_of(tmp_path, SCRIPT + NO_WORKERS + COUNTED + "warm.warmup()", cache)
    assert output == "the script runs\n"
    code = SCRIPT + COUNTED + "for kernel in few: warm.load(kernel)\nprint(sorted(compiled))"
    assert output_of(tmp_path, code, cache)[0] == "the script runs\n[]\n"


def test_few_kernels_are_compiled_without_workers(tmp_path, cache):
    code = SCRIPT + "warm._WORTH_WORKERS = 5" + NO_WORKERS + COUNTED
    output, _ = output_of(tmp_path, code + "warm.warmup()\nprint(len(compiled) >= 4)", cache)
    assert output == "the script runs\nTrue\n"


def test_kernels_that_workers_do_not_know_are_compiled_here(tmp_path, cache):
    pytest.importorskip("tqdm")
    code = f"""
from fastmlp.kernels.compiled.machine.op import op


@op("out")
def mine(variant, args, attributes, counters, scalars):
    counters[0] = 7


few.append(Kernel("mine", "float32"))
{COUNTED}
warm.warmup(progress=True)
print(sorted(name.rpartition("_")[0] for name in compiled))
"""
    output, errors = output_of(tmp_path, SCRIPT + code, cache)
    assert output == "the script runs\n['mine_float32']\n"
    assert "5/5" in errors


def test_a_cache_folder_that_was_set_in_the_process_is_the_workers_too(tmp_path, cache):
    code = f"import numba\nnumba.config.CACHE_DIR = {str(tmp_path / 'other')!r}\n{SCRIPT}"
    output_of(tmp_path, code + "warm.warmup()", cache)
    assert len(list((tmp_path / "other").rglob("*.nbc"))) == 4
    assert not cache.exists()


def test_modules_beside_the_script_do_not_get_in_the_way(tmp_path, cache):
    """A worker is started in the same folder, and looks for modules where its parent does."""
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    (folder / "numba.py").write_text("raise ImportError('the wrong numba')", encoding="utf-8")
    code = SCRIPT + f"import os\nos.chdir({str(folder)!r})\nwarm.warmup()"
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
    warm.warmup()
except ChildProcessError as error:
    print(error)
"""
    output, errors = output_of(tmp_path, SCRIPT + code, cache)
    assert errors == ""
    assert len(output.splitlines()) == 2
    for word in words:
        assert word in output


def test_without_a_folder_to_write_nothing_is_compiled(tmp_path):
    blocked = tmp_path / "file"
    blocked.write_text("no folder can be made below a file", encoding="utf-8")
    # Numba's other places are beside the source and in the user's cache folder.
    code = """
from numba.core.caching import InTreeCacheLocator

InTreeCacheLocator.from_function = classmethod(lambda cls, function, file: None)
try:
    warm.warmup()
except OSError as error:
    print(error)
print(sorted(compiled))
"""
    home = str(blocked / "home")
    code = SCRIPT + NO_WORKERS + COUNTED + code
    output, _ = output_of(tmp_path, code, blocked / "cache", HOME=home, XDG_CACHE_HOME=home)
    assert "set NUMBA_CACHE_DIR to a folder that can be written" in output
    assert output.endswith("\n[]\n")


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no limit on the size of files")
@pytest.mark.parametrize("worth", [2, 100])
def test_a_full_disk_is_an_error(worth, tmp_path, cache):
    code = f"""
import resource

warm._WORTH_WORKERS = {worth}
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
try:
    warm.warmup()
except OSError as error:
    print(error)
"""
    output, _ = output_of(tmp_path, SCRIPT + code, cache)
    assert "cannot be cached" in output
    assert "File too large" in output
    assert "NUMBA_CACHE_DIR" in output


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
warm_workers.available_cores = lambda: 2
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
