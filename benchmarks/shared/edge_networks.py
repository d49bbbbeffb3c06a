"""The networks of the comparison of predictors: trained, and exported in every form."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

import fastmlp as fm

Array = np.ndarray[Any, Any]

SMALL, LARGE = "20-64-32-3", "784-128-64-10"
_ROWS = 4000
_EPOCHS = 5
# Rows that are predicted one at a time, in turns.
TURNS = 64


@dataclass(frozen=True)
class Network:
    """A trained classifier, relu and softmax in float32, and a folder for what is made of it.

    The data are clusters around one random point for each class, as many columns as the network
    has inputs.
    """

    widths: tuple[int, ...]
    folder: Path

    @classmethod
    def of(cls, name: str, folder: Path) -> Network:
        """The network that is called by its widths, with dashes between them."""
        return cls(tuple(int(width) for width in name.split("-")), folder)

    def __str__(self) -> str:
        return "-".join(map(str, self.widths))

    @property
    def n_features(self) -> int:
        return self.widths[0]

    @property
    def n_outputs(self) -> int:
        return self.widths[-1]

    @cached_property
    def data(self) -> tuple[Array, Array]:
        """Rows of float32 and their classes."""
        rng = np.random.default_rng(0)
        y = rng.integers(self.n_outputs, size=_ROWS)
        centers = rng.normal(size=(self.n_outputs, self.n_features))
        x = centers[y] + 1.5 * rng.normal(size=(_ROWS, self.n_features))
        return x.astype(np.float32), y

    @property
    def rows(self) -> Array:
        """Those that are predicted one at a time."""
        return self.data[0][:TURNS]

    @cached_property
    def model(self) -> fm.Sequential:
        *hidden, last = self.widths[1:]
        layers = [*(fm.Dense(width, "relu") for width in hidden), fm.Dense(last, "softmax")]
        model = fm.Sequential(layers, random_state=0)
        model.fit(*self.data, epochs=_EPOCHS, verbose=0)
        return model

    @cached_property
    def predictor(self) -> Any:
        return self.model.freeze()

    @cached_property
    def expected(self) -> Array:
        """What `rows` are predicted as, by the model."""
        return self.model.predict(self.rows)

    @property
    def layers(self) -> list[tuple[Array, Array]]:
        """Weights ``(n_in, n_out)`` and biases of each layer."""
        parameters = self.model.parameters
        return [
            (parameters[f"{i}.weight"], parameters[f"{i}.bias"])
            for i in range(len(self.widths) - 1)
        ]

    def subfolder(self, name: str) -> Path:
        """A folder of its own for one export."""
        folder = self.folder / str(self) / name
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    def saved(self) -> Path:
        """The predictor's file."""
        path = self.subfolder("predictor") / "predictor.safetensors"
        self.predictor.save(path)
        return path

    def python_file(self) -> Path:
        path = self.subfolder("python") / "model.py"
        self.predictor.export_python(path)
        return path

    def onnx_file(self) -> Path:
        path = self.subfolder("onnx") / "model.onnx"
        self.predictor.export_onnx(path)
        return path

    def c_folder(self, math: str = "math.h", int8: bool = False) -> Path:
        """A folder with ``model.h``."""
        folder = self.subfolder("c_int8" if int8 else f"c_{math.replace('.', '_')}")
        options = {"quantize": "int8", "calibration": self.data[0]} if int8 else {}
        self.predictor.export_c(folder / "model.h", math=math, **options)
        return folder
