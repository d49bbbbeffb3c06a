"""Registered functions are compiled once, and what cannot be compiled is said."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
from registered import X

import fastmlp as fm

pytestmark = pytest.mark.usefixtures("registrations")


def test_compiled_functions_are_kept_for_the_next_process(tmp_path: Path) -> None:
    pytest.importorskip("numba")
    script = textwrap.dedent(
        """
        import sys
        import numpy as np
        import fastmlp as fm
        from fastmlp.kernels.compiling import before_compiling
        a = float(sys.argv[1])
        fm.register_activation(
            "leak", lambda z: z if z > 0 else a * z, lambda z: 1.0 if z > 0 else a
        )
        model = fm.Sequential([fm.Dense(3, "leak")], backend="numba", random_state=0).build(2)
        compiled = []
        with before_compiling(compiled.append):
            out = model.predict(np.array([[-1.0, 2.0]], dtype="float32"))
        print(len(compiled), out.tolist())
        """
    )
    file = tmp_path / "script.py"
    file.write_text(script)
    found = []
    for slope in ("0.1", "0.1", "0.2"):
        done = subprocess.run(
            [sys.executable, str(file), slope],
            capture_output=True,
            text=True,
            check=True,
            env={**os.environ, "NUMBA_CACHE_DIR": str(tmp_path / "cache")},
        )
        count, _, out = done.stdout.partition(" ")
        found.append((int(count), out))
    assert found[0][1] == found[1][1] != found[2][1]
    assert found[1][0] == 0
    assert found[2][0] == 1


def test_what_numba_cannot_compile_is_said() -> None:
    pytest.importorskip("numba")
    table = {0: 1.0}
    fm.register_activation("odd", lambda z: z * table.get(0, 2.0), lambda z: 1.0)
    model = fm.Sequential([fm.Dense(3, "odd")], backend="numba").build(4)
    with pytest.raises(ValueError, match="'odd' cannot be compiled; write it with arithmetic"):
        model.predict(X)
