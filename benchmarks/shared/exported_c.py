"""Exported C compiled here, as a library to call and as a program to start, and for small devices.

A folder holds ``model.h``, which defines ``model_predict`` and its macros as `Predictor.export_c`
does. The program for devices is that of ``examples/edge/cortex_m4``, run by an emulator.
"""

from __future__ import annotations

import ctypes
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from .. import CHECKOUT

Array = np.ndarray[Any, Any]

COMPILER = "cc"
FLAGS = ("-std=c99", "-O3", "-march=native")
ARM_COMPILER = "arm-none-eabi-gcc"
ARM_FLAGS = ("-std=c99", "-O2")
_SMALLEST = ("-ffunction-sections", "-fdata-sections", "-Wl,--gc-sections")
_FIRMWARE = CHECKOUT / "examples" / "edge" / "cortex_m4"
# An instruction takes 32 ns of the emulated clock, of which a tick takes 40.
_EMULATOR = (
    *("qemu-system-arm", "-display", "none", "-monitor", "none", "-serial", "none"),
    *("-semihosting-config", "enable=on,target=native", "-icount", "shift=5,align=off,sleep=off"),
)
_TICKS_OF_AN_INSTRUCTION = 32 / 40


@dataclass(frozen=True)
class Processor:
    """An ARM processor of small devices, as the compiler and the emulator know it."""

    title: str
    board: str
    flags: tuple[str, ...]


CORTEX_M4 = Processor(
    "Cortex-M4",
    "mps2-an386",
    ("-mcpu=cortex-m4", "-mthumb", "-mfloat-abi=hard", "-mfpu=fpv4-sp-d16"),
)
# It has no floating-point unit.
CORTEX_M3 = Processor("Cortex-M3", "mps2-an385", ("-mcpu=cortex-m3", "-mthumb", "-mfloat-abi=soft"))

# A call by a pointer that might change is made as often as it is asked for.
_LIBRARY = """
#include "model.h"

#define SHOWN __attribute__((visibility("default")))

static float scratch[MODEL_SCRATCH + 1];

static int predict(const float *x, float *y)
{
    return model_predict(x, y, scratch);
}

static int (*volatile call)(const float *, float *) = predict;

SHOWN int rows(long n, const float *x, float *y)
{
    int failed = 0;
    for (long i = 0; i < n; i++) {
        failed |= call(x + i * MODEL_N_FEATURES, y + i * MODEL_N_OUTPUTS);
    }
    return failed;
}

SHOWN int repeat(long count, long n, const float *x, float *y)
{
    int failed = 0;
    for (long i = 0; i < count; i++) {
        failed |= call(x + i % n * MODEL_N_FEATURES, y);
    }
    return failed;
}
"""

_PROGRAM = """
#include <stdio.h>

#include "model.h"

int main(void)
{
    float x[MODEL_N_FEATURES] = {0}, y[MODEL_N_OUTPUTS], scratch[MODEL_SCRATCH + 1];
    if (model_predict(x, y, scratch) != 0) {
        return 1;
    }
    return printf("%f\\n", (double)y[0]) < 0;
}
"""


@dataclass(frozen=True)
class Sizes:
    """Bytes of machine code and of constants (weights, tables) that predict one row."""

    code: int
    constants: int


class Library:
    """``model.h`` compiled with `FLAGS` into a shared library."""

    def __init__(self, folder: Path, includes: tuple[Path, ...] = ()) -> None:
        source = folder / "library.c"
        source.write_text(_LIBRARY)
        path = folder / "library.so"
        options = ("-shared", "-fPIC", "-fvisibility=hidden", *_SMALLEST)
        _compile(COMPILER, (*FLAGS, *options), source, path, includes)
        self.path = path
        self._library = ctypes.CDLL(str(path))

    def predict(self, x: Array, n_outputs: int) -> Array:
        """Outputs of rows ``(n, n_features)``, one after the other."""
        x = np.ascontiguousarray(x, dtype=np.float32)
        y = np.empty((len(x), n_outputs), dtype=np.float32)
        failed = self._library.rows(ctypes.c_long(len(x)), _address(x), _address(y))
        assert failed == 0, f"model_predict returned {failed}"
        return y

    def repeat(self, count: int, x: Array) -> None:
        """Predict so many rows, beginning again where all of x have been."""
        y = np.empty(1024, dtype=np.float32)
        failed = self._library.repeat(
            ctypes.c_long(count), ctypes.c_long(len(x)), _address(x), _address(y)
        )
        assert failed == 0, f"model_predict returned {failed}"

    def sizes(self) -> Sizes:
        """Of the library as a whole, with the loops around ``model_predict``."""
        return sizes("size", self.path)


