"""What a prediction costs."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

import fastmlp as fm
from fastmlp.export.costs import Costs, seconds_of_a_row

ARM = "arm-none-eabi-gcc"
MACHINE = ("-mcpu=cortex-m4", "-mthumb", "-mfloat-abi=hard", "-mfpu=fpv4-sp-d16")

NETWORKS: dict[str, list[Any]] = {
    "plain": [fm.Dense(64, "relu"), fm.Dense(32, "relu"), fm.Dense(3, "softmax")],
    "curved": [fm.Dense(8, name) for name in ("gelu", "tanh", "softplus", "elu", "mish")],
    "residual": [fm.Dense(8), fm.Residual([fm.Dense(4, "relu"), fm.Dense(8)]), fm.BatchNorm()],
    "embedding": [
        fm.WideAndDeep(
            1,
            "sigmoid",
            deep=[fm.Embedding(5, 3, 2), fm.Dense(8, "relu")],
            wide=[0, 3, 5],
            deep_columns=[1, 2, 4, 7],
        )
    ],
}


def predictor_of(name: str, dtype: str) -> Any:
    model = fm.Sequential(NETWORKS[name], dtype=dtype, backend="numpy", random_state=0)
    return model.build(10).freeze()


def test_by_hand() -> None:
    costs = Costs.of(predictor_of("plain", "float64"))
    weights = (10 * 64, 64 * 32, 32 * 3)
    assert costs.multiply_adds == costs.int8_bytes == sum(weights)
    assert costs.n_weights == sum(weights) + 64 + 32 + 3
    assert costs.weight_bytes == 8 * costs.n_weights


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", sorted(NETWORKS))
def test_as_the_header_and_the_compiler_have_it(name: str, dtype: str, tmp_path: Path) -> None:
    predictor = predictor_of(name, dtype)
    costs = Costs.of(predictor)
    predictor.export_c(tmp_path / "model.h", math="inline")
    text = (tmp_path / "model.h").read_text()
    lengths = [
        int(re.findall(rf"#define MODEL_{part} (\d+)", text)[0])
        for part in ("N_FEATURES", "N_OUTPUTS", "SCRATCH")
    ]
    assert costs.ram_bytes == sum(lengths) * (4 if dtype == "float32" else 8)
    if shutil.which(ARM) is None:
        pytest.skip(f"{ARM} is not installed")
    number = "float" if dtype == "float32" else "double"
    head = f"int go(const {number} *x, {number} *y, {number} *s)"
    body = "{ return model_predict(x, y, s); }"
    (tmp_path / "model.c").write_text(f'#include "model.h"\n{head};\n{head} {body}\n')
    command = [ARM, *MACHINE, "-Os", "-std=c99", "-c", "model.c", "-o", "model.o"]
    subprocess.run(command, cwd=tmp_path, check=True)
    sizes = subprocess.run(
        ["arm-none-eabi-size", "model.o"], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    flash = int(sizes.stdout.splitlines()[1].split()[0])
    assert costs.flash_bytes == pytest.approx(flash, rel=0.15, abs=200)


def test_a_row_takes_time() -> None:
    assert 0 < seconds_of_a_row(predictor_of("embedding", "float32"), calls=5) < 1
    model = fm.Sequential([fm.WideAndDeep(1, deep=[fm.Dense(3)])], backend="numpy").build((2, 3))
    assert seconds_of_a_row(model.freeze(), calls=1) > 0
