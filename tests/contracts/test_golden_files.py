"""Files of each format that there has been, named by the day, are read and give the same numbers.

They are never written again: a file that can no longer be read is a file that somebody has lost.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from paths import ROOT

import fastmlp as fm

GOLDEN = ROOT / "tests/golden"
EXPECTED: dict[str, dict[str, Any]] = json.loads(
    (GOLDEN / "expected.json").read_text(encoding="utf-8")
)
_LINES = """
859142c2705376b246eb6e4a5a25f2d89406f806b0b7a1c8bb03c8dc8eeb1bdc checkpoint-2026-11-22.safetensors
a2c8bfca7e0da13746e6f30116d92acf1d234aec8c0067db778ee36c1881a45c checkpoint-2026-12-01.safetensors
33d2e17bde04c0b00163216fdae151cc6c5e5e3e0e969bd5efbe0bee0a0c94ce estimator-2026-11-29.safetensors
89dfccd52879af6a61a4dc6f1ecaadfc06cbcf13717b5654216ed0abe1918ca2 estimator-2026-12-01.safetensors
944e2432901f06d6beff7eb7fd5e4ce7cb4d9673b20e6948a1a29b8ae1d4d7f9 model-2026-11-22.safetensors
e92526fb9c8beff769b18848c1ccd98908d03b968b0dd0433830df7403559515 model-2026-12-01.safetensors
e369de7011af51340d6897cb264a3ad815f1b8da034733c3251caf2bf4704199 predictor-2026-11-22.safetensors
b5c9fd398e178d22e65fdadf3eda2465e47d2384637dff39a9e317c3912f6f0c predictor-2026-12-01.safetensors
f6d0e4a565f8f18ba1bc22edb38d59e89b56d5893213abbe11814acb710fa7b5 schema-2026-11-29.json
65487f1b9e94ede1242d479ff7c59cbd3ead9d78a3315dc8dbdf27e2a06f9241 schema-2026-12-01.json
e31fceac5260b51a7887b86916be6d1fe47d04199e3be461c3275f0df6b13a2f table-2026-11-22.safetensors
cf6d26107eac44fc520c82702460207a15a5881f0ff214d5481cce90d7916ff0 wide-2026-12-01.safetensors
"""
SHA256 = {line[65:]: line[:64] for line in _LINES.split("\n")[1:-1]}


def rows(given: list[Any]) -> Any:
    """Rows of one input, or of two."""
    return np.array(given) if np.ndim(given) == 2 else tuple(map(np.array, given))


def close(found: Any, expected: Any, rtol: float = 1e-5) -> None:
    np.testing.assert_allclose(found, np.array(expected), rtol, 1e-6)


def check_model(path: Path, known: dict[str, Any]) -> None:
    model = fm.load(path, backend="numpy")
    close(model.predict(rows(known["X"])), known["outputs"])
    assert model.classes.tolist() == known["classes"]
    check_predictor(path, known)


def check_predictor(path: Path, known: dict[str, Any]) -> None:
    predictor = fm.load_predictor(path)
    close(predictor(rows(known["X"])), known["outputs"])
    assert predictor.classes is not None
    assert predictor.classes.tolist() == known["classes"]


def check_checkpoint(path: Path, known: dict[str, Any]) -> None:
    """What is left of the fit gives the network that a fit without a break has given."""
    X = rows(known["X"])
    model = fm.resume(path, X, np.array(known["y"]), backend="numpy", verbose=0)
    assert len(model.history) == 5
    close(model.predict(X[:4]), known["outputs"], 1e-4)


def check_estimator(path: Path, known: dict[str, Any]) -> None:
    estimator = fm.load(path, backend="numpy")
    close(estimator.predict_proba(known["table"]), known["outputs"])
    assert estimator.classes_.tolist() == known["classes"]


def check_table(path: Path, known: dict[str, Any]) -> None:
    from fastmlp.tables.table import Table
    from fastmlp.tabular.model import TableModel

    model = TableModel.read(path, backend="numpy")
    assert isinstance(model, TableModel)
    cells, _ = model.preparation.read(Table.of(known["table"]))
    outputs = model.predict(model.preparation.matrix(cells, model.dtype))
    close(model.preparation.target.inverse_transform(outputs), known["outputs"])


def check_schema(path: Path, known: dict[str, Any]) -> None:
    from fastmlp.tables.table import Table

    cells, _ = fm.Schema.from_json(path).read(Table.of(known["table"]))
    for name, values in known["cells"].items():
        assert cells[name][:4].tolist() == values


CHECKS = {
    "checkpoint": check_checkpoint,
    "estimator": check_estimator,
    "model": check_model,
    "predictor": check_predictor,
    "schema": check_schema,
    "table": check_table,
    "wide": check_model,
}


def test_they_are_as_they_were_written() -> None:
    found = {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest()
        for path in GOLDEN.iterdir()
        if path.name != "expected.json"
    }
    assert found == SHA256
    assert EXPECTED.keys() == SHA256.keys()


@pytest.mark.filterwarnings("ignore::fastmlp.TableWarning")
@pytest.mark.parametrize("name", SHA256)
def test_they_give_the_same_numbers(name: str) -> None:
    kind = name.partition("-")[0]
    if kind in ("schema", "table"):
        pytest.importorskip("pyarrow")
    if kind == "estimator":
        pytest.importorskip("sklearn")
    CHECKS[kind](GOLDEN / name, EXPECTED[name])
