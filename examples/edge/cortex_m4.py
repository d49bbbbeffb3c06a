"""Handwritten digits on an ARM Cortex-M4, a processor of small devices, in float and in int8.

One network is exported twice, cross-compiled without an operating system, and run on an emulator of
the processor. What comes out is held against the predictors here. ``cortex_m4/`` holds the rest of
the program for the device: what happens before ``main``, the linker script, and ``main`` itself.

It needs scikit-learn for the data, and a cross compiler and an emulator (on Debian: ``apt install
gcc-arm-none-eabi libnewlib-arm-none-eabi qemu-system-arm``). Run it with
``python examples/edge/cortex_m4.py``; it writes ``outputs/edge/cortex_m4/``.
"""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import MinMaxScaler

import fastmlp as fm

for tool, packages in {
    "arm-none-eabi-gcc": "gcc-arm-none-eabi libnewlib-arm-none-eabi",
    "qemu-system-arm": "qemu-system-arm",
}.items():
    if shutil.which(tool) is None:
        sys.exit(f"this needs {tool}; on Debian: apt install {packages}")

SOURCES = Path(__file__).resolve().parent / "cortex_m4"
COMPILE = shlex.split("""
    arm-none-eabi-gcc -mcpu=cortex-m4 -mthumb -mfloat-abi=hard -mfpu=fpv4-sp-d16
    -std=c99 -O2 -Wall -Wextra -Wconversion -Wdouble-promotion -Wpedantic -Werror
    -ffunction-sections -fdata-sections -Wl,--gc-sections -nostartfiles
""")
# An emulated instruction takes 32 ns of the emulated clock, of which a tick takes 40.
EMULATE = shlex.split("""
    qemu-system-arm -M mps2-an386 -display none -monitor none -serial none
    -semihosting-config enable=on,target=native -icount shift=5,align=off,sleep=off
""")
TICKS_OF_AN_INSTRUCTION = 32 / 40


def build(folder: Path) -> Path:
    """Compile ``model.h`` of a folder into a program for the device."""
    program = folder / "program.elf"
    sources = [SOURCES / "startup.c", SOURCES / "main.c"]
    options = [f"-I{folder}", f"-T{SOURCES / 'link.ld'}", "-o", program]
    subprocess.run([*COMPILE, *sources, *options, "-lm"], check=True)
    return program


def sizes(program: Path) -> tuple[int, int, int, int]:
    """Bytes of text, data and bss, and bytes of the constants of the model within text."""
    output = subprocess.check_output(["arm-none-eabi-size", program], text=True)
    text, data, bss = map(int, output.splitlines()[1].split()[:3])
    symbols = subprocess.check_output(["arm-none-eabi-nm", "-S", program], text=True)
    constants = re.findall(r"^\w+ (\w+) [rR] model_", symbols, re.MULTILINE)
    return text, data, bss, sum(int(size, 16) for size in constants)


def emulate(program: Path, rows: np.ndarray, n_outputs: int) -> tuple[np.ndarray, np.ndarray]:
    """Outputs for rows, and how many instructions each prediction took."""
    folder = program.parent
    rows.tofile(folder / "rows.bin")
    subprocess.run([*EMULATE, "-kernel", program.name], cwd=folder, check=True, timeout=300)
    record = np.dtype([("outputs", "<f4", n_outputs), ("ticks", "<u4")])
    found = np.fromfile(folder / "outputs.bin", record)
    return found["outputs"], found["ticks"] / TICKS_OF_AN_INSTRUCTION


X, y = load_digits(return_X_y=True)
X = X.astype(np.float32)
X_train, X_test, y_train, y_test = train_test_split(X, y, stratify=y, random_state=0)
scaler = MinMaxScaler().fit(X_train)

model = fm.Sequential(
    [
        fm.Dense(64, activation="relu"),
        fm.BatchNorm(),
        fm.Dense(32, activation="relu"),
        fm.Dense(10, activation="softmax"),
    ],
    optimizer=fm.Adam(3e-3),
    random_state=0,
)
model.fit(scaler.transform(X_train), y_train, epochs=30, batch_size=32, verbose=0)
predictor = model.freeze(scaler=scaler)
quantized = predictor.quantize(X_train)

folder = Path("outputs") / "edge" / "cortex_m4"
for name, oracle, options in (
    ("float", predictor, {}),
    ("int8", quantized, {"quantize": "int8", "calibration": X_train}),
):
    (folder / name).mkdir(parents=True, exist_ok=True)
    predictor.export_c(folder / name / "model.h", math="inline", **options)
    program = build(folder / name)
    text, data, bss, constants = sizes(program)
    outputs, instructions = emulate(program, X_test, n_outputs=10)
    expected = oracle(X_test)
    right = (outputs.argmax(axis=1) == y_test).sum()

    print(f"{name}: {right} of {len(y_test)} test rows are right")
    print(f"  text {text}, of which weights and tables {constants}; data {data}; bss {bss} bytes")
    print(f"  instructions a row: {instructions.min():.0f} to {instructions.max():.0f}")
    print(f"  largest difference from the predictor: {abs(outputs - expected).max():.1e}")
    print(f"  bit for bit the same: {np.array_equal(outputs, expected)}\n")
