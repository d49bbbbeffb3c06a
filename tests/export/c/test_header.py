"""What a header does: rows that are refused, threads, and what cannot be written."""

from __future__ import annotations

import os
import subprocess
import threading
from pathlib import Path

import numpy as np
import pytest
from c_harness import compile_c, compile_header, need
from c_networks import (
    CATEGORY,
    NOT_FINITE,
    NULL,
    OK,
    classifier,
    export,
    labeled,
    mixed,
    predictor,
    rows_for,
)

import fastmlp as fm
from fastmlp.kernels.typing import Array


def test_rows_that_are_refused(tmp_path: Path) -> None:
    frozen = mixed("float32")
    compiled = compile_header(export(frozen, tmp_path))
    rows = rows_for(frozen, 9)
    rows[0, 0], rows[1, 6], rows[2, 3] = np.nan, np.inf, -np.inf
    rows[3:8, 1] = [-1.0, 5.0, 1.5, 1e30, -0.5]
    outputs, codes = compiled(rows)
    assert codes.tolist() == [NOT_FINITE] * 3 + [CATEGORY] * 5 + [OK]
    assert np.isnan(outputs[:8]).all()
    assert np.isfinite(outputs[8]).all()
    x, y = rows[8].copy(), np.zeros(2, np.float32)
    scratch = np.zeros(compiled.n_scratch, np.float32)
    assert compiled.predict_pointers(x, y, scratch) == OK
    for missing in range(3):
        given = [None if i == missing else array for i, array in enumerate((x, y, scratch))]
        assert compiled.predict_pointers(*given) == NULL


def test_nothing_global_changes_and_nothing_is_allocated(tmp_path: Path) -> None:
    need("nm")
    header = export(labeled(), tmp_path, "inline")
    source = tmp_path / "alone.c"
    source.write_text(
        f'#include "{header}"\nint run(const float *, float *, float *);\n'
        "int run(const float *x, float *y, float *s)\n{\n"
        "    return model_predict(x, y, s) ? -1 : model_labels[model_predict_class(y)][0];\n}\n"
    )
    compile_c("gcc", source, "-O1", "-fno-pic", "-c", "-o", str(tmp_path / "alone.o"))
    done = subprocess.run(
        ["nm", str(tmp_path / "alone.o")], capture_output=True, text=True, check=True
    )
    symbols = [line.split()[-2:] for line in done.stdout.splitlines()]
    assert ["T", "run"] in symbols
    # T and t are code, R and r constants; a compiler may write a loop as a call of memcpy.
    others = [name for kind, name in symbols if kind not in "TtRr"]
    assert set(others) <= {"memcpy", "memset", "memmove"}


def test_threads(tmp_path: Path) -> None:
    frozen = classifier("float32")
    compiled = compile_header(export(frozen, tmp_path))
    rows = [rows_for(frozen, 2000, seed) for seed in range(4)]
    expected = [compiled(part)[0] for part in rows]
    found: list[Array] = [np.empty(0)] * 4

    def work(i: int) -> None:
        found[i] = compiled(rows[i])[0]

    threads = [threading.Thread(target=work, args=(i,)) for i in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for outputs, alone in zip(found, expected, strict=True):
        np.testing.assert_array_equal(outputs, alone)


def test_bad_arguments(tmp_path: Path) -> None:
    frozen, path = labeled(), tmp_path / "m.h"
    with pytest.raises(TypeError, match=r"prefix must be a string, got 3 \(int\)"):
        frozen.export_c(path, prefix=3)
    with pytest.raises(ValueError, match="math must be one of 'math.h', 'inline', got 'libm'"):
        frozen.export_c(path, math="libm")
    with pytest.raises(TypeError, match=r"math must be a string, got None"):
        frozen.export_c(path, math=None)
    with pytest.raises(ValueError, match="quantize must be None or 'int8', got 'int4'"):
        frozen.export_c(path, quantize="int4", calibration=np.zeros((4, 2)))
    with pytest.raises(ValueError, match="pass calibration=X"):
        frozen.export_c(path, quantize="int8")
    with pytest.raises(ValueError, match="add quantize='int8'"):
        frozen.export_c(path, calibration=np.zeros((4, 2)))
    with pytest.raises(FileNotFoundError, match="there is no folder .*missing"):
        frozen.export_c(tmp_path / "missing" / "m.h")
    with pytest.raises(ValueError, match="NUL"):
        labeled(labels=["a\0b", "c", "d"]).export_c(path)
    fm.register_activation(
        "c_softsign", lambda z: z / (1 + abs(z)), lambda z: 1 / (1 + abs(z)) ** 2
    )
    with pytest.raises(ValueError, match="'c_softsign' is a registered Python function"):
        predictor([fm.Dense(2, "c_softsign"), fm.Dense(1)], 2).export_c(path)
    assert not list(tmp_path.iterdir())


def test_a_failed_export_leaves_the_file_that_was_there(tmp_path: Path) -> None:
    path = tmp_path / "m.h"
    path.write_text("before")
    model = fm.Sequential([fm.Dense(1)]).build(2)
    model.parameters["0.weight"][0] = np.inf
    with pytest.raises(ValueError, match="model_0_weight hold NaN or infinity"):
        model.freeze().export_c(path)
    assert path.read_text() == "before"
    assert os.listdir(tmp_path) == ["m.h"]