def program(folder: Path, includes: tuple[Path, ...] = ()) -> Path:
    """Compile a program that predicts one row of zeros."""
    source, path = folder / "program.c", folder / "program"
    source.write_text(_PROGRAM)
    _compile(COMPILER, FLAGS, source, path, includes)
    return path


def can_build_firmware() -> bool:
    """Whether the cross compiler and the emulator are installed."""
    return all(shutil.which(tool) for tool in (ARM_COMPILER, _EMULATOR[0]))


@dataclass(frozen=True)
class Firmware:
    """What a program for such a processor takes and gives.

    Attributes
    ----------
    sizes : Sizes
        Of the whole program: it has nothing but the network, its start and the reading of rows.
    ram : int
        Bytes of data that change, scratch among them, but not the stack.
    outputs : array
    instructions : float
        Of a prediction, the median of all rows.
    """

    sizes: Sizes
    ram: int
    outputs: Array
    instructions: float


def firmware(
    processor: Processor,
    folder: Path,
    x: Array,
    n_outputs: int,
    includes: tuple[Path, ...] = (),
) -> Firmware:
    """Compile ``model.h`` for a processor and predict rows on the emulator."""
    path = folder / f"{processor.title}.elf"
    options = (*_SMALLEST, "-nostartfiles", f"-T{_FIRMWARE / 'link.ld'}", _FIRMWARE / "startup.c")
    flags = (*processor.flags, *ARM_FLAGS, *options)
    _compile(ARM_COMPILER, flags, _FIRMWARE / "main.c", path, includes, folder)
    np.ascontiguousarray(x, dtype=np.float32).tofile(folder / "rows.bin")
    command = [*_EMULATOR, "-M", processor.board, "-kernel", path.name]
    subprocess.run(command, cwd=folder, check=True, timeout=300)
    record = np.dtype([("outputs", "<f4", n_outputs), ("ticks", "<u4")])
    found = np.fromfile(folder / "outputs.bin", record)
    assert len(found) == len(x), f"{path.name} wrote {len(found)} of {len(x)} rows"
    sections = _sections("arm-none-eabi-size", path)
    return Firmware(
        sizes("arm-none-eabi-size", path),
        sections[".data"] + sections[".bss"],
        found["outputs"],
        float(np.median(found["ticks"])) / _TICKS_OF_AN_INSTRUCTION,
    )


def sizes(tool: str, path: Path) -> Sizes:
    """What ``size -A`` tells of a program or a library."""
    sections = _sections(tool, path)
    return Sizes(sections[".text"], sections.get(".rodata", 0))


def _sections(tool: str, path: Path) -> dict[str, int]:
    told = subprocess.check_output([tool, "-A", path], text=True)
    return {name: int(size) for name, size in re.findall(r"^(\.\S+)\s+(\d+)", told, re.MULTILINE)}


def _compile(
    compiler: str,
    options: tuple[str | Path, ...],
    source: Path,
    target: Path,
    includes: tuple[Path, ...],
    *more: Path,
) -> None:
    folders = [f"-I{folder}" for folder in (source.parent, *more, *includes)]
    command = [compiler, *options, *folders, source, "-o", target, "-lm"]
    done = subprocess.run(command, stderr=subprocess.PIPE, text=True)
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(map(str, command))}\n{done.stderr}")


def _address(values: Array) -> ctypes.c_void_p:
    return ctypes.c_void_p(values.ctypes.data)
