"""What a predictor takes on a device: one row, the bytes of each export, and loading."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from functools import cache
from pathlib import Path

import fastmlp as fm
from benchmarks.shared.clock import count_repeats, slow_clock
from benchmarks.shared.edge_networks import LARGE, SMALL, Network
from benchmarks.shared.edge_ways import WAYS, NotInstalled
from benchmarks.shared.exported_c import CORTEX_M4, can_build_firmware, firmware
from benchmarks.shared.fresh_process import run_after

_SAMPLE_SECONDS = 0.02
_OURS = (
    *("C, math.h", "C, inline", "C, int8"),
    *("Predictor, numba", "Predictor, NumPy", "Python file"),
)
_C = tuple(name for name in _OURS if name.startswith("C, "))


@cache
def _folder() -> tempfile.TemporaryDirectory[str]:
    """Deleted when the process ends."""
    return tempfile.TemporaryDirectory()


@cache
def _network(name: str) -> Network:
    if not hasattr(fm, "load_predictor"):
        raise NotImplementedError("this version has no predictors")
    return Network.of(name, Path(_folder().name))


@cache
def _rows(network: str, way: str) -> tuple[Callable[[int], None], int]:
    """Predictions of a row each, checked, and how many of them make a sample."""
    try:
        made = WAYS[way](_network(network))
    except NotInstalled as absent:
        raise NotImplementedError(f"{absent} is not installed") from absent
    made.check(_network(network))
    made.one_by_one(1)
    return made.one_by_one, count_repeats(made.one_by_one, _SAMPLE_SECONDS)


class OneRow:
    """A row that is predicted by a call of its own; C's are called for by a loop in C."""

    params = ([SMALL, LARGE], list(_OURS))
    param_names = ("network", "way")
    number = 1
    rounds = 1
    repeat = (5, 10, 0.5)

    def setup(self, network: str, way: str) -> None:
        self.one_by_one, self.repeats = _rows(network, way)
        self.timer = slow_clock(self.repeats)

    def time_predict(self, network: str, way: str) -> None:
        self.one_by_one(self.repeats)


class Size:
    """Bytes of each export, and of the predictor's own file."""

    params = ([SMALL, LARGE], ["safetensors", "c", "c-int8", "python", "onnx"])
    param_names = ("network", "format")
    unit = "bytes"

    def track_file(self, network: str, format: str) -> int:
        made = _network(network)
        paths: dict[str, Callable[[], Path]] = {
            "safetensors": made.saved,
            "c": lambda: made.c_folder() / "model.h",
            "c-int8": lambda: made.c_folder("inline", int8=True) / "model.h",
            "python": made.python_file,
            "onnx": made.onnx_file,
        }
        try:
            path = paths[format]()
        except ImportError as absent:
            raise NotImplementedError(str(absent)) from absent
        return path.stat().st_size


class CortexM4:
    """A program that predicts rows, on an emulated processor of a small device."""

    params = ([SMALL], list(_C))
    param_names = ("network", "way")
    timeout = 120

    def setup(self, network: str, way: str) -> None:
        if not can_build_firmware():
            raise NotImplementedError("the cross compiler or the emulator is not installed")
        made, this = WAYS[way](_network(network)), _network(network)
        assert made.c_folder is not None
        self.found = firmware(CORTEX_M4, made.c_folder, this.rows[:4], this.n_outputs)

    def track_flash(self, network: str, way: str) -> int:
        return self.found.sizes.code + self.found.sizes.constants

    def track_ram(self, network: str, way: str) -> int:
        return self.found.ram

    def track_instructions(self, network: str, way: str) -> float:
        return self.found.instructions


CortexM4.track_flash.unit = CortexM4.track_ram.unit = "bytes"  # type: ignore[attr-defined]
CortexM4.track_instructions.unit = "instructions"  # type: ignore[attr-defined]


class Load:
    """Loading a predictor's file, and the first prediction of a process."""

    params = ([SMALL, LARGE], ["numpy", "numba"])
    param_names = ("network", "backend")

    def setup(self, network: str, backend: str) -> None:
        self.path = _network(network).saved()
        fm.load_predictor(self.path, backend=backend)

    def time_load(self, network: str, backend: str) -> None:
        fm.load_predictor(self.path, backend=backend)


class FirstRow:
    """The first prediction of a process beyond ``import numpy``, the import of fastmlp included."""

    params = (["Predictor, NumPy", "Predictor, numba", "Python file"],)
    param_names = ("way",)
    unit = "seconds"

    def track_seconds(self, way: str) -> float:
        start = WAYS[way](_network(SMALL)).start
        assert isinstance(start, str)
        run_after("import numpy", start)
        return min(run_after("import numpy", start).seconds for _ in range(3))
