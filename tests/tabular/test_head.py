"""The network of a table is a linear model where its hidden units say nothing."""

from __future__ import annotations

import numpy as np
import pytest

import fastmlp as fm
from fastmlp.tabular.head import begin_at, layers, starts


@pytest.mark.parametrize("n_classes", [0, 2, 3])
@pytest.mark.parametrize("hidden", [(), (8, 4)])
def test_it_begins_as_the_linear_model(n_classes: int, hidden: tuple[int, ...]) -> None:
    rng = np.random.default_rng(0)
    X = rng.normal(size=(60, 5)).astype("f4")
    y = np.arange(60) % n_classes if n_classes else X @ np.arange(5.0) + 3
    options = list(starts(X, y, n_classes))
    assert [start.name for start in options] == ["constant", "linear", "linear", "linear"]
    for start in options:
        model = fm.Sequential(layers(n_classes, hidden, "relu"), random_state=0).build(5)
        begin_at(model, start.linear)
        expected, found = start.linear.outputs(X), model.predict(X)
        np.testing.assert_allclose(
            found, expected[:, -1:] if n_classes == 2 else expected, atol=1e-5
        )
    constant = options[0].linear.outputs(X)
    assert (constant == constant[0]).all()
    sizes = [np.abs(start.linear.weight).sum() for start in options]
    assert sizes[1] > sizes[2] > sizes[3] > sizes[0] == 0


@pytest.mark.parametrize("form", ["c", "int8", "python"])
def test_it_can_be_exported(form: str, tmp_path: object) -> None:
    rng = np.random.default_rng(0)
    X = rng.normal(size=(200, 5)).astype("f4")
    model = fm.Sequential(layers(3, (8, 4), "relu"), random_state=0)
    model.fit(X, (X[:, 0] > 0) + (X[:, 1] > 0).astype(int), epochs=3, verbose=0)
    predictor = model.freeze()
    path = f"{tmp_path}/model.{'py' if form == 'python' else 'h'}"
    if form == "python":
        predictor.export_python(path)
    elif form == "c":
        predictor.export_c(path)
    else:
        predictor.export_c(path, quantize="int8", calibration=X)
        assert predictor.quantize(X).report.same_class > 0.9
