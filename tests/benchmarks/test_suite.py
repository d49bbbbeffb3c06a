"""asv imports the suite by itself: what measures is this checkout's, what is measured is not."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from paths import ROOT

# As asv imports it: its folder's parent is no path of modules, nor is the checkout.
AS_ASV_DOES = f"""
import sys
from importlib.machinery import PathFinder
from importlib.util import module_from_spec

spec = PathFinder.find_spec("suite", [{str(ROOT / "benchmarks")!r}])
sys.modules["suite"] = suite = module_from_spec(spec)
spec.loader.exec_module(suite)
"""


def test_an_installed_fastmlp_is_measured_with_the_checkouts_own_means(tmp_path: Path) -> None:
    (tmp_path / "fastmlp").mkdir()
    (tmp_path / "fastmlp/__init__.py").write_text("__version__ = 'older'\n", encoding="utf-8")
    code = """
import benchmarks.shared.clock, fastmlp, fastmlp.peers.options
print(fastmlp.__version__)
for name in ("benchmarks.shared.clock", "fastmlp.peers.options"):
    print(sys.modules[name].__file__)
"""
    cache = str(tmp_path / "cache")
    done = subprocess.run(
        [sys.executable, "-c", AS_ASV_DOES + code],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(tmp_path), "NUMBA_CACHE_DIR": cache},
        capture_output=True,
        check=True,
        text=True,
    )
    ours = [ROOT / "benchmarks/shared/clock.py", ROOT / "fastmlp/peers/options.py"]
    assert done.stdout.splitlines() == ["older", *map(str, ours)]
