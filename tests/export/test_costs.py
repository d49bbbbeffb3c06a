"""What a prediction costs."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from random_weights import randomize

import fastmlp as fm
from fastmlp.declarations.activations import TRAITS
from fastmlp.export.costs import Costs, code_bytes, seconds_of_a_row
from fastmlp.inference.predictor import freeze
from fastmlp.inference.preparation import Column, Level, Preparation

ARM = "arm-none-eabi-gcc"
MACHINE = ("-mcpu=cortex-m4", "-mthumb", "-mfloat-abi=hard", "-mfpu=fpv4-sp-d16")

NETWORKS: dict[str, list[Any]] = {
    **{
        name: [fm.Dense(16), fm.Activation(name), fm.Dense(3)]
        for name in TRAITS
        if name != "linear"
    },
    "one layer": [fm.Dense(3)],
    "logistic": [fm.Dense(1, "sigmoid")],
    "one layer of classes": [fm.Dense(4, "softmax")],
    "plain": [fm.Dense(64, "relu"), fm.Dense(32, "relu"), fm.Dense(3, "softmax")],
    "deep": [*(fm.Dense(12, "relu") for _ in range(8)), fm.Dense(2)],
    "deep and curved": [*(fm.Dense(12, "gelu") for _ in range(8)), fm.Dense(1, "sigmoid")],
    "large": [fm.Dense(300, "silu"), fm.Dense(200, "silu"), fm.Dense(1)],
    "curved": [fm.Dense(8, name) for name in ("gelu", "tanh", "softplus", "elu", "mish")],
    "mixed": [
        *(fm.Dense(8, name) for name in ("relu", "silu", "tanh", "selu", "leaky_relu", "sigmoid")),
        fm.Dense(3, "softmax"),
    ],
    "residual": [fm.Dense(8), fm.Residual([fm.Dense(4, "relu"), fm.Dense(8)]), fm.BatchNorm()],
    "residuals": [
        fm.Dense(16, "tanh"),
        *(fm.Residual([fm.Dense(16, "tanh"), fm.Dense(16)]) for _ in range(4)),
        fm.Dense(1),
    ],
    "branch": [fm.Branch([fm.Dense(8, "relu")], [fm.Dense(4, "tanh")], []), fm.Dense(3, "softmax")],
    "scales": [fm.Dense(16, "relu"), fm.BatchNorm(), fm.Dense(16, "tanh"), fm.BatchNorm()],
    "embeddings": [
        fm.Embedding(5, 3, 0),
        fm.Embedding(9, 4, 1),
        fm.Embedding(12, 2, 2),
        fm.Dense(16, "relu"),
        fm.Dense(4, "softmax"),
    ],
    "wide and deep": [
        fm.WideAndDeep(
            1,
            "sigmoid",
            deep=[fm.Embedding(5, 3, 2), fm.Dense(8, "relu")],
            wide=[0, 3, 5],
            deep_columns=[1, 2, 4, 7],
        )
    ],
    "the same columns": [
        fm.WideAndDeep(2, deep=[fm.Dense(8, "relu")], wide=[0, 3, 5], deep_columns=[0, 3, 5])
    ],
    "categories": [fm.Dense(16, "relu"), fm.Dense(3, "softmax")],
    "two inputs": [fm.WideAndDeep(2, "softmax", deep=[fm.Dense(16, "relu")])],
}


def predictor_of(name: str, dtype: str) -> Any:
    model = fm.Sequential(NETWORKS[name], dtype=dtype, backend="numpy", random_state=0)
    model.build((7, 9) if name == "two inputs" else 10)
    # Compilers keep equal arrays, such as biases of zeros, once.
    randomize(model, np.random.default_rng(0))
    return behind_categories(model) if name == "categories" else model.freeze()


def behind_categories(model: Any) -> Any:
    """A network whose ten columns are made of five, of which three are of categories."""
    columns = [Column({(place, float(code)): 1.0}) for place in range(3) for code in range(3)]
    columns.append(Column({(3, Level.NUMBER): 2.0}, 1.0))
    inputs = tuple((place, Level.NUMBER) for place in range(5))
    preparation = Preparation(inputs, tuple(columns), {1: (0.0, 1.0, 2.0)})
    training = model.training_state
    return freeze(training.state, training.encoder(), "numpy", 1, preparation=preparation)


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
    costs, code = Costs.of(predictor), code_bytes(predictor.program)
    predictor.export_c(tmp_path / "model.h", math="inline")
    text = (tmp_path / "model.h").read_text()
    lengths = [
        int(re.findall(rf"#define MODEL_{part} (\d+)", text)[0])
        for part in ("N_FEATURES", "N_OUTPUTS", "SCRATCH")
    ]
    assert costs.ram_bytes == sum(lengths) * (4 if dtype == "float32" else 8)
    assert costs.flash_bytes - code == int(re.findall(r"constants +(\d+) bytes", text)[0])
    if shutil.which(ARM) is None:
        pytest.skip(f"{ARM} is not installed")
    number = "float" if dtype == "float32" else "double"
    head = f"int go(const {number} *x, {number} *y, {number} *s)"
    body = "{ return model_predict(x, y, s); }"
    (tmp_path / "model.c").write_text(f'#include "model.h"\n{head};\n{head} {body}\n')
    command = [ARM, *MACHINE, "-Os", "-std=c99", "-c", "model.c", "-o", "model.o"]
    subprocess.run(command, cwd=tmp_path, check=True)
    sections = subprocess.run(
        ["arm-none-eabi-size", "-A", "model.o"], cwd=tmp_path, capture_output=True, check=True
    )
    # Code with the numbers that stand in it; the arrays are in .rodata.
    measured = int(re.findall(rb"^\.text +(\d+)", sections.stdout, re.MULTILINE)[0])
    # The compiler that the estimate was fitted to, gcc 12.2, is within 0.1; others differ a little.
    assert code == pytest.approx(measured, rel=0.15, abs=80)


def test_a_row_takes_time() -> None:
    assert 0 < seconds_of_a_row(predictor_of("embeddings", "float32"), calls=5) < 1
    model = fm.Sequential([fm.WideAndDeep(1, deep=[fm.Dense(3)])], backend="numpy").build((2, 3))
    assert seconds_of_a_row(model.freeze(), calls=1) > 0
