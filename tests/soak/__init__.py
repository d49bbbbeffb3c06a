"""What docs/guarantees.md promises, tried at length: ``python -m tests.soak``."""

from __future__ import annotations

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

# Trials share these with tests, for which pytest has the same folders in its path.
for _folder in (ROOT, ROOT / "benchmarks/shared", ROOT / "tests/helpers"):
    if str(_folder) not in sys.path:
        sys.path.append(str(_folder))
