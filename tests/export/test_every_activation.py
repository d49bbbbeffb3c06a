"""Every declared activation is written by every exporter, and one without a row is refused by name.

That what is written computes the same is tested exporter by exporter, also over all activations.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import fastmlp as fm
from fastmlp.declarations.activations import ACTIVATIONS, Activation
from fastmlp.declarations.custom import CustomActivation
from fastmlp.export.costs import Costs
from fastmlp.kernels import numpy as reference
from fastmlp.kernels.reference import activations as rules

OWN = [each for each in ACTIVATIONS.values() if not isinstance(each, CustomActivation)]
X = np.random.default_rng(0).normal(size=(50, 4)).astype(np.float32)


def int8(predictor: Any, path: Path) -> None:
    predictor.export_c(path, quantize="int8", calibration=X)


def onnx(predictor: Any, path: Path) -> None:
    pytest.importorskip("onnx")
    predictor.export_onnx(path)


EXPORTERS: dict[str, Callable[[Any, Path], None]] = {
    "C": lambda predictor, path: predictor.export_c(path),
    "C without math.h": lambda predictor, path: predictor.export_c(path, math="inline"),
    "int8": int8,
    "ONNX": onnx,
    "Python": lambda predictor, path: predictor.export_python(path),
}

# Where the error sends whoever has added an activation.
TABLES = {
    "C": "ACTIVATIONS in fastmlp/export/c/activations.py",
    "C without math.h": "ACTIVATIONS in fastmlp/export/c/activations.py",
    "ONNX": "ACTIVATIONS in fastmlp/export/onnx/activations.py",
    "Python": "ACTIVATIONS in fastmlp/export/python/activations.py",
    "int8": "ROWWISE in fastmlp/int8/activations.py",
}


def predictor_of(activation: Any) -> Any:
    """A network with an activation inside and at its end."""
    layers = [fm.Dense(3, activation), fm.Dense(2, activation)]
    return fm.Sequential(layers, backend="numpy", random_state=0).build(4).freeze()


# Of two layers of exp the outputs of some rows lie far beyond those of others.
@pytest.mark.filterwarnings("ignore:.* of .* calibration rows lie:UserWarning")
@pytest.mark.parametrize("form", EXPORTERS)
@pytest.mark.parametrize("activation", OWN, ids=lambda each: each.name)
def test_every_activation_is_written(activation: Activation, form: str, tmp_path: Path) -> None:
    predictor = predictor_of(activation)
    EXPORTERS[form](predictor, tmp_path / "model.py")
    assert (tmp_path / "model.py").stat().st_size > 100
    assert Costs.of(predictor).flash_bytes > 0


class MadeUp(Activation):
    """An activation that somebody has declared, and written for the kernels."""

    name = "made_up"


@pytest.fixture(params=[False, True], ids=["elementwise", "rowwise"])
def is_rowwise(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> bool:
    """The made-up activation is known to the kernels, as one of these kinds."""
    relu, softmax = rules.ACTIVATIONS["relu"], rules.ACTIVATIONS["softmax"]
    monkeypatch.setitem(rules.ACTIVATIONS, "made_up", softmax if request.param else relu)
    is_rowwise: bool = request.param
    return is_rowwise


@pytest.mark.parametrize("form", TABLES)
def test_an_activation_without_a_row_is_refused(
    form: str, is_rowwise: bool, tmp_path: Path
) -> None:
    predictor = predictor_of(MadeUp())
    path = tmp_path / "model.py"
    if form == "int8" and not is_rowwise:
        # Elementwise functions are tabulated, whatever they are.
        EXPORTERS[form](predictor, path)
        assert path.exists()
        return
    message = rf"activation 'made_up' cannot be .*: {re.escape(TABLES[form])} has no row for it"
    with pytest.raises(ValueError, match=message):
        EXPORTERS[form](predictor, path)
    assert not list(tmp_path.iterdir())


@pytest.mark.usefixtures("is_rowwise")
def test_all_else_takes_an_activation_that_is_only_declared() -> None:
    model = fm.Sequential([fm.Dense(3, MadeUp()), fm.Dense(2)], backend="numpy").build(4)
    text = str(model.explain(X[0], [1.0, 2.0]))
    assert "made_up(z)" in text
    assert "made_up" in model.summary()
    assert Costs.of(model.freeze()).flash_bytes > 0
    out = model.activations(X[:1])["0.output"]
    z = model.activations(X[:1])["0.preactivation"]
    np.testing.assert_array_equal(out, reference.activation_forward(z, "made_up"))
