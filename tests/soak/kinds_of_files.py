"""The kinds of files that the library writes, and how each is read, used and written again."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

import fastmlp as fm
from fastmlp.kernels.typing import Array
from fastmlp.tables.table import Table

from . import ROOT

_GOLDEN = ROOT / "tests/golden"
_TABLE = {
    "size": ["1", "2.5", "", "-3"],
    "sold": ["2024-01-05", "2024-02-29", "", "x"],
    "town": ["Delft", "Gouda", "", "Rome"],
}


@dataclass(frozen=True)
class Kind:
    """One kind of file.

    Parameters
    ----------
    files : tuple of str
        Some of the kind, in tests/golden.
    read : function of a path
    write : function of what was read, and of a path
    use : function of what was read, and of the path
        Gives arrays of numbers or texts.
    """

    name: str
    files: tuple[str, ...]
    read: Callable[[Path], Any]
    write: Callable[[Any, Path], None]
    use: Callable[[Any, Path], list[Array]]

    def contents(self, folder: Path) -> list[bytes]:
        """The files as they are written today."""
        for name in self.files:
            self.write(self.read(_GOLDEN / name), folder / name)
        return [(folder / name).read_bytes() for name in self.files]


def _load(path: Path) -> Any:
    return fm.load(path, backend="numpy", n_threads=1)


def _save(model: Any, path: Path) -> None:
    model.save(path)


def _predict(model: Any, path: Path) -> list[Array]:
    n_features = model.training_state.program.n_features
    X: Any = _rows(n_features) if isinstance(n_features, int) else tuple(map(_rows, n_features))
    return [model.predict(X)]


def _predict_frozen(predictor: fm.Predictor, path: Path) -> list[Array]:
    n_features: Any = predictor.n_features
    X: Any = _rows(n_features) if isinstance(n_features, int) else tuple(map(_rows, n_features))
    return [predictor(X), predictor(X[0])] if isinstance(n_features, int) else [predictor(X)]


def _quantize(predictor: fm.Predictor, path: Path) -> list[Array]:
    X = _rows(predictor.n_features)
    return [predictor.quantize(X)(X)]


def _resume(model: Any, path: Path) -> list[Array]:
    n_features = model.training_state.program.n_features
    y = _rows(max(1, model.training_state.program.output.width))
    X = _rows(n_features)
    resumed = fm.resume(path, X, y, epochs=1, verbose=0, backend="numpy", n_threads=1)
    return [resumed.predict(X)]


def _estimate(estimator: Any, path: Path) -> list[Array]:
    if isinstance(estimator, fm.Sequential):
        # What stands for the estimator was edited away.
        return _predict(estimator, path)
    # As the columns are called there.
    names = [column.name for column in estimator.schema_.columns]
    table = dict(zip(names, _TABLE.values(), strict=False))
    if hasattr(estimator, "predict_proba"):
        return [estimator.predict_proba(table), estimator.predict(table)]
    return [estimator.predict(table)]


def _read_table(schema: fm.Schema, path: Path) -> list[Array]:
    str(schema)
    cells, _ = schema.read(Table.of(_TABLE))
    return list(cells.values())


def _rows(n: int) -> Array:
    """Rows whose first column could be codes of categories."""
    if n > 10_000:
        raise ValueError("so large a table is not made for a trial")
    rows = np.linspace(-1.0, 2.0, 4 * n).reshape(4, n)
    rows[:, 0] = range(4)
    return rows


def _file(name: str) -> str:
    return f"{name}-2026-12-01.safetensors"


KINDS = (
    Kind("models", (_file("model"), _file("wide")), _load, _save, _predict),
    Kind("checkpoints", (_file("checkpoint"),), _load, _save, _resume),
    Kind("estimators", (_file("estimator"),), _load, _save, _estimate),
    Kind("predictors", (_file("predictor"),), fm.load_predictor, _save, _predict_frozen),
    # An int8 network is made of a predictor and has no file of its own.
    Kind("int8", ("predictor-2026-11-22.safetensors",), fm.load_predictor, _save, _quantize),
    Kind(
        "schemas",
        ("schema-2026-12-01.json",),
        fm.Schema.from_json,
        fm.Schema.to_json,
        _read_table,
    ),
)
