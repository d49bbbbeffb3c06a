"""What a `Sequential` can do, the network of an estimator can: with its labels and names."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from prepared_tables import every_form
from twin_estimators import TABLES, pair

import fastmlp as fm

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
every_task = pytest.mark.parametrize("task", TABLES)
WORDS = np.array(["no", "yes", "perhaps"])


def fitted(task: str, dtype: str = "float64", **arguments: Any) -> tuple[Any, Any, Any]:
    """One of ours after some epochs, on a data frame; classes are words."""
    pandas = pytest.importorskip("pandas")
    (_, ours), X, y = pair(task, max_iter=4, hidden_layer_sizes=(6, 4))
    frame = pandas.DataFrame(X, columns=[f"column {i}" for i in range(X.shape[1])])
    if task in ("binary", "multiclass"):
        y = WORDS[np.unique(y, return_inverse=True)[1]]
    return ours.set_params(dtype=dtype, **arguments).fit(frame, y), frame, y


def outputs(ours: Any, X: Any) -> Any:
    found = ours.predict_proba(X) if hasattr(ours, "predict_proba") else ours.predict(X)
    return found[:, 1:] if len(getattr(ours, "classes_", ())) == 2 else found.reshape(len(X), -1)


@every_task
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_frozen_exported_and_read_back(task: str, dtype: str, tmp_path: Path) -> None:
    ours, frame, _ = fitted(task, dtype)
    expected, predictor = outputs(ours, frame), ours.network_.freeze()
    assert predictor.feature_names == tuple(frame.columns)
    tolerance = 1e-5 if dtype == "float32" else 1e-11
    for form, found in every_form(predictor, frame.to_numpy(), tmp_path).items():
        np.testing.assert_allclose(found, expected[: len(found)], atol=tolerance, err_msg=form)
    np.testing.assert_array_equal(ours.freeze()(frame), predictor(frame))
    if hasattr(ours, "classes_"):
        np.testing.assert_array_equal(predictor.predict_classes(frame), ours.predict(frame))
        loaded = fm.load_predictor(tmp_path / "p.safetensors")
        np.testing.assert_array_equal(loaded.predict_classes(frame), ours.predict(frame))
        if task != "multilabel":
            assert [str(label) for label in loaded.classes] == sorted(set(ours.classes_))
            assert f'"{ours.classes_[1]}"' in (tmp_path / "model_math.h").read_text()


@every_task
def test_saved_and_loaded(task: str, tmp_path: Path) -> None:
    ours, frame, y = fitted(task)
    ours.network_.save(tmp_path / "model.safetensors")
    loaded = fm.load(tmp_path / "model.safetensors")
    np.testing.assert_array_equal(loaded.predict(frame), outputs(ours, frame))
    assert loaded.feature_names == tuple(frame.columns)
    if hasattr(ours, "classes_"):
        np.testing.assert_array_equal(loaded.predict_classes(frame), ours.predict(frame))
    # The state of the optimizer is in the file, too.
    history = [model.fit(frame, y, epochs=2, verbose=0) for model in (loaded, ours.network_)]
    assert history[0]["loss"] == history[1]["loss"]


@every_task
def test_explained_evaluated_and_with_gradients(task: str) -> None:
    ours, frame, y = fitted(task)
    model, row = ours.network_, frame.iloc[:1]
    assert "loss" in str(model.explain(row, y[:1]))
    found = model.evaluate(frame, y)
    if task in ("binary", "multiclass"):
        assert found["accuracy"] == pytest.approx(ours.score(frame, y))
    elif task != "multilabel":
        assert np.mean(found["r2"]) == pytest.approx(ours.score(frame, y))
    fm.check_gradients(model, frame.iloc[:20], y[:20])
    with pytest.raises(ValueError, match="another order"):
        model.predict(frame[frame.columns[::-1]])


@every_task
def test_recorded_on_its_way(task: str) -> None:
    ours, frame, y = fitted(task)
    before = ours.coefs_[0].copy()
    recorder = fm.Recorder(arrays=True)
    ours.network_.fit(frame, y, epochs=3, callbacks=[recorder], verbose=0)
    assert len(recorder.weights["0.weight"]) == 3
    np.testing.assert_array_equal(recorder.weights["2.bias"][-1], ours.intercepts_[2])
    assert (ours.coefs_[0] != before).any(), "the network is the estimator's own"
    np.testing.assert_array_equal(outputs(ours, frame), ours.network_.predict(frame))
    # What is fitted one epoch at a time can be looked at in between.
    ours.partial_fit(frame, y)
    assert set(ours.network_.gradients(frame, y)) == {*ours.network_.parameters}


@every_task
def test_pictures(task: str) -> None:
    pyplot = pytest.importorskip("matplotlib.pyplot")
    ours, frame, y = fitted(task)
    model, recorder = ours.network_, fm.Recorder()
    model.fit(frame, y, epochs=2, callbacks=[recorder], verbose=0)
    drawn = [
        fm.plot_learning_curves(model),
        fm.plot_gradient_flow(recorder),
        fm.plot_activation_histograms(model, frame),
        fm.plot_activation_heatmap(model, frame),
        fm.plot_weights(model),
        fm.plot_feature_response(model, frame, "column 2"),
    ]
    assert "column 2" in drawn[-1].get_xlabel()
    if task in ("binary", "multiclass"):
        drawn.append(fm.plot_confusion_matrix(model, frame, y))
        assert [tick.get_text() for tick in drawn[-1].get_xticklabels()] == sorted(ours.classes_)
    elif task == "numbers":
        drawn.append(fm.plot_predictions(model, frame, y))
    pyplot.close("all")


def test_a_boundary() -> None:
    pyplot = pytest.importorskip("matplotlib.pyplot")
    (_, ours), X, y = pair("multiclass", max_iter=3)
    words = WORDS[np.unique(y, return_inverse=True)[1]]
    ours.fit(X[:, :2], words)
    axes = fm.plot_decision_boundary(ours.network_, X[:, :2], words)
    shown = {text.get_text() for text in axes.get_legend().get_texts()}
    assert set(ours.classes_) <= shown
    pyplot.close("all")


def test_quantized() -> None:
    ours, frame, y = fitted("multiclass", "float32")
    small = ours.freeze().quantize(frame, y)
    assert (small.predict_classes(frame) == ours.predict(frame)).mean() > 0.9


# Taken by `from_sklearn`


@every_task
def test_taken_as_a_copy(task: str) -> None:
    ours, frame, y = fitted(task)
    model = fm.from_sklearn(ours)
    assert model is not ours.network_
    np.testing.assert_array_equal(model.predict(frame), outputs(ours, frame))
    assert model.feature_names == tuple(frame.columns)
    assert model.optimizer == ours.network_.optimizer
    before = outputs(ours, frame)
    model.fit(frame, y, epochs=1, verbose=0)
    np.testing.assert_array_equal(outputs(ours, frame), before)
    single = fm.from_sklearn(ours, dtype="float32")
    assert single.dtype == "float32"
    np.testing.assert_allclose(single.predict(frame), before, rtol=1e-4, atol=1e-5)


@every_task
def test_taken_with_arguments_and_in_pipelines(task: str) -> None:
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import MinMaxScaler, StandardScaler

    ours, frame, y = fitted(task)
    X = frame.to_numpy()
    model = fm.from_sklearn(ours, backend="numpy", optimizer="sgd")
    assert (model.backend, model.optimizer) == ("numpy", fm.SGD())
    np.testing.assert_allclose(model.predict(X), outputs(ours, frame), atol=1e-12)
    pipeline = make_pipeline(StandardScaler(), MinMaxScaler(), ours).fit(X, y)
    model = fm.from_sklearn(pipeline)
    assert model.loss == ours.network_.loss
    np.testing.assert_allclose(model.predict(X), outputs(pipeline, X), atol=1e-12)
    if task in ("binary", "multiclass"):
        np.testing.assert_array_equal(model.predict_classes(X), pipeline.predict(X))


def test_a_pipeline_with_more_before_it_is_refused_with_a_hint() -> None:
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import OneHotEncoder

    ours, frame, y = fitted("binary")
    pipeline = make_pipeline(OneHotEncoder(), ours).fit(frame.round(), y)
    with pytest.raises(ValueError, match=r"onehotencoder .* \(fastmlp.freeze takes others\)"):
        fm.from_sklearn(pipeline)
    assert fm.freeze(pipeline).n_features == 5
    with pytest.raises(ValueError, match="not fitted"):
        fm.from_sklearn(fm.MLPClassifier())
