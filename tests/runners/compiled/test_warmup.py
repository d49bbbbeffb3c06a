"""Compiling everything beforehand leaves no trace when it fails."""

from __future__ import annotations

import sys

import pytest
from warmup_scripts import COUNTED, NO_WORKERS, SCRIPT, output_of

pytest.importorskip("numba")


def test_a_cache_folder_that_was_set_in_the_process_is_the_workers_too(tmp_path, cache):
    code = f"import numba\nnumba.config.CACHE_DIR = {str(tmp_path / 'other')!r}\n{SCRIPT}"
    output_of(tmp_path, code + "fm.warmup()", cache)
    assert len(list((tmp_path / "other").rglob("*.nbc"))) == 4
    assert not cache.exists()


def test_without_a_folder_to_write_nothing_is_compiled(tmp_path):
    blocked = tmp_path / "file"
    blocked.write_text("no folder can be made below a file", encoding="utf-8")
    # Numba's other places are beside the source and in the user's cache folder.
    code = """
from numba.core.caching import InTreeCacheLocator

InTreeCacheLocator.from_function = classmethod(lambda cls, function, file: None)
try:
    fm.warmup()
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
    fm.warmup()
except OSError as error:
    print(error)
"""
    output, _ = output_of(tmp_path, SCRIPT + code, cache)
    assert "cannot be cached" in output
    assert "File too large" in output
    assert "NUMBA_CACHE_DIR" in output
