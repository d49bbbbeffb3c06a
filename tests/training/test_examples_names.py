"""Tables whose columns are not those that a model was fitted on are refused."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pytest
from framed_rows import FRAME

import fastmlp as fm

Y = (FRAME["age"] > 0).to_numpy().astype(int)
OTHER_ORDER = FRAME[["pay", "age", "years"]]
OTHER_NAMES = FRAME.rename(columns={"pay": "wage"})


def fitted(**arguments: Any) -> fm.Sequential:
    model = fm.Sequential([fm.Dense(4, "tanh"), fm.Dense(2, "softmax")], random_state=0)
    model.fit(FRAME, Y, epochs=1, verbose=0, **arguments)
    return model


@pytest.fixture(autouse=True)
def close_figures() -> Iterator[None]:
    yield
    plt.close("all")


ENTRIES: dict[str, Callable[[fm.Sequential, Any], object]] = {
    "fit": lambda model, X: model.fit(X, Y, epochs=1, verbose=0),
    "fit on chunks": lambda model, X: model.fit([(FRAME, Y), (X, Y)], epochs=1, verbose=0),
    "validation": lambda model, X: model.fit(FRAME, Y, epochs=1, verbose=0, validation_data=(X, Y)),
    "train_step": lambda model, X: model.train_step(X, Y),
    "predict": lambda model, X: model.predict(X),
    "predict_classes": lambda model, X: model.predict_classes(X),
    "evaluate": lambda model, X: model.evaluate(X, Y),
    "gradients": lambda model, X: model.gradients(X, Y),
    "activations": lambda model, X: model.activations(X),
    "explain": lambda model, X: model.explain(X[:1], Y[0]),
    "check_gradients": lambda model, X: fm.check_gradients(model, X, Y, max_elements=1),
    "find_learning_rate": lambda model, X: fm.find_learning_rate(model, X, Y, steps=20),
    "plot_feature_response": lambda model, X: fm.plot_feature_response(model, X, "age"),
    "plot_confusion_matrix": lambda model, X: fm.plot_confusion_matrix(model, X, Y),
    "plot_activation_histograms": lambda model, X: fm.plot_activation_histograms(model, X),
    "plot_activation_heatmap": lambda model, X: fm.plot_activation_heatmap(model, X),
    "a predictor": lambda model, X: model.freeze()(X),
    "a predictor's classes": lambda model, X: model.freeze().predict_classes(X),
    "quantize": lambda model, X: model.freeze().quantize(X),
}


@pytest.mark.filterwarnings("ignore:.*learning rate.*")
@pytest.mark.parametrize("entry", ENTRIES)
def test_every_entry_refuses_other_columns(entry: str) -> None:
    model = fitted()
    weights = {name: values.copy() for name, values in model.parameters.items()}
    for frame, message in ((OTHER_ORDER, "another order"), (OTHER_NAMES, "other columns")):
        with pytest.raises(ValueError, match=message):
            ENTRIES[entry](model, frame)
    np.testing.assert_equal(dict(model.parameters), weights)
    # The same columns, and arrays, which have no names, are taken.
    ENTRIES[entry](model, FRAME)
    if entry != "plot_feature_response":
        ENTRIES[entry](model, FRAME.to_numpy())


def test_chunks_and_validation_are_held_to_the_first_rows_of_the_same_fit() -> None:
    model = fm.Sequential([fm.Dense(2, "softmax")])
    with pytest.raises(ValueError, match="chunk 1's X has its columns in another order"):
        model.fit([(FRAME, Y), (OTHER_ORDER, Y)], verbose=0)
    with pytest.raises(ValueError, match="validation_data's X has other columns"):
        model.fit(FRAME, Y, validation_data=(OTHER_NAMES, Y), verbose=0)
    assert model.feature_names is None
    model.fit(OTHER_NAMES, Y, epochs=1, verbose=0)
    assert model.feature_names == ("age", "wage", "years")


def test_names_are_kept_until_reset(tmp_path: Path) -> None:
    model = fitted()
    path = tmp_path / "model.safetensors"
    model.save(path)
    for kept in (model, fm.load(path)):
        assert kept.feature_names == ("age", "pay", "years")
        with pytest.raises(ValueError, match=r"pass X\[list\(model.feature_names\)\]"):
            kept.predict(OTHER_ORDER)
    right = model.predict(FRAME)
    np.testing.assert_array_equal(
        model.predict(OTHER_ORDER[list(model.feature_names or ())]), right
    )
    model.reset()
    assert model.feature_names is None
    model.fit(OTHER_ORDER, Y, epochs=1, verbose=0)


def test_a_model_fitted_on_arrays_takes_any_names() -> None:
    model = fm.Sequential([fm.Dense(2, "softmax")], random_state=0)
    model.fit(FRAME.to_numpy(), Y, epochs=1, verbose=0)
    assert model.feature_names is None
    np.testing.assert_array_equal(model.predict(OTHER_NAMES), model.predict(FRAME))


def test_a_scaler_with_other_names_is_refused() -> None:
    preprocessing = pytest.importorskip("sklearn.preprocessing")
    model = fitted()
    scaler = preprocessing.StandardScaler()
    assert model.freeze(scaler.fit(FRAME)).feature_names == ("age", "pay", "years")
    assert model.freeze(scaler.fit(FRAME.to_numpy())).feature_names == ("age", "pay", "years")
    for frame, message in ((OTHER_ORDER, "another order"), (OTHER_NAMES, "other columns")):
        with pytest.raises(ValueError, match=f"the scaler has .*{message}"):
            model.freeze(scaler.fit(frame))


def test_two_inputs() -> None:
    model = fm.Sequential([fm.WideAndDeep(2, "softmax", deep=[fm.Dense(4)])], random_state=0)
    deep, wide = FRAME[["age"]], FRAME[["pay", "years"]]
    model.fit((wide, deep), Y, epochs=1, verbose=0)
    assert model.feature_names == ("age",)
    with pytest.raises(ValueError, match="X_wide has its columns in another order") as caught:
        model.predict((wide[["years", "pay"]], deep))
    assert "X_wide[list(model.training_state.feature_names['X_wide'])]" in str(caught.value)
    with pytest.raises(ValueError, match="X_deep has other columns"):
        model.predict((wide, FRAME[["pay"]]))
